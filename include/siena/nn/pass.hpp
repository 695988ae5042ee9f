// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/nn/plan.hpp"

namespace siena {

/// One pass of a batch through a graph, step by step: hands each layer its inputs and parameters, and keeps the values in
/// between. Buffers of the graph may change by it.
class Pass final : public Forward {
 public:
  Pass(Graph& graph, const Var& input, Mode mode, const Random& random)
      : graph_(graph),
        tape_(input.tape()),
        mode_(mode),
        random_(random),
        batch_(input.shape()[0]),
        values_(graph.nodes.size()),
        stays_(graph.nodes.size(), false),
        parameters_(graph.parameters.size()),
        shared_(graph.parameters.size()) {
    values_[0] = input;
  }

  Var run(const std::vector<Step>& steps) {
    weigh_branches();
    for (const Step& step : steps) {
      if (step.node != 0 && !skipped(step.node)) {
        at(step.node);
        const Var value = compute(step);
        values_[step.output] = value;
        // A layer may hand its input on as it is (dropout that does nothing): then two nodes are one value, which stays.
        for (const int in : node_->inputs) {
          if (values_[in].id() == value.id()) stays_[in] = stays_[step.output] = true;
        }
      }
      for (const int done : step.last) {
        if (values_[done] && !stays_[done]) tape_.release(values_[done]);
      }
    }
    return values_[graph_.output];
  }

  Tape& tape() override { return tape_; }
  Mode mode() const override { return mode_; }
  Var input(int k) override { return values_[node_->inputs[k]]; }
  int inputs() const override { return static_cast<int>(node_->inputs.size()); }
  Var parameter(int k) override {
    if (k == 0 && !weights_.empty() && weights_[index_]) return weights_[index_];
    Var value = network_parameter(node_->parameters[k]);
    if (k == 0) {
      for (const auto& gate : node_->gates) value = gate->apply(*this, value);
    }
    return value;
  }
  bool has_parameter(int k) const override { return k < static_cast<int>(node_->parameters.size()); }
  Tensor& buffer(int k) override { return graph_.buffers[node_->buffers[k]].value; }
  float input_step() const override {
    return siena::input_step(graph_.nodes, *node_, [&](int index) -> const Parameter& { return *graph_.parameters[index]; });
  }
  Random random() const override { return random_.split(static_cast<std::uint64_t>(index_)); }
  Shape output_shape() const override { return node_->shape.batch(batch_); }
  Var network_parameter(int index) override {
    if (!parameters_[index]) parameters_[index] = tape_.parameter(*graph_.parameters[index]);
    return parameters_[index];
  }
  Tensor& network_buffer(int index) override { return graph_.buffers[index].value; }
  Var& shared(int index) override { return shared_[index]; }

 private:
  void at(int node) {
    node_ = &graph_.nodes[node];
    index_ = node;
  }
  Var compute(const Step& step) {
    if (step.relu) {
      const Var residual = step.residual >= 0 ? values_[step.residual] : Var{};
      return node_->layer.get<BatchNorm>().forward(*this, {.relu = true, .residual = residual});
    }
    return visit_layer([&](const auto& layer) { return layer.forward(*this); }, node_->layer);
  }
  bool skipped(int node) const { return !skipped_.empty() && skipped_[node]; }
  // Weights of mixtures are known first: what they weigh by 0 is not
  // computed. Outer mixtures come after those in their branches.
  void weigh_branches() {
    for (int i = graph_.size() - 1; i > 0; --i) {
      const auto* mixture = graph_.nodes[i].layer.get_if<Mixture>();
      if (mixture == nullptr || skipped(i)) continue;
      weights_.resize(graph_.nodes.size());
      skipped_.resize(graph_.nodes.size(), false);
      at(i);
      const Var weights = parameter(0);
      weights_[i] = weights;
      for (std::size_t b = 0; b < mixture->branches.size(); ++b) {
        if (weights.value().data()[b] != 0) continue;
        for (int n = mixture->branches[b].first; n < mixture->branches[b].last; ++n) skipped_[n] = true;
      }
    }
  }

  Graph& graph_;
  Tape& tape_;
  Mode mode_;
  Random random_;
  std::int64_t batch_;
  const Graph::Node* node_ = nullptr;
  int index_ = 0;
  std::vector<Var> values_;
  std::vector<bool> stays_;
  std::vector<Var> parameters_, shared_;
  std::vector<Var> weights_;  // of mixtures, by node; empty where there is none
  std::vector<bool> skipped_;
};

}  // namespace siena
