// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "siena/kernels/elementwise.hpp"

// Numbers held to those that integers of few bits stand for. Halves are rounded up, as the integer networks do it.

namespace siena::kernels {

/// The numbers step * (q - zero) of the whole numbers q from low to high.
template <class T>
struct Levels {
  T step = 1, zero = 0, low = -128, high = 127;
};

namespace detail {
/// floor(x / step + 1/2), not yet held between low and high, less the zero point: which level is the nearest.
template <class A, class T>
SIENA_INLINE simd::Batch<T, A> nearest_level(const Levels<T>& levels, const simd::Batch<T, A>& x) {
  return simd::floor(x / simd::broadcast<T, A>(levels.step) + simd::broadcast<T, A>(T(0.5)));
}
}  // namespace detail

/// y = the level nearest to x; NaN stays NaN.
template <class Arch = simd::native, class T>
void fake_quantize_forward(const Levels<T>& levels, std::span<const T> x, std::span<T> y) {
  detail::fill<Arch, T>(y, Write::overwrite, [levels, x = x.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    const auto low = simd::broadcast<T, A>(levels.low - levels.zero), high = simd::broadcast<T, A>(levels.high - levels.zero);
    const auto q = detail::nearest_level<A, T>(levels, simd::load<T, A>(x + i));
    return simd::broadcast<T, A>(levels.step) * simd::min(high, simd::max(low, q));
  });
}

/// dx = dy where no end holds the level, otherwise 0: straight through. An overwritten dx may be dy.
template <class Arch = simd::native, class T>
void fake_quantize_backward(const Levels<T>& levels, std::span<const T> x, std::span<const T> dy, std::span<T> dx, Write mode) {
  detail::fill<Arch, T>(dx, mode, [levels, x = x.data(), dy = dy.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    const auto low = simd::broadcast<T, A>(levels.low - levels.zero), high = simd::broadcast<T, A>(levels.high - levels.zero);
    const auto q = detail::nearest_level<A, T>(levels, simd::load<T, A>(x + i)), zero = simd::zero<T, A>();
    return simd::select(q < low, zero, simd::select(q > high, zero, simd::load<T, A>(dy + i)));
  });
}

/// What the step gets of dy: sum of dy * (q - zero - x / step), and of dy * (q - zero) where an end holds the level q (Esser et
/// al. 2020, Learned Step Size Quantization).
template <class Arch = simd::native, class T>
double step_gradient(const Levels<T>& levels, std::int64_t rows, std::int64_t columns, std::span<const T> x,
                     std::span<const T> dy) {
  const T low = levels.low - levels.zero, high = levels.high - levels.zero;
  return sum_elements<Arch>(rows, columns, [=, x = x.data(), dy = dy.data()](std::int64_t i) {
    const T v = x[i] / levels.step, q = std::floor(v + T(0.5));
    const T slope = q < low ? low : q > high ? high : q - v;
    return static_cast<double>(dy[i]) * static_cast<double>(slope);
  });
}

/// The step of each column: its largest |w| over `most`, so that this is the largest whole number. 0 for a column of zeros.
template <class T>
void column_steps(std::int64_t rows, std::int64_t channels, std::span<const T> w, T most, std::span<T> steps) {
  const std::int64_t stride = padded(channels);
  std::fill(steps.begin(), steps.end(), T(0));
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* row = w.data() + r * stride;
    for (std::int64_t c = 0; c < channels; ++c) steps[c] = std::max(steps[c], std::abs(row[c]));
  }
  for (std::int64_t c = 0; c < channels; ++c) steps[c] /= most;
}

/// y = steps[c] * floor(w / steps[c] + 1/2) in column c; 0 where the step is.
template <class Arch = simd::native, class T>
void fake_quantize_columns(std::int64_t rows, std::int64_t channels, std::span<const T> w, std::span<const T> steps,
                           std::span<T> y) {
  const RowFold fold(channels);
  const PerChannel<T> each(fold, steps);
  for_rows<Arch, T>(rows, fold, [w = w.data(), s = each.data(), y = y.data()](auto tag, std::int64_t i, std::int64_t p) {
    using A = typename decltype(tag)::type;
    const auto step = simd::load<T, A>(s + p), v = simd::load<T, A>(w + i);
    const auto q = simd::floor(v / step + simd::broadcast<T, A>(T(0.5)));
    simd::store(y + i, simd::select(step > simd::zero<T, A>(), step * q, simd::zero<T, A>()));
  });
}

}  // namespace siena::kernels
