// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "siena/core/buffer.hpp"
#include "siena/core/parallel.hpp"
#include "siena/kernels/conv2d_backward_data.hpp"
#include "siena/kernels/conv2d_backward_weights.hpp"
#include "siena/kernels/conv2d_forward.hpp"
#include "siena/kernels/conv2d_groups.hpp"
#include "siena/kernels/correlate.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/tile.hpp"

// Convolutions of every channel with filters of its own: vectors run along the channels. With a multiplier (several filters a
// channel) the input is spread to one channel a filter first, and its gradient gathered after.

namespace siena::kernels::detail {

/// Pixels a depthwise tile computes at once.
template <class Arch>
inline constexpr int depthwise_rows = simd::registers<Arch> >= 32 ? 16 : 8;

/// Rows pixels of one vector of channels: output[r] = bias + sum over the taps of input[r, tap] * weights[tap].
template <class T, class Arch, int Rows>
void depthwise_tile(const TileProducts<T>& p, const TileTarget<T>& t) {
  using V = simd::Batch<T, Arch>;
  V sums[Rows];
  const V start = t.bias ? simd::load<T, Arch>(t.bias) : simd::zero<T, Arch>();
  SIENA_UNROLL
  for (int r = 0; r < Rows; ++r) {
    sums[r] = t.mode == Write::accumulate ? simd::load<T, Arch>(t.output + r * t.row_stride) : start;
  }
  const std::int64_t stride = p.row_stride;
  for (std::int64_t h = 0; h < p.taps_h; ++h) {
    for (std::int64_t w = 0; w < p.taps_w; ++w) {
      const T* input = p.input + h * p.input_h + w * p.input_w;
      const V weight = simd::load<T, Arch>(p.weights + h * p.weights_h + w * p.weights_w);
      SIENA_UNROLL
      for (int r = 0; r < Rows; ++r) sums[r] = simd::fma(simd::load<T, Arch>(input + r * stride), weight, sums[r]);
    }
  }
  SIENA_UNROLL
  for (int r = 0; r < Rows; ++r) simd::store(t.output + r * t.row_stride, sums[r]);
}

template <class T, class Arch, int Rows = depthwise_rows<Arch>>
void depthwise_run(TileProducts<T> p, TileTarget<T> t, std::int64_t rows) {
  for (; rows >= Rows; rows -= Rows) {
    depthwise_tile<T, Arch, Rows>(p, t);
    p.input += Rows * p.row_stride;
    t.output += Rows * t.row_stride;
  }
  if constexpr (Rows > 1) {
    if (rows > 0) depthwise_run<T, Arch, Rows / 2>(p, t, rows);
  }
}

/// One output row of one image, all channels; runs of pixels with the same taps form tiles.
template <class Arch, class T>
void depthwise_row(const Correlation& c, const CorrelationData<T>& d, std::int64_t oh) {
  simd::for_each_vector<T, Arch>(c.columns, [&](auto arch, std::int64_t column) {
    using A = typename decltype(arch)::type;
    for (std::int64_t ow = 0; ow < c.width.out;) {
      const std::int64_t w0 = c.width.first_tap(ow), w1 = c.width.last_tap(ow);
      std::int64_t last = ow + 1;
      if (w0 == 0 && w1 == c.width.taps) {
        last = std::max(last, c.width.last_output(c.width.taps - 1));
      } else {
        while (last < c.width.out && c.width.first_tap(last) == w0 && c.width.last_tap(last) == w1) ++last;
      }
      TileProducts<T> p = products_at(c, d.x + column, d.w + column, oh, {c.height.first_tap(oh), c.height.last_tap(oh)}, ow, {w0, w1});
      p.row_stride = c.width.step * c.in_pixel;
      if (p.taps_h > 0 || d.mode == Write::overwrite) {
        depthwise_run<T, A>(p,
                            {.output = d.y + c.out_first + oh * c.out_row + ow * c.out_pixel + column, .row_stride = c.out_pixel,
                             .bias = d.bias ? d.bias + column : nullptr, .mode = d.mode},
                            last - ow);
      }
      ow = last;
    }
  });
}

template <class Arch, class T>
void correlate_depthwise(const Correlation& c, std::int64_t batch, const CorrelationData<T>& d) {
  const std::int64_t grain = std::max<std::int64_t>(1, batch * c.height.out / wanted_tasks);
  parallel_ranges(batch * c.height.out, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      CorrelationData<T> image = d;
      image.x += i / c.height.out * c.in_image;
      image.y += i / c.height.out * c.out_image;
      depthwise_row<Arch, T>(c, image, i % c.height.out);
    }
  });
}

