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
#include "siena/kernels/outer_tile.hpp"
#include "siena/kernels/tile.hpp"

// The gradient with respect to the weights of stems, the first convolutions of networks: a few channels and a small window make
// a tile of all numbers under a kernel row, for several kernel rows at once.

namespace siena::kernels::detail {

/// What a few channels and a small window make of a tile: all numbers under a kernel row, for several kernel rows at once.
/// 3 channels under 3 taps (a colour image) and 1 under 4 (a spectrogram) have tiles of their own; 0 for anything else.
inline int stem_channels(const ConvGeometry& g) {
  const bool colour = g.in_channels == 3 && g.kernel_width == 3, sound = g.in_channels == 1 && g.kernel_width == 4;
  return g.dilation_width == 1 && (colour || sound) ? static_cast<int>(g.in_channels) : 0;
}

/// The outputs of an image that a run covers, as [begin, end).
struct OutputBox {
  std::int64_t first_row, last_row, first_pixel, last_pixel;
};

/// Adds the products of the outputs of a box; run.x and run.dy are those of its first output.
template <class Arch, class T, int Rows, int Group>
void stem_box(PixelRun<T>& run, const Correlation& c, const OutputBox& box, T* dw) {
  run.pixels = box.last_pixel - box.first_pixel;
  run.rows = box.last_row - box.first_row;
  run.images = 1;
  const T *const x = run.x, *const dy = run.dy;
  for_each_block<T, Arch>(0, c.columns, [&](auto arch, auto vectors, std::int64_t block) {
    using A = typename decltype(arch)::type;
    constexpr int room = simd::registers<Arch> >= 32 ? 28 : 12, columns = vectors * Rows <= room ? vectors : 1;
    constexpr int taps = std::clamp(room / columns / Rows, 1, 3);
    for (int vector = 0; vector < vectors; vector += columns) {
      const std::int64_t column = block + vector * simd::width<T, A>;
      run.x = x;
      run.dy = dy + column;
      T* to = dw + column;
      std::int64_t kh = 0;
      for (; kh + taps <= c.height.taps; kh += taps, run.x += taps * run.x_tap, to += taps * Rows * c.columns) {
        outer_tile<T, A, taps, Rows, Group, columns>(run, to, c.columns);
      }
      for (; kh < c.height.taps; ++kh, run.x += run.x_tap, to += Rows * c.columns) {
        outer_tile<T, A, 1, Rows, Group, columns>(run, to, c.columns);
      }
    }
  });
}

/// Copies the input under a box, with zeros where it leaves the image. Pixels are one row padding wide.
template <class T>
void pack_box(const Correlation& c, const OutputBox& box, std::int64_t rows, std::int64_t pixels, const T* x, T* packed) {
  const std::int64_t first = c.width.start + box.first_pixel * c.width.step;
  const std::int64_t left = std::clamp<std::int64_t>(-first, 0, pixels);
  const std::int64_t right = std::clamp<std::int64_t>(c.width.in - first, left, pixels);
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t ih = c.height.start + box.first_row * c.height.step + r;
    const bool inside = ih >= 0 && ih < c.height.in;
    const std::int64_t begin = inside ? left : pixels, end = inside ? right : pixels;
    const T* from = x + ih * c.in_row + first * row_padding;
    for (std::int64_t i = 0; i < begin; ++i) std::fill_n(packed + i * row_padding, row_padding, T(0));
    for (std::int64_t i = begin; i < end; ++i) append_pixel(from + i * row_padding, row_padding, packed + i * row_padding);
    for (std::int64_t i = end; i < pixels; ++i) std::fill_n(packed + i * row_padding, row_padding, T(0));
    packed += pixels * row_padding;
  }
}

