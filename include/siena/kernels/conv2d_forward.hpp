// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "siena/kernels/correlate.hpp"
#include "siena/kernels/geometry.hpp"

namespace siena::kernels::detail {

/// The windows of the forward pass along height and width.
inline Axis forward_height(const ConvGeometry& g) {
  return {.in = g.in_height, .out = g.out_height, .taps = g.kernel_height, .start = -g.pad_top, .step = g.stride_height,
          .tap_step = g.dilation_height};
}
inline Axis forward_width(const ConvGeometry& g) {
  return {.in = g.in_width, .out = g.out_width, .taps = g.kernel_width, .start = -g.pad_left, .step = g.stride_width,
          .tap_step = g.dilation_width};
}

/// The forward pass as strides; `depth` input channels belong to a tap.
inline Correlation forward_correlation(const ConvGeometry& g, std::int64_t depth) {
  return {.height = forward_height(g), .width = forward_width(g), .depth = depth, .columns = g.out_stride(),
          .in_pixel = g.in_stride(), .in_row = g.in_width * g.in_stride(), .in_image = g.in_storage(), .out_pixel = g.out_stride(),
          .out_row = g.out_width * g.out_stride(), .out_image = g.out_storage()};
}

/// A convolution of one tap without padding or stride over a batch, as one long row of pixels.
inline Correlation matrix_product(std::int64_t rows, std::int64_t depth, std::int64_t in_stride, std::int64_t columns) {
  const Axis run{.in = rows, .out = rows};
  return {.height = {}, .width = run, .depth = depth, .columns = columns, .in_pixel = in_stride, .in_row = rows * in_stride, .in_image = rows * in_stride,
          .out_pixel = columns, .out_row = rows * columns, .out_image = rows * columns};
}

template <class Arch, class T>
void dense_forward(const ConvGeometry& g, std::int64_t batch, const T* x, const T* w, const T* bias, T* y) {
  const CorrelationData<T> data{.x = x, .w = w, .bias = bias, .y = y, .mode = Write::overwrite};
  if (g.pointwise()) {
    correlate<Arch, T>(matrix_product(batch * g.out_rows(), g.in_channels, g.in_stride(), g.out_stride()), 1, data);
  } else {
    correlate<Arch, T>(forward_correlation(g, g.in_channels), batch, data);
  }
}

}  // namespace siena::kernels::detail