/// Taps neighbouring taps of one row of the kernel, for one vector of channels: sums[t] += sum over pixels of x[t] * dy.
template <class T, class Arch, int Taps>
void depthwise_outer_tile(const PixelRun<T>& run, std::int64_t tap_step, T* dw, std::int64_t stride) {
  using V = simd::Batch<T, Arch>;
  V sums[Taps];
  SIENA_UNROLL
  for (int t = 0; t < Taps; ++t) sums[t] = simd::load<T, Arch>(dw + t * stride);
  for (std::int64_t h = 0; h < run.rows; ++h) {
    const T *x = run.x + h * run.x_row, *dy = run.dy + h * run.dy_row;
    for (std::int64_t i = 0; i < run.pixels; ++i, x += run.x_pixel, dy += run.dy_pixel) {
      const V gradient = simd::load<T, Arch>(dy);
      SIENA_UNROLL
      for (int t = 0; t < Taps; ++t) sums[t] = simd::fma(simd::load<T, Arch>(x + t * tap_step), gradient, sums[t]);
    }
  }
  SIENA_UNROLL
  for (int t = 0; t < Taps; ++t) simd::store(dw + t * stride, sums[t]);
}

/// Adds one image's share of the gradient of taps [first, first + Taps) of kernel row kh: pixels that meet all of them in one go,
/// those at the border tap by tap.
template <class T, class Arch, int Taps>
void depthwise_outer(const Correlation& c, std::int64_t kh, std::int64_t first, const T* x, const T* dy, T* dw) {
  const std::int64_t h0 = c.height.first_output(kh), h1 = c.height.last_output(kh);
  const std::int64_t inner = c.width.first_output(first);
  const std::int64_t outer = std::max(inner, c.width.last_output(first + Taps - 1));
  const auto run = [&](std::int64_t tap, std::int64_t begin, std::int64_t end) {
    const std::int64_t ih = c.height.start + h0 * c.height.step + kh * c.height.tap_step;
    const std::int64_t iw = c.width.start + begin * c.width.step + tap * c.width.tap_step;
    PixelRun<T> r{.x = x + ih * c.in_row + iw * c.in_pixel, .dy = dy + h0 * c.out_row + begin * c.out_pixel,
                  .x_pixel = c.width.step * c.in_pixel, .x_row = c.height.step * c.in_row, .dy_pixel = c.out_pixel,
                  .dy_row = c.out_row, .pixels = end - begin, .rows = h1 - h0, .images = 1};
    return r;
  };
  if (h1 <= h0) return;
  const std::int64_t tap_step = c.width.tap_step * c.in_pixel;
  if (outer > inner) depthwise_outer_tile<T, Arch, Taps>(run(first, inner, outer), tap_step, dw, c.columns);
  for (int t = 0; t < Taps; ++t) {
    const std::int64_t begin = c.width.first_output(first + t), end = c.width.last_output(first + t);
    const std::int64_t left = std::min(end, inner), right = std::max(begin, outer);
    if (left > begin) depthwise_outer_tile<T, Arch, 1>(run(first + t, begin, left), 0, dw + t * c.columns, c.columns);
    if (end > right) depthwise_outer_tile<T, Arch, 1>(run(first + t, right, end), 0, dw + t * c.columns, c.columns);
  }
}

template <class Arch, class T>
void correlate_depthwise_weights(const Correlation& c, std::int64_t batch, const T* x, const T* dy, T* dw) {
  const std::int64_t size = c.height.taps * c.width.taps * c.columns;
  const std::int64_t pixels = batch * c.height.out * c.width.out;
  const std::int64_t wanted = std::clamp<std::int64_t>(pixels / 256, 1, std::min<std::int64_t>(batch, 16));
  const std::int64_t images = ceil_div(batch, wanted), parts = ceil_div(batch, images);
  Buffer<T> partial(static_cast<std::size_t>(parts * size));
  parallel_for(parts, [&](std::int64_t part) {
    for (std::int64_t n = part * images; n < std::min(batch, (part + 1) * images); ++n) {
      simd::for_each_vector<T, Arch>(c.columns, [&](auto arch, std::int64_t column) {
        using A = typename decltype(arch)::type;
        const T *xn = x + n * c.in_image + column, *dyn = dy + n * c.out_image + column;
        for (std::int64_t kh = 0; kh < c.height.taps; ++kh) {
          T* row = partial.data() + part * size + kh * c.width.taps * c.columns + column;
          std::int64_t kw = 0;
          for (; kw + 3 <= c.width.taps; kw += 3) depthwise_outer<T, A, 3>(c, kh, kw, xn, dyn, row + kw * c.columns);
          for (; kw < c.width.taps; ++kw) depthwise_outer<T, A, 1>(c, kh, kw, xn, dyn, row + kw * c.columns);
        }
      });
    }
  });
  add_parts<Arch, T>(partial.data(), parts, size, dw);
}

