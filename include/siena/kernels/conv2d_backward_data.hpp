// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "siena/core/buffer.hpp"
#include "siena/core/parallel.hpp"
#include "siena/kernels/conv2d_forward.hpp"
#include "siena/kernels/correlate.hpp"
#include "siena/kernels/geometry.hpp"

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

/// to[column][row] = from[row][column] for a matrix of rows x columns; the padding of a row of `to` becomes 0.
template <class T>
void transpose(const T* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns, T* to,
               std::int64_t to_stride) {
  constexpr std::int64_t block = 16;  // columns whose rows of `to` stay in the cache while they are filled
  for (std::int64_t c0 = 0; c0 < columns; c0 += block) {
    const std::int64_t c1 = std::min(columns, c0 + block);
    for (std::int64_t r0 = 0; r0 < to_stride; r0 += 8) {
      const std::int64_t count = std::min<std::int64_t>(8, rows - r0);
      for (std::int64_t c = c0; c < c1; ++c) {
        for (std::int64_t r = 0; r < 8; ++r) to[c * to_stride + r0 + r] = r < count ? from[(r0 + r) * from_stride + c] : T(0);
      }
    }
  }
}

/// The weights of every class, each tap transposed to Cout x Cin, taps in the order in which the class meets them.
template <class T>
Buffer<T> turned_weights(const ConvGeometry& g, const T* w) {
  const std::int64_t columns = g.in_stride(), tap = g.out_channels * columns;
  auto turned = Buffer<T>::uninitialized(static_cast<std::size_t>(g.taps() * tap));
  for_each_residue(g, g.out_channels, columns, [&](const ResidueClass& c) {
    parallel_for(c.taps(), [&](std::int64_t t) {
      const std::int64_t kh = c.height.kernel_tap(t / c.width.axis.taps), kw = c.width.kernel_tap(t % c.width.axis.taps);
      transpose(w + (kh * g.kernel_width + kw) * g.in_channels * g.out_stride(), g.out_stride(), g.in_channels, g.out_channels,
                turned.data() + c.first_weight + t * tap, columns);
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

template <class Arch, class T>
void dense_backward_data(const ConvGeometry& g, std::int64_t batch, const T* dy, const T* w, T* dx, Write mode) {
  const Buffer<T> turned = turned_weights(g, w);
  if (g.pointwise()) {
    multiply<Arch, T>(
        {.rows = batch * g.in_rows(), .depth = g.out_channels, .in_stride = g.out_stride(), .columns = g.in_stride()},
        {.x = dy, .w = turned.data(), .bias = nullptr, .y = dx, .mode = mode});
    return;
  }
  if (mode == Write::overwrite) clear_unreached(g, batch, dx);
  for_each_residue(g, g.out_channels, g.in_stride(), [&](const ResidueClass& c) {
    if (c.taps() == 0) return;
    correlate<Arch, T>(residue_correlation(g, c, g.out_channels), batch,
                       {.x = dy, .w = turned.data() + c.first_weight, .bias = nullptr, .y = dx, .mode = mode});
  });
}

}  // namespace siena::kernels::detail
