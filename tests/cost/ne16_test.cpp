// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/ne16.hpp"

#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

double ne16_cycles(const LayerDesc<double>& layer) { return Ne16{}.layer_cost(layer); }
LayerDesc<double> of_bits(LayerDesc<double> layer, double bits) {
  layer.weight_bits = bits;
  return layer;
}

}  // namespace

TEST_CASE("ne16: cycles of known layers", "[cost]") {
  const auto tile = [](double out) { return test::conv("", {.in = 16, .out = out, .height = 3, .width = 3}); };
  CHECK(ne16_cycles(tile(32)) == 355);
  CHECK(ne16_cycles(of_bits(tile(32), 4)) == 227);
  CHECK(ne16_cycles(of_bits(tile(32), 2)) == 163);
  CHECK(ne16_cycles(test::conv("", {.in = 16, .out = 32, .kernel = 1, .height = 3, .width = 3})) == 119);
  CHECK(ne16_cycles(test::depthwise("", {.in = 16, .out = 16, .height = 3, .width = 3})) == 227);
  CHECK(ne16_cycles(tile(40)) == 494);
  CHECK(ne16_cycles(test::conv("", {.in = 16, .out = 16})) == 25531);
  CHECK(ne16_cycles(test::linear("", 16, 32)) == 119);
}

TEST_CASE("ne16: a stride leaves fewer outputs in a tile", "[cost]") {
  const auto conv = [](int stride, int side) {
    return ne16_cycles(test::conv("", {.in = 16, .out = 32, .stride = stride, .height = side, .width = side}));
  };
  CHECK(conv(2, 12) == 9 * 355);  // 6 x 6 outputs, in tiles of 2 x 2
  CHECK(conv(2, 14) == 16 * 355);
  CHECK(conv(3, 12) == 16 * 355);  // one output each
  CHECK(conv(4, 12) == 9 * 355);
  auto mixed = test::conv("", {.in = 16, .out = 32, .height = 6, .width = 6});
  mixed.stride_height = 2, mixed.out_height = 3;
  CHECK(ne16_cycles(mixed) == 2 * 2 * 355);
  CHECK(ne16_cycles(test::depthwise("", {.in = 16, .out = 16, .stride = 2, .height = 6, .width = 6})) == 4 * 227);
}

TEST_CASE("ne16: published numbers leave strides out", "[cost]") {
  const Ne16 published{.ignore_stride = true};
  CHECK(total(published, test::resnet8()) == 155241);
  CHECK(published.layer_cost(test::conv("", {.in = 16, .out = 32, .stride = 2, .height = 12, .width = 12})) == 4 * 355);
  CHECK(published.layer_cost(test::conv("", {.in = 16, .out = 16})) == 25531);  // no stride, no difference
}

TEST_CASE("ne16: other kernels are passes of 3x3 and 1x1, groups one after the other", "[cost]") {
  const auto kernel = [](int height, int width) {
    auto layer = test::conv("", {.in = 16, .out = 32, .height = 3, .width = 3});
    layer.kernel_height = height, layer.kernel_width = width;
    return layer;
  };
  CHECK(ne16_cycles(kernel(5, 5)) == 355 + 16 * 119);
  CHECK(ne16_cycles(kernel(6, 3)) == 2 * 355);
  CHECK(ne16_cycles(kernel(1, 7)) == 7 * 119);
  CHECK(ne16_cycles(kernel(10, 4)) == 3 * 355 + 13 * 119);
  auto masked = kernel(1, 9);
  masked.live_taps = 4;
  CHECK(ne16_cycles(masked) == 4 * 119);
  masked.live_taps = 9;  // all of them
  CHECK(ne16_cycles(masked) == 9 * 119);
  auto grouped = test::conv("", {.in = 32, .out = 64, .height = 3, .width = 3});
  grouped.groups = 2;
  CHECK(ne16_cycles(grouped) == 2 * 355);
  CHECK(ne16_cycles(test::depthwise("", {.in = 16, .out = 16, .kernel = 5, .height = 3, .width = 3})) == 4 * 227);
}

TEST_CASE("ne16: slopes are those of the tiles", "[cost]") {
  ScalarTape tape;
  auto layer = convert<Scalar>(test::conv("", {.in = 16, .out = 32, .height = 3, .width = 3}));
  layer.in_channels = tape.leaf(16), layer.out_channels = tape.leaf(32), layer.weight_bits = tape.leaf(8);
  const Scalar cost = Ne16{}.layer_cost(layer);
  CHECK(cost.value() == 355);
  tape.backward(cost);
  CHECK(tape.gradient(layer.out_channels) == Approx(11.1).epsilon(1e-2));
  CHECK(tape.gradient(layer.out_channels) == (45 + 22) / 32.0 + 8 + 1);
  CHECK(tape.gradient(layer.in_channels) == (45 + 256) / 16.0);
  CHECK(tape.gradient(layer.weight_bits) == 32);
}

TEST_CASE("ne16: a whole kernel costs what it costs, with a slope for each of its taps", "[cost]") {
  for (const auto& plain : {test::conv("", {.in = 16, .out = 32, .height = 3, .width = 3}),
                            test::depthwise("", {.in = 16, .out = 16, .kernel = 5, .height = 3, .width = 3})}) {
    ScalarTape tape;
    auto layer = convert<Scalar>(plain);
    const double elements = double(plain.kernel_height) * plain.kernel_width;
    layer.live_taps = tape.leaf(elements);
    const Scalar cost = Ne16{}.layer_cost(layer);
    CHECK(cost.value() == ne16_cycles(plain));
    tape.backward(cost);
    CHECK(tape.gradient(*layer.live_taps) == Approx(cost.value() / elements));
  }
}

TEST_CASE("ne16: networks, custom layers and layers without MACs", "[cost]") {
  CHECK(total(Ne16{}, test::resnet8()) == 180273);
  CHECK(total(Ne16{}, test::ds_cnn()) == 314542);
  CHECK(ne16_cycles({.kind = LayerKind::other, .own_macs = 800}) == 100);
  CHECK(ne16_cycles({.kind = LayerKind::add, .in_channels = 16, .out_channels = 16}) == 0);
  CHECK(seconds(Ne16{.clock = 370_MHz}, test::resnet8()) == Approx(180273 / 370e6));
}
