// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/model_size.hpp"

#include "siena/cost/validate.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

TEST_CASE("model size: a byte a weight and four a bias", "[cost]") {
  REQUIRE(total(ModelSize{}, test::resnet8()) == 77360 + 4 * 346);
  REQUIRE(total(ModelSize{}, test::ds_cnn()) == 22016 + 4 * 588);
}

TEST_CASE("model size: precision, norms that do not fold, shared weights", "[cost]") {
  Architecture<double> net{.layers = {test::conv("conv", {.in = 8, .out = 10})}};
  net.layers[0].weight_bits = 4;
  REQUIRE(total(ModelSize{}, net) == 9 * 8 * 10 / 2 + 4 * 10);
  net.layers[0].batch_norm_folded = false;
  net.layers.push_back({.kind = LayerKind::batch_norm, .in_channels = 10, .out_channels = 10, .weight_bits = 4});
  REQUIRE(total(ModelSize{}, net) == 9 * 8 * 10 / 2 + 8 * 10);
  net.layers.push_back(net.layers[0]);
  net.layers.back().repeated = true;
  REQUIRE(total(ModelSize{}, net) == 9 * 8 * 10 / 2 + 8 * 10);
}

TEST_CASE("model size: slopes are exact", "[cost]") {
  REQUIRE(validate(ModelSize{}, test::resnet8()).worst_error < 1e-12);
  ScalarTape tape;
  auto soft = convert<Scalar>(test::conv("conv", {.in = 8, .out = 10}));
  soft.weight_bits = tape.leaf(4);
  tape.backward(ModelSize{}.layer_cost(soft));
  REQUIRE(tape.gradient(soft.weight_bits) == 9 * 8 * 10 / 8.0);
}
