// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/pool.hpp"

#include "kernels/rows_check.hpp"
#include "siena/kernels/reference_layers.hpp"

using namespace siena;
using namespace siena::test;
using kernels::Write;
using simd::native;

namespace {
struct Case {
  kernels::ConvGeometry options;
  std::int64_t batch;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {{.in_height = 1, .in_width = 1, .in_channels = 1}, 1},
      {{.in_height = 4,
        .in_width = 4,
        .in_channels = 3,
        .kernel_height = 2,
        .kernel_width = 2,
        .stride_height = 2,
        .stride_width = 2},
       2},
      {{.in_height = 7,
        .in_width = 5,
        .in_channels = 17,
        .kernel_height = 3,
        .kernel_width = 3,
        .stride_height = 2,
        .stride_width = 2,
        .pad_top = 1,
        .pad_bottom = 1,
        .pad_left = 1,
        .pad_right = 1},
       3},
      {{.in_height = 5,
        .in_width = 9,
        .in_channels = 8,
        .kernel_height = 3,
        .kernel_width = 2,
        .stride_height = 1,
        .stride_width = 3,
        .pad_top = 0,
        .pad_bottom = 2,
        .pad_left = 1,
        .pad_right = 0},
       2},
      {{.in_height = 9,
        .in_width = 8,
        .in_channels = 33,
        .kernel_height = 2,
        .kernel_width = 4,
        .stride_height = 3,
        .stride_width = 1},
       40},
      {{.in_height = 1, .in_width = 30, .in_channels = 5, .kernel_width = 4, .stride_width = 3, .pad_right = 2}, 4},
      {{.in_height = 8, .in_width = 8, .in_channels = 64, .kernel_height = 8, .kernel_width = 8}, 9},
      {{.in_height = 25, .in_width = 5, .in_channels = 13, .kernel_height = 25, .kernel_width = 5}, 30},
      {{.in_height = 3,
        .in_width = 3,
        .in_channels = 10,
        .kernel_height = 5,
        .kernel_width = 5,
        .pad_top = 1,
        .pad_bottom = 1,
        .pad_left = 1,
        .pad_right = 1},
       3}};
  return all;
}
}  // namespace

TEMPLATE_TEST_CASE("max pooling", "[kernels][pool]", float, double) {
  using T = TestType;
  for (const Case& item : cases()) {
    const auto g = kernels::pool_geometry(item.options);
    const std::int64_t batch = item.batch, channels = g.in_channels, in_rows = batch * g.in_rows(),
                       out_rows = batch * g.out_rows();
    INFO(g.in_height << "x" << g.in_width << "x" << channels << ", window " << g.kernel_height << "x" << g.kernel_width);
    for (Write mode : {Write::overwrite, Write::accumulate}) {
      auto run = [&](T poison, bool reference) {
        Random random(1);
        auto x = random_rows<T>(random, in_rows, channels, poison);
        for (T& value : x) value = std::round(value * 4) / 4;  // many ties
        const auto dy = random_rows<T>(random, out_rows, channels, poison);
        auto y = unwritten_rows<T>(out_rows, channels);
        auto dx = mode == Write::accumulate ? random_rows<T>(random, in_rows, channels, poison)
                                            : unwritten_rows<T>(in_rows, channels);
        std::vector<std::int32_t> indices(y.size(), -1);
        if (reference) {
          kernels::reference::max_pool_forward<T>(g, batch, x, y, indices);
          kernels::reference::max_pool_backward<T>(g, batch, dy, indices, dx, mode);
        } else {
          kernels::max_pool_forward<native, T>(g, batch, x, y, indices);
          kernels::max_pool_backward<native, T>(g, batch, dy, indices, dx, mode);
        }
        const std::vector<T> winners(indices.begin(), indices.end());
        return Results<T>{{"y", y, channels}, {"indices", winners, channels}, {"dx", dx, channels}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); },
                      rounding<T>(9));
    }
  }
}

