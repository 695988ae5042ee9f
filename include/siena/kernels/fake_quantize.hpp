// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>

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
template <class A, class T>
SIENA_INLINE simd::Batch<T, A> on_level(const Levels<T>& levels, const simd::Batch<T, A>& x) {
  const auto low = simd::broadcast<T, A>(levels.low - levels.zero), high = simd::broadcast<T, A>(levels.high - levels.zero);
  return simd::broadcast<T, A>(levels.step) * simd::min(high, simd::max(low, nearest_level<A, T>(levels, x)));
}
/// The same by the inverse of the step, which is quicker; the last digit of x / step may be another.
template <class A, class T>
SIENA_INLINE simd::Batch<T, A> near_level(const Levels<T>& levels, T inverse, const simd::Batch<T, A>& x) {
  const auto low = simd::broadcast<T, A>(levels.low - levels.zero), high = simd::broadcast<T, A>(levels.high - levels.zero);
  const auto q = simd::floor(simd::fma(x, simd::broadcast<T, A>(inverse), simd::broadcast<T, A>(T(0.5))));
  return simd::broadcast<T, A>(levels.step) * simd::min(high, simd::max(low, q));
}
}  // namespace detail

/// y = the level nearest to x; NaN stays NaN.
template <class Arch = simd::native, class T>
void fake_quantize_forward(const Levels<T>& levels, std::span<const T> x, std::span<T> y) {
  detail::fill<Arch, T>(y, Write::overwrite, [levels, x = x.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    return detail::on_level<A, T>(levels, simd::load<T, A>(x + i));
  });
}

/// dx = dy where no end holds the level, otherwise 0: straight through. An overwritten dx may be dy.
template <class Arch = simd::native, class T>
void fake_quantize_backward(const Levels<T>& levels, std::span<const T> x, std::span<const T> dy, std::span<T> dx, Write mode) {
  detail::fill<Arch, T>(dx, mode, [levels, x = x.data(), dy = dy.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    const auto low = simd::broadcast<T, A>(levels.low - levels.zero), high = simd::broadcast<T, A>(levels.high - levels.zero);
    const auto q = detail::nearest_level<A, T>(levels, simd::load<T, A>(x + i)), held = simd::min(high, simd::max(low, q));
    return simd::select(q == held, simd::load<T, A>(dy + i), simd::zero<T, A>());
  });
}

/// What is learned of values on levels, from the gradient dy of what they become.
template <int Others>
struct LevelSlopes {
  double step = 0;  ///< what the step gets: the sum of dy * (q - zero - x / step), and of dy * (q - zero) where an end holds
                    ///< the level q (Esser et al. 2020, Learned Step Size Quantization)
  std::array<double, Others> changes{};  ///< sums of (x on other levels - x on these) * dy: by how much the loss would rise,
                                         ///< were it linear, if the values went there
};

/// Of the levels `now`, and of changes from them to others; of a number just between two levels of those, to either. Where dx
/// is not empty it gets what fake_quantize_backward gives it, in the same pass.
template <int Others, class Arch = simd::native, class T>
LevelSlopes<Others> level_slopes(const Levels<T>& now, const std::array<Levels<T>, Others>& others, std::int64_t rows,
                                 std::int64_t columns, std::span<const T> x, std::span<const T> dy, std::span<T> dx = {},
                                 Write mode = Write::overwrite) {
  std::array<T, Others> inverse;
  for (std::size_t k = 0; k != Others; ++k) inverse[k] = 1 / others[k].step;
  const bool passes = !dx.empty(), add = mode == Write::accumulate;
  const Buffer<double> sums = column_totals<Others + 1, Arch, T>(
      rows, columns, [=, x = x.data(), dy = dy.data(), dx = dx.data()](auto tag, std::int64_t i, std::int64_t, auto& sum) {
        using A = typename decltype(tag)::type;
        const auto v = simd::load<T, A>(x + i), slope = simd::load<T, A>(dy + i), step = simd::broadcast<T, A>(now.step);
        const auto low = simd::broadcast<T, A>(now.low - now.zero), high = simd::broadcast<T, A>(now.high - now.zero);
        const auto exact = v / step, q = simd::floor(exact + simd::broadcast<T, A>(T(0.5)));
        const auto held = simd::min(high, simd::max(low, q));
        const auto inside = q == held;
        sum[0] = simd::fma(simd::select(inside, q - exact, held), slope, sum[0]);
        for (std::size_t k = 0; k != Others; ++k)
          sum[k + 1] = simd::fma(detail::near_level<A, T>(others[k], inverse[k], v) - step * held, slope, sum[k + 1]);
        if (passes) detail::write<A, T>(dx + i, simd::select(inside, slope, simd::zero<T, A>()), add);
      });
  const auto total = [&](std::int64_t k) {
    return std::accumulate(&sums[k * padded(columns)], &sums[k * padded(columns)] + columns, 0.0);
  };
  LevelSlopes<Others> all{.step = total(0)};
  for (std::size_t k = 0; k != Others; ++k) all.changes[k] = total(static_cast<std::int64_t>(k) + 1);
  return all;
}

