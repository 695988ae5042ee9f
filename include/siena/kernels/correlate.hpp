// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "siena/core/buffer.hpp"
#include "siena/core/config.hpp"
#include "siena/core/parallel.hpp"
#include "siena/kernels/correlation.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/row_tile.hpp"
#include "siena/kernels/tile.hpp"

// Sliding products over images, which the forward pass and each residue class of the backward pass for data are: in tiles of
// neighbouring outputs of a row (row_tile.hpp), of one output of several images, or of pixels that meet the same taps.

namespace siena::kernels::detail {

/// The products of output (oh, ow), which meets taps h x w; neighbouring taps whose channels follow each other become
/// one. Rows of the weights are `stride` apart.
template <class T>
SIENA_INLINE TileProducts<T> products_at(const Correlation& c, const T* x, const T* w, std::int64_t stride, std::int64_t oh,
                                         TapRange h, std::int64_t ow, TapRange v) {
  TileProducts<T> p;
  p.taps_h = h.last - h.first;
  p.taps_w = v.last - v.first;
  p.depth = c.depth;
  p.input_h = c.height.tap_step * c.in_row;
  p.input_w = c.width.tap_step * c.in_pixel;
  p.weight_stride = stride;
  p.weights_w = c.depth * stride;
  p.weights_h = c.width.taps * p.weights_w;
  if (p.taps_h == 0 || p.taps_w == 0) {
    p.taps_h = 0;
    p.input = x, p.weights = w;  // never read; where a tap would be lies outside of the image
    return p;
  }
  p.input = x + (c.height.start + oh * c.height.step + h.first * c.height.tap_step) * c.in_row +
            (c.width.start + ow * c.width.step + v.first * c.width.tap_step) * c.in_pixel;
  p.weights = w + h.first * p.weights_h + v.first * p.weights_w;
  if (p.input_w == p.depth) {
    p.depth *= p.taps_w;
    p.taps_w = 1;
  }
  return p;
}

/// Output pixels of a strip whose input, for `images` images and all rows of the window, stays in the first-level cache
/// while the strip moves down.
inline std::int64_t strip_width(const Correlation& c, std::int64_t images, std::size_t element) {
  constexpr std::int64_t cache = 24 * 1024;
  const std::int64_t pixel = images * c.height.taps * c.depth * static_cast<std::int64_t>(element);
  return std::max<std::int64_t>(4, (cache / pixel - (c.width.taps - 1) * c.width.tap_step) / c.width.step);
}

/// Rows of a tile are one pixel of several images: every tap is exact, and a tap that falls on the padding costs
/// nothing.
template <class Arch, class T>
void correlate_images(const Correlation& c, const CorrelationData<T>& d, const Stretch& s) {
  for_each_block<T, Arch>(s.first_column, s.last_column, [&](auto arch, auto vectors, std::int64_t column) {
    using A = typename decltype(arch)::type;
    constexpr int rows = tile_rows<A, decltype(vectors)::value>;
    const T* w = d.block(column);
    const std::int64_t stride = d.block_stride(vectors * simd::width<T, A>, c.columns);
    const std::int64_t strip = strip_width(c, rows, sizeof(T));
    for (std::int64_t n = 0; n < s.images; n += rows) {
      const std::int64_t count = std::min<std::int64_t>(rows, s.images - n);
      for (std::int64_t begin = s.first_pixel; begin < s.last_pixel; begin += strip) {
        const std::int64_t end = std::min(s.last_pixel, begin + strip);
        for (std::int64_t oh = s.first_row; oh < s.last_row; ++oh) {
          T* y = d.y + n * c.out_image + c.out_first + oh * c.out_row + begin * c.out_pixel + column;
          for (std::int64_t ow = begin; ow < end; ++ow, y += c.out_pixel) {
            TileProducts<T> p = products_at(c, d.x + n * c.in_image, w, stride, oh, s.heights[oh], ow, s.widths[ow]);
            p.row_stride = c.in_image;
            if (p.taps_h == 0 && d.mode == Write::accumulate) continue;
            product_rows<T, A, decltype(vectors)::value>(
                p, {.output = y, .row_stride = c.out_image, .bias = d.bias ? d.bias + column : nullptr, .mode = d.mode}, count);
          }
        }
      }
    }
  });
}

/// Rows of a tile are neighbouring pixels of one image that meet the same taps.
template <class Arch, class T>
void correlate_pixels(const Correlation& c, const CorrelationData<T>& d, const Stretch& s) {
  for_each_block<T, Arch>(s.first_column, s.last_column, [&](auto arch, auto vectors, std::int64_t column) {
    using A = typename decltype(arch)::type;
    const T* w = d.block(column);
    const std::int64_t stride = d.block_stride(vectors * simd::width<T, A>, c.columns);
    for (std::int64_t oh = s.first_row; oh < s.last_row; ++oh) {
      for (std::int64_t ow = s.first_pixel, last = ow; ow < s.last_pixel; ow = last) {
        while (last < s.last_pixel && s.widths[last] == s.widths[ow]) ++last;
        TileProducts<T> p = products_at(c, d.x, w, stride, oh, s.heights[oh], ow, s.widths[ow]);
        p.row_stride = c.width.step * c.in_pixel;
        if (p.taps_h == 0 && d.mode == Write::accumulate) continue;
        product_rows<T, A, decltype(vectors)::value>(p,
                                                     {.output = d.y + c.out_first + oh * c.out_row + ow * c.out_pixel + column,
                                                      .row_stride = c.out_pixel,
                                                      .bias = d.bias ? d.bias + column : nullptr,
                                                      .mode = d.mode},
                                                     last - ow);
      }
    }
  });
}

/// How many tasks a kernel aims at: enough for any machine to balance, few enough to cost nothing. Never the number of
/// threads, so that the split is the same everywhere.
inline constexpr std::int64_t wanted_tasks = 32;

/// How many tasks so many multiply-adds are worth: smaller ones would cost threads more, to meet, than they save.
inline std::int64_t worthwhile_tasks(std::int64_t multiply_adds) {
  return std::clamp<std::int64_t>(multiply_adds >> 19, 1, wanted_tasks);
}

/// Weights of many columns, copied block by block of the columns that a tile covers: rows of a block follow each other, where
/// in the original each lies on another page of memory than the next. Worth its while once many outputs share the copy.
template <class T, class Arch>
class BlockedWeights {
 public:
  /// Copies where rows are `far_apart` bytes long or longer.
  BlockedWeights(const CorrelationData<T>& d, std::int64_t rows, std::int64_t columns, std::int64_t outputs,
                 std::int64_t far_apart = 512)
      : data_(d) {
    constexpr std::int64_t many = 64;
    if (columns * static_cast<std::int64_t>(sizeof(T)) < far_apart || outputs < many || d.blocked_rows > 0) return;
    copy_ = Buffer<T>::uninitialized(static_cast<std::size_t>(rows * columns));
    parallel_ranges(rows, 128, [&](std::int64_t begin, std::int64_t end) {
      for_each_block<T, Arch>(0, columns, [&](auto arch, auto vectors, std::int64_t column) {
        constexpr std::int64_t width = decltype(vectors)::value * simd::width<T, typename decltype(arch)::type>;
        T* to = copy_.data() + column * rows + begin * width;
        for (std::int64_t r = begin; r < end; ++r, to += width) std::copy_n(d.w + r * columns + column, width, to);
      });
    });
    data_.w = copy_.data();
    data_.blocked_rows = rows;
  }
  BlockedWeights(const BlockedWeights&) = delete;
  BlockedWeights& operator=(const BlockedWeights&) = delete;

