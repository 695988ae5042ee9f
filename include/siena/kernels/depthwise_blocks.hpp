// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "siena/core/config.hpp"
#include "siena/core/parallel.hpp"
#include "siena/kernels/correlate.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/simd.hpp"

// Depthwise windows of 3x3, by far the most common ones, at stride 1 and 2. A block of output pixels and the input pixels that
// they meet have static sizes: each input is loaded once and goes into every product that it belongs to. Blocks lie on a grid
// over the image; what of a block lies outside is known by a bit for every pixel, and costs neither loads nor products.

namespace siena::kernels::detail {

/// One dimension of a block of a window that moves by Step: `outputs` neighbouring positions and the `inputs` they meet.
template <int Step, int Outputs>
struct Slide {
  static constexpr int outputs = Outputs, inputs = (Outputs - 1) * Step + 3;
  /// The tap that joins an input and an output of the block; none where it is not in [0, 3).
  static constexpr int tap(int input, int output) { return input - output * Step; }
};

/// The way back through a window that moves by 2: from gradients of its outputs to those of its inputs.
template <int Outputs>
struct SlideBack {
  static constexpr int outputs = Outputs, inputs = Outputs / 2 + 1;
  static constexpr int tap(int input, int output) { return output + 2 - 2 * input; }
};

/// Where the blocks lie along one dimension: block b starts at input first_in + b * in_step and output
/// first_out + b * out_step. Blocks [first_whole, last_whole) lie inside the image.
struct BlockAxis {
  std::int64_t in = 1, out = 1, first_in = 0, first_out = 0, in_step = 1, out_step = 1;
  std::int64_t blocks = 0, first_whole = 0, last_whole = 0;

