// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/core/buffer.hpp"
#include "siena/core/config.hpp"
#include "siena/kernels/correlate.hpp"
#include "siena/kernels/depthwise_band.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/simd.hpp"

// Depthwise windows of any size, stride, dilation and padding. No pixel is copied: outputs of a few neighbouring pixels are
// made for one vector of channels after the other, and read a row of zeros outside the image.

namespace siena::kernels::detail {

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
void depthwise_rows(const Correlation& c, const CorrelationData<T>& d, std::int64_t begin, std::int64_t end, const T* zeros) {
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
void depthwise_any_forward(const Correlation& c, std::int64_t batch, const CorrelationData<T>& d) {
  const Buffer<T> zeros(static_cast<std::size_t>(c.columns));
  for_each_band(batch, c.height.out, 4, [&](std::int64_t image, std::int64_t first, std::int64_t last) {
    CorrelationData<T> part = d;
    part.x += image * c.in_image;
    part.y += image * c.out_image;
    depthwise_rows<T, Arch>(c, part, first, last, zeros.data());
  });
}

/// Some of the output rows of one image.
template <class T>
struct DepthwiseRows {
  const T *x, *dy;
  std::int64_t first, last;
  const TapRange* widths;
};

/// Calls body(first, last) with a range of Count taps as constants. All of them, or all but one at an end, are what outputs
/// meet but for tiny images, dilated and wide windows; others are taken one tap at a time.
template <int Count, class Body>
SIENA_INLINE void with_taps(TapRange range, const Body& body) {
  using std::integral_constant;
  const integral_constant<int, 0> begin;
  const integral_constant<int, Count> end;
  if (range == TapRange{0, Count}) {
    body(begin, end);
  } else if constexpr (Count > 1) {
    if (range == TapRange{1, Count}) return body(integral_constant<int, 1>{}, end);
    if (range == TapRange{0, Count - 1}) return body(begin, integral_constant<int, Count - 1>{});
    [&]<int... Tap>(std::integer_sequence<int, Tap...>) SIENA_INLINE_LAMBDA {
      ((range.first <= Tap && Tap < range.last ? body(integral_constant<int, Tap>{}, integral_constant<int, Tap + 1>{})
                                               : void()),
       ...);
    }
    (std::make_integer_sequence<int, Count>{});
  }
}

/// Taps neighbouring taps of one row, from (tap_h, tap_w) on, of any window: sums[tap] += sum over the pixels of x[tap] * dy,
/// for one vector of channels. An output at a border knows which taps it meets.
template <class T, class Arch, int Taps>
void depthwise_taps(const Correlation& c, const DepthwiseRows<T>& r, std::int64_t tap_h, std::int64_t tap_w, T* dw) {
  using V = simd::Batch<T, Arch>;
  using std::integral_constant;
  // Outputs whose taps all lie inside the image.
  const std::int64_t first = c.width.first_output(tap_w), last = std::max(first, c.width.last_output(tap_w + Taps - 1));
  const std::int64_t step = c.width.step * c.in_pixel, next_tap = c.width.tap_step * c.in_pixel, out_pixel = c.out_pixel;
  V sums[Taps];
  SIENA_UNROLL
  for (int t = 0; t < Taps; ++t) sums[t] = simd::load<T, Arch>(dw + t * c.columns);
  const std::int64_t top = std::max(r.first, c.height.first_output(tap_h));
  const std::int64_t bottom = std::min(r.last, c.height.last_output(tap_h));
  for (std::int64_t oh = top; oh < bottom; ++oh) {
    const T* row = r.x + (c.height.start + oh * c.height.step + tap_h * c.height.tap_step) * c.in_row +
                   (c.width.start + tap_w * c.width.tap_step) * c.in_pixel;
    const T* out = r.dy + oh * c.out_row;
    const auto products = [&](std::int64_t ow, auto left, auto right) SIENA_INLINE_LAMBDA {
      const V gradient = simd::load<T, Arch>(out + ow * out_pixel);
      SIENA_UNROLL
      for (int t = 0; t < Taps; ++t) {
        if (t < left || t >= right) continue;
        sums[t] = simd::fma(simd::load<T, Arch>(row + ow * step + t * next_tap), gradient, sums[t]);
      }
    };
    for (std::int64_t ow = 0; ow < c.width.out; ++ow) {
      for (; ow >= first && ow < last; ++ow) products(ow, integral_constant<int, 0>{}, integral_constant<int, Taps>{});
      if (ow == c.width.out) break;
      const TapRange taps{std::clamp<std::int64_t>(r.widths[ow].first - tap_w, 0, Taps),
                          std::clamp<std::int64_t>(r.widths[ow].last - tap_w, 0, Taps)};
      with_taps<Taps>(taps, [&](auto left, auto right) SIENA_INLINE_LAMBDA { products(ow, left, right); });
    }
  }
  SIENA_UNROLL
  for (int t = 0; t < Taps; ++t) simd::store(dw + t * c.columns, sums[t]);
}

/// Adds a share to the gradient of the weights.
template <class Arch, class T>
void depthwise_any_weights(const Correlation& c, const DepthwiseShare& share, const T* x, const T* dy, T* dw) {
  const Buffer<TapRange> widths = tap_ranges(c.width);
  const std::int64_t band = depthwise_band(c, sizeof(T));
  for (std::int64_t n = share.first_image; n < share.last_image; ++n) {
    for (std::int64_t first = 0; first < c.height.out; first += band) {
      simd::for_each_vector<T, Arch>(share.channels, [&](auto arch, std::int64_t column) {
        using A = typename decltype(arch)::type;
        const DepthwiseRows<T> rows{.x = x + n * c.in_image + column,
                                    .dy = dy + n * c.out_image + column,
                                    .first = first,
                                    .last = std::min(c.height.out, first + band),
                                    .widths = widths.data()};
        for (std::int64_t h = 0; h < c.height.taps; ++h) {
          T* row = dw + h * c.width.taps * c.columns + column;
          std::int64_t w = 0;
          for (; w + 5 <= c.width.taps; w += 5) depthwise_taps<T, A, 5>(c, rows, h, w, row + w * c.columns);
          for (; w + 2 <= c.width.taps; w += 2) depthwise_taps<T, A, 2>(c, rows, h, w, row + w * c.columns);
          for (; w < c.width.taps; ++w) depthwise_taps<T, A, 1>(c, rows, h, w, row + w * c.columns);
        }
      });
    }
  }
}

}  // namespace siena::kernels::detail
