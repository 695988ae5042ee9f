// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "siena/core/buffer.hpp"
#include "siena/core/config.hpp"
#include "siena/core/parallel.hpp"
#include "siena/kernels/correlate.hpp"
#include "siena/kernels/depthwise_blocks.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/outer_tile.hpp"
#include "siena/kernels/rows.hpp"
#include "siena/kernels/simd.hpp"

// Gradients of depthwise weights: the sums of a few taps stay in registers while a band of rows goes by, one vector of
// channels after the other. Windows of 3x3 at stride 1 and 2 slide, so that each input of a row of windows is loaded once.

namespace siena::kernels::detail {

/// Some of the output rows of one image.
template <class T>
struct DepthwiseRows {
  const T *x, *dy;
  std::int64_t first, last;
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
      const TapRange taps{std::clamp<std::int64_t>(c.width.first_tap(ow) - tap_w, 0, Taps),
                          std::clamp<std::int64_t>(c.width.last_tap(ow) - tap_w, 0, Taps)};
      with_taps<Taps>(taps, [&](auto left, auto right) SIENA_INLINE_LAMBDA { products(ow, left, right); });
    }
  }
  SIENA_UNROLL
  for (int t = 0; t < Taps; ++t) simd::store(dw + t * c.columns, sums[t]);
}

/// A window of 3x3 that moves by Step over `rows` rows, for the vector of channels at `column`; Left and Right say whether the
/// first output of a row misses its first column, and the last output its last one. `inputs`: the image's rows from the
/// first of the window on, zeros where there is none.
template <class T, class Arch, int Step, bool Left, bool Right>
SIENA_INLINE void depthwise_slide(const Correlation& c, const T* const* inputs, const T* dy_rows, std::int64_t rows,
                                  std::int64_t column, T* dw) {
  using V = simd::Batch<T, Arch>;
  const std::int64_t in_pixel = c.in_pixel, out_pixel = c.out_pixel, out_row = c.out_row, columns = c.columns;
  const std::int64_t whole = c.width.out - Left - Right;
  V sums[9], window[3][3];  // columns of the window by slots, each of which is filled again when its column is left behind
  SIENA_UNROLL
  for (int t = 0; t < 9; ++t) sums[t] = simd::load<T, Arch>(dw + t * columns + column);
  for (std::int64_t r = 0; r < rows; ++r, inputs += Step, dy_rows += out_row) {
    const T *x0 = inputs[0] + column, *x1 = inputs[1] + column, *x2 = inputs[2] + column, *dy = dy_rows + column;
    const auto next_column = [&](int slot) SIENA_INLINE_LAMBDA {
      window[0][slot] = simd::load<T, Arch>(x0);
      window[1][slot] = simd::load<T, Arch>(x1);
      window[2][slot] = simd::load<T, Arch>(x2);
      x0 += in_pixel, x1 += in_pixel, x2 += in_pixel;
    };
    const auto next_gradient = [&]() SIENA_INLINE_LAMBDA {
      const V gradient = simd::load<T, Arch>(dy);
      dy += out_pixel;
      return gradient;
    };
    const auto add = [&](int tap, int slot, const V& gradient) SIENA_INLINE_LAMBDA {
      SIENA_UNROLL
      for (int k = 0; k < 3; ++k) sums[k * 3 + tap] = simd::fma(window[k][slot], gradient, sums[k * 3 + tap]);
    };
    // The output whose window starts in slot (Step * phase) % 3, and which meets that many taps of a row.
    const auto output = [&](int phase, int taps) SIENA_INLINE_LAMBDA {
      SIENA_UNROLL
      for (int t = 3 - Step; t < taps; ++t) next_column((t + Step * phase) % 3);
      const V gradient = next_gradient();
      SIENA_UNROLL
      for (int t = 0; t < taps; ++t) add(t, (t + Step * phase) % 3, gradient);
    };
    if constexpr (Left) {  // what the second output keeps of its columns goes where that output looks for it
      constexpr int first = Step == 1 ? 0 : 2, second = 2 - Step;
      next_column(first);
      next_column(second);
      const V gradient = next_gradient();
      add(1, first, gradient);
      add(2, second, gradient);
    } else {
      SIENA_UNROLL
      for (int t = 0; t < 3 - Step; ++t) next_column(t);
    }
    std::int64_t left = whole;
    for (; left >= 3; left -= 3) {
      output(0, 3);
      output(1, 3);
      output(2, 3);
    }
    if (left == 0) {
      if constexpr (Right) output(0, 2);
    } else if (left == 1) {
      output(0, 3);
      if constexpr (Right) output(1, 2);
    } else {
      output(0, 3);
      output(1, 3);
      if constexpr (Right) output(2, 2);
    }
  }
  SIENA_UNROLL
  for (int t = 0; t < 9; ++t) simd::store(dw + t * columns + column, sums[t]);
}