  /// The same data with the weights where they are best read.
  const CorrelationData<T>& data() const { return data_; }

 private:
  CorrelationData<T> data_;
  Buffer<T> copy_;
};

/// A matrix product: y[row] = x[row] * w, cut into runs of rows and, where they are few, slices of columns.
struct MatrixProduct {
  std::int64_t rows, depth, in_stride, columns;
};

template <class Arch, class T>
void multiply(const MatrixProduct& m, const CorrelationData<T>& given) {
  constexpr std::int64_t tile = 12;    // rows of the largest one of two vectors, or of two of those
  constexpr std::int64_t page = 4096;  // shorter rows of weights are fetched in time
  const BlockedWeights<T, Arch> weights(given, m.depth, m.columns, m.rows, page);
  const CorrelationData<T>& d = weights.data();
  const std::int64_t wanted = worthwhile_tasks(m.rows * m.depth * m.columns), tiles = ceil_div(m.rows, tile);
  const std::int64_t most_slices = tiles >= wanted ? 1 : std::min(wanted, ceil_div(m.columns, 64));
  const std::int64_t slice = ceil_div(ceil_div(m.columns, most_slices), 32) * 32, slices = ceil_div(m.columns, slice);
  const std::int64_t runs = std::clamp<std::int64_t>(wanted / slices, 1, std::max<std::int64_t>(1, tiles));
  parallel_for(runs * slices, [&](std::int64_t task) {
    const std::int64_t run = task / slices, first = task % slices * slice;
    const std::int64_t row = tiles * run / runs * tile, count = std::min(m.rows, tiles * (run + 1) / runs * tile) - row;
    for_each_block<T, Arch>(first, std::min(m.columns, first + slice), [&](auto arch, auto vectors, std::int64_t c) {
      using A = typename decltype(arch)::type;
      constexpr int columns = decltype(vectors)::value;
      matrix_rows<T, A, columns, matrix_tile_rows<Arch, columns>>(
          {.x = d.x + row * m.in_stride,
           .x_end = d.x + m.rows * m.in_stride,
           .x_stride = m.in_stride,
           .depth = m.depth,
           .w = d.block(c),
           .w_stride = d.block_stride(columns * simd::width<T, A>, m.columns),
           .target = {.output = d.y + row * m.columns + c,
                      .row_stride = m.columns,
                      .bias = d.bias ? d.bias + c : nullptr,
                      .mode = d.mode}},
          count);
    });
  });
}

/// Copies the channels of one pixel and returns where the next one goes. Copies whole blocks: up to row_padding - 1
/// elements behind the pixel are overwritten, so pixels must be appended in order, and memory end that much later.
template <class T>
SIENA_INLINE T* append_pixel(const T* from, std::int64_t depth, T* out) {
  for (std::int64_t k = 0; k < depth; k += row_padding) std::memcpy(out + k, from + k, row_padding * sizeof(T));
  return out + depth;
}

/// Input rows [first, last) of a group of images as [row][image][pixel][depth] without padding between: the images of a
/// tile lie close together (whole images apart they would compete for the same lines of the cache), channels follow
/// each other from tap to tap, and the lines of neighbouring images are staggered.
template <class T>
Correlation pack_images(const Correlation& c, std::int64_t images, std::int64_t first, std::int64_t last, const T* x,
                        Buffer<T>& packed) {
  constexpr std::int64_t line = 16;
  Correlation to = c;
  to.in_pixel = c.depth;
  to.in_image = ceil_div(c.width.in * c.depth, line) * line + line;
  to.in_row = images * to.in_image;
  // Not nothing where the window meets no row: pointers into it are stepped, though not read.
  const auto size = static_cast<std::size_t>(std::max<std::int64_t>(1, (last - first) * to.in_row));
  if (packed.size() < size) packed = Buffer<T>::uninitialized(size);
  for (std::int64_t row = first; row < last; ++row) {
    for (std::int64_t n = 0; n < images; ++n) {
      const T* from = x + n * c.in_image + row * c.in_row;
      T* out = packed.data() + (row - first) * to.in_row + n * to.in_image;
      if (c.in_pixel == c.depth) {
        std::copy_n(from, c.width.in * c.depth, out);
      } else {
        for (std::int64_t i = 0; i < c.width.in; ++i, from += c.in_pixel) out = append_pixel(from, c.depth, out);
      }
    }
  }
  to.height.start -= first;
  to.height.in = last - first;
  return to;
}

/// The input rows [first, last) that output rows [begin, end) meet.
inline TapRange input_rows(const Axis& axis, std::int64_t begin, std::int64_t end) {
  const std::int64_t first = axis.start + begin * axis.step;
  const std::int64_t last = axis.start + (end - 1) * axis.step + (axis.taps - 1) * axis.tap_step + 1;
  const std::int64_t low = std::clamp<std::int64_t>(first, 0, axis.in);
  return {low, std::clamp<std::int64_t>(last, low, axis.in)};
}

/// Runs a correlation over a batch. Every output is one chain of operations, whatever the split.
template <class Arch, class T>
void correlate(const Correlation& c, std::int64_t batch, const CorrelationData<T>& given) {
  const BlockedWeights<T, Arch> weights(given, c.height.taps * c.width.taps * c.depth, c.columns,
                                        batch * c.height.out * c.width.out);
  const CorrelationData<T>& d = weights.data();
  const Buffer<TapRange> heights = tap_ranges(c.height), widths = tap_ranges(c.width);
  const Stretch all{.images = 1,
                    .first_row = 0,
                    .last_row = c.height.out,
                    .first_pixel = 0,
                    .last_pixel = c.width.out,
                    .first_column = 0,
                    .last_column = c.columns,
                    .heights = heights.data(),
                    .widths = widths.data()};
  // Tiles of neighbouring pixels where there is one for the window. Otherwise, without borders runs of
  // pixels are long; with them groups of images fill the tiles.
  const std::int64_t tiled = is_row_window(c.width) ? c.width.out / row_pixels * row_pixels : 0;
  const TapRange full{0, c.width.taps};
  const bool borders = widths[0] != full || widths[c.width.out - 1] != full;
  const std::int64_t group = c.columns >= 2 * simd::width<T, Arch> ? 8 : 16;
  const std::int64_t whole = tiled == 0 && (borders || c.width.out < 8) ? batch / 8 * 8 : 0, groups = ceil_div(whole, group);
  if (groups > 0) {
    const std::int64_t grain = std::max(std::min<std::int64_t>(4, c.height.out), c.height.out * groups / wanted_tasks);
    const std::int64_t bands = ceil_div(c.height.out, grain);
    parallel_for(groups * bands, [&](std::int64_t task) {
      const std::int64_t first = task / bands * group;
      Stretch s = all;
      s.images = std::min(group, whole - first);
      s.first_row = task % bands * grain;
      s.last_row = std::min(c.height.out, s.first_row + grain);
      const TapRange rows = input_rows(c.height, s.first_row, s.last_row);
      Buffer<T> packed;
      CorrelationData<T> part = d;
      const Correlation close = pack_images(c, s.images, rows.first, rows.last, d.x + first * c.in_image, packed);
      part.x = packed.data();
      part.y += first * c.out_image;
      correlate_images<Arch, T>(close, part, s);
    });
  }
  const std::int64_t together = tiled > 0 ? row_images<Arch> : 1, sets = ceil_div(batch - whole, together);
  const std::int64_t band = std::clamp<std::int64_t>(c.height.out * sets / wanted_tasks, 2, 8);
  const std::int64_t bands = ceil_div(c.height.out, band), rest = sets * bands;
  parallel_ranges(rest, std::max<std::int64_t>(1, rest / wanted_tasks), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t image = whole + i / bands * together;
      Stretch s = all;
      CorrelationData<T> part = d;
      part.x += image * c.in_image;
      part.y += image * c.out_image;
      s.images = std::min(together, batch - image);
      s.first_row = i % bands * band;
      s.last_row = std::min(c.height.out, s.first_row + band);
      if (tiled > 0) {
        s.last_pixel = tiled;
        correlate_rows<Arch, T>(c, part, s);
        s.first_pixel = std::exchange(s.last_pixel, c.width.out);
      }
      if (s.first_pixel == s.last_pixel) continue;
      for (std::int64_t n = 0; n < s.images; ++n, part.x += c.in_image, part.y += c.out_image)
        correlate_pixels<Arch, T>(c, part, s);
    }
  });
}

}  // namespace siena::kernels::detail
