// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "siena/autograd/tape.hpp"
#include "siena/core/rank_sum.hpp"
#include "siena/kernels/batch_norm.hpp"
#include "siena/kernels/elementwise.hpp"
#include "siena/kernels/simd.hpp"

namespace siena::ops {

/// What batch_norm does beside normalising.
template <class T>
struct BatchNormOptions {
  double epsilon = 1e-5;
  /// Weight of the newest batch in the running statistics.
  double momentum = 0.1;
  /// Statistics of the batch (and an update of the running ones), or the running ones.
  bool training = true;
  bool relu = false;
  /// Added after normalisation and before the ReLU; may be none.
  BasicVar<T> residual{};
};

namespace detail {
/// channel_statistics over the whole batch, `batch` samples of which are here.
template <class T, class Arch>
void batch_statistics(const BasicTape<T>& tape, std::int64_t batch, const BasicTensor<T>& x, std::span<T> mean,
                      std::span<T> variance) {
  const std::int64_t channels = x.columns(), stride = x.stride();
  if (!tape.shards()) return kernels::channel_statistics<Arch, T>(x.rows(), channels, x.storage(), mean, variance);
  const std::int64_t samples = tape.samples(batch), pixels = x.rows() / batch;
  // Of each part: how many rows it has, their means, and the sums of squared deviations.
  const auto size = static_cast<std::size_t>(1 + 2 * stride);
  const auto merge = [stride](std::span<double> a, std::span<const double> b) {
    if (b[0] == 0) return;
    kernels::merge_moments(stride, a[0], &a[1], &a[1] + stride, b[0], &b[1], &b[1] + stride);
    a[0] += b[0];
  };
  const auto fill = [&](std::int64_t first, std::int64_t count, std::span<double> row) {
    row[0] = static_cast<double>(count * pixels);
    const auto moments =
        kernels::channel_moments<Arch, T>(count * pixels, channels, samples_of(x.storage(), batch, first, count));
    std::copy_n(moments.data(), 2 * stride, row.data() + 1);
  };
  const Shards& shards = *tape.shards();
  RankSum all(shards, shards.partial<double>(samples, size, fill, merge), size, merge);
  kernels::moments_to_statistics<T>(samples * pixels, channels, all.take().data() + 1, mean, variance);
}

/// batch_norm_backward_sums over the whole batch. While ranks wait for each other's, the tape makes other sums.
template <class T, class Arch>
void batch_sums(BasicTape<T>& tape, std::int64_t batch, const BasicTensor<T>& dz, const kernels::ReluGate<T>& gate,
                const BasicTensor<T>& x, std::span<const T> mean, std::span<const T> inverse, std::span<T> sum,
                std::span<T> sum_normalized) {
  const std::int64_t channels = x.columns(), pixels = x.rows() / batch;  // there is a sample, as forward has asked for
  const auto sums = [&](std::int64_t first, std::int64_t count, std::span<T> plain, std::span<T> normalized) {
    const auto part = [&](std::span<const T> all) { return samples_of(all, batch, first, count); };
    const kernels::ReluGate<T> gate_part{.z = part(gate.z), .scale = gate.scale, .shift = gate.shift};
    kernels::batch_norm_backward_sums<Arch, T>(count * pixels, channels, part(dz.storage()), gate_part, part(x.storage()), mean,
                                               inverse, plain, normalized);
  };
  if (!tape.shards()) return sums(0, batch, sum, sum_normalized);
  const std::size_t each = sum.size();
  const auto fill = [&](std::int64_t first, std::int64_t count, std::span<T> row) {
    sums(first, count, row.first(each), row.subspan(each));
  };
  const Shards& shards = *tape.shards();
  RankSum all(shards, shards.partial<T>(tape.samples(batch), 2 * each, fill, Shards::Add{}), 2 * each);
  tape.work_meanwhile();
  const std::span<const T> both = all.take();
  std::copy_n(both.data(), each, sum.begin());
  std::copy_n(both.data() + each, each, sum_normalized.begin());
}
}  // namespace detail

/// z = relu((x - mean) / sqrt(variance + epsilon) * gamma + beta + residual) over all but the channels (Ioffe, Szegedy 2015),
/// one operation with what usually follows. The running variance is the unbiased one.
template <class T, class Arch = simd::native>
BasicVar<T> batch_norm(const BasicVar<T>& x, const BasicVar<T>& gamma, const BasicVar<T>& beta, BasicTensor<T>& running_mean,
                       BasicTensor<T>& running_variance, const BatchNormOptions<T>& options) {
  BasicTape<T>& tape = x.tape();
  const std::int64_t rows = x.value().rows(), channels = x.value().columns(), batch = x.shape()[0];
  const std::int64_t all_rows = batch > 0 ? tape.samples(batch) * (rows / batch) : rows;
  const Shape per_channel{channels};
  BasicTensor<T> mean(per_channel), inverse(per_channel), scale(per_channel), shift(per_channel);
  SIENA_ASSERT(gamma.value().elements() == channels && beta.value().elements() == channels);
  SIENA_ASSERT(running_mean.elements() == channels && running_variance.elements() == channels);
  T *means = mean.data(), *inverses = inverse.data(), *scales = scale.data(), *shifts = shift.data();
  T *running_means = running_mean.data(), *running_variances = running_variance.data();
  const T *gammas = gamma.value().data(), *betas = beta.value().data();
  if (options.training) {
    BasicTensor<T> variance(per_channel);
    detail::batch_statistics<T, Arch>(tape, batch, x.value(), mean.storage(), variance.storage());
    const double unbias = all_rows > 1 ? static_cast<double>(all_rows) / static_cast<double>(all_rows - 1) : 1.0;
    const T* variances = variance.data();
    for (std::int64_t c = 0; c < channels; ++c) {
      inverses[c] = static_cast<T>(1.0 / std::sqrt(static_cast<double>(variances[c]) + options.epsilon));
      running_means[c] += static_cast<T>(options.momentum) * (means[c] - running_means[c]);
      running_variances[c] += static_cast<T>(options.momentum) * (static_cast<T>(variances[c] * unbias) - running_variances[c]);
    }
  } else {
    for (std::int64_t c = 0; c < channels; ++c) {
      means[c] = running_means[c];
      inverses[c] = static_cast<T>(1.0 / std::sqrt(static_cast<double>(running_variances[c]) + options.epsilon));
    }
  }
  for (std::int64_t c = 0; c < channels; ++c) {
    scales[c] = gammas[c] * inverses[c];
    shifts[c] = betas[c] - means[c] * scales[c];
  }
  const BasicVar<T> residual = options.residual;
  const BasicVar<T> saved_mean = tape.constant(std::move(mean)), saved_inverse = tape.constant(std::move(inverse));
  const BasicVar<T> saved_scale = tape.constant(std::move(scale)), saved_shift = tape.constant(std::move(shift));
  const auto normalise = [=, relu = options.relu](BasicTape<T>& t, BasicTensor<T>& z) {
    kernels::affine<Arch, T>(rows, channels, t.value(x).storage(), t.value(saved_scale).storage(),
                             t.value(saved_shift).storage(), residual ? t.value(residual).storage() : std::span<const T>{},
                             relu, z.storage());
  };
  BasicVar<T> output;
  if (!residual) {  // x is kept for the way back anyway, and all that is needed to normalise it again
    output = tape.result_on_demand(x.shape(), normalise, x, gamma, beta);
  } else {
    auto z = BasicTensor<T>::uninitialized(x.shape());
    normalise(tape, z);
    output = tape.result(std::move(z), x, gamma, beta, residual);
  }
  if (!output.needs_grad()) return output;
  tape.record(output, [=, training = options.training, relu = options.relu](BasicTape<T>& t) {
    using Gate = kernels::ReluGate<T>;
    const Gate gate = !relu      ? Gate{}
                      : residual ? Gate{.z = t.value(output).storage()}
                                 : Gate{.scale = t.value(saved_scale).storage(), .shift = t.value(saved_shift).storage()};
    BasicTensor<T> sum(per_channel), sum_normalized(per_channel);
    detail::batch_sums<T, Arch>(t, batch, t.grad(output), gate, t.value(x), t.value(saved_mean).storage(),
                                t.value(saved_inverse).storage(), sum.storage(), sum_normalized.storage());
    if (auto slot = t.accumulating_slot(gamma)) kernels::add_to<Arch, T>(sum_normalized.storage(), slot.storage());
    if (auto slot = t.accumulating_slot(beta)) kernels::add_to<Arch, T>(sum.storage(), slot.storage());
    auto [dz, dx] = t.slot_over(x, output);
    const auto dresidual = t.slot(residual);
    if (!dx && !dresidual) return;
    BasicTensor<T> unwanted;  // the kernel makes both gradients in one pass
    if (!dx) {
      unwanted = BasicTensor<T>::uninitialized(x.shape());
      dx = {&unwanted, kernels::Write::overwrite};
    }
    if (!training) {  // constant statistics pass nothing on
      sum.fill(T(0));
      sum_normalized.fill(T(0));
    }
    kernels::batch_norm_backward_data<Arch, T>(rows, channels, dz, gate, t.value(x).storage(), t.value(saved_mean).storage(),
                                               t.value(saved_inverse).storage(), t.value(gamma).storage(), sum.storage(),
                                               sum_normalized.storage(), dx.storage(), dx.mode,
                                               dresidual ? dresidual.storage() : std::span<T>{}, dresidual.mode, all_rows);
  });
  return output;
}

}  // namespace siena::ops
