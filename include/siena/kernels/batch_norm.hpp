// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>

#include "siena/core/error.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/rows.hpp"

namespace siena::kernels {

/// Merges the means and sums of squared deviations of two parts, of `a` and `b` rows, into those of the first (Chan, Golub and
/// LeVeque 1983).
inline void merge_moments(std::int64_t stride, double a, double* mean, double* squares, double b, const double* other_mean,
                          const double* other_squares) {
  const double part = b / (a + b);
  for (std::int64_t c = 0; c < stride; ++c) {
    const double delta = other_mean[c] - mean[c];
    mean[c] += delta * part;
    squares[c] += other_squares[c] + delta * delta * a * part;
  }
}

/// Mean and biased variance of every channel from `moments`, means and then sums of squared deviations over `rows` rows. The
/// padding becomes mean 0, variance 1.
template <class T>
void moments_to_statistics(std::int64_t rows, std::int64_t channels, const double* moments, std::span<T> mean,
                           std::span<T> variance) {
  const std::int64_t stride = padded(channels);
  for (std::int64_t c = 0; c < channels; ++c) {
    mean[c] = static_cast<T>(moments[c]);
    variance[c] = static_cast<T>(moments[stride + c] / static_cast<double>(rows));
  }
  std::fill_n(mean.data() + channels, stride - channels, T(0));  // padding that changes nothing and stays finite
  std::fill_n(variance.data() + channels, stride - channels, T(1));
}

/// Mean of every channel over `rows` rows and behind them the sums of squared deviations from it, padding included, in one
/// pass over memory: the first numbers of what is returned. Within a task the sums are of differences from the mean of its
/// first rows, so that a large mean costs no digits; tasks are merged in double and in their order.
template <class Arch = simd::native, class T>
Buffer<double> channel_moments(std::int64_t rows, std::int64_t channels, std::span<const T> x) {
  require<ShapeError>(rows > 0, "channel_statistics: expected at least one row, got {}; hint: batch norm needs a batch", rows);
  const RowFold fold(channels);
  const std::int64_t stride = fold.stride, period = fold.period(), grain = fold.rows_per_task(rows);
  const std::int64_t tasks = (rows + grain - 1) / grain;
  auto partial = Buffer<double>(static_cast<std::size_t>(tasks * 2 * stride));  // per task: mean, sum of squared deviations
  auto scratch = Buffer<T>::uninitialized(static_cast<std::size_t>(tasks * 3 * period));
  auto rows_of = [&](std::int64_t task) { return std::min(rows - task * grain, grain); };
  parallel_for(tasks, [&](std::int64_t task) {
    const std::int64_t count = rows_of(task);
    const T* first = x.data() + task * grain * stride;
    T *shift = scratch.data() + task * 3 * period, *sums = shift + period;
    const std::int64_t samples = std::min<std::int64_t>(count, 8);
    for (std::int64_t c = 0; c < stride; ++c) shift[c] = first[c];
    for (std::int64_t r = 1; r < samples; ++r) {
      for (std::int64_t c = 0; c < stride; ++c) shift[c] += first[r * stride + c];
    }
    for (std::int64_t c = 0; c < stride; ++c) shift[c] *= T(1) / static_cast<T>(samples);
    for (std::int64_t k = 1; k < fold.copies; ++k) std::copy_n(shift, stride, shift + k * stride);
    sum_rows<2, Arch, T>(0, count * stride, period, sums, [=](auto tag, std::int64_t i, std::int64_t p, auto& sum) {
      using A = typename decltype(tag)::type;
      const auto difference = simd::load<T, A>(first + i) - simd::load<T, A>(shift + p);
      sum[0] += difference;
      sum[1] = simd::fma(difference, difference, sum[1]);
    });
    double *out_mean = partial.data() + task * 2 * stride, *out_squares = out_mean + stride;
    for (std::int64_t k = 0; k < fold.copies; ++k) {
      for (std::int64_t c = 0; c < stride; ++c) {
        out_mean[c] += static_cast<double>(sums[k * stride + c]);
        out_squares[c] += static_cast<double>(sums[period + k * stride + c]);
      }
    }
    for (std::int64_t c = 0; c < stride; ++c) {
      const double sum = out_mean[c];
      out_mean[c] = static_cast<double>(shift[c]) + sum / static_cast<double>(count);
      out_squares[c] = std::max(0.0, out_squares[c] - sum * sum / static_cast<double>(count));
    }
  });
  double *total_mean = partial.data(), *total_squares = total_mean + stride;
  double seen = static_cast<double>(rows_of(0));
  for (std::int64_t task = 1; task < tasks; ++task) {
    const double count = static_cast<double>(rows_of(task));
    const double* task_mean = partial.data() + task * 2 * stride;
    merge_moments(stride, seen, total_mean, total_squares, count, task_mean, task_mean + stride);
    seen += count;
  }
  return partial;
}

/// Mean and biased variance of every channel over `rows` rows.
template <class Arch = simd::native, class T>
void channel_statistics(std::int64_t rows, std::int64_t channels, std::span<const T> x, std::span<T> mean,
                        std::span<T> variance) {
  moments_to_statistics<T>(rows, channels, channel_moments<Arch, T>(rows, channels, x).data(), mean, variance);
}

namespace detail {
/// body(std::bool_constant...) for run-time flags: the loops inside know them.
template <class Body>
void with_flags(bool a, bool b, Body&& body) {
  if (a && b) return body(std::true_type{}, std::true_type{});
  if (a) return body(std::true_type{}, std::false_type{});
  if (b) return body(std::false_type{}, std::true_type{});
  body(std::false_type{}, std::false_type{});
}
}  // namespace detail

/// y = x * scale + shift [+ residual], then [ReLU]. An empty residual is none; y may be x or the residual.
template <class Arch = simd::native, class T>
void affine(std::int64_t rows, std::int64_t channels, std::span<const T> x, std::span<const T> scale, std::span<const T> shift,
            std::span<const T> residual, bool relu, std::span<T> y) {
  const RowFold fold(channels);
  const PerChannel<T> scales(fold, scale), shifts(fold, shift);
  const T *in = x.data(), *a = scales.data(), *b = shifts.data(), *skip = residual.data();
  T* out = y.data();
  detail::with_flags(!residual.empty(), relu, [&](auto with_residual, auto with_relu) {
    for_rows<Arch, T>(rows, fold, [=](auto tag, std::int64_t i, std::int64_t p) {
      using A = typename decltype(tag)::type;
      auto value = simd::fma(simd::load<T, A>(in + i), simd::load<T, A>(a + p), simd::load<T, A>(b + p));
      if constexpr (with_residual.value) value += simd::load<T, A>(skip + i);
      if constexpr (with_relu.value) value = simd::max(simd::zero<T, A>(), value);  // in this order NaN stays NaN
      simd::store(out + i, value);
    });
  });
}

/// What a ReLU behind a batch norm let through: where its output z is above 0, or, where nothing was added in between, where
/// x * scale + shift is: the same bits, and one tensor less to read. All empty: there was no ReLU.
template <class T>
struct ReluGate {
  std::span<const T> z{}, scale{}, shift{};
};

namespace detail {
enum class Gate { none, output, input };

/// body(integral_constant<Gate>).
template <class T, class Body>
void with_gate(const ReluGate<T>& gate, Body&& body) {
  if (!gate.scale.empty()) return body(std::integral_constant<Gate, Gate::input>{});
  if (!gate.z.empty()) return body(std::integral_constant<Gate, Gate::output>{});
  body(std::integral_constant<Gate, Gate::none>{});
}

/// What of a gate is read in a loop: z by element, the others repeated over a period.
template <class T>
struct GateRows {
  const T *z, *scale, *shift;

