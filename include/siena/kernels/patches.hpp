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

// Convolutions as matrix products of patches, a few rows of outputs at a time, so that patches stay in the cache. Those of
// 1x1 windows at stride 2 are gathered (im2row); those of stems of few channels under odd windows are read where they lie, in
// a copy with zeros around. It pays where loops over the image itself would be too short.

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
  constexpr std::int64_t least_columns = 16, least_outputs = 10;  // of the longer side: shorter lines leave tiles half empty
  return c.depth < row_padding && c.width.tap_step == 1 && c.columns >= least_columns &&
         std::max(c.height.out, c.width.out) >= least_outputs && !is_row_window(c.width);
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

/// The inputs of 1x1 windows under output rows [first, last), one row of channels each. Overwrites up to row_padding elements
/// behind its end.
template <class T>
void gather_pixels(const Correlation& c, const T* x, std::int64_t first, std::int64_t last, T* to) {
  for (std::int64_t oh = first; oh < last; ++oh) {
    const T* from = x + oh * c.height.step * c.in_row;
    for (std::int64_t ow = 0; ow < c.width.out; ++ow, from += c.width.step * c.in_pixel) to = append_pixel(from, c.depth, to);
  }
}

/// The forward pass of 1x1 windows over gathered pixels. Output rows follow each other.
template <class Arch, class T>
void multiply_pixels(const Correlation& c, std::int64_t batch, const CorrelationData<T>& given) {
  const std::int64_t depth = c.depth;
  const BlockedWeights<T, Arch> weights(given, depth, c.columns, batch * c.height.out * c.width.out);
  const CorrelationData<T>& d = weights.data();
  const Bands split(batch, c.height.out, c.width.out, depth, sizeof(T));
  parallel_for(batch * split.bands, [&](std::int64_t task) {
    const std::int64_t n = task / split.bands, first = task % split.bands * split.rows;
    const std::int64_t last = std::min(c.height.out, first + split.rows), count = (last - first) * c.width.out;
    auto pixels = Buffer<T>::uninitialized(static_cast<std::size_t>(count * depth + row_padding));
    gather_pixels(c, d.x + n * c.in_image, first, last, pixels.data());
    for_each_block<T, Arch>(0, c.columns, [&](auto arch, auto vectors, std::int64_t column) {
      using A = typename decltype(arch)::type;
      constexpr int columns = decltype(vectors)::value;
      matrix_rows<T, A, columns, matrix_tile_rows<Arch, columns>>(
          {.x = pixels.data(),
           .x_end = pixels.data() + count * depth,
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

/// The forward pass of stems over packed planes, whose windows all lie inside: tiles run along the longer side of the outputs.
template <class Arch, class T>
void multiply_planes(const Correlation& c, std::int64_t batch, const CorrelationData<T>& given) {
  const std::int64_t depth = c.width.taps * c.depth, pixels = (c.width.out - 1) * c.width.step + c.width.taps;
  const std::int64_t row = pixels * c.depth;
  const BlockedWeights<T, Arch> weights(given, c.height.taps * depth, c.columns, batch * c.height.out * c.width.out);
  const CorrelationData<T>& d = weights.data();
  const Bands split(batch, c.height.out, c.height.step, row, sizeof(T));
  parallel_for(batch * split.bands, [&](std::int64_t task) {
    const std::int64_t n = task / split.bands, first = task % split.bands * split.rows;
    const std::int64_t last = std::min(c.height.out, first + split.rows);
    const std::int64_t rows = (last - first - 1) * c.height.step + (c.height.taps - 1) * c.height.tap_step + 1;
    auto plane = Buffer<T>::uninitialized(static_cast<std::size_t>(rows * row + row_padding));
    pack_plane(c, d.x + n * c.in_image, first, last, pixels, plane.data());
    struct Side {
      std::int64_t outputs, in, out;
    } along{c.width.out, c.width.step * c.depth, c.out_pixel}, across{last - first, c.height.step * row, c.out_row};
    if (across.outputs > along.outputs) std::swap(along, across);
    T* const y = d.y + n * c.out_image + c.out_first + first * c.out_row;
    for_each_block<T, Arch>(0, c.columns, [&](auto arch, auto vectors, std::int64_t column) {
      using A = typename decltype(arch)::type;
      constexpr int columns = decltype(vectors)::value;
      constexpr std::int64_t tile = matrix_tile_rows<Arch, columns>;
      const auto line = [&](std::int64_t in, std::int64_t out, const Side& side, std::int64_t outputs) {
        const T* x = plane.data() + in;
        matrix_rows<T, A, columns, tile>({.x = x,
                                          .x_end = x,  // all of it is in the cache
                                          .x_stride = side.in,
                                          .depth = depth,
                                          .runs = c.height.taps,
                                          .x_run = c.height.tap_step * row,
                                          .w = d.block(column),
                                          .w_stride = d.block_stride(columns * simd::width<T, A>, c.columns),
                                          .target = {.output = y + out + column,
                                                     .row_stride = side.out,
                                                     .bias = d.bias ? d.bias + column : nullptr,
                                                     .mode = d.mode}},
                                         outputs);
      };
      // What is left of whole tiles runs across, where that is longer.
      const std::int64_t rest = along.outputs % tile, whole = along.outputs - (rest < across.outputs ? rest : 0);
      for (std::int64_t i = 0; i < across.outputs; ++i) line(i * across.in, i * across.out, along, whole);
      for (std::int64_t i = whole; i < along.outputs; ++i) line(i * along.in, i * along.out, across, across.outputs);
    });
  });
}

}  // namespace siena::kernels::detail
