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

// Register tiles of neighbouring outputs under a window whose width and stride the compiler knows. Where the weights of a row
// of the window fit the registers beside the sums, an input goes into every output of its row that it meets while it is in a
// register: three products a load for 3x3 windows, where a tile of unrelated rows has one. That is what layers of few columns
// need, whose tiles would otherwise wait for loads.

namespace siena::kernels::detail {

/// What a tile of neighbouring outputs reads.
template <class T>
struct RowProducts {
  const T* input = nullptr;  ///< of the first tap of the first output, in the image or not
  std::int64_t pixel = 0, input_h = 0, image = 0;
  std::int64_t first = 0, last = 0;  ///< pixels from `input` on that lie in the image
  const T* weights = nullptr;
  std::int64_t weight_stride = 0, weights_h = 0, weights_w = 0;
  std::int64_t first_tap = 0, last_tap = 0, depth = 0;  ///< rows of the window, channels
};

/// What a tile covers: outputs of a row, of images, and vectors of columns of each.
struct RowTile {
  int pixels, images, columns;

  constexpr int sums() const { return pixels * images * columns; }
  /// Whether the weights of a row of the window stay in registers while its inputs go by.
  template <class Arch>
  constexpr bool holds(int taps) const {
    return sums() + taps * columns + 1 <= simd::registers<Arch>;
  }
};

/// The tile at a window of Taps pixels that moves by Step. Sums run over the rows of the window, the channels, then the taps of
/// a row.
template <class T, class Arch, int Taps, int Step, RowTile Tile>
void row_tile(const RowProducts<T>& p, TileTarget<T> t, std::int64_t out_image) {
  using V = simd::Batch<T, Arch>;
  constexpr std::int64_t step = simd::width<T, Arch>;
  constexpr int inputs = (Tile.pixels - 1) * Step + Taps;
  constexpr int quads = (inputs + 3) / 4;  // a pointer for every four pixels: what addressing modes reach
  V sums[Tile.images][Tile.pixels][Tile.columns];
  T* const output = t.output;
  SIENA_UNROLL
  for (int n = 0; n < Tile.images; ++n) {
    t.output = output + n * out_image;
    start_sums<T, Arch>(t, sums[n]);
  }
  const std::int64_t pixel = p.pixel, weights_w = p.weights_w, weight_stride = p.weight_stride, depth = p.depth;
  const auto first = static_cast<int>(p.first), last = static_cast<int>(std::min<std::int64_t>(p.last, inputs));
  // To the left or right of the image; what is in the middle is known not to be.
  const auto outside = [&](int i)
                           SIENA_INLINE_LAMBDA { return (i < Taps - 1 && i < first) || (i > inputs - Taps && i >= last); };
  for (std::int64_t h = p.first_tap; h < p.last_tap; ++h) {
    const T* weights = p.weights + h * p.weights_h;
    const T* quad[Tile.images][quads];
    SIENA_UNROLL
    for (int n = 0; n < Tile.images; ++n) {
      SIENA_UNROLL
      for (int q = 0; q < quads; ++q) quad[n][q] = p.input + n * p.image + h * p.input_h + 4 * q * pixel;
    }
    for (std::int64_t k = 0; k < depth; ++k, weights += weight_stride) {
      if constexpr (Tile.template holds<Arch>(Taps)) {
        V weight[Taps][Tile.columns];
        SIENA_UNROLL
        for (int w = 0; w < Taps; ++w) {
          SIENA_UNROLL
          for (int c = 0; c < Tile.columns; ++c) weight[w][c] = simd::load<T, Arch>(weights + w * weights_w + c * step);
        }
        SIENA_UNROLL
        for (int i = 0; i < inputs; ++i) {
          if (outside(i)) continue;
          SIENA_UNROLL
          for (int n = 0; n < Tile.images; ++n) {
            const V value = simd::broadcast<T, Arch>(quad[n][i / 4][i % 4 * pixel]);
            SIENA_UNROLL
            for (int w = 0; w < Taps; ++w) {
              if (i < w || (i - w) % Step != 0 || (i - w) / Step >= Tile.pixels) continue;
              SIENA_UNROLL
              for (int c = 0; c < Tile.columns; ++c) {
                V& sum = sums[n][(i - w) / Step][c];
                sum = simd::fma(value, weight[w][c], sum);
              }
            }
          }
        }
      } else {
        SIENA_UNROLL
        for (int w = 0; w < Taps; ++w) {
          SIENA_FORGET_LOADS;  // an input that two taps read would take a register from the sums
          V weight[Tile.columns];
          SIENA_UNROLL
          for (int c = 0; c < Tile.columns; ++c) weight[c] = simd::load<T, Arch>(weights + w * weights_w + c * step);
          SIENA_UNROLL
          for (int o = 0; o < Tile.pixels; ++o) {
            if (outside(o * Step + w)) continue;
            SIENA_UNROLL
            for (int n = 0; n < Tile.images; ++n) {
              const V value = simd::broadcast<T, Arch>(quad[n][(o * Step + w) / 4][(o * Step + w) % 4 * pixel]);
              SIENA_UNROLL
              for (int c = 0; c < Tile.columns; ++c) sums[n][o][c] = simd::fma(value, weight[c], sums[n][o][c]);
            }
          }
        }
      }
      SIENA_UNROLL
      for (int n = 0; n < Tile.images; ++n) {
        SIENA_UNROLL
        for (int q = 0; q < quads; ++q) ++quad[n][q];
      }
    }
  }
  SIENA_UNROLL
  for (int n = 0; n < Tile.images; ++n) {
    t.output = output + n * out_image;
    store_sums<T, Arch>(t, sums[n]);
  }
}

/// Images whose rows tiles take together where there are that many. With 16 registers 8 sums of a row would each have three
/// products in a chain for every load of the weights, as long as the multipliers take for all 24.
template <class Arch>
inline constexpr int row_images = simd::registers<Arch> >= 32 ? 1 : 3;

/// Outputs of a row that tiles of neighbouring pixels take at once, and whether the window is one that they know.
inline constexpr std::int64_t row_pixels = 8;
inline bool is_row_window(const Axis& width) {
  if (width.tap_step != 1 || width.out < row_pixels) return false;
  if (!(width.taps == 3 && width.step <= 2) && !(width.taps == 2 && width.step == 1)) return false;
  const std::int64_t tiled = width.out / row_pixels * row_pixels, end = width.start + (tiled - 1) * width.step + width.taps;
  return width.start > -width.taps && end - width.in < width.taps;
}

/// Rows of a tile are neighbouring pixels of an image, or of `row_images` of them, whatever taps they meet.
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
    p.image = c.in_image;
    const auto run_image = [&]<RowTile Tile>(std::int64_t n, std::int64_t column) {
      for (std::int64_t oh = s.first_row; oh < s.last_row; ++oh) {
        const T* row = d.x + n * c.in_image + (c.height.start + oh * c.height.step) * c.in_row;
        T* const out_row = d.y + n * c.out_image + c.out_first + oh * c.out_row + column;
        p.first_tap = s.heights[oh].first;
        p.last_tap = s.heights[oh].last;
        for (std::int64_t ow = s.first_pixel; ow < s.last_pixel; ow += Tile.pixels) {
          const std::int64_t iw = c.width.start + ow * Step;
          p.input = row + iw * c.in_pixel;
          p.first = std::max<std::int64_t>(0, -iw);
          p.last = c.width.in - iw;
          row_tile<T, A, Taps, Step, Tile>(p,
                                           {.output = out_row + ow * c.out_pixel,
                                            .row_stride = c.out_pixel,
                                            .bias = d.bias ? d.bias + column : nullptr,
                                            .mode = d.mode},
                                           c.out_image);
        }
      }
    };
    const auto run = [&]<RowTile Tile>() {
      for (std::int64_t column = block; column < block + vectors * step; column += Tile.columns * step) {
        p.weights = d.block(block) + (column - block);
        for (std::int64_t n = 0; n < s.images; n += Tile.images) run_image.template operator()<Tile>(n, column);
      }
    };
    // As many sums as keep the multipliers busy: what is fastest for the window.
    if constexpr (many && Step == 1 && vectors == 1) {
      if (s.last_pixel % 16 == 0) return run.template operator()<RowTile{.pixels = 16, .images = 1, .columns = 1}>();
    }
    if constexpr (row_images < A >> 1 && (Step == 1) == (vectors == 2)) {
      constexpr RowTile tile{.pixels = Step == 1 ? 2 : 4, .images = row_images<A>, .columns = vectors};
      if (s.images == row_images<A>) return run.template operator()<tile>();
    }
    run.template operator()<RowTile{.pixels = 8, .images = 1, .columns = many ? vectors : 1}>();
  });
}

template <class Arch, class T>
void correlate_rows(const Correlation& c, const CorrelationData<T>& d, const Stretch& s) {
  if (c.width.taps == 2) return correlate_rows<Arch, T, 2, 1>(c, d, s);
  if (c.width.step == 2) return correlate_rows<Arch, T, 3, 2>(c, d, s);
  correlate_rows<Arch, T, 3, 1>(c, d, s);
}

}  // namespace siena::kernels::detail
