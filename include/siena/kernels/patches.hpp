// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "siena/core/buffer.hpp"
#include "siena/core/parallel.hpp"
#include "siena/kernels/correlate.hpp"
#include "siena/kernels/correlation.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/row_tile.hpp"
#include "siena/kernels/tile.hpp"

// Convolutions as matrix products of patches (im2row), a few rows of outputs at a time, so that patches stay in the cache. It
// pays where a patch is small beside its products, and loops over the image itself would be too short: 1x1 windows at stride
// 2, whose outputs lie in short runs, and stems of few channels under odd windows.

namespace siena::kernels::detail {

/// Output rows of images as tasks: bands whose `pixel` elements for every output fit the first-level cache.
struct Bands {
  std::int64_t rows = 1, bands = 1;

  Bands(std::int64_t batch, std::int64_t height, std::int64_t width, std::int64_t pixel, std::size_t element) {
    constexpr std::int64_t cache = 24 * 1024;
    const std::int64_t fitting = cache / (width * pixel * static_cast<std::int64_t>(element));
    rows = std::clamp<std::int64_t>(std::min(fitting, ceil_div(batch * height, wanted_tasks)), 1, height);
    bands = ceil_div(height, rows);
  }
};

/// Whether the forward pass is faster over patches.
inline bool pays_as_patches(const Correlation& c) {
  if (c.height.taps == 1 && c.width.taps == 1)
    return c.height.start == 0 && c.width.start == 0 && c.height.last_output(0) == c.height.out &&
           c.width.last_output(0) == c.width.out;
  constexpr std::int64_t least_columns = 16;
  return c.depth < row_padding && c.width.tap_step == 1 && c.columns >= least_columns && !is_row_window(c.width);
}

/// Input rows without the padding of their pixels, with zeros around the image: what output rows [first, last) meet.
/// Overwrites up to row_padding elements behind its end.
template <class T>
void pack_plane(const Correlation& c, const T* x, std::int64_t first, std::int64_t last, std::int64_t pixels, T* to) {
  const std::int64_t begin = c.height.start + first * c.height.step;
  const std::int64_t end = c.height.start + (last - 1) * c.height.step + (c.height.taps - 1) * c.height.tap_step + 1;
  const std::int64_t left = std::clamp<std::int64_t>(-c.width.start, 0, pixels);
  const std::int64_t inside = std::clamp<std::int64_t>(c.width.in - c.width.start, left, pixels);
  for (std::int64_t ih = begin; ih < end; ++ih, to += pixels * c.depth) {
    if (ih < 0 || ih >= c.height.in) {
      std::fill_n(to, pixels * c.depth, T(0));
      continue;
    }
    T* pixel = std::fill_n(to, left * c.depth, T(0));
    const T* from = x + ih * c.in_row + (c.width.start + left) * c.in_pixel;
    for (std::int64_t i = left; i < inside; ++i, from += c.in_pixel) pixel = append_pixel(from, c.depth, pixel);
    std::fill_n(pixel, (pixels - inside) * c.depth, T(0));
  }
}

/// The patches of output rows [first, last): one row of height.taps * width.taps * depth elements each. `plane` holds the
/// packed input between two steps.
template <class T>
void gather_patches(const Correlation& c, const T* x, std::int64_t first, std::int64_t last, Buffer<T>& plane, T* to) {
  if (c.height.taps == 1 && c.width.taps == 1) {
    for (std::int64_t oh = first; oh < last; ++oh) {
      const T* from = x + oh * c.height.step * c.in_row;
      for (std::int64_t ow = 0; ow < c.width.out; ++ow, from += c.width.step * c.in_pixel) to = append_pixel(from, c.depth, to);
    }
    return;
  }
  const std::int64_t pixels = (c.width.out - 1) * c.width.step + c.width.taps, row = pixels * c.depth;
  const std::int64_t rows = (last - first - 1) * c.height.step + (c.height.taps - 1) * c.height.tap_step + 1;
  const auto size = static_cast<std::size_t>(rows * row + row_padding);
  if (plane.size() < size) plane = Buffer<T>::uninitialized(size);
  pack_plane(c, x, first, last, pixels, plane.data());
  for (std::int64_t oh = 0; oh < last - first; ++oh) {
    for (std::int64_t ow = 0; ow < c.width.out; ++ow) {
      const T* from = plane.data() + oh * c.height.step * row + ow * c.width.step * c.depth;
      for (std::int64_t h = 0; h < c.height.taps; ++h, from += c.height.tap_step * row)
        to = append_pixel(from, c.width.taps * c.depth, to);
    }
  }
}

/// The forward pass over patches. Output rows follow each other.
template <class Arch, class T>
void multiply_patches(const Correlation& c, std::int64_t batch, const CorrelationData<T>& given) {
  const std::int64_t depth = c.height.taps * c.width.taps * c.depth;
  const BlockedWeights<T, Arch> weights(given, depth, c.columns, batch * c.height.out * c.width.out);
  const CorrelationData<T>& d = weights.data();
  const Bands split(batch, c.height.out, c.width.out, depth, sizeof(T));
  parallel_for(batch * split.bands, [&](std::int64_t task) {
    const std::int64_t n = task / split.bands, first = task % split.bands * split.rows;
    const std::int64_t last = std::min(c.height.out, first + split.rows), count = (last - first) * c.width.out;
    auto patches = Buffer<T>::uninitialized(static_cast<std::size_t>(count * depth + row_padding));
    Buffer<T> plane;
    gather_patches(c, d.x + n * c.in_image, first, last, plane, patches.data());
    for_each_block<T, Arch>(0, c.columns, [&](auto arch, auto vectors, std::int64_t column) {
      using A = typename decltype(arch)::type;
      constexpr int columns = decltype(vectors)::value;
      matrix_rows<T, A, columns, matrix_tile_rows<Arch, columns>>(
          {.x = patches.data(),
           .x_end = patches.data() + count * depth,
           .x_stride = depth,
           .depth = depth,
           .w = d.block(column),
           .w_stride = d.block_stride(columns * simd::width<T, A>, c.columns),
           .target = {.output = d.y + n * c.out_image + first * c.out_row + column,
                      .row_stride = c.out_pixel,
                      .bias = d.bias ? d.bias + column : nullptr,
                      .mode = d.mode}},
          count);
    });
  });
}

}  // namespace siena::kernels::detail
