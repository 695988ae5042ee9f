// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "siena/core/buffer.hpp"
#include "siena/core/parallel.hpp"
#include "siena/kernels/conv2d_forward.hpp"
#include "siena/kernels/conv2d_spread_data.hpp"
#include "siena/kernels/correlate.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/rows.hpp"

// The gradient with respect to the input. Input pixels of one residue modulo the stride meet the same taps, so each
// residue class (1 at stride 1, 4 at stride 2) is a correlation of stride 1 over dy with those taps, turned round.

namespace siena::kernels::detail {

/// One residue class along one dimension: the window over dy, and which tap of the kernel its tap t is.
struct ResidueAxis {
  Axis axis;
  std::int64_t last_tap = 0, tap_step = 1;

  std::int64_t kernel_tap(std::int64_t t) const { return last_tap - t * tap_step; }
};

/// Input positions residue, residue + stride, ... below `in`: position i of the class meets dy at (residue + i * stride
/// + pad - tap * dilation) / stride for every tap that makes this a whole number.
inline ResidueAxis residue_axis(std::int64_t in, std::int64_t out, int kernel, int stride, int dilation, int pad, int residue) {
  ResidueAxis r;
  r.axis = {.in = out, .out = ceil_div(in - residue, stride), .taps = 0, .start = 0, .step = 1, .tap_step = 1};
  std::int64_t previous = -1;
  for (int tap = kernel - 1; tap >= 0; --tap) {
    const std::int64_t position = std::int64_t{residue} + pad - std::int64_t{tap} * dilation;
    if (position % stride != 0) continue;
    if (r.axis.taps == 0) {
      r.last_tap = tap;
      r.axis.start = position / stride;
    } else if (r.axis.taps == 1) {
      r.tap_step = previous - tap;
      r.axis.tap_step = r.tap_step * dilation / stride;
    }
    previous = tap;
    ++r.axis.taps;
  }
  return r;
}

/// One class along both dimensions, and where its weights start in the turned copy.
struct ResidueClass {
  ResidueAxis height, width;
  int row = 0, column = 0;
  std::int64_t first_weight = 0;

