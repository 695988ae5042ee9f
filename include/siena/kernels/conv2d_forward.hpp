// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "siena/kernels/correlate.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/patches.hpp"

namespace siena::kernels::detail {

/// The windows of the forward pass along height and width.
inline Axis forward_height(const ConvGeometry& g) {
  return {.in = g.in_height,
          .out = g.out_height,
          .taps = g.kernel_height,
          .start = -g.pad_top,
          .step = g.stride_height,
          .tap_step = g.dilation_height};
}
inline Axis forward_width(const ConvGeometry& g) {
  return {.in = g.in_width,
          .out = g.out_width,
          .taps = g.kernel_width,
          .start = -g.pad_left,
          .step = g.stride_width,
          .tap_step = g.dilation_width};
}

/// The forward pass as strides; `depth` input channels belong to a tap.
inline Correlation forward_correlation(const ConvGeometry& g, std::int64_t depth) {
  return {.height = forward_height(g),
          .width = forward_width(g),
          .depth = depth,
          .columns = g.out_stride(),
          .in_pixel = g.in_stride(),
          .in_row = g.in_width * g.in_stride(),
          .in_image = g.in_storage(),
          .out_pixel = g.out_stride(),
          .out_row = g.out_width * g.out_stride(),
          .out_image = g.out_storage()};
}

template <class Arch, class T>
void dense_forward(const ConvGeometry& g, std::int64_t batch, const T* x, const T* w, const T* bias, T* y) {
  const CorrelationData<T> data{.x = x, .w = w, .bias = bias, .y = y, .mode = Write::overwrite};
  if (g.pointwise()) {
    multiply<Arch, T>(
        {.rows = batch * g.out_rows(), .depth = g.in_channels, .in_stride = g.in_stride(), .columns = g.out_stride()}, data);
  } else if (const Correlation c = forward_correlation(g, g.in_channels); pays_as_patches(c)) {
    g.taps() == 1 ? multiply_pixels<Arch, T>(c, batch, data) : multiply_planes<Arch, T>(c, batch, data);
  } else {
    correlate<Arch, T>(c, batch, data);
  }
}

}  // namespace siena::kernels::detail
