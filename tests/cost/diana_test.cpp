// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/diana.hpp"

#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

constexpr Diana digital_core{}, analog_core{.core = DianaCore::analog};

}  // namespace

TEST_CASE("diana: cycles of known layers", "[cost]") {
  const auto wide = test::conv("", {.in = 16, .out = 16});
  const auto small = test::conv("", {.in = 32, .out = 32, .height = 16, .width = 16});
  CHECK(digital_core.layer_cost(wide) == 13312);
  CHECK(analog_core.layer_cost(wide) == Approx(5811.2).epsilon(1e-12));
  CHECK(digital_core.layer_cost(small) == 11264);
  CHECK(analog_core.layer_cost(small) == Approx(3468.8).epsilon(1e-12));
  CHECK(digital_core.layer_cost(test::linear("", 64, 12)) == 64 + 76.0 / 8);
  CHECK(total(digital_core, test::resnet8()) == 81545.25);
}

TEST_CASE("diana: depthwise, grouped and absent channels", "[cost]") {
  const auto depthwise = test::depthwise("", {.in = 64, .out = 64, .height = 25, .width = 5});
  CHECK(digital_core.layer_cost(depthwise) == 64 * 25 * 9 + 125 * 128 / 8);
  CHECK(analog_core.layer_cost(depthwise) == digital_core.layer_cost(depthwise));
  auto grouped = test::conv("", {.in = 16, .out = 64});
  grouped.groups = 2;
  CHECK(digital_core.layer_cost(grouped) == 2 * 16 * 2 * 32 * 9 + 1024 * 80 / 8);
  CHECK(analog_core.layer_cost(grouped) == digital_core.layer_cost(grouped));
  // One channel is not depthwise.
  CHECK(analog_core.layer_cost(test::conv("", {.in = 1, .out = 1})) == Approx(8 * 9 + 18.2 * 1024 / 4));
  for (const Diana& core : {digital_core, analog_core}) CHECK(core.layer_cost(test::conv("", {.in = 16, .out = 0})) == 0);
  CHECK(digital_core.layer_cost(LayerDesc<double>{.kind = LayerKind::other, .own_macs = 70}) == 70);
  CHECK(digital_core.layer_cost(LayerDesc<double>{.kind = LayerKind::pool, .in_channels = 8, .out_channels = 8}) == 0);
}

TEST_CASE("diana: x is the width; numbers of PLiNIO are those of the image turned", "[cost]") {
  const auto tall = test::conv("", {.in = 16, .out = 16, .height = 25, .width = 5});
  const auto wide = test::conv("", {.in = 16, .out = 16, .height = 5, .width = 25});
  CHECK(digital_core.layer_cost(tall) == 16 * 9 * 1 * 25 + 125 * 32 / 8);
  CHECK(digital_core.layer_cost(wide) == 16 * 9 * 2 * 5 + 125 * 32 / 8);  // what PLiNIO gives for the tall one
}

TEST_CASE("diana: more channels, fewer pixels at once: the slope has the right sign", "[cost]") {
  // 1x1, so that the rows leave room for 8 pixels: steps at 64, 128, 256 and 512 output channels.
  const auto pointwise = [](double in, double out) { return test::conv("", {.in = in, .out = out, .kernel = 1}); };
  const double whole = 18.2 * 1024, weights = 8 * 32;
  CHECK(analog_core.layer_cost(pointwise(32, 64)) == Approx(weights + whole / 8));
  CHECK(analog_core.layer_cost(pointwise(32, 65)) == Approx(weights + whole / 4));
  CHECK(analog_core.layer_cost(pointwise(32, 513)) == Approx(weights + whole * 2));
  const auto slope = [&](double in, double out, bool of_input) {
    ScalarTape tape;
    auto layer = convert<Scalar>(pointwise(in, out));
    layer.in_channels = tape.leaf(in), layer.out_channels = tape.leaf(out);
    tape.backward(analog_core.layer_cost(layer));
    return tape.gradient(of_input ? layer.in_channels : layer.out_channels);
  };
  for (const double out : {1.0, 64.0, 65.0, 128.0, 200.0, 512.0, 513.0, 2000.0}) {
    CHECK(slope(32, out, false) == Approx(whole / 512));  // all corners lie on one line
  }
  // Rows: 8 pixels up to 128 channels; from there to 144 two passes, to 256 two of 4 pixels, ...
  CHECK(slope(100, 16, true) == Approx(8 + whole / 8 / 128));
  CHECK(slope(140, 16, true) == Approx(8 + whole * (2.0 / 8 - 1.0 / 8) / 16));
  CHECK(slope(200, 16, true) == Approx(8 + whole * (2.0 / 4 - 2.0 / 8) / 112));
}