/// What the weights of each column become: steps[c] * q, q a whole number from -most[c] to most[c]. Of padded(channels)
/// numbers.
template <class T>
struct ColumnLevels {
  Buffer<T> steps, most;
};

/// Of the weights of each column: the largest |w|, the sum of |w| and that of w^2, from which its levels follow at any number
/// of bits.
template <class T>
struct ColumnSizes {
  Buffer<T> numbers = {};  ///< padded(channels) of each kind, one kind after the other

  std::size_t stride() const { return numbers.size() / 3; }
  T largest(std::size_t c) const { return numbers[c]; }
  T sum(std::size_t c) const { return numbers[stride() + c]; }
  T squares(std::size_t c) const { return numbers[2 * stride() + c]; }
};

template <class Arch = simd::native, class T>
ColumnSizes<T> column_sizes(std::int64_t rows, std::int64_t channels, std::span<const T> w) {
  const std::int64_t stride = padded(channels);
  ColumnSizes<T> sizes{Buffer<T>::uninitialized(static_cast<std::size_t>(3 * stride))};
  sum_rows<3, Arch, T>(0, rows * stride, stride, sizes.numbers.data(),
                       [w = w.data()](auto tag, std::int64_t i, std::int64_t, auto& sums) {
                         const auto size = simd::abs(simd::load<T, typename decltype(tag)::type>(w + i));
                         sums[0] = simd::max(size, sums[0]);
                         sums[1] = sums[1] + size, sums[2] = simd::fma(size, size, sums[2]);
                       });
  return sizes;
}

namespace detail {
/// Between 8 bits, which hold the largest weight, and few, which hold what lies near most of them: the step that leaves the
/// least squared error of normal weights is this times sum of w^2 / sum of |w|. (Zeros count for nothing in that: those of
/// masked rows are as if they were not there.)
constexpr double least_error_step(int bits) {
  constexpr double steps[] = {0.9766, 0.5194, 0.2821, 0.1544, 0.0842, 0.0458};
  return bits >= 2 && bits < 8 ? steps[bits - 2] : HUGE_VAL;
}
template <class A, class T>
SIENA_INLINE simd::Batch<T, A> on_column_level(const simd::Batch<T, A>& w, const simd::Batch<T, A>& step,
                                               const simd::Batch<T, A>& most) {
  const auto zero = simd::zero<T, A>(), q = simd::floor(w / step + simd::broadcast<T, A>(T(0.5)));
  return simd::select(step > zero, step * simd::min(most, simd::max(zero - most, q)), zero);
}
}  // namespace detail