/// The geometry once every output channel has an input channel of its own.
inline ConvGeometry spread_geometry(ConvGeometry g) {
  g.in_channels = g.groups = static_cast<int>(g.out_channels);
  return g;
}

/// Every channel of x as often as it has filters.
template <class T>
Buffer<T> spread_channels(const ConvGeometry& g, std::int64_t batch, const T* x) {
  const std::int64_t times = g.group_out_channels();
  auto spread = scratch<T>(batch * g.in_rows() * g.out_stride());
  parallel_ranges(batch * g.in_rows(), 256, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      T* row = spread.data() + r * g.out_stride();
      for (std::int64_t o = 0; o < g.out_channels; ++o) row[o] = x[r * g.in_stride() + o / times];
      std::fill(row + g.out_channels, row + g.out_stride(), T(0));
    }
  });
  return spread;
}

template <class Arch, class T>
void depthwise_forward(const ConvGeometry& g, std::int64_t batch, const T* x, const T* w, const T* bias, T* y) {
  if (g.out_channels != g.in_channels) {
    const Buffer<T> spread = spread_channels(g, batch, x);
    return depthwise_forward<Arch, T>(spread_geometry(g), batch, spread.data(), w, bias, y);
  }
  correlate_depthwise<Arch, T>(forward_correlation(g, 1), batch, {.x = x, .w = w, .bias = bias, .y = y, .mode = Write::overwrite});
}

template <class Arch, class T>
void depthwise_backward_data(const ConvGeometry& g, std::int64_t batch, const T* dy, const T* w, T* dx, Write mode) {
  if (g.out_channels != g.in_channels) {
    const ConvGeometry spread = spread_geometry(g);
    auto gradient = scratch<T>(batch * spread.in_storage());
    depthwise_backward_data<Arch, T>(spread, batch, dy, w, gradient.data(), Write::overwrite);
    const std::int64_t times = g.group_out_channels();
    parallel_ranges(batch * g.in_rows(), 256, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        T* row = dx + i * g.in_stride();
        for (std::int64_t c = 0; c < g.in_channels; ++c) {
          T sum = mode == Write::accumulate ? row[c] : T(0);
          for (std::int64_t k = 0; k < times; ++k) sum += gradient[i * spread.in_stride() + c * times + k];
          row[c] = sum;
        }
        std::fill(row + g.in_channels, row + g.in_stride(), T(0));
      }
    });
    return;
  }
  const std::int64_t columns = g.in_stride();
  auto turned = scratch<T>(g.taps() * columns);
  for_each_residue(g, 1, columns, [&](const ResidueClass& c) {
    for (std::int64_t t = 0; t < c.taps(); ++t) {
      const std::int64_t kh = c.height.kernel_tap(t / c.width.axis.taps), kw = c.width.kernel_tap(t % c.width.axis.taps);
      std::copy_n(w + (kh * g.kernel_width + kw) * columns, columns, turned.data() + c.first_weight + t * columns);
    }
    correlate_depthwise<Arch, T>(residue_correlation(g, c, 1), batch,
                                 {.x = dy, .w = turned.data() + c.first_weight, .bias = nullptr, .y = dx, .mode = mode});
  });
}

template <class Arch, class T>
void depthwise_backward_weights(const ConvGeometry& g, std::int64_t batch, const T* x, const T* dy, T* dw) {
  if (g.out_channels != g.in_channels) {
    const Buffer<T> spread = spread_channels(g, batch, x);
    return depthwise_backward_weights<Arch, T>(spread_geometry(g), batch, spread.data(), dy, dw);
  }
  correlate_depthwise_weights<Arch, T>(forward_correlation(g, 1), batch, x, dy, dw);
}

}  // namespace siena::kernels::detail
