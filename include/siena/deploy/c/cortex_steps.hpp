// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/cost/written_steps.hpp"
#include "siena/deploy/c/body.hpp"
#include "siena/deploy/c/packed_weights.hpp"

namespace siena::deploy::c {

/// So many filters on so many pixels at a time: 8 sums in registers. 2 filters on 4 pixels take 15 instructions for 16 MACs,
/// 8 filters on 1 pixel 21.
struct CortexTile {
  int filters = 2, pixels = 4;
};

/// The filters of a convolution, of one group, in tiles: padded to an even number. Those of packed weights always go by two:
/// the inputs of a word are more than registers hold.
struct CortexFilters {
  int filters, tile;

  CortexFilters(std::int64_t count, int pixels, bool packed)
      : filters(static_cast<int>(count)), tile(packed ? 2 : tile_of(padded(), pixels)) {}
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
/// SXTB16 makes the pairs of both. Of 4 bits a word has two such words, of 2 bits four: the first in the highest bits of each
/// byte. `weights`: of one group, Cout x the inputs in their order.
inline void append_weights(std::vector<std::int8_t>& to, const std::int8_t* weights, const CortexFilters& filters,
                           const CortexTaps& taps, int bits) {
  const int inputs = taps.rows * taps.runs * taps.length, pairs = 8 / bits;
  PackedBytes bytes(to);
  for (int first = 0; first < filters.padded(); first += filters.tile) {
    const int end = std::min(first + filters.tile, filters.padded());
    for (int run = 0; run < taps.rows * taps.runs; ++run) {
      for (int k = 0; k < taps.length; k += 2 * pairs) {
        for (int f = first; f < end; f += 2) {
          for (int byte = 0; byte < 4; ++byte) {
            for (int pair = 0; pair < pairs; ++pair) {
              const int input = k + 2 * pair + byte / 2, filter = f + byte % 2;
              const bool there = input < taps.length && filter < filters.filters;
              bytes.put(there ? weights[std::int64_t{filter} * inputs + run * taps.length + input] : 0, bits);
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
  struct Run {
    int length;        ///< inputs
    int pixel_stride;  ///< numbers from one pixel's inputs to the next one's
    int bits = 8;      ///< of the weights
    int most = 10;     ///< steps of two inputs to write out
  };
  CortexSteps(CortexTile tile, const Run& run)
      : tile_(tile), length_(run.length), pixel_stride_(run.pixel_stride), bits_(run.bits), most_(run.most) {}

  /// Reads inputs at p and weights at w, and moves both on. Of packed weights sums are of `scale` times the weights.
  std::string text() const {
    const auto [unrolled, loops, rest] = written_steps(length_, bits_, most_);
    std::string text;
    if (loops > 1) {
      text += fill("for (const int16_t *const end = p + $inputs; p < end;) {\n", {{"inputs", inputs() * unrolled * loops}});
      for (int i = 0; i < unrolled; ++i) text += indented(step(inputs()), 2);
      text += "}\n";
    }
    const int straight = loops > 1 ? rest : unrolled + rest;
    for (int i = 0; i < straight; ++i)
      text += step(length_ % inputs() != 0 && i + 1 == straight ? length_ % inputs() : inputs());
    return text;
  }

 private:
  /// Inputs of a step.
  int inputs() const { return 16 / bits_; }
  /// So many inputs, of a word of weights for each two filters.
  std::string step(int inputs) const {
    std::string text;
    if (bits_ == 8) {
      if (tile_.pixels == 1) text += input(0, inputs == 1);
      for (int f = 0; f < tile_.filters; f += 2) {
        text += "u = siena_next_bytes(&w); t = siena_odd(u); u = siena_even(u);\n";
        text += products(f, inputs == 1, tile_.pixels > 1);
      }
      return text;
    }
    text += "v = siena_next_bytes(&w);\n";
    for (int i = 0; i < inputs; i += 2) {
      text += format("{}u = v & {}; t = siena_odd(u); u = siena_even(u);\n", i > 0 ? format("v <<= {}; ", bits_) : "",
                     bits_ == 4 ? "0xf0f0f0f0" : "0xc0c0c0c0");
      text += products(0, i + 1 == inputs, true);
    }
    return text;
  }
  /// Two inputs of a pixel; or the last one.
  std::string input(int pixel, bool half) const {
    if (half) return format("a = siena_load_one(p + {}); ", pixel * pixel_stride_);
    return pixel == 0 ? "a = siena_next_pair(&p); " : format("a = siena_load_pair(p + {}); ", pixel * pixel_stride_ - 2);
  }
  /// Two inputs times the weights of filters f and f + 1.
  std::string products(int f, bool half, bool loads) const {
    std::string text;
    for (int p = 0; p < tile_.pixels; ++p) {
      text += "  " + (loads ? input(p, half) : "");
      text += fill("s$f$p = siena_add_products(a, u, s$f$p); s$g$p = siena_add_products(a, t, s$g$p);\n",
                   {{"f", f}, {"g", f + 1}, {"p", p}});
    }
    return text;
  }

  CortexTile tile_;
  int length_, pixel_stride_, bits_, most_;
};

}  // namespace siena::deploy::c
