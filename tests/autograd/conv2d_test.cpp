// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/ops/conv2d.hpp"

#include <utility>
#include <vector>

#include "support/gradients.hpp"

using namespace siena;

namespace {

GradcheckReport check(const kernels::ConvGeometry& options, bool bias = true, std::int64_t batch = 2) {
  const auto g = kernels::conv_geometry(options);
  const Shape out{batch, g.out_height, g.out_width, g.out_channels};
  std::vector<DTensor> inputs{
      random_tensor<double>({batch, g.in_height, g.in_width, g.in_channels}, 1),
      random_tensor<double>({g.kernel_height, g.kernel_width, g.group_in_channels(), g.out_channels}, 2)};
  if (bias) inputs.push_back(random_tensor<double>({g.out_channels}, 3));
  return gradcheck([&](DTape&, DVars in) { return ops::conv2d(in[0], in[1], bias ? in[2] : DVar{}, g, out); },
                   std::move(inputs));
}

}  // namespace

TEST_CASE("conv2d: gradients of dense convolutions") {
  SECTION("1x1") { CHECK_GRADIENTS(check({.in_height = 3, .in_width = 4, .in_channels = 5, .out_channels = 9})); }
  SECTION("1x1 with stride 2") {
    CHECK_GRADIENTS(
        check({.in_height = 5, .in_width = 4, .in_channels = 3, .out_channels = 2, .stride_height = 2, .stride_width = 2}));
  }
  SECTION("3x3 with padding") {
    CHECK_GRADIENTS(check({.in_height = 4,
                           .in_width = 5,
                           .in_channels = 3,
                           .out_channels = 4,
                           .kernel_height = 3,
                           .kernel_width = 3,
                           .pad_top = 1,
                           .pad_bottom = 1,
                           .pad_left = 1,
                           .pad_right = 1}));
  }
  SECTION("without bias, one channel in, more than a vector out") {
    CHECK_GRADIENTS(check(
        {.in_height = 4, .in_width = 4, .in_channels = 1, .out_channels = 11, .kernel_height = 2, .kernel_width = 3}, false));
  }
  SECTION("strides that differ and padding that differs on each side") {
    CHECK_GRADIENTS(check({.in_height = 6,
                           .in_width = 7,
                           .in_channels = 2,
                           .out_channels = 3,
                           .kernel_height = 3,
                           .kernel_width = 2,
                           .stride_height = 2,
                           .stride_width = 3,
                           .pad_top = 0,
                           .pad_bottom = 2,
                           .pad_left = 1,
                           .pad_right = 0}));
  }
  SECTION("the padding called same, stride 2 on an even size: one zero more behind") {
    const auto pad = kernels::same_padding(6, 3, 2);
    REQUIRE(pad == kernels::Padding{0, 1});
    CHECK_GRADIENTS(check({.in_height = 6,
                           .in_width = 6,
                           .in_channels = 2,
                           .out_channels = 3,
                           .kernel_height = 3,
                           .kernel_width = 3,
                           .stride_height = 2,
                           .stride_width = 2,
                           .pad_top = pad.before,
                           .pad_bottom = pad.after,
                           .pad_left = pad.before,
                           .pad_right = pad.after}));
  }
  SECTION("dilation") {
    CHECK_GRADIENTS(check({.in_height = 7,
                           .in_width = 6,
                           .in_channels = 2,
                           .out_channels = 3,
                           .kernel_height = 3,
                           .kernel_width = 2,
                           .stride_height = 1,
                           .stride_width = 2,
                           .dilation_height = 2,
                           .dilation_width = 3,
                           .pad_top = 1,
                           .pad_bottom = 1,
                           .pad_left = 2,
                           .pad_right = 1}));
  }
  SECTION("one dimension, a batch of one") {
    CHECK_GRADIENTS(check({.in_width = 12,
                           .in_channels = 2,
                           .out_channels = 3,
                           .kernel_width = 5,
                           .stride_width = 2,
                           .pad_left = 2,
                           .pad_right = 2},
                          true, 1));
  }
}

