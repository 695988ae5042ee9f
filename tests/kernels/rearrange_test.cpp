// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/rearrange.hpp"

#include "kernels/rows_check.hpp"
#include "siena/kernels/reference_layers.hpp"

using namespace siena;
using namespace siena::test;
using kernels::Write;
using simd::native;

TEMPLATE_TEST_CASE("boxes are taken out of images and put into them", "[kernels][rearrange]", float, double) {
  using T = TestType;
  const kernels::BoxGeometry boxes[] = {
      {},
      {.height = 5, .width = 6, .channels = 3, .top = 1, .left = 2, .box_height = 3, .box_width = 2, .box_channels = 3},
      {.height = 3, .width = 3, .channels = 19, .first = 8, .box_height = 3, .box_width = 3, .box_channels = 11},
      {.height = 4, .width = 3, .channels = 24, .first = 5, .box_height = 4, .box_width = 3, .box_channels = 8},
      {.width = 900, .channels = 17, .left = 899, .first = 2, .box_channels = 13},
      {.height = 30, .width = 31, .channels = 16, .top = 29, .left = 3, .box_width = 28, .box_channels = 16},
  };
  for (const auto& g : boxes) {
    for (const std::int64_t batch : {1, 9}) {
      INFO(batch << " images of " << g.height << "x" << g.width << "x" << g.channels);
      auto run = [&](T poison, bool reference) {
        Random random(4);
        const std::int64_t pixels = batch * g.height * g.width, kept = batch * g.box_height * g.box_width;
        const auto whole = random_rows<T>(random, pixels, g.channels, poison),
                   box = random_rows<T>(random, kept, g.box_channels, poison);
        auto taken = unwritten_rows<T>(kept, g.box_channels), put = unwritten_rows<T>(pixels, g.channels);
        auto added = random_rows<T>(random, kept, g.box_channels, T(1)),
             added_whole = random_rows<T>(random, pixels, g.channels, T(1));
        if (reference) {
          kernels::reference::take_box<T>(g, batch, whole, taken, Write::overwrite);
          kernels::reference::put_box<T>(g, batch, box, put, Write::overwrite);
          kernels::reference::take_box<T>(g, batch, whole, added, Write::accumulate);
          kernels::reference::put_box<T>(g, batch, box, added_whole, Write::accumulate);
        } else {
          kernels::take_box<native, T>(g, batch, whole, taken, Write::overwrite);
          kernels::put_box<native, T>(g, batch, box, put, Write::overwrite);
          kernels::take_box<native, T>(g, batch, whole, added, Write::accumulate);
          kernels::put_box<native, T>(g, batch, box, added_whole, Write::accumulate);
        }
        return Results<T>{{"taken", taken, g.box_channels},
                          {"put", put, g.channels},
                          {"added", added, g.box_channels},
                          {"added to the whole", added_whole, g.channels}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); }, 0);
    }
  }
}

TEMPLATE_TEST_CASE("every pixel becomes several, and gets the sum of their gradients", "[kernels][rearrange]", float, double) {
  using T = TestType;
  const kernels::UpsampleGeometry sizes[] = {{}, {2, 3, 5, 2, 2}, {1, 40, 12, 1, 3}, {7, 5, 33, 3, 1}, {16, 16, 64, 2, 2}};
  for (const auto& g : sizes) {
    for (const std::int64_t batch : {1, 5}) {
      INFO(batch << " images of " << g.height << "x" << g.width << "x" << g.channels << ", times " << g.vertical << "x"
                 << g.horizontal);
      auto run = [&](T poison, bool reference) {
        Random random(4);
        const std::int64_t in = batch * g.height * g.width, out = in * g.vertical * g.horizontal;
        const auto x = random_rows<T>(random, in, g.channels, poison), dy = random_rows<T>(random, out, g.channels, poison);
        auto y = unwritten_rows<T>(out, g.channels), dx = unwritten_rows<T>(in, g.channels);
        auto added = random_rows<T>(random, in, g.channels, T(1));
        if (reference) {
          kernels::reference::upsample_forward<T>(g, batch, x, y);
          kernels::reference::upsample_backward<T>(g, batch, dy, dx, Write::overwrite);
          kernels::reference::upsample_backward<T>(g, batch, dy, added, Write::accumulate);
        } else {
          kernels::upsample_forward<native, T>(g, batch, x, y);
          kernels::upsample_backward<native, T>(g, batch, dy, dx, Write::overwrite);
          kernels::upsample_backward<native, T>(g, batch, dy, added, Write::accumulate);
        }
        return Results<T>{{"y", y, g.channels}, {"dx", dx, g.channels}, {"added", added, g.channels}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); }, rounding<T>());
    }
  }
}

TEMPLATE_TEST_CASE("channels of equal parts in turns, and back", "[kernels][rearrange]", float, double) {
  using T = TestType;
  for (const auto& [channels, parts] : {std::pair{1, 1}, {6, 2}, {6, 3}, {20, 5}, {64, 4}, {19, 19}}) {
    for (const std::int64_t rows : {1, 700}) {
      INFO(rows << " rows of " << channels << " channels in " << parts << " parts");
      auto run = [&, c = channels, p = parts](T poison, bool reference) {
        Random random(6);
        const auto x = random_rows<T>(random, rows, c, poison);
        auto y = unwritten_rows<T>(rows, c), back = unwritten_rows<T>(rows, c), added = random_rows<T>(random, rows, c, T(1));
        if (reference) {
          for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t k = 0; k < c; ++k) {
              const auto to = static_cast<std::size_t>(r * padded(c) + k), row = static_cast<std::size_t>(r * padded(c));
              y[to] = x[row + static_cast<std::size_t>(k % p * (c / p) + k / p)];
              added[to] += y[to];
            }
          }
          back = x;
        } else {
          kernels::interleave_channels<native, T>(rows, c, p, x, y, Write::overwrite);
          kernels::interleave_channels<native, T>(rows, c, p, x, added, Write::accumulate);
          kernels::interleave_channels<native, T>(rows, c, c / p, y, back, Write::overwrite);
        }
        return Results<T>{{"y", y, c}, {"back", back, c}, {"added", added, c}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); }, 0);
    }
  }
}
