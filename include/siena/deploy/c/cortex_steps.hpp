// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/deploy/c/body.hpp"

namespace siena::deploy::c {

/// So many filters on so many pixels at a time: 8 sums in registers. 2 filters on 4 pixels take 15 instructions for 16 MACs,
/// 8 filters on 1 pixel 21.
struct CortexTile {
  int filters = 2, pixels = 4;
};

/// The filters of a convolution, of one group, in tiles: padded to an even number.
struct CortexFilters {
  int filters, tile;

  CortexFilters(std::int64_t count, int pixels) : filters(static_cast<int>(count)), tile(tile_of(padded(), pixels)) {}
  int padded() const { return filters + filters % 2; }
  int tiles() const { return padded() / tile; }
  int rest() const { return padded() % tile; }

 private:
  static int tile_of(int all, int pixels) {
    if (pixels > 1) return 2;
    for (const int whole : {8, 6, 4}) {
      if (all % whole == 0) return whole;
    }
    return std::min(all, 8);
  }
};

/// How the inputs of a filter lie: `rows` times `runs` times `length` numbers side by side.
struct CortexTaps {
  int rows = 1, runs = 1, length = 1;
  int run_stride = 0;  ///< from one run to the next
  int steps() const { return (length + 1) / 2; }
  /// Numbers of a padded filter.
  int padded() const { return rows * runs * steps() * 2; }
};

/// Weights in the order in which the steps read them: tile by tile, for each two inputs a word for each two filters, of which
/// SXTB16 makes the pairs of both. `weights`: of one group, Cout x the inputs in their order.
inline void append_weights(std::vector<std::int8_t>& to, const std::int8_t* weights, const CortexFilters& filters,
                           const CortexTaps& taps) {
  const int inputs = taps.rows * taps.runs * taps.length;
  for (int first = 0; first < filters.padded(); first += filters.tile) {
    const int end = std::min(first + filters.tile, filters.padded());
    for (int run = 0; run < taps.rows * taps.runs; ++run) {
      for (int k = 0; k < taps.length; k += 2) {
        for (int f = first; f < end; f += 2) {
          for (const int input : {k, k + 1}) {
            for (const int filter : {f, f + 1}) {
              const bool there = input < taps.length && filter < filters.filters;
              to.push_back(there ? weights[std::int64_t{filter} * inputs + run * taps.length + input] : std::int8_t{0});
            }
          }
        }
      }
    }
  }
}

/// The code that sums up a run of inputs.
class CortexSteps {
 public:
  /// `pixel_stride`: numbers from one pixel's inputs to the next one's.
  CortexSteps(CortexTile tile, int length, int pixel_stride) : tile_(tile), length_(length), pixel_stride_(pixel_stride) {}

  /// Reads inputs at p and weights at w, and moves both on.
  std::string text() const {
    const auto [unrolled, loops, rest] = plan((length_ + 1) / 2);
    std::string text;
    if (loops > 1) {
      text += fill("for (const int16_t *const end = p + $inputs; p < end;) {\n", {{"inputs", 2 * unrolled * loops}});
      for (int i = 0; i < unrolled; ++i) text += indented(step(false), 2);
      text += "}\n";
    }
    const int straight = loops > 1 ? rest : unrolled;
    for (int i = 0; i < straight; ++i) text += step(length_ % 2 != 0 && i + 1 == straight);
    return text;
  }

 private:
  struct Plan {
    int unrolled, loops, rest;
  };
  /// At most 10 steps of code; of those the fewest turns of the loop. The last step stands alone where it is a half one.
  Plan plan(int steps) const {
    constexpr int most = 10, turn = 4;
    if (steps <= most) return {steps, 1, 0};
    Plan best{1, steps, 0};
    double least = std::numeric_limits<double>::infinity();
    for (int unrolled = 1; unrolled <= 8; ++unrolled) {
      int loops = steps / unrolled;
      if (length_ % 2 != 0 && steps % unrolled == 0) --loops;
      const int rest = steps - loops * unrolled;
      const double price = turn * loops + 0.25 * (unrolled + rest);
      if (unrolled + rest <= most && price < least) least = price, best = {unrolled, loops, rest};
    }
    return best;
  }
  /// Two inputs.
  std::string step(bool half) const {
    std::string text;
    const auto input = [&](int pixel) {
      if (half) {
        text += format("a = siena_load_one(p + {}); ", pixel * pixel_stride_);
      } else {
        text += pixel == 0 ? "a = siena_next_pair(&p); " : format("a = siena_load_pair(p + {}); ", pixel * pixel_stride_ - 2);
      }
    };
    if (tile_.pixels == 1) input(0);
    for (int f = 0; f < tile_.filters; f += 2) {
      text += "u = siena_next_bytes(&w); t = siena_odd(u); u = siena_even(u);\n";
      for (int p = 0; p < tile_.pixels; ++p) {
        text += "  ";
        if (tile_.pixels > 1) input(p);
        text += fill("s$f$p = siena_add_products(a, u, s$f$p); s$g$p = siena_add_products(a, t, s$g$p);\n",
                     {{"f", f}, {"g", f + 1}, {"p", p}});
      }
    }
    return text;
  }

  CortexTile tile_;
  int length_, pixel_stride_;
};

}  // namespace siena::deploy::c
