// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/ops/pool.hpp"

#include <vector>

#include "siena/autograd/ops/structure.hpp"
#include "support/gradients.hpp"

using namespace siena;

namespace {

Shape pooled(const kernels::ConvGeometry& g, std::int64_t batch) { return {batch, g.out_height, g.out_width, g.in_channels}; }

const std::vector<kernels::ConvGeometry> windows{{.in_height = 4,
                                                  .in_width = 6,
                                                  .in_channels = 3,
                                                  .kernel_height = 2,
                                                  .kernel_width = 2,
                                                  .stride_height = 2,
                                                  .stride_width = 2},
                                                 {.in_height = 5,
                                                  .in_width = 7,
                                                  .in_channels = 9,
                                                  .kernel_height = 3,
                                                  .kernel_width = 2,
                                                  .stride_height = 2,
                                                  .stride_width = 1,
                                                  .pad_top = 1,
                                                  .pad_bottom = 1,
                                                  .pad_left = 0,
                                                  .pad_right = 1},
                                                 {.in_height = 5,
                                                  .in_width = 5,
                                                  .in_channels = 8,
                                                  .kernel_height = 3,
                                                  .kernel_width = 3,
                                                  .stride_height = 1,
                                                  .stride_width = 1,
                                                  .pad_top = 1,
                                                  .pad_bottom = 1,
                                                  .pad_left = 1,
                                                  .pad_right = 1},
                                                 {.in_height = 7,
                                                  .in_width = 7,
                                                  .in_channels = 2,
                                                  .kernel_height = 2,
                                                  .kernel_width = 2,
                                                  .stride_height = 3,
                                                  .stride_width = 3}};

}  // namespace

TEST_CASE("pool: gradients") {
  for (const auto& options : windows) {
    const auto g = kernels::pool_geometry(options);
    CAPTURE(g.in_height, g.in_width, g.kernel_height, g.kernel_width, g.stride_height, g.pad_top);
    const DTensor x = random_tensor<double>({2, g.in_height, g.in_width, g.in_channels}, 1);
    CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return ops::max_pool(in[0], g, pooled(g, 2)); }, {x}));
    CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return ops::avg_pool(in[0], g, false, pooled(g, 2)); }, {x}));
    CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return ops::avg_pool(in[0], g, true, pooled(g, 2)); }, {x}));
    CHECK_GRADIENTS(gradcheck(
        [&](DTape&, DVars in) {
          const DVar most = ops::max_pool(in[0], g, pooled(g, 2));
          return ops::add(ops::add(most, ops::avg_pool(in[0], g, true, pooled(g, 2))), ops::max_pool(in[0], g, pooled(g, 2)));
        },
        {x}));
  }
}

TEST_CASE("global_avg_pool: value and gradients") {
  DTape tape(false);
  const DVar y = ops::global_avg_pool(tape.constant(DTensor({1, 2, 2, 2}, {1, 10, 2, 20, 3, 30, 6, 60})));
  REQUIRE(y.shape() == Shape{1, 2});
  CHECK(y.value()(0, 0) == Approx(3));
  CHECK(y.value()(0, 1) == Approx(30));
  const DVar signal = ops::global_avg_pool(tape.constant(DTensor({2, 3, 1}, {1, 2, 6, 4, 5, 0})));
  REQUIRE(signal.shape() == Shape{2, 1});
  CHECK(signal.value()(0, 0) == Approx(3));
  CHECK(signal.value()(1, 0) == Approx(3));
  CHECK_GRADIENTS(
      gradcheck([](DTape&, DVars in) { return ops::global_avg_pool(in[0]); }, {random_tensor<double>({3, 3, 5, 11}, 1)}));
  CHECK_GRADIENTS(
      gradcheck([](DTape&, DVars in) { return ops::global_avg_pool(in[0]); }, {random_tensor<double>({3, 7, 11}, 1)}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::global_avg_pool(ops::add(in[0], in[0])); },
                            {random_tensor<double>({1, 1, 1, 3}, 1)}));
}

TEST_CASE("avg_pool: what padding counts for") {
  const auto g = kernels::pool_geometry({.in_height = 2,
                                         .in_width = 2,
                                         .in_channels = 1,
                                         .kernel_height = 2,
                                         .kernel_width = 2,
                                         .stride_height = 2,
                                         .stride_width = 2,
                                         .pad_top = 1,
                                         .pad_bottom = 1,
                                         .pad_left = 1,
                                         .pad_right = 1});
  DTape tape(false);
  const DVar x = tape.constant(DTensor({1, 2, 2, 1}, {4, 8, 12, 16}));
  CHECK(ops::avg_pool(x, g, false, Shape{1, 2, 2, 1}).value()(0, 0, 0, 0) == Approx(4));
  CHECK(ops::avg_pool(x, g, true, Shape{1, 2, 2, 1}).value()(0, 0, 0, 0) == Approx(1));
}

TEST_CASE("max_pool: the first of equals gets the gradient") {
  const auto g = kernels::pool_geometry({.in_height = 2,
                                         .in_width = 2,
                                         .in_channels = 1,
                                         .kernel_height = 2,
                                         .kernel_width = 2,
                                         .stride_height = 2,
                                         .stride_width = 2});
  DTape tape;
  const DVar x = tape.variable(DTensor({1, 2, 2, 1}, {1, 5, 5, 2}));
  tape.backward(ops::sum(ops::max_pool(x, g, Shape{1, 1, 1, 1})));
  std::vector<double> grad;
  tape.grad(x).copy_to(grad);
  CHECK(grad == std::vector<double>{0, 1, 0, 0});
}
