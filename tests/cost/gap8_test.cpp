// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/gap8.hpp"

#include "siena/cost/validate.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

TEST_CASE("gap8: cycles of known layers and networks", "[cost]") {
  const Gap8 gap8{.clock = 100_MHz};
  REQUIRE(gap8.layer_cost(test::conv("", {.in = 16, .out = 16})) == 151296);
  REQUIRE(gap8.layer_cost(test::conv("", {.in = 3, .out = 16})) == 32384);
  REQUIRE(gap8.layer_cost(test::linear("", 64, 12)) == 96);
  REQUIRE(gap8.layer_cost(test::depthwise("", {.in = 64, .out = 64, .height = 25, .width = 5})) == 4 * 16 * 125 * 9);
  REQUIRE(total(gap8, test::resnet8()) == 766624);
  REQUIRE(total(gap8, test::ds_cnn()) == 526880);
  REQUIRE(seconds(gap8, test::resnet8()) == Approx(7.66624e-3));
}

TEST_CASE("gap8: cycles step at tiles and are whole numbers", "[cost]") {
  const Gap8 gap8;
  const auto cost = [&](double in, double out) { return gap8.layer_cost(test::conv("", {.in = in, .out = out})); };
  REQUIRE(cost(16, 13) == cost(16, 16));
  REQUIRE(cost(16, 12) < cost(16, 13));
  auto grouped = test::conv("", {.in = 16, .out = 32});
  grouped.groups = 2;
  REQUIRE(gap8.layer_cost(grouped) == 2 * cost(8, 16));
}

TEST_CASE("gap8: slopes are those of the tiles", "[cost]") {
  ScalarTape tape;
  auto layer = convert<Scalar>(test::conv("", {.in = 16, .out = 16}));
  layer.in_channels = tape.leaf(16), layer.out_channels = tape.leaf(16);
  const Scalar cost = Gap8{}.layer_cost(layer);
  REQUIRE(cost.value() == 151296);
  tape.backward(cost);
  // 64 tiles of pixels; from 16 to 20 output channels 519 cycles more, from 16 to 20 input channels 2 * 36 + 4 * 14 * 9.
  REQUIRE(tape.gradient(layer.out_channels) == 64 * 519 / 4.0);
  REQUIRE(tape.gradient(layer.in_channels) == 64 * (2 * 36 + 4 * 14 * 9) / 4.0);

  REQUIRE(validate(Gap8{}, test::resnet8()).worst_error < 1e-12);
  REQUIRE(validate(Gap8{}, test::ds_cnn()).worst_error < 1e-12);
}

TEST_CASE("gap8: layers without MACs are free, custom ones pay, time needs a clock", "[cost]") {
  LayerDesc<double> layer{.kind = LayerKind::add, .in_channels = 16, .out_channels = 16};
  for (const auto kind : {LayerKind::add, LayerKind::pool, LayerKind::activation, LayerKind::batch_norm}) {
    layer.kind = kind;
    REQUIRE(Gap8{}.layer_cost(layer) == 0);
  }
  REQUIRE(Gap8{}.layer_cost(LayerDesc<double>{.kind = LayerKind::other, .own_macs = 800}) == 100);
  REQUIRE_THROWS_WITH(seconds(Gap8{}, test::resnet8()), ContainsSubstring("expected 'gap8' to have a clock, got 0 Hz"));
}
