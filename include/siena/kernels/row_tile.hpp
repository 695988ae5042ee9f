// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "siena/core/config.hpp"
#include "siena/kernels/correlation.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/simd.hpp"
#include "siena/kernels/tile.hpp"

// Register tiles of neighbouring outputs under a window whose width and stride the compiler knows. An input goes into every
// output of its row that it meets while it is in a register: three products a load for 3x3 windows, where a tile of unrelated
// rows has one. That is what layers of few columns need, whose tiles would otherwise wait for loads.

namespace siena::kernels::detail {

/// What a tile of neighbouring outputs reads.
template <class T>
struct RowProducts {
  const T* input = nullptr;  ///< of the first tap of the first output, in the image or not
  std::int64_t pixel = 0, input_h = 0;
  std::int64_t first = 0, last = 0;  ///< pixels from `input` on that lie in the image
  const T* weights = nullptr;
  std::int64_t weight_stride = 0, weights_h = 0, weights_w = 0;
  std::int64_t first_tap = 0, last_tap = 0, depth = 0;  ///< rows of the window, channels
};

/// Pixels outputs of a row, Columns vectors each, under a window of Taps pixels that moves by Step. Sums run over the rows of
/// the window, the channels, then the taps of a row.
template <class T, class Arch, int Taps, int Step, int Columns, int Pixels>
void row_tile(const RowProducts<T>& p, const TileTarget<T>& t) {
  using V = simd::Batch<T, Arch>;
  constexpr std::int64_t step = simd::width<T, Arch>;
  constexpr int inputs = (Pixels - 1) * Step + Taps;
  constexpr int quads = (inputs + 3) / 4;  // a pointer for every four pixels: what addressing modes reach
  V sums[Pixels][Columns];
  start_sums<T, Arch>(t, sums);
  const std::int64_t pixel = p.pixel, weights_w = p.weights_w, weight_stride = p.weight_stride, depth = p.depth;
  const auto first = static_cast<int>(p.first), last = static_cast<int>(std::min<std::int64_t>(p.last, inputs));
  for (std::int64_t h = p.first_tap; h < p.last_tap; ++h) {
    const T* weights = p.weights + h * p.weights_h;
    const T* quad[quads];
    SIENA_UNROLL
    for (int q = 0; q < quads; ++q) quad[q] = p.input + h * p.input_h + 4 * q * pixel;
    for (std::int64_t k = 0; k < depth; ++k, weights += weight_stride) {
      V weight[Taps][Columns];
      SIENA_UNROLL
      for (int w = 0; w < Taps; ++w) {
        SIENA_UNROLL
        for (int c = 0; c < Columns; ++c) weight[w][c] = simd::load<T, Arch>(weights + w * weights_w + c * step);
      }
      SIENA_UNROLL
      for (int i = 0; i < inputs; ++i) {
        if (i < Taps - 1 && i < first) continue;       // left of the image
        if (i > inputs - Taps && i >= last) continue;  // right of it
        const V value = simd::broadcast<T, Arch>(quad[i / 4][i % 4 * pixel]);
        SIENA_UNROLL
        for (int w = 0; w < Taps; ++w) {
          if (i < w || (i - w) % Step != 0 || (i - w) / Step >= Pixels) continue;
          SIENA_UNROLL
          for (int c = 0; c < Columns; ++c) {
            sums[(i - w) / Step][c] = simd::fma(value, weight[w][c], sums[(i - w) / Step][c]);
          }
        }
      }
      SIENA_UNROLL
      for (int q = 0; q < quads; ++q) ++quad[q];
    }
  }
  store_sums<T, Arch>(t, sums);
}

/// Outputs of a row that tiles of neighbouring pixels take at once, and whether the window is one that they know.
inline constexpr std::int64_t row_pixels = 8;
inline bool is_row_window(const Axis& width) {
  if (width.tap_step != 1 || width.out < row_pixels) return false;
  if (!(width.taps == 3 && width.step <= 2) && !(width.taps == 2 && width.step == 1)) return false;
  const std::int64_t tiled = width.out / row_pixels * row_pixels, end = width.start + (tiled - 1) * width.step + width.taps;
  return width.start > -width.taps && end - width.in < width.taps;
}

/// Rows of a tile are neighbouring pixels of one image, whatever taps they meet.
template <class Arch, class T, int Taps, int Step>
void correlate_rows(const Correlation& c, const CorrelationData<T>& d, const Stretch& s) {
  for_each_block<T, Arch>(s.first_column, s.last_column, [&](auto arch, auto vectors, std::int64_t block) {
    using A = typename decltype(arch)::type;
    constexpr bool many = simd::registers<A> >= 32;
    constexpr std::int64_t step = simd::width<T, A>;
    RowProducts<T> p{.pixel = c.in_pixel, .input_h = c.height.tap_step * c.in_row};
    p.weight_stride = d.block_stride(vectors * step, c.columns);
    p.depth = c.depth;
    p.weights_w = c.depth * p.weight_stride;
    p.weights_h = Taps * p.weights_w;
    const auto run = [&](auto columns, auto pixels, std::int64_t column) {
      p.weights = d.block(block) + (column - block);
      for (std::int64_t oh = s.first_row; oh < s.last_row; ++oh) {
        const T* row = d.x + (c.height.start + oh * c.height.step) * c.in_row;
        p.first_tap = s.heights[oh].first;
        p.last_tap = s.heights[oh].last;
        for (std::int64_t ow = s.first_pixel; ow < s.last_pixel; ow += pixels) {
          const std::int64_t iw = c.width.start + ow * Step;
          p.input = row + iw * c.in_pixel;
          p.first = std::max<std::int64_t>(0, -iw);
          p.last = c.width.in - iw;
          row_tile<T, A, Taps, Step, columns, pixels>(p,
                                                      {.output = d.y + c.out_first + oh * c.out_row + ow * c.out_pixel + column,
                                                       .row_stride = c.out_pixel,
                                                       .bias = d.bias ? d.bias + column : nullptr,
                                                       .mode = d.mode});
        }
      }
    };
    // As many sums as keep the multipliers busy, and no more weights than there are registers.
    if constexpr (many && vectors == 2) {
      run(vectors, std::integral_constant<int, 8>{}, block);
    } else {
      for (std::int64_t column = block; column < block + vectors * step; column += step) {
        if constexpr (many && Step == 1) {
          if (s.last_pixel % 16 == 0) {
            run(std::integral_constant<int, 1>{}, std::integral_constant<int, 16>{}, column);
            continue;
          }
        }
        run(std::integral_constant<int, 1>{}, std::integral_constant<int, 8>{}, column);
      }
    }
  });
}

template <class Arch, class T>
void correlate_rows(const Correlation& c, const CorrelationData<T>& d, const Stretch& s) {
  if (c.width.taps == 2) return correlate_rows<Arch, T, 2, 1>(c, d, s);
  if (c.width.step == 2) return correlate_rows<Arch, T, 3, 2>(c, d, s);
  correlate_rows<Arch, T, 3, 1>(c, d, s);
}

}  // namespace siena::kernels::detail
