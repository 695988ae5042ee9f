// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

#include "siena/core/config.hpp"
#include "siena/core/parallel.hpp"
#include "siena/kernels/correlation.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/simd.hpp"
#include "siena/kernels/tile.hpp"

// Register tiles of gradients with respect to weights: a tile of the product of the input, transposed, with dy stays in
// registers while the pixels of a run go by.

namespace siena::kernels::detail {

/// The pixels that a tap joins within a chunk: three loops, and what a step of each means to both operands.
template <class T>
struct PixelRun {
  const T *x = nullptr, *dy = nullptr;
  std::int64_t x_pixel = 0, x_row = 0, x_image = 0;
  std::int64_t dy_pixel = 0, dy_row = 0, dy_image = 0;
  std::int64_t pixels = 0, rows = 0, images = 0;
  std::int64_t x_tap = 0;    // of x, from one kernel row to the next, where a tile covers several
  const T* ahead = nullptr;  // read soon after this run: fetched into the cache meanwhile, a line a pixel
  std::int64_t ahead_pixel = 0;

  /// Makes one loop of neighbouring loops where memory allows it.
  void merge() {
    if (x_row == pixels * x_pixel && dy_row == pixels * dy_pixel) pixels *= std::exchange(rows, 1);
    if (rows == 1 && x_image == pixels * x_pixel && dy_image == pixels * dy_pixel) pixels *= std::exchange(images, 1);
  }
};

/// Rows that a tile of `Columns` vectors covers at most. Two vectors of dy and their sums fill the registers; one vector loads
/// more often than it multiplies whatever its rows: as many as keep the multipliers busy.
template <class Arch, int Columns>
inline constexpr int outer_tile_rows = Columns == 1 ? 8 : (simd::registers<Arch> >= 32 ? 14 : 6);

/// Whether large tiles fetch what follows them: where there are registers for tiles large enough to have the time.
template <class Arch, int Columns>
inline constexpr bool outer_tile_fetches = simd::registers<Arch> >= 32 && Columns > 1;

/// dw[h * Rows + r][c] += sum over the pixels of x[h][r] * dy[c], for Taps kernel rows of Rows numbers, and Columns vectors.
/// The numbers of a kernel row are those of pixels with Group channels.
template <class T, class Arch, int Taps, int Rows, int Group, int Columns, bool Fetch = false>
void outer_tile(const PixelRun<T>& run, T* dw, std::int64_t stride) {
  using V = simd::Batch<T, Arch>;
  constexpr std::int64_t step = simd::width<T, Arch>;
  const TileTarget<T> target{.output = dw, .row_stride = stride, .mode = Write::accumulate};
  V sums[Taps * Rows][Columns];
  start_sums<T, Arch>(target, sums);
  const std::int64_t x_pixel = run.x_pixel, dy_pixel = run.dy_pixel, pixels = run.pixels, ahead_pixel = run.ahead_pixel;
  const T* ahead = run.ahead;
  for (std::int64_t n = 0; n < run.images; ++n) {
    for (std::int64_t row = 0; row < run.rows; ++row) {
      const T* dy = run.dy + n * run.dy_image + row * run.dy_row;
      const T* x[Taps];
      SIENA_UNROLL
      for (int h = 0; h < Taps; ++h) x[h] = run.x + n * run.x_image + row * run.x_row + h * run.x_tap;
      for (std::int64_t i = 0; i < pixels; ++i, dy += dy_pixel) {
        V column[Columns];
        SIENA_UNROLL
        for (int c = 0; c < Columns; ++c) column[c] = simd::load<T, Arch>(dy + c * step);
        if constexpr (Fetch) {
          simd::prefetch(ahead);
          ahead += ahead_pixel;
        }
        SIENA_UNROLL
        for (int h = 0; h < Taps; ++h) {
          SIENA_UNROLL
          for (int r = 0; r < Rows; ++r) {
            const V value = simd::broadcast<T, Arch>(x[h][r / Group * row_padding + r % Group]);
            SIENA_UNROLL
            for (int c = 0; c < Columns; ++c) sums[h * Rows + r][c] = simd::fma(value, column[c], sums[h * Rows + r][c]);
          }
          x[h] += x_pixel;
        }
      }
    }
  }
  store_sums<T, Arch>(target, sums);
}

/// Rows that outer_row_tile covers at most: three sums each.
template <class Arch>
inline constexpr int outer_row_tile_rows = simd::registers<Arch> >= 32 ? 8 : 4;

/// The three taps of a kernel row at once, for one vector of columns under a window that moves pixel by pixel and keeps the
/// length of a row: dw[kw * tap + r * stride] += sum over the pixels q of x[q][r] * dy[q + 1 - kw]. An x is loaded once for the
/// three dy that it meets, and these go from register to register. Inputs are finite: at the ends of a row they meet zeros.
template <class T, class Arch, int Rows>
void outer_row_tile(const PixelRun<T>& run, T* dw, std::int64_t stride, std::int64_t tap) {
  using V = simd::Batch<T, Arch>;
  V sums[3][Rows][1];
  const auto target = [&](int kw) {
    return TileTarget<T>{.output = dw + kw * tap, .row_stride = stride, .mode = Write::accumulate};
  };
  SIENA_UNROLL
  for (int kw = 0; kw < 3; ++kw) start_sums<T, Arch>(target(kw), sums[kw]);
  const std::int64_t x_pixel = run.x_pixel, dy_pixel = run.dy_pixel, pixels = run.pixels;
  for (std::int64_t n = 0; n < run.images; ++n) {
    for (std::int64_t row = 0; row < run.rows; ++row) {
      const T* x = run.x + n * run.x_image + row * run.x_row;
      const T* next = run.dy + n * run.dy_image + row * run.dy_row;
      V before = simd::zero<T, Arch>(), at = simd::load<T, Arch>(next), after;
      for (std::int64_t left = pixels - 1; left >= 0; --left, x += x_pixel, before = at, at = after) {
        after = left > 0 ? simd::load<T, Arch>(next += dy_pixel) : simd::zero<T, Arch>();
        SIENA_UNROLL
        for (int r = 0; r < Rows; ++r) {
          const V value = simd::broadcast<T, Arch>(x[r]);
          sums[0][r][0] = simd::fma(value, after, sums[0][r][0]);
          sums[1][r][0] = simd::fma(value, at, sums[1][r][0]);
          sums[2][r][0] = simd::fma(value, before, sums[2][r][0]);
        }
      }
    }
  }
  SIENA_UNROLL
  for (int kw = 0; kw < 3; ++kw) store_sums<T, Arch>(target(kw), sums[kw]);
}

template <class T>
using OuterTile = void (*)(const PixelRun<T>&, T*, std::int64_t);

/// The tile of `rows` channels, at most outer_tile_rows.
template <class T, class Arch, int Columns>
OuterTile<T> outer_tile_of(std::int64_t rows, [[maybe_unused]] bool fetch) {
  return [&]<int... Less>(std::integer_sequence<int, Less...>) {
    static constexpr OuterTile<T> plain[] = {outer_tile<T, Arch, 1, Less + 1, Less + 1, Columns>...};
    if constexpr (outer_tile_fetches<Arch, Columns>) {
      static constexpr OuterTile<T> fetching[] = {outer_tile<T, Arch, 1, Less + 1, Less + 1, Columns, (Less >= 7)>...};
      if (fetch) return fetching[rows - 1];
    }
    return plain[rows - 1];
  }
  (std::make_integer_sequence<int, outer_tile_rows<Arch, Columns>>{});
}

/// outer_row_tile for `depth` channels, 8 or more, in the fewest tiles, as equal as may be.
template <class T, class Arch>
void outer_row_tiles(PixelRun<T> run, std::int64_t depth, T* dw, std::int64_t stride, std::int64_t tap) {
  constexpr int most = outer_row_tile_rows<Arch>, fewest = most == 8 ? 4 : 3;  // of 8 or more, cut evenly
  SIENA_ASSERT(depth >= 8);
  [&]<int... More>(std::integer_sequence<int, More...>) {
    static constexpr void (*tile_of[])(const PixelRun<T>&, T*, std::int64_t,
                                       std::int64_t) = {outer_row_tile<T, Arch, fewest + More>...};
    const std::int64_t tiles = ceil_div(depth, most), least = depth / tiles, larger = depth % tiles;
    const T* const end = run.x + depth;
    for (std::int64_t tile = 0; run.x < end; ++tile) {
      const std::int64_t rows = least + (tile < larger);
      tile_of[rows - fewest](run, dw, stride, tap);
      run.x += rows;
      dw += rows * stride;
    }
  }
  (std::make_integer_sequence<int, most - fewest + 1>{});
}

/// sums[i] += the i-th element of every part, in the order of the parts.
template <class Arch, class T>
void add_parts(const T* partial, std::int64_t parts, std::int64_t size, T* sums) {
  constexpr std::int64_t step = simd::width<T, simd::half<T, Arch>>;
  parallel_ranges(size, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; i += step) {
      auto sum = simd::load<T, simd::half<T, Arch>>(partial + i);
      for (std::int64_t p = 1; p < parts; ++p) sum += simd::load<T, simd::half<T, Arch>>(partial + p * size + i);
      simd::store(sums + i, simd::load<T, simd::half<T, Arch>>(sums + i) + sum);
    }
  });
}

}  // namespace siena::kernels::detail
