// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/core/buffer.hpp"
#include "siena/core/parallel.hpp"
#include "siena/kernels/conv2d_backward_data.hpp"
#include "siena/kernels/conv2d_forward.hpp"
#include "siena/kernels/conv2d_groups.hpp"
#include "siena/kernels/correlate.hpp"
#include "siena/kernels/depthwise_blocks.hpp"
#include "siena/kernels/depthwise_weights.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/simd.hpp"

// Convolutions of every channel with filters of its own: vectors run along the channels. With a multiplier (several
// filters a channel) the input is spread to one channel a filter first, and its gradient gathered after.

namespace siena::kernels::detail {

// No pixel is copied. Windows of 3x3 at stride 1 and 2 have blocks of their own (depthwise_blocks.hpp). For all others tiles
// run along the channels of a few pixels, so that memory is read in order, and read a row of zeros outside the image.

/// Where a pixel of the image starts, or zeros outside of it.
template <class T>
SIENA_INLINE const T* pixel_or_zeros(const Correlation& c, const T* x, std::int64_t h, std::int64_t w, const T* zeros) {
  return h >= 0 && h < c.height.in && w >= 0 && w < c.width.in ? x + h * c.in_row + w * c.in_pixel : zeros;
}

template <class T, class Arch>
SIENA_INLINE simd::Batch<T, Arch> first_sum(const CorrelationData<T>& d, const T* output, std::int64_t column) {
  if (d.mode == Write::accumulate) return simd::load<T, Arch>(output + column);
  return d.bias ? simd::load<T, Arch>(d.bias + column) : simd::zero<T, Arch>();
}

/// Pixels neighbouring outputs of any window, all channels; `inputs` holds a pointer for every tap and pixel.
template <class T, class Arch, int Pixels>
void depthwise_any_tile(const Correlation& c, const CorrelationData<T>& d, std::int64_t oh, std::int64_t ow, const T* zeros,
                        const T** inputs) {
  const std::int64_t taps = c.height.taps * c.width.taps;
  for (std::int64_t t = 0; t < taps; ++t) {
    const std::int64_t h = c.height.start + oh * c.height.step + t / c.width.taps * c.height.tap_step;
    const std::int64_t w = c.width.start + ow * c.width.step + t % c.width.taps * c.width.tap_step;
    for (int i = 0; i < Pixels; ++i) inputs[t * Pixels + i] = pixel_or_zeros(c, d.x, h, w + i * c.width.step, zeros);
  }
  T* output = d.y + c.out_first + oh * c.out_row + ow * c.out_pixel;
  simd::for_each_vector<T, Arch>(c.columns, [&](auto arch, std::int64_t column) {
    using A = typename decltype(arch)::type;
    simd::Batch<T, A> sums[Pixels];
    SIENA_UNROLL
    for (int i = 0; i < Pixels; ++i) sums[i] = first_sum<T, A>(d, output + i * c.out_pixel, column);
    for (std::int64_t t = 0; t < taps; ++t) {
      const auto weight = simd::load<T, A>(d.w + t * c.columns + column);
      SIENA_UNROLL
      for (int i = 0; i < Pixels; ++i) {
        sums[i] = simd::fma(simd::load<T, A>(inputs[t * Pixels + i] + column), weight, sums[i]);
      }
    }
    SIENA_UNROLL
    for (int i = 0; i < Pixels; ++i) simd::store(output + i * c.out_pixel + column, sums[i]);
  });
}

template <class T, class Arch, int Pixels = 8>
void depthwise_any_row(const Correlation& c, const CorrelationData<T>& d, std::int64_t oh, std::int64_t ow, const T* zeros,
                       const T** inputs) {
  for (; ow + Pixels <= c.width.out; ow += Pixels) depthwise_any_tile<T, Arch, Pixels>(c, d, oh, ow, zeros, inputs);
  if constexpr (Pixels > 1) {
    if (ow < c.width.out) depthwise_any_row<T, Arch, Pixels / 2>(c, d, oh, ow, zeros, inputs);
  }
}

/// Output rows [begin, end) of one image.
template <class T, class Arch>
void depthwise_band(const Correlation& c, const CorrelationData<T>& d, std::int64_t begin, std::int64_t end, const T* zeros) {
  constexpr std::int64_t few = 9;
  const T* held[few * 8];
  std::vector<const T*> many;
  const T** inputs = held;
  if (c.height.taps * c.width.taps > few) {
    many.resize(static_cast<std::size_t>(c.height.taps * c.width.taps * 8));
    inputs = many.data();
  }
  for (std::int64_t oh = begin; oh < end; ++oh) depthwise_any_row<T, Arch>(c, d, oh, 0, zeros, inputs);
}

template <class Arch, class T>
void correlate_depthwise(const Correlation& c, std::int64_t batch, const CorrelationData<T>& d) {
  if (is_three_by_three(c, 1)) return depthwise_blocks<T, SlideBlocks<Arch, 1>>(c, batch, d);
  if (is_three_by_three(c, 2)) return depthwise_blocks<T, SlideBlocks<Arch, 2>>(c, batch, d);
  constexpr std::int64_t rows = 4;
  const Buffer<T> zeros(static_cast<std::size_t>(c.columns));
  const std::int64_t bands = ceil_div(c.height.out, rows);
  parallel_ranges(batch * bands, std::max<std::int64_t>(1, batch * bands / wanted_tasks),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      CorrelationData<T> part = d;
                      part.x += i / bands * c.in_image;
                      part.y += i / bands * c.out_image;
                      const std::int64_t first = i % bands * rows;
                      depthwise_band<T, Arch>(c, part, first, std::min(c.height.out, first + rows), zeros.data());
                    }
                  });
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
  correlate_depthwise<Arch, T>(forward_correlation(g, 1), batch,
                               {.x = x, .w = w, .bias = bias, .y = y, .mode = Write::overwrite});
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
  if (const Correlation c = forward_correlation(g, 1); is_three_by_three(c, 2)) {
    return depthwise_blocks<T, SlideBackBlocks<Arch>>(turned_back(c), batch,
                                                      {.x = dy, .w = w, .bias = nullptr, .y = dx, .mode = mode});
  }
  if (mode == Write::overwrite) clear_unreached(g, batch, dx);
  auto turned = scratch<T>(g.taps() * columns);
  for_each_residue(g, 1, columns, [&](const ResidueClass& c) {
    for (std::int64_t t = 0; t < c.taps(); ++t) {
      const std::int64_t kh = c.height.kernel_tap(t / c.width.axis.taps), kw = c.width.kernel_tap(t % c.width.axis.taps);
      std::copy_n(w + (kh * g.kernel_width + kw) * columns, columns, turned.data() + c.first_weight + t * columns);
    }
    if (c.taps() == 0) return;
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
