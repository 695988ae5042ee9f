// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

#include "siena/autograd/tape.hpp"
#include "siena/kernels/batch_norm.hpp"
#include "siena/kernels/elementwise.hpp"
#include "siena/kernels/simd.hpp"

namespace siena::ops {

/// Where the groups of a group norm are.
struct GroupNormOptions {
  std::int64_t groups = 1;
  double epsilon = 1e-5;
};

namespace detail {
/// Sample n of what lies one sample behind the other.
template <class T>
std::span<T> sample_of(std::span<T> all, std::int64_t n, std::int64_t batch) {
  const std::size_t length = all.size() / static_cast<std::size_t>(batch);
  return all.subspan(static_cast<std::size_t>(n) * length, length);
}

/// Makes of the means and variances of channels the means and inverse deviations of their groups, at each of their channels.
template <class T>
void join_channels(std::int64_t channels, const GroupNormOptions& options, T* mean, const T* variance, T* inverse) {
  const std::int64_t each = channels / options.groups;
  for (std::int64_t first = 0; first < channels; first += each) {
    double sum = 0, spread = 0;
    for (std::int64_t c = first; c < first + each; ++c) sum += static_cast<double>(mean[c]);
    const double middle = sum / static_cast<double>(each);
    for (std::int64_t c = first; c < first + each; ++c) {
      const double away = static_cast<double>(mean[c]) - middle;
      spread += static_cast<double>(variance[c]) + away * away;
    }
    for (std::int64_t c = first; c < first + each; ++c) {
      mean[c] = static_cast<T>(middle);
      inverse[c] = static_cast<T>(1.0 / std::sqrt(spread / static_cast<double>(each) + options.epsilon));
    }
  }
}

/// What the gradient of a sample is made of: dx = of_dz * dz + of_x * x + rest, by channel.
template <class T>
struct GroupNormSlopes {
  BasicTensor<T> of_dz, of_x, rest;

  explicit GroupNormSlopes(const Shape& channels) : of_dz(channels), of_x(channels), rest(channels) {}
  /// `sum` and `sum_normalized`: of a channel's dz, and of dz times its normalised x.
  void set(std::int64_t count, const GroupNormOptions& options, const T* gamma, const T* mean, const T* inverse, const T* sum,
           const T* sum_normalized) {
    const std::int64_t channels = of_dz.elements(), each = channels / options.groups;
    for (std::int64_t first = 0; first < channels; first += each) {
      double total = 0, normalized = 0;
      for (std::int64_t c = first; c < first + each; ++c) {
        total += static_cast<double>(gamma[c] * sum[c]);
        normalized += static_cast<double>(gamma[c] * sum_normalized[c]);
      }
      const double scale = static_cast<double>(inverse[first]), elements = static_cast<double>(count * each);
      const double slope = -scale * scale * normalized / elements;
      for (std::int64_t c = first; c < first + each; ++c) {
        of_dz.data()[c] = gamma[c] * inverse[c];
        of_x.data()[c] = static_cast<T>(slope);
        rest.data()[c] = static_cast<T>(-scale * total / elements - slope * static_cast<double>(mean[first]));
      }
    }
  }
};
}  // namespace detail

/// (x - mean) / sqrt(variance + epsilon) * gamma + beta, where mean and (biased) variance are those of a sample's group of
/// neighbouring channels at all positions (Wu, He 2018). Made of the kernels of batch_norm, sample by sample.
template <class T, class Arch = simd::native>
BasicVar<T> group_norm(const BasicVar<T>& x, const BasicVar<T>& gamma, const BasicVar<T>& beta,
                       const GroupNormOptions& options) {
  using detail::sample_of;
  BasicTape<T>& tape = x.tape();
  const std::int64_t batch = x.shape()[0], channels = x.value().columns(), rows = x.value().rows() / batch;
  SIENA_ASSERT(channels % options.groups == 0 && gamma.value().elements() == channels && beta.value().elements() == channels);
  BasicTensor<T> mean({batch, channels}), inverse({batch, channels});
  BasicTensor<T> scale({channels}), shift({channels}), variance({channels});
  auto y = BasicTensor<T>::uninitialized(x.shape());
  const T *gammas = gamma.value().data(), *betas = beta.value().data();
  for (std::int64_t n = 0; n < batch; ++n) {
    const std::span<const T> in = sample_of(x.value().storage(), n, batch);
    kernels::channel_statistics<Arch, T>(rows, channels, in, sample_of(mean.storage(), n, batch), variance.storage());
    T *means = mean.row(n).data(), *inverses = inverse.row(n).data();
    detail::join_channels<T>(channels, options, means, variance.data(), inverses);
    for (std::int64_t c = 0; c < channels; ++c) {
      scale.data()[c] = gammas[c] * inverses[c];
      shift.data()[c] = betas[c] - means[c] * scale.data()[c];
    }
    kernels::affine<Arch, T>(rows, channels, in, scale.storage(), shift.storage(), {}, false, sample_of(y.storage(), n, batch));
  }
  const BasicVar<T> saved_mean = tape.constant(std::move(mean)), saved_inverse = tape.constant(std::move(inverse));
  const BasicVar<T> output = tape.result(std::move(y), x, gamma, beta);
  tape.record(output, [=](BasicTape<T>& t) {
    const auto dx = t.accumulating_slot(x);
    BasicTensor<T> sums({batch, channels}), sums_normalized({batch, channels});
    const BasicTensor<T> zero({channels});
    detail::GroupNormSlopes<T> slopes({channels});
    auto own = BasicTensor<T>::uninitialized(x.shape().sample());
    for (std::int64_t n = 0; n < batch; ++n) {
      const auto dz = sample_of(t.grad(output).storage(), n, batch), in = sample_of(t.value(x).storage(), n, batch),
                 means = sample_of(t.value(saved_mean).storage(), n, batch),
                 inverses = sample_of(t.value(saved_inverse).storage(), n, batch);
      const std::span<T> sum = sample_of(sums.storage(), n, batch),
                         sum_normalized = sample_of(sums_normalized.storage(), n, batch);
      kernels::batch_norm_backward_sums<Arch, T>(rows, channels, dz, {}, in, means, inverses, sum, sum_normalized);
      if (!dx) continue;
      slopes.set(rows, options, t.value(gamma).data(), means.data(), inverses.data(), sum.data(), sum_normalized.data());
      kernels::affine<Arch, T>(rows, channels, in, slopes.of_x.storage(), slopes.rest.storage(), {}, false, own.storage());
      kernels::affine<Arch, T>(rows, channels, dz, slopes.of_dz.storage(), zero.storage(), own.storage(), false, own.storage());
      kernels::add_to<Arch, T>(own.storage(), sample_of(dx.storage(), n, batch));
    }
    for (const auto& [parameter, of_samples] : {std::pair{gamma, &sums_normalized}, std::pair{beta, &sums}}) {
      const BasicTensor<T>& each = *of_samples;
      t.add_batch_sum(parameter, batch, [&](std::int64_t first, std::int64_t count, std::span<T> total) {
        for (std::int64_t n = first; n < first + count; ++n)
          kernels::add_to<Arch, T>(sample_of(each.storage(), n, batch), total);
      });
    }
  });
  return output;
}

}  // namespace siena::ops
