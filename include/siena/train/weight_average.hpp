// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/state.hpp"
#include "siena/kernels/elementwise.hpp"
#include "siena/nn/network.hpp"

namespace siena {

/// The exponential moving average of a network's weights over the steps of a training, and of the running statistics of its
/// layers, which belong to them: a <- d a + (1 - d) w. So that it does not drag the first weights along, d rises to `decay` as
/// (1 + n) / (10 + n) in step n. Masks and choices are not averaged. Refers to the network, which keeps its shapes.
class WeightAverage {
 public:
  WeightAverage(Network& network, double decay) : network_(network), decay_(decay) {
    for (const Parameter* parameter : network.parameters(Role::weight)) average_.push_back(parameter->value);
    for (const Network::Node& node : network.nodes()) {
      if (node.layer.is<Mixture>() || node.layer.is<FakeQuantize>()) continue;
      for (const int buffer : node.buffers) buffers_.push_back(buffer), average_.push_back(network.buffer(buffer));
    }
  }

  /// After a step of the weights.
  void update() {
    ++steps_;
    const double n = static_cast<double>(steps_);
    const double keep = std::min(decay_, (1 + n) / (10 + n));
    for_each([keep](Tensor& average, const Tensor& now) {
      kernels::scale<simd::native, float>(static_cast<float>(keep), average.storage(), average.storage());
      kernels::axpy<simd::native, float>(static_cast<float>(1 - keep), now.storage(), average.storage());
    });
  }
  /// The average goes into the network, and what was there takes its place.
  void exchange() {
    for_each([](Tensor& average, Tensor& now) { std::swap(average, now); });
  }
  /// The average goes into the network, and stays here too.
  void put() {
    for_each([](const Tensor& average, Tensor& now) { now = average; });
  }

  void save(State& state, const std::string& prefix) const {
    state.put(prefix + "steps", steps_);
    for (std::size_t i = 0; i < average_.size(); ++i) state.put(prefix + std::to_string(i), average_[i]);
  }
  /// Checks everything before it changes anything.
  void load(const State& state, const std::string& prefix) {
    const auto steps = state.get<std::int64_t>(prefix + "steps");
    std::vector<Tensor> average;
    for (std::size_t i = 0; i < average_.size(); ++i)
      average.push_back(state.tensor(prefix + std::to_string(i), average_[i].shape()));
    steps_ = steps;
    average_ = std::move(average);
  }

 private:
  template <class Body>
  void for_each(Body&& body) {
    std::size_t i = 0;
    for (Parameter* parameter : network_.parameters(Role::weight)) body(average_[i++], parameter->value);
    for (const int buffer : buffers_) body(average_[i++], network_.buffer(buffer));
  }

  Network& network_;
  double decay_;
  std::vector<int> buffers_;     // those that are averaged
  std::vector<Tensor> average_;  // of the weights, then of the buffers
  std::int64_t steps_ = 0;
};
static_assert(Stateful<WeightAverage>);

}  // namespace siena
