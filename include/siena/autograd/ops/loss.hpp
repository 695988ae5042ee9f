// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "siena/autograd/tape.hpp"
#include "siena/kernels/binary_cross_entropy.hpp"
#include "siena/kernels/reductions.hpp"
#include "siena/kernels/simd.hpp"
#include "siena/kernels/softmax.hpp"

namespace siena::ops {

/// Mean over the samples that are of a class of -log softmax(logits)[label], in nats; with smoothing e the target is (1 - e)
/// one-hot + e / classes. `labels` outlives the reverse pass. A label that is neither a class nor no_class is a DataError.
template <class T, class Arch = simd::native>
BasicVar<T> cross_entropy(const BasicVar<T>& logits, std::span<const std::int32_t> labels, double smoothing = 0) {
  const std::int64_t rows = logits.value().rows(), classes = logits.value().columns();
  require<ShapeError>(rows == static_cast<std::int64_t>(labels.size()),
                      "cross_entropy: expected {} labels for logits of {}, got {}", rows, logits.shape(), labels.size());
  auto probabilities = BasicTensor<T>::uninitialized(logits.shape());
  const double loss = kernels::cross_entropy_forward<Arch, T>(rows, classes, logits.value().storage(), labels,
                                                              probabilities.storage(), smoothing);
  BasicTape<T>& tape = logits.tape();
  const BasicVar<T> output = tape.result(BasicTensor<T>(Shape{1}, static_cast<T>(loss)), logits);
  if (!output.needs_grad()) return output;
  const BasicVar<T> saved = tape.constant(std::move(probabilities));
  tape.record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(logits);
    kernels::cross_entropy_backward<Arch, T>(rows, classes, t.value(saved).storage(), labels, *t.grad(output).data(), smoothing,
                                             slot.storage(), slot.mode);
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
  auto probabilities = BasicTensor<T>::uninitialized(logits.shape());
  const double loss = kernels::soft_cross_entropy_forward<Arch, T>(rows, classes, logits.value().storage(),
                                                                   targets.value().storage(), probabilities.storage());
  BasicTape<T>& tape = logits.tape();
  const BasicVar<T> output = tape.result(BasicTensor<T>(Shape{1}, static_cast<T>(loss)), logits);
  if (!output.needs_grad()) return output;
  const BasicVar<T> saved = tape.constant(std::move(probabilities));
  tape.record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(logits);
    kernels::soft_cross_entropy_backward<Arch, T>(rows, classes, t.value(saved).storage(), t.value(targets).storage(),
                                                  *t.grad(output).data(), slot.storage(), slot.mode);
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
  const double loss =
      kernels::binary_cross_entropy_forward<Arch, T>(rows, columns, logits.value().storage(), targets.value().storage());
  const BasicVar<T> output = logits.tape().result(BasicTensor<T>(Shape{1}, static_cast<T>(loss)), logits);
  logits.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(logits);
    kernels::binary_cross_entropy_backward<Arch, T>(rows, columns, t.value(logits).storage(), t.value(targets).storage(),
                                                    *t.grad(output).data(), slot.storage(), slot.mode);
  });
  return output;
}

/// Mean over all elements of (prediction - target)^2. The target gets no gradient.
template <class T, class Arch = simd::native>
BasicVar<T> mean_squared_error(const BasicVar<T>& prediction, const BasicVar<T>& target) {
  require<ShapeError>(prediction.shape() == target.shape(), "mean_squared_error: expected targets of shape {}, got {}",
                      prediction.shape(), target.shape());
  const std::int64_t rows = prediction.value().rows(), columns = prediction.value().columns();
  const double loss = kernels::mse_forward<Arch, T>(rows, columns, prediction.value().storage(), target.value().storage());
  const BasicVar<T> output = prediction.tape().result(BasicTensor<T>(Shape{1}, static_cast<T>(loss)), prediction);
  prediction.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(prediction);
    kernels::mse_backward<Arch, T>(rows, columns, t.value(prediction).storage(), t.value(target).storage(),
                                   *t.grad(output).data(), slot.storage(), slot.mode);
  });
  return output;
}

}  // namespace siena::ops