/// Of weights of bits[c] bits, 2 to 8: most = 2^(bits - 1) - 1, and the step with which that is the largest |w|; or a smaller
/// one where outliers would make the rest too coarse. In either case the largest whole number occurs. 0 for a column of zeros.
template <class T>
ColumnLevels<T> column_levels(const ColumnSizes<T>& of, std::span<const int> bits) {
  ColumnLevels<T> levels{Buffer<T>(of.stride()), Buffer<T>(of.stride())};
  for (std::size_t c = 0; c < bits.size(); ++c) {
    levels.most[c] = static_cast<T>((1 << (bits[c] - 1)) - 1);
    levels.steps[c] = of.largest(c) / levels.most[c];
    if (bits[c] < 8 && of.sum(c) > 0)
      levels.steps[c] =
          std::min(levels.steps[c], static_cast<T>(detail::least_error_step(bits[c])) * of.squares(c) / of.sum(c));
  }
  return levels;
}

/// y = steps[c] * q in column c, q the nearest to w / steps[c], halves up; 0 where the step is.
template <class Arch = simd::native, class T>
void fake_quantize_columns(std::int64_t rows, std::int64_t channels, std::span<const T> w, const ColumnLevels<T>& levels,
                           std::span<T> y) {
  const RowFold fold(channels);
  const PerChannel<T> steps(fold, levels.steps.span()), most(fold, levels.most.span());
  for_rows<Arch, T>(
      rows, fold, [w = w.data(), s = steps.data(), m = most.data(), y = y.data()](auto tag, std::int64_t i, std::int64_t p) {
        using A = typename decltype(tag)::type;
        const auto level =
            detail::on_column_level<A, T>(simd::load<T, A>(w + i), simd::load<T, A>(s + p), simd::load<T, A>(m + p));
        simd::store(y + i, level);
      });
}

/// out[r] = sum over c of w[r][c] on its levels * dy[r][c]: row_dots of what fake_quantize_columns writes.
template <class Arch = simd::native, class T>
void level_row_dots(std::int64_t rows, std::int64_t channels, std::span<const T> w, const ColumnLevels<T>& levels,
                    std::span<const T> dy, std::span<T> out) {
  detail::row_dots<Arch, T>(rows, channels, dy, out,
                            [w = w.data(), s = levels.steps.data(), m = levels.most.data()](std::int64_t i, std::int64_t c) {
                              return detail::on_column_level<Arch, T>(simd::load<T, Arch>(w + i), simd::load<T, Arch>(s + c),
                                                                      simd::load<T, Arch>(m + c));
                            });
}

/// For Steps levels and those that follow each: sum of (w on the next levels - w on these) * dy in each column, by how much the
/// loss would rise, were it linear, if the weights of a column went from the ones to the others. An array of padded(channels)
/// sums for each step.
template <int Steps, class Arch = simd::native, class T>
Buffer<double> level_change_dots(std::int64_t rows, std::int64_t channels, std::span<const T> w,
                                 std::span<const ColumnLevels<T>, Steps + 1> levels, std::span<const T> dy) {
  const RowFold fold(channels);
  const auto folded = [&]<std::size_t... K>(std::index_sequence<K...>, auto member) {
    return std::array<PerChannel<T>, Steps + 1>{PerChannel<T>(fold, (levels[K].*member).span())...};
  };
  const auto steps = folded(std::make_index_sequence<Steps + 1>(), &ColumnLevels<T>::steps);
  const auto most = folded(std::make_index_sequence<Steps + 1>(), &ColumnLevels<T>::most);
  return column_totals<Steps, Arch, T>(
      rows, channels, [&, w = w.data(), dy = dy.data()](auto tag, std::int64_t i, std::int64_t p, auto& sums) {
        using A = typename decltype(tag)::type;
        const auto v = simd::load<T, A>(w + i), slope = simd::load<T, A>(dy + i);
        const auto on = [&](int k) {
          return detail::on_column_level<A, T>(v, simd::load<T, A>(steps[k].data() + p), simd::load<T, A>(most[k].data() + p));
        };
        auto from = on(0);
        for (int k = 0; k < Steps; ++k) {
          const auto to = on(k + 1);
          sums[k] += (to - from) * slope;
          from = to;
        }
      });
}

}  // namespace siena::kernels
