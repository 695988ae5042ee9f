// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/macs.hpp"

#include "siena/cost/validate.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

TEST_CASE("macs: the numbers of known networks", "[cost]") {
  REQUIRE(total(Macs{}, test::resnet8()) == 12501632);
  REQUIRE(total(Macs{}, test::ds_cnn()) == 2656768);
}

TEST_CASE("macs: slopes are exact", "[cost]") {
  REQUIRE(validate(Macs{}, test::resnet8()).worst_error < 1e-12);
  REQUIRE(validate(Macs{}, test::ds_cnn()).worst_error < 1e-12);
}