  /// Counts the blocks of so many inputs and outputs.
  BlockAxis counted(int inputs, int outputs) const {
    BlockAxis c = *this;
    c.blocks = ceil_div(out - first_out, out_step);
    c.first_whole =
        std::clamp(std::max(ceil_div(-first_in, in_step), ceil_div(-first_out, out_step)), std::int64_t{0}, c.blocks);
    c.last_whole = std::min(floor_div(in - inputs - first_in, in_step), floor_div(out - outputs - first_out, out_step)) + 1;
    c.last_whole = std::clamp(c.last_whole, c.first_whole, c.blocks);
    return c;
  }
};

template <int Step, int Outputs>
BlockAxis block_axis(const Axis& axis, Slide<Step, Outputs>) {
  const BlockAxis a{.in = axis.in, .out = axis.out, .first_in = axis.start, .in_step = Outputs * Step, .out_step = Outputs};
  return a.counted(Slide<Step, Outputs>::inputs, Outputs);
}

/// `axis` is that of the way there.
template <int Outputs>
BlockAxis block_axis(const Axis& axis, SlideBack<Outputs>) {
  const std::int64_t whole = -axis.start / 2;
  const BlockAxis a{.in = axis.out,
                    .out = axis.in,
                    .first_in = whole - 1,
                    .first_out = axis.start + 2 * whole,
                    .in_step = Outputs / 2,
                    .out_step = Outputs};
  return a.counted(SlideBack<Outputs>::inputs, Outputs);
}

/// Neighbouring blocks of one image: where the first input and output would be, how far the next block is, and a bit for each
/// input and output that lies inside the image. More than one block only where all of them do.
struct BlockRun {
  std::int64_t input, output, next_input, next_output, blocks;
  std::uint64_t inputs, outputs;
};

/// Bit i for every i in [0, Count) for which first + i lies in [0, size).
template <int Count>
std::uint64_t bits_inside(std::int64_t first, std::int64_t size) {
  const auto below = [](std::int64_t i) { return (std::uint64_t{1} << std::clamp<std::int64_t>(i, 0, Count)) - 1; };
  return below(size - first) & ~below(-first);
}

/// Bits of the pixels of a block from those of its rows and columns.
template <int Height, int Width>
std::uint64_t bits_of_block(std::uint64_t rows, std::uint64_t columns) {
  std::uint64_t bits = 0;
  for (int h = 0; h < Height; ++h) bits |= (rows >> h & 1) * columns << (h * Width);
  return bits;
}

/// Calls body(whether all of the run lies inside the image, run) for the blocks of one row of blocks.
template <class H, class W, class Body>
void for_each_run(const Correlation& c, const BlockAxis& height, const BlockAxis& width, std::int64_t row, const Body& body) {
  const std::int64_t ih = height.first_in + row * height.in_step, oh = height.first_out + row * height.out_step;
  const auto in_rows = bits_inside<H::inputs>(ih, height.in), out_rows = bits_inside<H::outputs>(oh, height.out);
  const bool whole = row >= height.first_whole && row < height.last_whole;
  for (std::int64_t b = 0; b < width.blocks;) {
    const std::int64_t iw = width.first_in + b * width.in_step, ow = width.first_out + b * width.out_step;
    BlockRun run{.input = ih * c.in_row + iw * c.in_pixel,
                 .output = oh * c.out_row + ow * c.out_pixel,
                 .next_input = width.in_step * c.in_pixel,
                 .next_output = width.out_step * c.out_pixel,
                 .blocks = 1,
                 .inputs = 0,
                 .outputs = 0};
    if (whole && b >= width.first_whole && b < width.last_whole) {
      run.blocks = width.last_whole - b;
      body(std::true_type{}, run);
    } else {
      run.inputs = bits_of_block<H::inputs, W::inputs>(in_rows, bits_inside<W::inputs>(iw, width.in));
      run.outputs = bits_of_block<H::outputs, W::outputs>(out_rows, bits_inside<W::outputs>(ow, width.out));
      body(std::false_type{}, run);
    }
    b += run.blocks;
  }
}

/// Calls body(output, tap) for the products that input (h, w) of a block belongs to; everything is static once unrolled.
template <class H, class W, class Body>
SIENA_INLINE void for_each_product(int h, int w, const Body& body) {
  SIENA_UNROLL
  for (int r = 0; r < H::outputs; ++r) {
    SIENA_UNROLL
    for (int k = 0; k < W::outputs; ++k) {
      const int tap_h = H::tap(h, r), tap_w = W::tap(w, k);
      if (tap_h >= 0 && tap_h < 3 && tap_w >= 0 && tap_w < 3) body(r * W::outputs + k, tap_h * 3 + tap_w);
    }
  }
}

/// Calls body(pixel, h, w) for the pixels of a block that `inside` says are there.
template <int Height, int Width, bool Whole, class P, class Body>
SIENA_INLINE void for_each_pixel(P* line, std::int64_t row, std::int64_t pixel, std::uint64_t inside, const Body& body) {
  SIENA_UNROLL
  for (int h = 0; h < Height; ++h, line += row) {
    SIENA_OPAQUE(line);
    constexpr std::uint64_t all = (std::uint64_t{1} << Width) - 1;
    if (!Whole && !(inside >> (h * Width) & all)) [[unlikely]]
      continue;
    SIENA_UNROLL
    for (int w = 0; w < Width; ++w) {
      if (Whole || inside >> (h * Width + w) & 1) [[likely]]
        body(line + w * pixel, h, w);
    }
  }
}

/// The outputs of a run from its inputs, for channels [begin, end).
template <class T, class Arch, class H, class W, bool Whole>
SIENA_INLINE void depthwise_run(const Correlation& c, const CorrelationData<T>& d, const BlockRun& run, std::int64_t begin,
                                std::int64_t end) {
  using V = simd::Batch<T, Arch>;
  const std::int64_t in_row = c.in_row, in_pixel = c.in_pixel, out_row = c.out_row, out_pixel = c.out_pixel;
  const std::int64_t columns = c.columns;
  const std::uint64_t inputs = run.inputs, outputs = run.outputs;
  const bool accumulate = d.mode == Write::accumulate;
  const T *x = d.x + run.input, *w = d.w, *bias = d.bias;
  T* y = d.y + run.output;
  for (std::int64_t b = 0; b < run.blocks; ++b, x += run.next_input, y += run.next_output) {
    for (std::int64_t column = begin; column < end; column += simd::width<T, Arch>) {
      V weights[9], sums[H::outputs * W::outputs];
      for_each_pixel<9, 1, true>(w + column, columns, 0, 0,
                                 [&](const T* p, int t, int) { weights[t] = simd::load<T, Arch>(p); });
      const V first = bias ? simd::load<T, Arch>(bias + column) : simd::zero<T, Arch>();
      SIENA_UNROLL
      for (int i = 0; i < H::outputs * W::outputs; ++i) sums[i] = first;
      if (accumulate) {
        for_each_pixel<H::outputs, W::outputs, Whole>(y + column, out_row, out_pixel, outputs, [&](const T* p, int r, int k) {
          sums[r * W::outputs + k] = simd::load<T, Arch>(p);
        });
      }
      for_each_pixel<H::inputs, W::inputs, Whole>(x + column, in_row, in_pixel, inputs, [&](const T* p, int h, int k) {
        const V value = simd::load<T, Arch>(p);
        for_each_product<H, W>(h, k, [&](int i, int t) { sums[i] = simd::fma(value, weights[t], sums[i]); });
      });
      for_each_pixel<H::outputs, W::outputs, Whole>(y + column, out_row, out_pixel, outputs,
                                                    [&](T* p, int r, int k) { simd::store(p, sums[r * W::outputs + k]); });
    }
  }
}

/// Calls body(instruction set, begin, end) for the channels that whole vectors cover, and for the half vector behind them.
template <class T, class Arch, class Body>
SIENA_INLINE void for_each_part(std::int64_t begin, std::int64_t end, const Body& body) {
  const std::int64_t whole = end - (end - begin) % simd::width<T, Arch>;
  if (begin < whole) body(std::type_identity<Arch>{}, begin, whole);
  if constexpr (!std::is_same_v<simd::half<T, Arch>, Arch>) {
    if (whole < end) body(std::type_identity<simd::half<T, Arch>>{}, whole, end);
  }
}

/// All outputs of a batch. Blocks: the instruction set and the two dimensions of a block.
template <class T, class Blocks>
void depthwise_blocks(const Correlation& c, std::int64_t batch, const CorrelationData<T>& d) {
  using H = typename Blocks::H;
  using W = typename Blocks::W;
  const BlockAxis height = block_axis(c.height, H{}), width = block_axis(c.width, W{});
  const std::int64_t tasks = batch * height.blocks;
  parallel_ranges(tasks, std::max<std::int64_t>(1, tasks / wanted_tasks), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      CorrelationData<T> image = d;
      image.x += i / height.blocks * c.in_image;
      image.y += i / height.blocks * c.out_image + c.out_first;
      for_each_run<H, W>(c, height, width, i % height.blocks, [&](auto whole, const BlockRun& run) {
        for_each_part<T, typename Blocks::Arch>(0, c.columns, [&](auto arch, std::int64_t first, std::int64_t last) {
          depthwise_run<T, typename decltype(arch)::type, H, W, decltype(whole)::value>(c, image, run, first, last);
        });
      });
    }
  });
}

/// Whether the window is one of 3x3 that moves by `step` both ways.
inline bool is_three_by_three(const Correlation& c, int step) {
  const auto fits = [&](const Axis& axis) { return axis.taps == 3 && axis.step == step && axis.tap_step == 1; };
  return fits(c.height) && fits(c.width);
}

/// Blocks of the window that moves by Step: as many outputs as fit the registers beside the nine taps.
template <class A, int Step>
struct SlideBlocks {
  using Arch = A;
  using H = Slide<Step, Step == 1 ? 4 : 3>;
  using W = Slide<Step, simd::registers<Arch> >= 32 ? 3 : 1>;
};

/// Blocks of the way back.
template <class A>
struct SlideBackBlocks {
  using Arch = A;
  using H = SlideBack<simd::registers<Arch> >= 32 ? 4 : 2>;
  using W = H;
};

/// The strides of the way back; the axes stay those of the way there.
inline Correlation turned_back(const Correlation& c) {
  Correlation back = c;
  back.in_pixel = c.out_pixel;
  back.in_row = c.out_row;
  back.in_image = c.out_image;
  back.out_pixel = c.in_pixel;
  back.out_row = c.in_row;
  back.out_image = c.in_image;
  return back;
}

}  // namespace siena::kernels::detail
