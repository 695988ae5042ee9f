// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "siena/core/buffer.hpp"
#include "siena/core/config.hpp"
#include "siena/core/parallel.hpp"
#include "siena/kernels/correlation.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/patches.hpp"
#include "siena/kernels/row_tile.hpp"
#include "siena/kernels/simd.hpp"
#include "siena/kernels/tile.hpp"

// The gradient with respect to the input under windows 3 wide at stride 2, where it has one vector of channels: rows as a whole
// instead of their two residue classes. Each number of dy goes into the three pixels that its window met while it is in a
// register; of the classes, that of a single tap would load once for every product.

namespace siena::kernels::detail {

/// Numbers of dy that a tile spreads over twice as many pixels.
template <class Arch>
inline constexpr int spread_pixels = simd::registers<Arch> >= 32 ? 8 : 4;

/// Whether rows of the gradient are whole tiles.
template <class Arch, class T>
bool pays_as_spread_rows(const ConvGeometry& g) {
  return g.kernel_width == 3 && g.dilation_width == 1 && g.stride_width == 2 && g.stride_height == 2 && g.pad_left >= 0 &&
         g.pad_left <= 1 && g.in_width == 2 * g.out_width && g.out_width % spread_pixels<Arch> == 0 &&
         g.in_stride() == simd::width<T, Arch>;
}

/// Spreads neighbouring numbers of dy, `Pad` being the zeros to the left of the image: number i, from the first one that the
/// tile meets, goes to the pixels 2 i + kw - 2 + Pad of the tile. Taps are turned round.
template <class T, class Arch, int Pad>
void spread_tile(const RowProducts<T>& p, const TileTarget<T>& t) {
  using V = simd::Batch<T, Arch>;
  constexpr int numbers = spread_pixels<Arch>, quads = numbers / 4 + 1;
  V sums[2 * numbers][1];
  start_sums<T, Arch>(t, sums);
  const std::int64_t pixel = p.pixel, weights_w = p.weights_w, weight_stride = p.weight_stride, depth = p.depth;
  const bool outside = Pad == 0 ? p.first > 0 : p.last <= numbers;  // the number that only one pixel of the tile meets
  for (std::int64_t h = p.first_tap; h < p.last_tap; ++h) {
    const T* weights = p.weights + h * p.weights_h;
    const T* quad[quads];
    SIENA_UNROLL
    for (int q = 0; q < quads; ++q) quad[q] = p.input + h * p.input_h + 4 * q * pixel;
    for (std::int64_t k = 0; k < depth; ++k, weights += weight_stride) {
      V weight[3];
      SIENA_UNROLL
      for (int w = 0; w < 3; ++w) weight[w] = simd::load<T, Arch>(weights + w * weights_w);
      SIENA_UNROLL
      for (int i = 0; i <= numbers; ++i) {
        if (i == (Pad == 0 ? 0 : numbers) && outside) continue;
        const V value = simd::broadcast<T, Arch>(quad[i / 4][i % 4 * pixel]);
        SIENA_UNROLL
        for (int w = 0; w < 3; ++w) {
          const int to = 2 * i - w + Pad;
          if (to >= 0 && to < 2 * numbers) sums[to][0] = simd::fma(value, weight[w], sums[to][0]);
        }
      }
      SIENA_UNROLL
      for (int q = 0; q < quads; ++q) ++quad[q];
    }
  }
  store_sums<T, Arch>(t, sums);
}

/// Rows of the gradient of the input; `heights` are the windows over dy of even and odd rows, `turned` the weights of the even
/// ones and then of the odd ones.
template <class Arch, class T>
void spread_rows(const ConvGeometry& g, const Axis (&heights)[2], std::int64_t batch, const T* dy, const T* turned, T* dx,
                 Write mode) {
  constexpr int numbers = spread_pixels<Arch>;
  const std::int64_t columns = g.in_stride(), depth = g.out_channels, dy_pixel = g.out_stride();
  const std::int64_t dy_row = g.out_width * dy_pixel, tap = depth * columns;
  const Buffer<TapRange> ranges[2] = {tap_ranges(heights[0]), tap_ranges(heights[1])};
  const Bands split(batch, g.in_height, g.in_width, columns, sizeof(T));
  parallel_for(batch * split.bands, [&](std::int64_t task) {
    const std::int64_t n = task / split.bands, first = task % split.bands * split.rows;
    for (std::int64_t ih = first; ih < std::min<std::int64_t>(g.in_height, first + split.rows); ++ih) {
      const Axis& height = heights[ih % 2];
      const TapRange taps = ranges[ih % 2][ih / 2];
      RowProducts<T> p{.pixel = dy_pixel,
                       .input_h = height.tap_step * dy_row,
                       .weights = turned + ih % 2 * heights[0].taps * 3 * tap,
                       .weight_stride = columns,
                       .weights_h = 3 * tap,
                       .weights_w = tap,
                       .first_tap = taps.first,
                       .last_tap = taps.last,
                       .depth = depth};
      const T* row = dy + n * g.out_storage() + (height.start + ih / 2) * dy_row;
      T* to = dx + n * g.in_storage() + ih * g.in_width * columns;
      for (std::int64_t o = 0; o < g.out_width; o += numbers, to += 2 * numbers * columns) {
        const std::int64_t met = o - 1 + g.pad_left;
        p.input = row + met * dy_pixel;
        p.first = met < 0 ? 1 : 0;
        p.last = g.out_width - met;
        (g.pad_left == 0 ? spread_tile<T, Arch, 0>
                         : spread_tile<T, Arch, 1>)(p, {.output = to, .row_stride = columns, .bias = nullptr, .mode = mode});
      }
    }
  });
}

}  // namespace siena::kernels::detail