TEST_CASE("of equal elements the first one wins, and a NaN is never lost", "[kernels][pool]") {
  const auto g =
      kernels::pool_geometry({.in_height = 2, .in_width = 3, .in_channels = 2, .kernel_height = 2, .kernel_width = 3});
  std::vector<float> x(6 * 8, -2.0f), y(8), dy(8, 1.0f), dx(x.size());
  std::vector<std::int32_t> indices(8);
  x[2 * 8 + 1] = x[4 * 8 + 1] = 5;
  kernels::max_pool_forward<native, float>(g, 1, x, y, indices);
  REQUIRE(y[0] == -2);  // below zero: no zero from nowhere
  REQUIRE(indices[0] == 0);
  REQUIRE(y[1] == 5);
  REQUIRE(indices[1] == 2);
  kernels::max_pool_backward<native, float>(g, 1, dy, indices, dx, Write::overwrite);
  REQUIRE(dx[0] == 1);
  REQUIRE(dx[2 * 8 + 1] == 1);
  REQUIRE(dx[4 * 8 + 1] == 0);
  x[3 * 8] = std::numeric_limits<float>::quiet_NaN();
  kernels::max_pool_forward<native, float>(g, 1, x, y, indices);
  REQUIRE(std::isnan(y[0]));
  REQUIRE(indices[0] == 3);
}

TEMPLATE_TEST_CASE("average pooling", "[kernels][pool]", float, double) {
  using T = TestType;
  for (const Case& item : cases()) {
    const auto g = kernels::pool_geometry(item.options);
    const std::int64_t batch = item.batch, channels = g.in_channels, in_rows = batch * g.in_rows(),
                       out_rows = batch * g.out_rows();
    INFO(g.in_height << "x" << g.in_width << "x" << channels << ", window " << g.kernel_height << "x" << g.kernel_width);
    for (bool count_padding : {false, true}) {
      for (Write mode : {Write::overwrite, Write::accumulate}) {
        auto run = [&](T poison, bool reference) {
          Random random(1);
          const auto x = random_rows<T>(random, in_rows, channels, poison),
                     dy = random_rows<T>(random, out_rows, channels, poison);
          auto y = unwritten_rows<T>(out_rows, channels);
          auto dx = mode == Write::accumulate ? random_rows<T>(random, in_rows, channels, poison)
                                              : unwritten_rows<T>(in_rows, channels);
          if (reference) {
            kernels::reference::avg_pool_forward<T>(g, batch, x, y, count_padding);
            kernels::reference::avg_pool_backward<T>(g, batch, dy, dx, mode, count_padding);
          } else {
            kernels::avg_pool_forward<native, T>(g, batch, x, y, count_padding);
            kernels::avg_pool_backward<native, T>(g, batch, dy, dx, mode, count_padding);
          }
          return Results<T>{{"y", y, channels}, {"dx", dx, channels}};
        };
        check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); },
                        rounding<T>(9));
      }
    }
  }
}

TEST_CASE("zeros of the padding count or not", "[kernels][pool]") {
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
  std::vector<float> x(4 * 8, 4.0f), y(static_cast<std::size_t>(g.out_rows()) * 8);
  kernels::avg_pool_forward<native, float>(g, 1, x, y, true);
  REQUIRE(y[0] == 1);
  kernels::avg_pool_forward<native, float>(g, 1, x, y, false);
  REQUIRE(y[0] == 4);
}

TEST_CASE("an image may be too large for max pooling", "[kernels][pool]") {
  const auto g = kernels::pool_geometry(
      {.in_height = 4097, .in_width = 4097, .in_channels = 1, .stride_height = 4097, .stride_width = 4097});
  std::vector<float> none;
  std::vector<std::int32_t> indices(8);
  REQUIRE_THROWS_WITH((kernels::max_pool_forward<native, float>(g, 1, none, none, indices)),
                      ContainsSubstring("at most 2^24 pixels, got 4097x4097"));
}