  /// dz in front of the ReLU.
  template <Gate Kind, class A>
  SIENA_INLINE simd::Batch<T, A> pass(const T* dz, const simd::Batch<T, A>& x, std::int64_t i, std::int64_t p) const {
    const auto dy = simd::load<T, A>(dz + i), zero = simd::zero<T, A>();
    if constexpr (Kind == Gate::output) return simd::select(simd::load<T, A>(z + i) > zero, dy, zero);
    if constexpr (Kind == Gate::input) {
      return simd::select(simd::fma(x, simd::load<T, A>(scale + p), simd::load<T, A>(shift + p)) > zero, dy, zero);
    }
    return dy;
  }
};
}  // namespace detail

/// First half of the backward pass of z = [ReLU](batch_norm(x) [+ residual]) in training: the sums of dy
/// and of dy * xhat over the rows, where dy = dz as the gate lets it through and
/// xhat = (x - mean) * inv_std. They are also the gradients of shift and scale.
template <class Arch = simd::native, class T>
void batch_norm_backward_sums(std::int64_t rows, std::int64_t channels, std::span<const T> dz, const ReluGate<T>& gate,
                              std::span<const T> x, std::span<const T> mean, std::span<const T> inv_std, std::span<T> sum_dy,
                              std::span<T> sum_dy_xhat) {
  const RowFold fold(channels);
  const PerChannel<T> means(fold, mean), scales(fold, gate.scale), shifts(fold, gate.shift);
  const detail::GateRows<T> gates{gate.z.data(), scales.data(), shifts.data()};
  detail::with_gate(gate, [&](auto kind) {
    const T *dz_at = dz.data(), *x_at = x.data(), *mean_at = means.data();
    const Buffer<double> totals =
        column_totals<2, Arch, T>(rows, channels, [=](auto tag, std::int64_t i, std::int64_t p, auto& sum) {
          using A = typename decltype(tag)::type;
          const auto value = simd::load<T, A>(x_at + i);
          const auto dy = gates.template pass<kind.value, A>(dz_at, value, i, p);
          sum[0] += dy;
          sum[1] = simd::fma(dy, value - simd::load<T, A>(mean_at + p), sum[1]);
        });
    std::fill_n(sum_dy.data() + channels, fold.stride - channels, T(0));
    std::fill_n(sum_dy_xhat.data() + channels, fold.stride - channels, T(0));
    for (std::int64_t c = 0; c < channels; ++c) {
      sum_dy[c] = static_cast<T>(totals[c]);
      sum_dy_xhat[c] = static_cast<T>(totals[fold.stride + c] * static_cast<double>(inv_std[c]));
    }
  });
}

/// Second half: dx = gamma * inv_std * (dy - sum_dy / n - xhat * sum_dy_xhat / n), and dresidual = dy unless that span is
/// empty (Ioffe and Szegedy 2015). An overwritten dx may be dz. The sums are over n rows; 0: these.
template <class Arch = simd::native, class T>
void batch_norm_backward_data(std::int64_t rows, std::int64_t channels, std::span<const T> dz, const ReluGate<T>& gate,
                              std::span<const T> x, std::span<const T> mean, std::span<const T> inv_std,
                              std::span<const T> gamma, std::span<const T> sum_dy, std::span<const T> sum_dy_xhat,
                              std::span<T> dx, Write mode, std::span<T> dresidual, Write residual_mode,
                              std::int64_t summed = 0) {
  const RowFold fold(channels);
  // dx = a * dy + (b * (x - mean) + c)
  auto coefficients = Buffer<T>::uninitialized(static_cast<std::size_t>(3 * fold.stride));
  T *a = coefficients.data(), *b = a + fold.stride, *c = b + fold.stride;
  for (std::int64_t i = 0; i < fold.stride; ++i) {
    const double scale = static_cast<double>(gamma[i]) * static_cast<double>(inv_std[i]),
                 n = static_cast<double>(summed > 0 ? summed : rows);
    a[i] = static_cast<T>(scale);
    b[i] = static_cast<T>(-scale * static_cast<double>(inv_std[i]) * static_cast<double>(sum_dy_xhat[i]) / n);
    c[i] = static_cast<T>(-scale * static_cast<double>(sum_dy[i]) / n);
  }
  const auto size = static_cast<std::size_t>(fold.stride);
  const PerChannel<T> as(fold, {a, size}), bs(fold, {b, size}), cs(fold, {c, size}), means(fold, mean);
  const PerChannel<T> scales(fold, gate.scale), shifts(fold, gate.shift);
  const detail::GateRows<T> gates{gate.z.data(), scales.data(), shifts.data()};
  const auto run = [&](auto kind, auto residual) {
    const T *dz_at = dz.data(), *x_at = x.data();
    const T *a_at = as.data(), *b_at = bs.data(), *c_at = cs.data(), *mean_at = means.data();
    T *dx_at = dx.data(), *skip_at = dresidual.data();
    const bool add = mode == Write::accumulate, add_skip = residual_mode == Write::accumulate;
    for_rows<Arch, T>(rows, fold, [=](auto tag, std::int64_t i, std::int64_t p) {
      using A = typename decltype(tag)::type;
      const auto in = simd::load<T, A>(x_at + i);
      const auto dy = gates.template pass<kind.value, A>(dz_at, in, i, p);
      const auto centred = in - simd::load<T, A>(mean_at + p);
      auto value =
          simd::fma(simd::load<T, A>(a_at + p), dy, simd::fma(simd::load<T, A>(b_at + p), centred, simd::load<T, A>(c_at + p)));
      if (add) value += simd::load<T, A>(dx_at + i);
      simd::store(dx_at + i, value);
      if constexpr (residual.value) simd::store(skip_at + i, add_skip ? dy + simd::load<T, A>(skip_at + i) : dy);
    });
  };
  detail::with_gate(gate, [&](auto kind) { dresidual.empty() ? run(kind, std::false_type{}) : run(kind, std::true_type{}); });
}

}  // namespace siena::kernels
