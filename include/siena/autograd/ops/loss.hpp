// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "siena/autograd/tape.hpp"
#include "siena/core/rank_sum.hpp"
#include "siena/kernels/binary_cross_entropy.hpp"
#include "siena/kernels/reductions.hpp"
#include "siena/kernels/simd.hpp"
#include "siena/kernels/softmax.hpp"

namespace siena::ops {

/// A mean over what counts of a batch.
struct BatchMean {
  double mean = 0;
  std::int64_t counted = 0;  ///< of the whole batch
};

/// The mean over the whole batch, where mean(first, count) is that over what counts of samples that are here, and
/// counted(first, count) how many of them do. A batch that is whole asks for one mean.
template <class T, class Mean, class Counted>
BatchMean batch_mean(const BasicTape<T>& tape, std::int64_t here, const Mean& mean, const Counted& counted) {
  if (!tape.shards()) return {mean(std::int64_t{0}, here), counted(std::int64_t{0}, here)};
  const auto fill = [&](std::int64_t first, std::int64_t count, std::span<double> row) {
    const double n = static_cast<double>(counted(first, count));
    row[0] = mean(first, count) * n, row[1] = n;
  };
  const Shards& shards = *tape.shards();
  RankSum all(shards, shards.partial<double>(tape.samples(here), 2, fill, Shards::Add{}), 2);
  const std::span<const double> sum = all.take();
  return {sum[0] / std::max(sum[1], 1.0), static_cast<std::int64_t>(sum[1])};
}
/// The same where every sample counts.
template <class T, class Mean>
BatchMean batch_mean(const BasicTape<T>& tape, std::int64_t here, const Mean& mean) {
  return batch_mean(tape, here, mean, [](std::int64_t, std::int64_t count) { return count; });
}

/// Mean over the samples that are of a class of -log softmax(logits)[label], in nats; with smoothing e the target is (1 - e)
/// one-hot + e / classes. `labels` outlives the reverse pass. A label that is neither a class nor no_class is a DataError.
template <class T, class Arch = simd::native>
BasicVar<T> cross_entropy(const BasicVar<T>& logits, std::span<const std::int32_t> labels, double smoothing = 0) {
  const std::int64_t rows = logits.value().rows(), classes = logits.value().columns();
  require<ShapeError>(rows == static_cast<std::int64_t>(labels.size()),
                      "cross_entropy: expected {} labels for logits of {}, got {}", rows, logits.shape(), labels.size());
  BasicTensor<T> probabilities(logits.shape());
  BasicTape<T>& tape = logits.tape();
  const std::span<const T> in = logits.value().storage();
  const std::span<T> out = probabilities.storage();
  const BatchMean loss = batch_mean(
      tape, rows,
      [&](std::int64_t first, std::int64_t count) {
        return kernels::cross_entropy_forward<Arch, T>(count, classes, samples_of(in, rows, first, count),
                                                       samples_of(labels, rows, first, count),
                                                       samples_of(out, rows, first, count), smoothing);
      },
      [&](std::int64_t first, std::int64_t count) { return kernels::rows_of_a_class(samples_of(labels, rows, first, count)); });
  const BasicVar<T> output = tape.result(BasicTensor<T>(Shape{1}, static_cast<T>(loss.mean)), logits);
  if (!output.needs_grad()) return output;
  const BasicVar<T> saved = tape.constant(std::move(probabilities));
  tape.record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(logits);
    kernels::cross_entropy_backward<Arch, T>(rows, classes, t.value(saved).storage(), labels, *t.grad(output).data(), smoothing,
                                             slot.storage(), slot.mode, loss.counted);
  });
  return output;
}

