// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "siena/core/buffer.hpp"
#include "siena/core/parallel.hpp"
#include "siena/kernels/conv2d_forward.hpp"
#include "siena/kernels/conv2d_stem_weights.hpp"
#include "siena/kernels/correlate.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/outer_tile.hpp"
#include "siena/kernels/tile.hpp"

// The gradient with respect to the weights: for every tap the product of the input, transposed, with dy over the pixels
// that the tap joins. A tile of it stays in registers while a chunk of pixels that fits the cache goes by.

namespace siena::kernels::detail {

/// A part of the work: images, output rows, columns, input channels and taps, each as [begin, end).
struct WeightTask {
  std::int64_t first_image, last_image, first_row, last_row, first_column, last_column, first_channel, last_channel;
  std::int64_t first_tap, last_tap;
  bool flat = false, more = false;  // images are pixels of a matrix product; another chunk follows

  std::int64_t channels() const { return last_channel - first_channel; }
};

/// The products of a tap, in the fewest tiles, as equal as may be. While they go over this chunk, each fetches some of the
/// lines of the next one, which begins where the run ends: memory is busy all the time, not only in the first tile.
template <class Arch, class T>
void accumulate_tap(PixelRun<T>& run, const WeightTask& task, T* dw, std::int64_t columns) {
  constexpr std::int64_t line = 64 / sizeof(T);
  const T *const x = run.x + task.first_channel, *const dy = run.dy + task.first_column;
  dw += task.first_channel * columns + task.first_column;
  const bool fetch = task.flat && task.more;
  const std::int64_t task_columns = task.last_column - task.first_column;
  const std::int64_t x_lines = ceil_div(task.channels(), line), dy_lines = ceil_div(task_columns, line);
  std::int64_t pass = 0;
  for_each_block<T, Arch>(0, task_columns, [&](auto arch, auto vectors, std::int64_t column) {
    using A = typename decltype(arch)::type;
    constexpr int vector_count = decltype(vectors)::value;
    constexpr std::int64_t most = outer_tile_rows<A, vector_count>;
    const std::int64_t tiles = ceil_div(task.channels(), most), least = task.channels() / tiles;
    const std::int64_t larger = task.channels() % tiles;
    run.x = x;
    run.dy = dy + column;
    T* to = dw + column;
    for (std::int64_t tile = 0; tile < tiles; ++tile, ++pass) {
      const std::int64_t rows = least + (tile < larger);
      if (outer_tile_fetches<A, vector_count> && fetch) {
        const bool from_x = pass < x_lines, from_dy = !from_x && pass < x_lines + dy_lines;
        run.ahead_pixel = from_x ? run.x_pixel : run.dy_pixel;
        run.ahead = from_x ? x + pass * line : from_dy ? dy + (pass - x_lines) * line : nullptr;
        if (run.ahead) run.ahead += run.pixels * run.ahead_pixel;
      }
      outer_tile_of<T, A, vector_count>(rows, run.ahead)(run, to, columns);
      run.x += rows;
      to += rows * columns;
    }
  });
}

/// The pixels that a tap joins within a task; none where it has no rows or pixels.
template <class T>
PixelRun<T> joined_pixels(const Correlation& c, const WeightTask& task, std::int64_t kh, std::int64_t kw, const T* x,
                          const T* dy) {
  const std::int64_t h0 = std::max(task.first_row, c.height.first_output(kh));
  const std::int64_t h1 = std::min(task.last_row, c.height.last_output(kh));
  const std::int64_t w0 = c.width.first_output(kw), w1 = c.width.last_output(kw);
  if (h1 <= h0 || w1 <= w0) return {};
  const std::int64_t ih = c.height.start + h0 * c.height.step + kh * c.height.tap_step;
  const std::int64_t iw = c.width.start + w0 * c.width.step + kw * c.width.tap_step;
  return {.x = x + task.first_image * c.in_image + ih * c.in_row + iw * c.in_pixel,
          .dy = dy + task.first_image * c.out_image + h0 * c.out_row + w0 * c.out_pixel,
          .x_pixel = c.width.step * c.in_pixel,
          .x_row = c.height.step * c.in_row,
          .x_image = c.in_image,
          .dy_pixel = c.out_pixel,
          .dy_row = c.out_row,
          .dy_image = c.out_image,
          .pixels = w1 - w0,
          .rows = h1 - h0,
          .images = task.last_image - task.first_image};
}

template <class Arch, class T>
void accumulate_weights(const Correlation& c, const WeightTask& task, const T* x, const T* dy, T* dw) {
  if (task.flat) {
    PixelRun<T> run{
        .x = x, .dy = dy, .x_pixel = c.in_pixel, .dy_pixel = c.out_pixel, .pixels = task.last_image, .rows = 1, .images = 1};
    return accumulate_tap<Arch, T>(run, task, dw, c.columns);
  }
  for (std::int64_t tap = task.first_tap; tap < task.last_tap; ++tap) {
    PixelRun<T> run = joined_pixels(c, task, tap / c.width.taps, tap % c.width.taps, x, dy);
    if (run.pixels == 0) continue;
    run.merge();
    accumulate_tap<Arch, T>(run, task, dw + tap * c.depth * c.columns, c.columns);
  }
}

/// Whether the taps of a kernel row go by together: under windows that outer_row_tile knows, where there is a block of one
/// vector of columns. A tile of one tap there loads more often than it multiplies; with two vectors it does not.
template <class Arch, class T>
bool joins_kernel_rows(const Correlation& c) {
  const Axis& w = c.width;
  return w.taps == 3 && w.step == 1 && w.tap_step == 1 && w.start == -1 && w.out == w.in && c.depth >= 8 &&
         c.columns / simd::width<T, Arch> % 2 == 1;
}

/// accumulate_weights where that is so; the taps of a task are whole kernel rows.
template <class Arch, class T>
void accumulate_kernel_rows(const Correlation& c, const WeightTask& task, const T* x, const T* dy, T* dw) {
  for_each_block<T, Arch>(task.first_column, task.last_column, [&](auto arch, auto vectors, std::int64_t column) {
    using A = typename decltype(arch)::type;
    if constexpr (vectors == 1 && std::is_same_v<A, Arch>) {
      for (std::int64_t tap = task.first_tap; tap < task.last_tap; tap += 3) {
        // The middle tap meets every pixel of a row.
        const PixelRun<T> run = joined_pixels(c, task, tap / 3, 1, x + task.first_channel, dy + column);
        T* to = dw + (tap * c.depth + task.first_channel) * c.columns + column;
        if (run.pixels > 0) outer_row_tiles<T, A>(run, task.channels(), to, c.columns, c.depth * c.columns);
      }
    } else {
      WeightTask block = task;
      block.first_column = column;
      block.last_column = column + vectors * simd::width<T, A>;
      accumulate_weights<Arch, T>(c, block, x, dy, dw);
    }
  });
}

/// A window whose neighbouring taps and channels are one long row of numbers: what a few channels, too few for a tile,
/// become once an image is packed without padding between pixels and with the zeros of its border. See pack_rows.
inline Correlation joined_taps(const Correlation& c) {
  Correlation to = c;
  const std::int64_t pixels = (c.width.out - 1) * c.width.step + c.width.taps;
  to.depth = c.width.taps * c.depth;
  to.width = {.in = pixels, .out = c.width.out, .taps = 1, .start = 0, .step = c.width.step, .tap_step = 1};
  to.in_pixel = c.depth;
  to.in_row = pixels * c.depth;
  to.in_image = c.height.in * to.in_row;
  return to;
}

/// Input rows [first, last) of some images in the layout of joined_taps, at the places they have there.
template <class T>
void pack_rows(const Correlation& c, const Correlation& to, std::int64_t images, TapRange rows, const T* x, T* packed) {
  const std::int64_t left = std::clamp<std::int64_t>(-c.width.start, 0, to.width.in);
  const std::int64_t right = std::clamp<std::int64_t>(c.width.in - c.width.start, left, to.width.in);
  for (std::int64_t n = 0; n < images; ++n) {
    for (std::int64_t row = rows.first; row < rows.last; ++row) {
      T* out = packed + n * to.in_image + row * to.in_row;
      const T* from = x + n * c.in_image + row * c.in_row;
      out = std::fill_n(out, left * c.depth, T(0));
      for (std::int64_t i = left; i < right; ++i) out = append_pixel(from + (c.width.start + i) * c.in_pixel, c.depth, out);
      std::fill_n(out, (to.width.in - right) * c.depth, T(0));
    }
  }
}

/// What is to be cut.
struct WeightWork {
  std::int64_t batch, height, width;  // outputs
  std::int64_t channels, columns;     // of a tap
  std::int64_t tap_runs;              // runs of taps that stay together
  std::int64_t multiply_adds;
};

/// How the work is cut: never by the number of threads. Parts are runs of images with sums of their own; slices share
/// the sums of a part between columns, taps and input channels; chunks follow each other within a task so that their pixels
/// stay in the cache.
struct WeightPlan {
  std::int64_t parts, images;             // images of a part
  std::int64_t column_slices, columns;    // columns of a slice
  std::int64_t tap_slices, tap_runs;      // runs of taps of a slice
  std::int64_t channel_slices;            // as equal as may be
  std::int64_t chunk_images, chunk_rows;  // one of them covers all there is

