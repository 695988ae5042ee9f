// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "siena/autograd/ops/mask.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/options.hpp"

namespace siena {

/// Moves of a search are of up to so many channels or steps of taps: tiled costs fall in steps.
inline constexpr std::int64_t longest_move = 16;

/// Whether a step has measured a mask: all slopes are zero where it did not compute the alternative in which the mask lies.
inline bool is_measured(const std::vector<float>& slopes) {
  return std::any_of(slopes.begin(), slopes.end(), [](float slope) { return slope != 0; });
}

/// Brings the alphas of a chain of steps to the nearest that fall from step to step, in [0, 1]: one that is worth more than
/// those before it holds them up, and they pull it down, until they are even (pool adjacent violators).
inline void fall_from_step_to_step(std::span<float> alpha) {
  const bool falls = std::is_sorted(alpha.begin(), alpha.end(), std::greater<>());
  if (falls && (alpha.empty() || (alpha.front() <= 1 && alpha.back() >= 0))) return;
  struct Block {
    double sum;
    std::size_t count;
    double mean() const { return sum / static_cast<double>(count); }
  };
  std::vector<Block> blocks;
  for (const float a : alpha) {
    blocks.push_back({a, 1});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() < blocks.back().mean()) {
      const Block last = blocks.back();
      blocks.pop_back();
      blocks.back() = {blocks.back().sum + last.sum, blocks.back().count + last.count};
    }
  }
  auto at = alpha.begin();
  for (const Block& block : blocks) at = std::fill_n(at, block.count, static_cast<float>(std::clamp(block.mean(), 0.0, 1.0)));
}

/// What masks of any kind are made of: one architecture parameter alpha for each thing that can be switched off, in [0, 1] and
/// 1 at first, and the running moments of the gradient that reaches its mask. Named by index, and so good for every copy of the
/// network; a default one stands for nothing to switch.
class MeasuredMask {
 public:
  MeasuredMask() = default;
  /// Adds its parameter and buffers to the network.
  MeasuredMask(Network& network, const std::string& name, std::int64_t count) {
    const Shape shape{count};
    alpha_ = network.add_parameter(Parameter(name + ".alpha", Tensor(shape, 1.0f), Role::architecture, false));
    mean_ = network.add_buffer(name + ".gradient_mean", Tensor(shape));
    variance_ = network.add_buffer(name + ".gradient_variance", Tensor(shape));
    steps_ = network.add_buffer(name + ".gradient_steps", Tensor(Shape{1}));
  }

  explicit operator bool() const { return alpha_ >= 0; }
  /// Index of alpha in the network, -1 where there is nothing to switch.
  int parameter() const { return alpha_; }
  const Tensor& alpha(const Network& network) const { return network.parameter(alpha_).value; }
  Tensor& alpha(Network& network) const { return network.parameter(alpha_).value; }

  /// The binary values that alpha stands for, in a pass of the network, where their gradient is measured: one mask a pass,
  /// whoever reads it. `values` is called with alpha.
  template <class Values>
  Var measured(Forward& forward, const MaskOptions& options, const Values& values) const {
    Var& shared = forward.shared(alpha_);
    if (shared) return shared;
    const Var alpha = forward.network_parameter(alpha_);
    const auto moments = moments_of([&](int index) { return &forward.network_buffer(index); }, options,
                                    static_cast<double>(forward.tape().samples(forward.input().shape()[0])));
    return shared = ops::binarize_measured(alpha, values(alpha.value()), moments);
  }

  /// The same where what is on was measured, and what is off once was when it was on.
  void take_gradient(Network& network, const std::vector<int>& on, const std::vector<float>& tangents, double batch,
                     const MaskOptions& options) const {
    take_gradient(network, on, std::vector<int>(on.size(), 1), tangents, batch, options);
  }

  /// Estimated rise of the task loss when one is switched off: half the
  /// Fisher information of its mask (see ops::sample_fisher).
  double importance(const Network& network, std::int64_t index) const {
    if (alpha_ < 0) return 0;
    return 0.5 * ops::sample_fisher(network.buffer(mean_).data()[index], network.buffer(variance_).data()[index]);
  }

  /// For a step that computed only a part of the network (CompactNetwork): takes the gradients of those masks in that were
  /// measured, each on or off, and adds every slope to the gradient of alpha. What was not measured is worth what it was when
  /// it last was; the tangent knows nothing of it.
  void take_gradient(Network& network, const std::vector<int>& measured, const std::vector<int>& on,
                     const std::vector<float>& tangents, double batch, const MaskOptions& options) const {
    if (alpha_ < 0) return;
    const auto moments = moments_of([&](int index) { return &network.buffer(index); }, options, batch);
    const float weight = moments.next_step();
    float* grad = network.parameter(alpha_).grad.data();
    for (std::size_t i = 0; i < measured.size(); ++i) {
      const auto index = static_cast<std::int64_t>(i);
      if (measured[i] != 0) moments.take_in(index, tangents[i], weight);
      grad[i] += options.secant ? ops::secant_slope(moments, index, on[i] != 0) : tangents[i];
    }
  }

 private:
  template <class BufferOf>
  ops::MaskMoments<float> moments_of(const BufferOf& buffer, const MaskOptions& options, double batch) const {
    return {.mean = buffer(mean_),
            .variance = buffer(variance_),
            .steps = buffer(steps_),
            .decay = options.decay,
            .batch = batch,
            .secant = options.secant};
  }

  int alpha_ = -1, mean_ = -1, variance_ = -1, steps_ = -1;
};

}  // namespace siena
