// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <span>
#include <type_traits>

#include "siena/core/error.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/rows.hpp"

// Numbers that come from whole tensors. Logical elements only; summed in double, in an order that no number of threads changes.

namespace siena::kernels {

/// Sum of all elements.
template <class Arch = simd::native, class T>
double sum(std::int64_t rows, std::int64_t columns, std::span<const T> x) {
  return sum_elements<Arch>(rows, columns, [x = x.data()](std::int64_t i) { return static_cast<double>(x[i]); });
}

/// Sum of the squares of all elements.
template <class Arch = simd::native, class T>
double squared_sum(std::int64_t rows, std::int64_t columns, std::span<const T> x) {
  return sum_elements<Arch>(rows, columns, [x = x.data()](std::int64_t i) {
    const double value = static_cast<double>(x[i]);
    return value * value;
  });
}

/// Sum of a * b.
template <class Arch = simd::native, class T>
double dot(std::int64_t rows, std::int64_t columns, std::span<const T> a, std::span<const T> b) {
  return sum_elements<Arch>(rows, columns, [a = a.data(), b = b.data()](std::int64_t i) {
    return static_cast<double>(a[i]) * static_cast<double>(b[i]);
  });
}

namespace detail {
/// Every row by itself, in T; a(i, c): the vector at i of storage and column c.
template <class Arch, class T, class Left>
void row_dots(std::int64_t rows, std::int64_t columns, std::span<const T> b, std::span<T> out, Left&& a) {
  const std::int64_t stride = padded(columns);
  constexpr std::int64_t step = simd::width<T, Arch>;
  parallel_ranges(rows, elements_grain(stride), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const std::int64_t begin = r * stride, full = columns / step * step;
      const T* y = b.data() + begin;
      auto sums = simd::zero<T, Arch>();
      for (std::int64_t c = 0; c < full; c += step) sums = simd::fma(a(begin + c, c), simd::load<T, Arch>(y + c), sums);
      T sum = simd::sum(sums);
      if (full < columns) {
        alignas(64) std::array<T, step> rest;
        simd::store(rest.data(), a(begin + full, full));
        for (std::int64_t c = full; c < columns; ++c) sum += rest[static_cast<std::size_t>(c - full)] * y[c];
      }
      out[static_cast<std::size_t>(r)] = sum;
    }
  });
}
}  // namespace detail

/// out[r] = sum over c of a[r][c] * b[r][c].
template <class Arch = simd::native, class T>
void row_dots(std::int64_t rows, std::int64_t columns, std::span<const T> a, std::span<const T> b, std::span<T> out) {
  detail::row_dots<Arch, T>(rows, columns, b, out,
                            [a = a.data()](std::int64_t i, std::int64_t) { return simd::load<T, Arch>(a + i); });
}

namespace detail {
/// By the bits, so that no floating-point option of the compiler can spoil it.
template <class T>
bool finite_run(const T* x, std::int64_t count) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits exponent = sizeof(T) == 4 ? Bits{0x7f800000u} : static_cast<Bits>(0x7ff0000000000000u);
  std::array<Bits, row_padding> bad{};
  std::int64_t i = 0;
  for (; i + row_padding <= count; i += row_padding) {
    for (std::size_t j = 0; j < bad.size(); ++j) {
      bad[j] |= (std::bit_cast<Bits>(x[i + static_cast<std::int64_t>(j)]) & exponent) == exponent ? Bits{1} : Bits{0};
    }
  }
  Bits any = 0;
  for (; i < count; ++i) any |= (std::bit_cast<Bits>(x[i]) & exponent) == exponent ? Bits{1} : Bits{0};
  for (Bits b : bad) any |= b;
  return any == 0;
}
}  // namespace detail

/// Whether no logical element is infinite or not a number.
template <class Arch = simd::native, class T>
bool all_finite(std::int64_t rows, std::int64_t columns, std::span<const T> x) {
  const std::int64_t stride = padded(columns), rows_per_task = elements_grain(stride);
  std::atomic<bool> finite = true;
  parallel_ranges(rows, rows_per_task, [&](std::int64_t first, std::int64_t last) {
    if (columns == stride) {
      if (!detail::finite_run(x.data() + first * stride, (last - first) * stride)) finite = false;
      return;
    }
    for (std::int64_t r = first; r < last; ++r) {
      if (!detail::finite_run(x.data() + r * stride, columns)) finite = false;
    }
  });
  return finite;
}

/// The same over every element of a storage, padding included.
template <class Arch = simd::native, class T>
bool all_finite(std::span<const T> x) {
  std::atomic<bool> finite = true;
  parallel_ranges(static_cast<std::int64_t>(x.size()), task_elements, [&](std::int64_t first, std::int64_t last) {
    if (!detail::finite_run(x.data() + first, last - first)) finite = false;
  });
  return finite;
}

/// Mean of (prediction - target)^2 over rows * columns elements.
template <class Arch = simd::native, class T>
double mse_forward(std::int64_t rows, std::int64_t columns, std::span<const T> prediction, std::span<const T> target) {
  require<ShapeError>(rows > 0 && columns > 0, "mse: expected at least one element, got {} rows of {}", rows, columns);
  const double total = sum_elements<Arch>(rows, columns, [p = prediction.data(), t = target.data()](std::int64_t i) {
    const double difference = static_cast<double>(p[i]) - static_cast<double>(t[i]);
    return difference * difference;
  });
  return total / (static_cast<double>(rows) * static_cast<double>(columns));
}

/// dprediction = seed * 2 (prediction - target) / (n * columns); the padding of its rows becomes 0. The loss is a mean over n
/// rows; 0: these.
template <class Arch = simd::native, class T>
void mse_backward(std::int64_t rows, std::int64_t columns, std::span<const T> prediction, std::span<const T> target,
                  double seed, std::span<T> dprediction, Write mode, std::int64_t counted = 0) {
  const std::int64_t stride = padded(columns);
  const double n = static_cast<double>(counted > 0 ? counted : rows);
  const T factor = static_cast<T>(2 * seed / (n * static_cast<double>(columns)));
  const bool add = mode == Write::accumulate;
  parallel_ranges(rows, elements_grain(stride), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const T *p = prediction.data() + r * stride, *t = target.data() + r * stride;
      T* out = dprediction.data() + r * stride;
      for (std::int64_t c = 0; c < columns; ++c) out[c] = (add ? out[c] : T(0)) + factor * (p[c] - t[c]);
      for (std::int64_t c = columns; c < stride; ++c) out[c] = 0;
    }
  });
}

}  // namespace siena::kernels
