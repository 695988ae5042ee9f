// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/broadcast.hpp"

#include "kernels/rows_check.hpp"
#include "siena/kernels/reference_layers.hpp"

using namespace siena;
using namespace siena::test;
using kernels::Write;
using simd::native;

TEMPLATE_TEST_CASE("images times one value a channel, and its gradient", "[kernels][broadcast]", float, double) {
  using T = TestType;
  for (const auto& images : {kernels::ImageRows{1, 1, 1}, {2, 5, 3}, {3, 4, 8}, {40, 49, 33}, {7, 9, 16}, {2, 2100, 13}}) {
    for (Write mode : {Write::overwrite, Write::accumulate}) {
      const std::int64_t batch = images.batch, positions = images.positions, channels = images.channels;
      INFO(batch << " images of " << positions << " x " << channels << ", accumulate " << (mode == Write::accumulate));
      auto run = [&](T poison, bool reference) {
        Random random(3);
        const auto x = random_rows<T>(random, batch * positions, channels, poison),
                   dy = random_rows<T>(random, batch * positions, channels, poison),
                   factors = random_rows<T>(random, batch, channels, poison);
        const bool adds = mode == Write::accumulate;
        auto y = adds ? dy : unwritten_rows<T>(batch * positions, channels);
        auto dots = adds ? factors : unwritten_rows<T>(batch, channels);
        if (reference) {
          kernels::reference::scale_channels<T>(images, x, factors, y, mode);
          kernels::reference::channel_dots<T>(images, x, dy, dots, mode);
        } else {
          kernels::scale_channels<native, T>(images, x, factors, y, mode);
          kernels::channel_dots<native, T>(images, x, dy, dots, mode);
        }
        return Results<T>{{"y", y, channels}, {"dots", dots, channels}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); },
                      rounding<T>(positions));
    }
  }
}