  explicit WeightPlan(const WeightWork& w) {
    constexpr std::int64_t part_pixels = 1024, chunk_pixels = 256, flat_pixels = 192, block = 32, channels = 24;
    const std::int64_t rows = w.height * w.width, most_tasks = std::min<std::int64_t>(16, worthwhile_tasks(w.multiply_adds));
    parts = std::clamp<std::int64_t>(w.batch * rows / part_pixels, 1, std::min(w.batch, most_tasks));
    images = ceil_div(w.batch, parts);
    parts = ceil_div(w.batch, images);
    column_slices = std::clamp<std::int64_t>(most_tasks / parts, 1, ceil_div(w.columns, block));
    columns = ceil_div(ceil_div(w.columns, column_slices), block) * block;
    column_slices = ceil_div(w.columns, columns);
    tap_slices = std::clamp<std::int64_t>(most_tasks / (parts * column_slices), 1, w.tap_runs);
    tap_runs = ceil_div(w.tap_runs, tap_slices);
    tap_slices = ceil_div(w.tap_runs, tap_runs);
    channel_slices =
        std::clamp<std::int64_t>(most_tasks / (parts * column_slices * tap_slices), 1, ceil_div(w.channels, channels));
    chunk_images = std::max<std::int64_t>(1, (rows == 1 ? flat_pixels : chunk_pixels) / rows);
    chunk_rows = chunk_images > 1 ? w.height : std::clamp<std::int64_t>(chunk_pixels / w.width, 1, w.height);
  }
  std::int64_t slices() const { return column_slices * tap_slices * channel_slices; }
};

template <class Arch, class T>
void dense_backward_weights(ConvGeometry g, std::int64_t batch, const T* x, const T* dy, T* dw) {
  if (const int channels = stem_channels(g)) return stem_backward_weights<Arch, T>(g, channels, batch, x, dy, dw);
  const bool flat = g.pointwise();
  if (flat) {  // every pixel an image, so that chunks have one size
    batch *= std::exchange(g.in_height, 1) * std::exchange(g.in_width, 1);
    g.out_height = g.out_width = 1;
  }
  const Correlation c = forward_correlation(g, g.in_channels);
  const bool join = g.in_channels < 8 && g.kernel_width > 1 && g.dilation_width == 1;
  const Correlation joined = joined_taps(c);
  const bool kernel_rows = joins_kernel_rows<Arch, T>(c);
  const std::int64_t taps = join ? g.kernel_height : g.taps(), together = join ? taps : kernel_rows ? g.kernel_width : 1;
  const std::int64_t depth = join ? joined.depth : c.depth;
  const WeightPlan plan({.batch = batch,
                         .height = g.out_height,
                         .width = g.out_width,
                         .channels = depth,
                         .columns = g.out_stride(),
                         .tap_runs = taps / together,
                         .multiply_adds = batch * g.out_rows() * g.weight_storage()});
  const std::int64_t size = g.weight_storage();
  Buffer<T> partial(plan.parts > 1 ? static_cast<std::size_t>(plan.parts * size) : 0);
  parallel_for(plan.parts * plan.slices(), [&](std::int64_t index) {
    const std::int64_t part = index / plan.slices(), channels = index % plan.channel_slices;
    const std::int64_t column = index / (plan.channel_slices * plan.tap_slices) % plan.column_slices * plan.columns;
    const std::int64_t tap = index / plan.channel_slices % plan.tap_slices * plan.tap_runs * together;
    const std::int64_t last_image = std::min(batch, (part + 1) * plan.images);
    T* sums = plan.parts > 1 ? partial.data() + part * size : dw;
    auto packed =
        Buffer<T>::uninitialized(join ? static_cast<std::size_t>(plan.chunk_images * joined.in_image + row_padding) : 0);
    WeightTask task{.first_image = 0,
                    .last_image = 0,
                    .first_row = 0,
                    .last_row = 0,
                    .first_column = column,
                    .last_column = std::min(g.out_stride(), column + plan.columns),
                    .first_channel = depth * channels / plan.channel_slices,
                    .last_channel = depth * (channels + 1) / plan.channel_slices,
                    .first_tap = tap,
                    .last_tap = std::min(taps, tap + plan.tap_runs * together),
                    .flat = flat};
    for (std::int64_t n = part * plan.images; n < last_image; n += plan.chunk_images) {
      for (std::int64_t row = 0; row < g.out_height; row += plan.chunk_rows) {
        task.last_image = std::min(last_image - n, plan.chunk_images);
        task.first_row = row;
        task.more = n + plan.chunk_images < last_image;
        task.last_row = std::min(g.out_height, row + plan.chunk_rows);
        const T *xn = x + n * c.in_image, *dyn = dy + n * c.out_image;
        if (join) pack_rows(c, joined, task.last_image, input_rows(c.height, task.first_row, task.last_row), xn, packed.data());
        if (kernel_rows) {
          accumulate_kernel_rows<Arch, T>(c, task, xn, dyn, sums);
        } else {
          accumulate_weights<Arch, T>(join ? joined : c, task, join ? packed.data() : xn, dyn, sums);
        }
      }
    }
  });
  if (plan.parts > 1) add_parts<Arch, T>(partial.data(), plan.parts, size, dw);
}

}  // namespace siena::kernels::detail