  std::int64_t taps() const { return height.axis.taps * width.axis.taps; }
};

/// Calls body(class) for every residue class that has pixels; `rows` turned weight rows belong to a tap.
template <class Body>
void for_each_residue(const ConvGeometry& g, std::int64_t rows, std::int64_t columns, Body&& body) {
  std::int64_t first = 0;
  for (int a = 0; a < std::min<std::int64_t>(g.stride_height, g.in_height); ++a) {
    for (int b = 0; b < std::min<std::int64_t>(g.stride_width, g.in_width); ++b) {
      const ResidueClass c{
          .height = residue_axis(g.in_height, g.out_height, g.kernel_height, g.stride_height, g.dilation_height, g.pad_top, a),
          .width = residue_axis(g.in_width, g.out_width, g.kernel_width, g.stride_width, g.dilation_width, g.pad_left, b),
          .row = a,
          .column = b,
          .first_weight = first};
      body(c);
      first += c.taps() * rows * columns;
    }
  }
}

/// The class as strides over dy and dx; its output pixels lie `stride` pixels of the image apart.
inline Correlation residue_correlation(const ConvGeometry& g, const ResidueClass& c, std::int64_t depth) {
  const std::int64_t pixel = g.in_stride(), row = g.in_width * pixel;
  return {.height = c.height.axis,
          .width = c.width.axis,
          .depth = depth,
          .columns = pixel,
          .in_pixel = g.out_stride(),
          .in_row = g.out_width * g.out_stride(),
          .in_image = g.out_storage(),
          .out_pixel = g.stride_width * pixel,
          .out_row = g.stride_height * row,
          .out_image = g.in_storage(),
          .out_first = c.row * row + c.column * pixel};
}

/// to[column][row] = from[row][column] for a block of `rows` x `columns`, at most 8 x 8; behind them, up to `filled`, rows
/// of `to` are 0. Reads 8 columns.
template <class Arch, class T>
void transpose_edge(const T* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns, T* to,
                    std::int64_t to_stride, std::int64_t filled) {
  T block[64], turned[64];
  if (rows < 8) {
    std::fill_n(block, 64, T(0));
    for (std::int64_t r = 0; r < rows; ++r) std::copy_n(from + r * from_stride, 8, block + r * 8);
    from = block;
    from_stride = 8;
  }
  simd::transpose_8x8<T, Arch>(from, from_stride, turned, 8);
  for (std::int64_t c = 0; c < columns; ++c) {
    if (filled == 8) {  // the usual one: a constant size is one store
      std::copy_n(turned + c * 8, 8, to + c * to_stride);
    } else {
      std::copy_n(turned + c * 8, filled, to + c * to_stride);
    }
  }
}

/// to[column][row] = from[row][column] for a matrix of rows x columns; the padding of a row of `to` becomes 0. Rows
/// of `from` are padded.
template <class Arch, class T>
void transpose(const T* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns, T* to,
               std::int64_t to_stride) {
  constexpr std::int64_t size = 8, block = 2 * size;  // columns whose rows of `to` stay in the cache while they are filled
  for (std::int64_t c0 = 0; c0 < columns; c0 += block) {
    for (std::int64_t r = 0; r < to_stride; r += size) {
      for (std::int64_t c = c0; c < std::min(columns, c0 + block); c += size) {
        const T* source = from + r * from_stride + c;
        T* target = to + c * to_stride + r;
        if (r + size <= rows && c + size <= columns) {
          simd::transpose_8x8<T, Arch>(source, from_stride, target, to_stride);
        } else {
          transpose_edge<Arch>(source, from_stride, std::clamp<std::int64_t>(rows - r, 0, size), std::min(size, columns - c),
                               target, to_stride, std::min(size, to_stride - r));
        }
      }
    }
  }
}

/// The weights of every class, each tap transposed to Cout x Cin, taps in the order in which the class meets them.
template <class Arch, class T>
Buffer<T> turned_weights(const ConvGeometry& g, const T* w) {
  constexpr std::int64_t slice = 64;  // output channels turned together
  const std::int64_t columns = g.in_stride(), tap = g.out_channels * columns, slices = ceil_div(g.out_channels, slice);
  auto turned = Buffer<T>::uninitialized(static_cast<std::size_t>(g.taps() * tap));
  for_each_residue(g, g.out_channels, columns, [&](const ResidueClass& c) {
    const std::int64_t grain = elements_grain(std::min(slice, g.out_channels) * columns);
    parallel_ranges(c.taps() * slices, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t t = i / slices, first = i % slices * slice;
        const std::int64_t kh = c.height.kernel_tap(t / c.width.axis.taps), kw = c.width.kernel_tap(t % c.width.axis.taps);
        transpose<Arch>(w + (kh * g.kernel_width + kw) * g.in_channels * g.out_stride() + first, g.out_stride(), g.in_channels,
                        std::min(slice, g.out_channels - first), turned.data() + c.first_weight + t * tap + first * columns,
                        columns);
      }
    });
  });
  return turned;
}

/// The weights of a matrix product transposed, in blocks of columns (see BlockedWeights): so the copy is written, and
/// then read, in order.
template <class Arch, class T>
Buffer<T> turned_blocks(const ConvGeometry& g, const T* w) {
  constexpr std::int64_t slice = 128, run = 128;  // input and output channels of a task
  const std::int64_t columns = g.in_stride(), rows = g.out_channels, runs = ceil_div(rows, run);
  auto turned = Buffer<T>::uninitialized(static_cast<std::size_t>(rows * columns));
  parallel_for(ceil_div(columns, slice) * runs, [&](std::int64_t task) {
    const std::int64_t first = task / runs * slice, row = task % runs * run;
    for_each_block<T, Arch>(first, std::min(columns, first + slice), [&](auto arch, auto vectors, std::int64_t c) {
      constexpr std::int64_t width = decltype(vectors)::value * simd::width<T, typename decltype(arch)::type>;
      transpose<Arch>(w + c * g.out_stride() + row, g.out_stride(), std::min(width, g.in_channels - c),
                      std::min(run, rows - row), turned.data() + c * rows + row * width, width);
    });
  });
  return turned;
}

/// Zeros dx where there are residue classes that no tap reaches.
template <class T>
void clear_unreached(const ConvGeometry& g, std::int64_t batch, T* dx) {
  bool unreached = false;
  for_each_residue(g, 1, 1, [&](const ResidueClass& c) { unreached = unreached || c.taps() == 0; });
  if (!unreached) return;
  parallel_ranges(batch * g.in_storage(), 16384,
                  [&](std::int64_t begin, std::int64_t end) { std::fill(dx + begin, dx + end, T(0)); });
}

