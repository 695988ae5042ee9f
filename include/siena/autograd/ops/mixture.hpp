// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "siena/autograd/tape.hpp"
#include "siena/kernels/elementwise.hpp"
#include "siena/kernels/reductions.hpp"

// What a choice between alternatives computes: probabilities, samples of them, and the alternatives' outputs weighted.

namespace siena::ops {

/// p = softmax((alpha + noise) / temperature) of a vector; `noise` has its size, or is empty.
template <class T>
BasicVar<T> softmax_at(const BasicVar<T>& alpha, std::span<const T> noise, double temperature) {
  const auto logits = alpha.value().row(0);
  BasicTensor<T> p(alpha.shape());
  const auto row = p.row(0);
  const auto logit = [&](std::size_t i) {
    return static_cast<double>(logits[i] + (noise.empty() ? T(0) : noise[i])) / temperature;
  };
  double highest = logit(0), sum = 0;
  for (std::size_t i = 1; i < row.size(); ++i) highest = std::max(highest, logit(i));
  for (std::size_t i = 0; i < row.size(); ++i) sum += std::exp(logit(i) - highest);
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<T>(std::exp(logit(i) - highest) / sum);
  const BasicVar<T> output = alpha.tape().result(std::move(p), alpha);
  alpha.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.accumulating_slot(alpha);
    const auto dp = t.grad(output).row(0), probability = t.value(output).row(0);
    T mean = 0;
    for (std::size_t i = 0; i < dp.size(); ++i) mean += dp[i] * probability[i];
    for (std::size_t i = 0; i < dp.size(); ++i)
      slot.grad->data()[i] += probability[i] * (dp[i] - mean) / static_cast<T>(temperature);
  });
  return output;
}

/// The one-hot vector of the largest element (the first of equals), straight-through: d output / d p = 1.
template <class T>
BasicVar<T> one_hot(const BasicVar<T>& p) {
  const auto row = p.value().row(0);
  BasicTensor<T> hot(p.shape());
  hot.data()[std::max_element(row.begin(), row.end()) - row.begin()] = T(1);
  const BasicVar<T> output = p.tape().result(std::move(hot), p);
  p.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.accumulating_slot(p);
    const auto dy = t.grad(output).row(0);
    for (std::size_t i = 0; i < dy.size(); ++i) slot.grad->data()[i] += dy[i];
  });
  return output;
}

/// One element of a vector, a one-element value.
template <class T>
BasicVar<T> element(const BasicVar<T>& x, std::int64_t index) {
  const BasicVar<T> output = x.tape().result(BasicTensor<T>(Shape{1}, x.value().data()[index]), x);
  x.tape().record(output, [=](BasicTape<T>& t) { t.accumulating_slot(x).grad->data()[index] += *t.grad(output).data(); });
  return output;
}

/// sum_i weights_i x_i over the inputs that are there. An input that was not computed is none: it must have weight 0, and its
/// weight gets no gradient. One input of weight 1 is handed on without a copy.
template <class T, class Arch = simd::native>
BasicVar<T> weighted_sum(const BasicVar<T>& weights, const std::vector<BasicVar<T>>& inputs) {
  BasicTape<T>& tape = weights.tape();
  BasicVar<T> only;
  std::int64_t there = 0;
  bool needs_grad = weights.needs_grad();
  for (const auto& input : inputs) {
    if (!input) continue;
    if (only) {
      require<ShapeError>(input.shape() == only.shape(), "weighted_sum: expected equal shapes, got {} and {}", only.shape(),
                          input.shape());
    }
    only = input, ++there;
    needs_grad |= input.needs_grad();
  }
  SIENA_ASSERT(there > 0 && weights.value().columns() == static_cast<std::int64_t>(inputs.size()));
  const auto weight = weights.value().row(0);
  BasicVar<T> output;
  if (there == 1 && std::find(weight.begin(), weight.end(), T(1)) != weight.end()) {
    if (!needs_grad) return only;
    output = tape.alias(only, needs_grad);
  } else {
    auto y = BasicTensor<T>(only.shape());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i]) kernels::axpy<Arch, T>(weight[i], inputs[i].value().storage(), y.storage());
    }
    std::vector<BasicVar<T>> all = inputs;
    all.push_back(weights);
    output = tape.result_of(all, std::move(y));
  }
  if (!output.needs_grad()) return output;
  auto ids = Buffer<std::int32_t>::uninitialized(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) ids[i] = inputs[i].id();
  const std::int32_t saved = tape.keep(std::move(ids));
  tape.record(output, [=](BasicTape<T>& t) {
    const auto dy = t.grad(output).storage();
    const auto saved_ids = t.kept(saved);
    const std::int64_t batch = t.shape(output.id())[0], rows = t.grad(output).rows(), columns = t.grad(output).columns();
    for (std::size_t i = 0; weights.needs_grad() && i < saved_ids.size(); ++i) {
      if (saved_ids[i] >= 0) t.value(saved_ids[i]);  // now, if on demand: shards are summed side by side
    }
    t.add_batch_sum(weights, batch, [&](std::int64_t first, std::int64_t count, std::span<T> sum) {
      for (std::size_t i = 0; i < saved_ids.size(); ++i) {
        if (saved_ids[i] < 0) continue;
        const std::span<const T> x = std::as_const(t.value(saved_ids[i])).storage();
        sum[i] += static_cast<T>(kernels::dot<Arch, T>(rows / batch * count, columns, samples_of(x, batch, first, count),
                                                       samples_of(dy, batch, first, count)));
      }
    });
    for (std::size_t i = 0; i < saved_ids.size(); ++i) {
      if (saved_ids[i] < 0) continue;
      const BasicVar<T> input(&t, saved_ids[i]);
      if (const auto slot = t.slot(input)) {
        const T factor = t.value(weights).data()[i];
        if (slot.mode == kernels::Write::overwrite) {
          kernels::scale<Arch, T>(factor, dy, slot.storage());
        } else {
          kernels::axpy<Arch, T>(factor, dy, slot.storage());
        }
      }
    }
  });
  return output;
}

}  // namespace siena::ops