/// One image: outputs whose window lies inside of it in place, those at its borders, or all where those are many, from a
/// copy with zeros around.
template <class Arch, class T, int Rows, int Group>
void stem_image(const Correlation& c, const T* x, const T* dy, Buffer<T>& packed, T* dw) {
  const Axis &h = c.height, &w = c.width;
  const auto last_inside = [](const Axis& a, std::int64_t first) { return std::max(first, a.last_output(a.taps - 1)); };
  OutputBox in{.first_row = h.first_output(0), .last_row = 0, .first_pixel = w.first_output(0), .last_pixel = 0};
  in.last_row = last_inside(h, in.first_row);
  in.last_pixel = last_inside(w, in.first_pixel);
  if (2 * (in.last_row - in.first_row) * (in.last_pixel - in.first_pixel) < h.out * w.out) in = {h.out, h.out, 0, 0};
  PixelRun<T> run{.x_pixel = w.step * c.in_pixel, .dy_pixel = c.out_pixel, .dy_row = c.out_row};
  // A few rows at a time: what a run reads stays in the first-level cache while columns and kernel rows go by.
  const auto start = [&](OutputBox box, const T* first, std::int64_t row) {
    constexpr std::int64_t cache = 24 * 1024 / sizeof(T);
    const std::int64_t of_row = (box.last_pixel - box.first_pixel) * c.out_pixel + h.step * row;
    const std::int64_t band = std::max<std::int64_t>(1, (cache - (h.taps - 1) * h.tap_step * row) / of_row), end = box.last_row;
    run.x_row = h.step * row;
    run.x_tap = h.tap_step * row;
    for (const std::int64_t begin = box.first_row; box.first_row < end; box.first_row = box.last_row) {
      box.last_row = std::min(end, box.first_row + band);
      run.x = first + (box.first_row - begin) * run.x_row;
      run.dy = dy + box.first_row * c.out_row + box.first_pixel * c.out_pixel;
      stem_box<Arch, T, Rows, Group>(run, c, box, dw);
    }
  };
  const OutputBox borders[] = {{0, in.first_row, 0, w.out},
                               {in.last_row, h.out, 0, w.out},
                               {in.first_row, in.last_row, 0, in.first_pixel},
                               {in.first_row, in.last_row, in.last_pixel, w.out}};
  for (const OutputBox& box : borders) {
    if (box.last_row <= box.first_row || box.last_pixel <= box.first_pixel) continue;
    const std::int64_t rows = (box.last_row - box.first_row - 1) * h.step + (h.taps - 1) * h.tap_step + 1;
    const std::int64_t pixels = (box.last_pixel - box.first_pixel - 1) * w.step + w.taps;
    const auto size = static_cast<std::size_t>(rows * pixels * c.in_pixel);
    if (packed.size() < size) packed = Buffer<T>::uninitialized(size);
    pack_box(c, box, rows, pixels, x, packed.data());
    start(box, packed.data(), pixels * c.in_pixel);
  }
  if (in.last_row > in.first_row && in.last_pixel > in.first_pixel) {
    start(in, x + (h.start + in.first_row * h.step) * c.in_row + (w.start + in.first_pixel * w.step) * c.in_pixel, c.in_row);
  }
}

template <class Arch, class T>
void stem_backward_weights(const ConvGeometry& g, int channels, std::int64_t batch, const T* x, const T* dy, T* dw) {
  constexpr std::int64_t most_parts = 16;
  const Correlation c = forward_correlation(g, g.in_channels);
  const std::int64_t images = ceil_div(batch, most_parts), parts = ceil_div(batch, images), size = g.weight_storage();
  Buffer<T> partial(parts > 1 ? static_cast<std::size_t>(parts * size) : 0);
  parallel_for(parts, [&](std::int64_t part) {
    T* sums = parts > 1 ? partial.data() + part * size : dw;
    Buffer<T> packed;
    for (std::int64_t n = part * images; n < std::min(batch, (part + 1) * images); ++n) {
      const T *xn = x + n * c.in_image, *dyn = dy + n * c.out_image;
      if (channels == 3) {
        stem_image<Arch, T, 9, 3>(c, xn, dyn, packed, sums);
      } else {
        stem_image<Arch, T, 4, 1>(c, xn, dyn, packed, sums);
      }
    }
  });
  if (parts > 1) add_parts<Arch, T>(partial.data(), parts, size, dw);
}

}  // namespace siena::kernels::detail