/// Mean over the samples of -sum(targets * log softmax(logits)): targets are probabilities of classes, or such times a weight
/// of their sample or class. They get no gradient.
template <class T, class Arch = simd::native>
BasicVar<T> soft_cross_entropy(const BasicVar<T>& logits, const BasicVar<T>& targets) {
  require<ShapeError>(logits.shape() == targets.shape(), "soft_cross_entropy: expected targets of shape {}, got {}",
                      logits.shape(), targets.shape());
  const std::int64_t rows = logits.value().rows(), classes = logits.value().columns();
  BasicTensor<T> probabilities(logits.shape());
  BasicTape<T>& tape = logits.tape();
  const std::span<const T> in = logits.value().storage(), wanted = targets.value().storage();
  const std::span<T> out = probabilities.storage();
  const BatchMean loss = batch_mean(tape, rows, [&](std::int64_t first, std::int64_t count) {
    return kernels::soft_cross_entropy_forward<Arch, T>(count, classes, samples_of(in, rows, first, count),
                                                        samples_of(wanted, rows, first, count),
                                                        samples_of(out, rows, first, count));
  });
  const BasicVar<T> output = tape.result(BasicTensor<T>(Shape{1}, static_cast<T>(loss.mean)), logits);
  if (!output.needs_grad()) return output;
  const BasicVar<T> saved = tape.constant(std::move(probabilities));
  tape.record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(logits);
    kernels::soft_cross_entropy_backward<Arch, T>(rows, classes, t.value(saved).storage(), t.value(targets).storage(),
                                                  *t.grad(output).data(), slot.storage(), slot.mode, loss.counted);
  });
  return output;
}

/// Mean over all elements of -(t log p + (1 - t) log(1 - p)), p being the sigmoid of the logit: every column is a question of
/// its own. The targets get no gradient.
template <class T, class Arch = simd::native>
BasicVar<T> binary_cross_entropy(const BasicVar<T>& logits, const BasicVar<T>& targets) {
  require<ShapeError>(logits.shape() == targets.shape(), "binary_cross_entropy: expected targets of shape {}, got {}",
                      logits.shape(), targets.shape());
  const std::int64_t rows = logits.value().rows(), columns = logits.value().columns();
  const std::int64_t batch = std::max<std::int64_t>(logits.shape()[0], 1);
  const std::span<const T> in = logits.value().storage(), wanted = targets.value().storage();
  const BatchMean loss = batch_mean(logits.tape(), logits.shape()[0], [&](std::int64_t first, std::int64_t count) {
    return kernels::binary_cross_entropy_forward<Arch, T>(rows / batch * count, columns, samples_of(in, batch, first, count),
                                                          samples_of(wanted, batch, first, count));
  });
  const BasicVar<T> output = logits.tape().result(BasicTensor<T>(Shape{1}, static_cast<T>(loss.mean)), logits);
  const std::int64_t counted = rows / batch * loss.counted;
  logits.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(logits);
    kernels::binary_cross_entropy_backward<Arch, T>(rows, columns, t.value(logits).storage(), t.value(targets).storage(),
                                                    *t.grad(output).data(), slot.storage(), slot.mode, counted);
  });
  return output;
}

/// Mean over all elements of (prediction - target)^2. The target gets no gradient.
template <class T, class Arch = simd::native>
BasicVar<T> mean_squared_error(const BasicVar<T>& prediction, const BasicVar<T>& target) {
  require<ShapeError>(prediction.shape() == target.shape(), "mean_squared_error: expected targets of shape {}, got {}",
                      prediction.shape(), target.shape());
  const std::int64_t rows = prediction.value().rows(), columns = prediction.value().columns();
  const std::int64_t batch = std::max<std::int64_t>(prediction.shape()[0], 1);
  const std::span<const T> in = prediction.value().storage(), wanted = target.value().storage();
  const BatchMean loss = batch_mean(prediction.tape(), prediction.shape()[0], [&](std::int64_t first, std::int64_t count) {
    return kernels::mse_forward<Arch, T>(rows / batch * count, columns, samples_of(in, batch, first, count),
                                         samples_of(wanted, batch, first, count));
  });
  const BasicVar<T> output = prediction.tape().result(BasicTensor<T>(Shape{1}, static_cast<T>(loss.mean)), prediction);
  const std::int64_t counted = rows / batch * loss.counted;
  prediction.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(prediction);
    kernels::mse_backward<Arch, T>(rows, columns, t.value(prediction).storage(), t.value(target).storage(),
                                   *t.grad(output).data(), slot.storage(), slot.mode, counted);
  });
  return output;
}

}  // namespace siena::ops