/// Backward-data of a 1x1 window that moves by more than one pixel, `c` being its forward pass: a matrix product of a few rows
/// of dy at a time, whose rows go to the pixels that the window meets; the others get nothing.
template <class Arch, class T>
void strided_backward_data(const ConvGeometry& g, const Correlation& c, std::int64_t batch, const T* dy, const T* w, T* dx,
                           Write mode) {
  const Buffer<T> turned = turned_blocks<Arch>(g, w);
  const std::int64_t depth = g.out_channels, columns = g.in_stride();
  const Bands split(batch, c.height.out, c.width.out, columns, sizeof(T));
  parallel_for(batch * split.bands, [&](std::int64_t task) {
    const std::int64_t n = task / split.bands, first = task % split.bands * split.rows;
    const std::int64_t last = std::min(c.height.out, first + split.rows), count = (last - first) * c.width.out;
    auto products = Buffer<T>::uninitialized(static_cast<std::size_t>(count * columns));
    const T* from = dy + n * c.out_image + first * c.out_row;
    for_each_block<T, Arch>(0, columns, [&](auto arch, auto vectors, std::int64_t column) {
      using A = typename decltype(arch)::type;
      constexpr int count_of = decltype(vectors)::value;
      matrix_rows<T, A, count_of, matrix_tile_rows<Arch, count_of>>(
          {.x = from,
           .x_end = from + count * c.out_pixel,
           .x_stride = c.out_pixel,
           .depth = depth,
           .w = turned.data() + column * depth,
           .w_stride = count_of * simd::width<T, A>,
           .target = {.output = products.data() + column, .row_stride = columns}},
          count);
    });
    const T* row = products.data();
    const std::int64_t end = last == c.height.out ? c.height.in : last * c.height.step;
    for (std::int64_t ih = first * c.height.step; ih < end; ++ih) {
      T* to = dx + n * c.in_image + ih * c.in_row;
      const bool met = ih % c.height.step == 0 && ih / c.height.step < last;
      if (met && mode == Write::accumulate) {
        for (std::int64_t ow = 0; ow < c.width.out; ++ow, row += columns, to += c.width.step * columns)
          for (std::int64_t i = 0; i < columns; ++i) to[i] += row[i];
      } else if (met) {
        for (std::int64_t ow = 0; ow < c.width.out; ++ow, row += columns, to += c.width.step * columns) {
          const std::int64_t pixels = ow + 1 < c.width.out ? c.width.step : c.width.in - ow * c.width.step;
          std::fill_n(std::copy_n(row, columns, to), (pixels - 1) * columns, T(0));
        }
      } else if (mode == Write::overwrite) {
        std::fill_n(to, c.in_row, T(0));
      }
    }
  });
}

template <class Arch, class T>
void dense_backward_data(const ConvGeometry& g, std::int64_t batch, const T* dy, const T* w, T* dx, Write mode) {
  if (g.pointwise()) {
    const Buffer<T> turned = turned_blocks<Arch>(g, w);
    multiply<Arch, T>(
        {.rows = batch * g.in_rows(), .depth = g.out_channels, .in_stride = g.out_stride(), .columns = g.in_stride()},
        {.x = dy, .w = turned.data(), .bias = nullptr, .y = dx, .mode = mode, .blocked_rows = g.out_channels});
    return;
  }
  if (g.taps() == 1) {
    const Correlation c = forward_correlation(g, g.in_channels);
    if (pays_as_patches(c)) return strided_backward_data<Arch, T>(g, c, batch, dy, w, dx, mode);
  }
  if (pays_as_spread_rows<Arch, T>(g)) {
    ConvGeometry rows = g;  // whose pixels are one class
    rows.stride_width = 1;
    const Buffer<T> turned = turned_weights<Arch>(rows, w);
    Axis heights[2];
    for_each_residue(rows, 1, 1, [&](const ResidueClass& c) { heights[c.row] = c.height.axis; });
    return spread_rows<Arch, T>(g, heights, batch, dy, turned.data(), dx, mode);
  }
  const Buffer<T> turned = turned_weights<Arch>(g, w);
  if (mode == Write::overwrite) clear_unreached(g, batch, dx);
  for_each_residue(g, g.out_channels, g.in_stride(), [&](const ResidueClass& c) {
    if (c.taps() == 0) return;
    correlate<Arch, T>(residue_correlation(g, c, g.out_channels), batch,
                       {.x = dy, .w = turned.data() + c.first_weight, .bias = nullptr, .y = dx, .mode = mode});
  });
}

}  // namespace siena::kernels::detail