TEST_CASE("conv2d: gradients of grouped and depthwise convolutions") {
  kernels::ConvGeometry options{.in_height = 4,
                                .in_width = 5,
                                .in_channels = 6,
                                .out_channels = 6,
                                .kernel_height = 3,
                                .kernel_width = 3,
                                .pad_top = 1,
                                .pad_bottom = 1,
                                .pad_left = 1,
                                .pad_right = 1};
  SECTION("two groups") {
    options.groups = 2;
    options.out_channels = 4;
    CHECK_GRADIENTS(check(options));
  }
  SECTION("three groups with stride and dilation") {
    options.groups = 3;
    options.stride_height = 2;
    options.dilation_width = 2;
    options.pad_left = 2;
    CHECK_GRADIENTS(check(options));
  }
  SECTION("depthwise") {
    options.groups = 6;
    CHECK_GRADIENTS(check(options));
  }
  SECTION("depthwise with two filters a channel, stride 2, no bias") {
    options.groups = 6;
    options.out_channels = 12;
    options.stride_height = options.stride_width = 2;
    CHECK_GRADIENTS(check(options, false));
  }
  SECTION("depthwise, dilated, more channels than a vector") {
    options.in_channels = options.out_channels = options.groups = 10;
    options.dilation_height = options.dilation_width = 2;
    options.pad_top = options.pad_bottom = 2;
    CHECK_GRADIENTS(check(options));
  }
}

TEST_CASE("conv2d: gradients of the weights alone, and of x used twice") {
  const auto g = kernels::conv_geometry({.in_height = 3,
                                         .in_width = 3,
                                         .in_channels = 2,
                                         .out_channels = 2,
                                         .kernel_height = 3,
                                         .kernel_width = 3,
                                         .pad_top = 1,
                                         .pad_bottom = 1,
                                         .pad_left = 1,
                                         .pad_right = 1});
  const DTensor x = random_tensor<double>({1, 3, 3, 2}, 1);
  CHECK_GRADIENTS(gradcheck(
      [&](DTape& tape, DVars in) {
        return ops::conv2d(tape.reference(x), in[0], DVar{}, g, Shape{1, 3, 3, 2});
      },
      {random_tensor<double>({3, 3, 2, 2}, 2)}));
  CHECK_GRADIENTS(gradcheck(
      [&](DTape&, DVars in) {
        const DVar y = ops::conv2d(in[0], in[1], DVar{}, g, Shape{1, 3, 3, 2});
        return ops::conv2d(y, in[1], DVar{}, g, Shape{1, 3, 3, 2});
      },
      {x, random_tensor<double>({3, 3, 2, 2}, 2)}));
}

TEST_CASE("linear: values and gradients") {
  DTape tape(false);
  const DVar y = ops::linear(tape.constant(DTensor({2, 2}, {1, 2, 3, 4})), tape.constant(DTensor({2, 3}, {1, 0, 2, 0, 1, 3})),
                             tape.constant(DTensor({3}, {10, 20, 30})));
  std::vector<double> values;
  y.value().copy_to(values);
  CHECK(values == std::vector<double>{11, 22, 38, 13, 24, 48});

  CHECK_GRADIENTS(
      gradcheck([](DTape&, DVars in) { return ops::linear(in[0], in[1], in[2]); },
                {random_tensor<double>({3, 10}, 1), random_tensor<double>({10, 7}, 2), random_tensor<double>({7}, 3)}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::linear(in[0], in[1], DVar{}); },
                            {random_tensor<double>({1, 3}, 1), random_tensor<double>({3, 9}, 2)}));
}

TEST_CASE("linear: inputs that do not fit") {
  DTape tape;
  const DVar weight = tape.constant(DTensor({4, 2}));
  CHECK_THROWS_WITH(ops::linear(tape.constant(DTensor({3, 5})), weight, DVar{}),
                    "linear: expected N x 4 inputs, got 3x5; flatten first?");
  CHECK_THROWS_AS(ops::linear(tape.constant(DTensor({3, 1, 1, 4})), weight, DVar{}), ShapeError);
}
