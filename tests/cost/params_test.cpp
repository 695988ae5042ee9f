// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/params.hpp"

#include "siena/cost/validate.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

TEST_CASE("params: the numbers of known networks", "[cost]") {
  REQUIRE(total(Params{}, test::resnet8()) == 77360);
  REQUIRE(total(Params{}, test::ds_cnn()) == 22016);
  REQUIRE(total(Params{.bias = true}, test::resnet8()) == 77706);
  REQUIRE(total(Params{.bias = true}, test::ds_cnn()) == 22604);
}

TEST_CASE("params: slopes are exact", "[cost]") {
  REQUIRE(validate(Params{.bias = true}, test::resnet8()).worst_error < 1e-12);
  REQUIRE(validate(Params{}, test::ds_cnn()).worst_error < 1e-12);
}