/// The columns that the last output of a row misses.
inline std::int64_t missed_columns(const Axis& width) {
  return std::max(std::int64_t{0}, width.start + (width.out - 1) * width.step + width.taps - width.in);
}

/// Whether a window of 3x3 misses no more than one column at either end of a row, and not both at once.
inline bool slides(const Correlation& c) {
  const std::int64_t before = -c.width.start, after = missed_columns(c.width);
  return (is_three_by_three(c, 1) || is_three_by_three(c, 2)) && (before == 0 || before == 1) && after <= 1 &&
         before + after <= c.width.out;
}

/// Rows of outputs that are taken at once: their inputs stay in the first-level cache while all channels go by.
inline std::int64_t depthwise_band(const Correlation& c, std::int64_t element) {
  const std::int64_t bytes = c.height.out * (c.height.step * c.in_row + c.out_row) * element;
  return ceil_div(c.height.out, std::max<std::int64_t>(1, bytes / (16 * 1024)));
}

/// Adds the share of one image to the gradient of the weights of a window that slides.
template <class Arch, int Step, bool Left, bool Right, class T>
void depthwise_slide_image(const Correlation& c, const T* x, const T* dy, const T* zeros, T* dw) {
  constexpr std::int64_t most = 32;
  const std::int64_t band = std::min(most, depthwise_band(c, sizeof(T)));
  const T* inputs[(most - 1) * Step + 3];
  for (std::int64_t first = 0; first < c.height.out; first += band) {
    const std::int64_t rows = std::min(band, c.height.out - first), top = c.height.start + first * Step;
    for (std::int64_t h = 0; h < (rows - 1) * Step + 3; ++h) {
      inputs[h] = top + h >= 0 && top + h < c.height.in ? x + (top + h) * c.in_row : zeros;
    }
    simd::for_each_vector<T, Arch>(c.columns, [&](auto arch, std::int64_t column) {
      depthwise_slide<T, typename decltype(arch)::type, Step, Left, Right>(c, inputs, dy + first * c.out_row, rows, column, dw);
    });
  }
}

/// The same for any window.
template <class Arch, class T>
void depthwise_weights_image(const Correlation& c, const T* x, const T* dy, T* dw) {
  const std::int64_t band = depthwise_band(c, sizeof(T));
  for (std::int64_t first = 0; first < c.height.out; first += band) {
    simd::for_each_vector<T, Arch>(c.columns, [&](auto arch, std::int64_t column) {
      using A = typename decltype(arch)::type;
      const DepthwiseRows<T> rows{x + column, dy + column, first, std::min(c.height.out, first + band)};
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

template <class Arch, class T>
void correlate_depthwise_weights(const Correlation& c, std::int64_t batch, const T* x, const T* dy, T* dw) {
  const std::int64_t size = c.height.taps * c.width.taps * c.columns;
  const std::int64_t pixels = batch * c.height.out * c.width.out;
  const std::int64_t wanted = std::clamp<std::int64_t>(pixels / 256, 1, std::min<std::int64_t>(batch, 16));
  const std::int64_t images = ceil_div(batch, wanted), parts = ceil_div(batch, images);
  Buffer<T> partial(static_cast<std::size_t>(parts * size));
  const auto for_each_image = [&](const auto& body) {
    parallel_for(parts, [&](std::int64_t part) {
      for (std::int64_t n = part * images; n < std::min(batch, (part + 1) * images); ++n) {
        body(x + n * c.in_image, dy + n * c.out_image, partial.data() + part * size);
      }
    });
  };
  if (slides(c)) {
    const Buffer<T> zeros(static_cast<std::size_t>(c.in_row));
    with_flags(c.width.start<0, missed_columns(c.width)> 0, [&](auto left, auto right) {
      for_each_image([&](const T* image, const T* gradient, T* sums) {
        if (c.width.step == 1) {
          depthwise_slide_image<Arch, 1, left.value, right.value>(c, image, gradient, zeros.data(), sums);
        } else {
          depthwise_slide_image<Arch, 2, left.value, right.value>(c, image, gradient, zeros.data(), sums);
        }
      });
    });
  } else {
    for_each_image(
        [&](const T* image, const T* gradient, T* sums) { depthwise_weights_image<Arch>(c, image, gradient, sums); });
  }
  add_parts<Arch, T>(partial.data(), parts, size, dw);
}

}  // namespace siena::kernels::detail
