// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of Network that runs; included by network.hpp.

#include <utility>
#include <variant>
#include <vector>

#include "siena/nn/network.hpp"

namespace siena {

/// One pass: hands each layer its inputs and parameters, and keeps the values in between.
class Network::Pass final : public Forward {
 public:
  Pass(Network& network, const Var& input, Mode mode, const Random& random)
      : network_(network), tape_(input.tape()), mode_(mode), random_(random), batch_(input.shape()[0]),
        values_(network.nodes_.size()), stays_(network.nodes_.size(), false), parameters_(network.parameters_.size()),
        shared_(network.parameters_.size()) {
    values_[0] = input;
  }

  Var run() {
    for (const Step& step : network_.steps_) {
      if (step.node != 0) {
        node_ = &network_.nodes_[step.node];
        index_ = step.node;
        fused_relu = step.relu;
        fused_residual = step.residual >= 0 ? values_[step.residual] : Var{};
        const Var value = std::visit([&](const auto& layer) { return layer.forward(*this); }, node_->layer);
        values_[step.output] = value;
        // A layer may hand its input on as it is (dropout that does nothing): then two nodes are one value, which stays.
        for (const int in : node_->inputs) {
          if (values_[in].id() == value.id()) stays_[in] = stays_[step.output] = true;
        }
      }
      for (const int done : step.last) {
        if (!stays_[done]) tape_.release(values_[done]);
      }
    }
    return values_[network_.output_];
  }

  Tape& tape() override { return tape_; }
  Mode mode() const override { return mode_; }
  Var input(int k) override { return values_[node_->inputs[k]]; }
  int inputs() const override { return static_cast<int>(node_->inputs.size()); }
  Var parameter(int k) override {
    const Var raw = network_parameter(node_->parameters[k]);
    return k == 0 && node_->gate ? node_->gate->apply(*this, raw) : raw;
  }
  bool has_parameter(int k) const override { return k < static_cast<int>(node_->parameters.size()); }
  Tensor& buffer(int k) override { return network_.buffers_[node_->buffers[k]].value; }
  Random random() const override { return random_.split(static_cast<std::uint64_t>(index_)); }
  Shape output_shape() const override { return node_->shape.batch(batch_); }
  Var network_parameter(int index) override {
    if (!parameters_[index]) parameters_[index] = tape_.parameter(*network_.parameters_[index]);
    return parameters_[index];
  }
  Tensor& network_buffer(int index) override { return network_.buffers_[index].value; }
  Var& shared(int index) override { return shared_[index]; }

 private:
  Network& network_;
  Tape& tape_;
  Mode mode_;
  Random random_;
  std::int64_t batch_;
  const Node* node_ = nullptr;
  int index_ = 0;
  std::vector<Var> values_;
  std::vector<bool> stays_;
  std::vector<Var> parameters_, shared_;
};

inline Var Network::forward(const Var& input, Mode mode, const Random& random) {
  require<ArgumentError>(!nodes_.empty(), "Network::forward: expected a network with layers, got an empty one");
  require<ShapeError>(input.shape().rank() == input_shape().rank() + 1 && input.shape().sample() == input_shape(),
                      "Network::forward: expected a batch of shape N x {}, got {}", input_shape(), input.shape());
  return Pass(*this, input, mode, random).run();
}

}  // namespace siena
