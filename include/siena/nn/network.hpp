// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/core/state.hpp"
#include "siena/nn/flow.hpp"
#include "siena/nn/pass.hpp"

namespace siena {

/// A directed acyclic graph of layers with their parameters: nodes in the order they were written, which is an order of
/// execution. Plain run-time data: copying a network copies everything, and the copy shares nothing that changes. What is const
/// may be called from several threads at once; a pass is not (it writes running statistics and gradients): give each thread a
/// copy.
class Network {
 public:
  using Node = Graph::Node;

  Network() = default;

  /// Builds the graph that `build` writes from a Flow of samples of a shape, H x W x C, T x C or F. Parameters are drawn from
  /// `seed`; without one they are 0, for those who bring values.
  template <class Build>
  Network(const Shape& input, Build&& build, std::optional<std::uint64_t> seed = 0) {
    NetworkBuilder builder(graph_, input, seed);
    const Flow output = build(Flow(&builder, 0));
    require<ArgumentError>(output.builder() == &builder,
                           "Network: expected an output of this network, got a value of another one");
    builder.finish(output.node());
    steps_ = plan_steps(graph_);
  }

  const Shape& input_shape() const { return graph_.nodes.front().shape; }
  const Shape& output_shape() const { return graph_.nodes[graph_.output].shape; }
  const std::vector<Node>& nodes() const { return graph_.nodes; }
  int output() const { return graph_.output; }
  const std::vector<Step>& steps() const { return steps_; }

  /// The parameters of a role, in the order of creation. Pointers stay good until the network is copied over or destroyed.
  std::vector<Parameter*> parameters(Role role) {
    std::vector<Parameter*> found;
    for (const auto& parameter : graph_.parameters) {
      if (parameter->role == role) found.push_back(parameter.get());
    }
    return found;
  }
  std::vector<Parameter*> parameters() {
    std::vector<Parameter*> all;
    for (const auto& parameter : graph_.parameters) all.push_back(parameter.get());
    return all;
  }
  Parameter& parameter(int index) { return *graph_.parameters[index]; }
  const Parameter& parameter(int index) const { return *graph_.parameters[index]; }
  int parameter_count() const { return static_cast<int>(graph_.parameters.size()); }
  Tensor& buffer(int index) { return graph_.buffers[index].value; }
  const Tensor& buffer(int index) const { return graph_.buffers[index].value; }
  int buffer_count() const { return static_cast<int>(graph_.buffers.size()); }
  const std::string& buffer_name(int index) const { return graph_.buffers[index].name; }

  /// Number of trainable weights, biases and norms (architecture parameters left out).
  std::int64_t weight_count() const {
    std::int64_t count = 0;
    for (const auto& parameter : graph_.parameters) count += parameter->role == Role::weight ? parameter->value.elements() : 0;
    return count;
  }

  /// For the rooms above: adds a parameter or buffer that belongs to no layer, a gate to a node.
  int add_parameter(Parameter parameter) { return graph_.add_parameter(std::move(parameter)); }
  int add_buffer(std::string name, Tensor value) { return graph_.add_buffer(std::move(name), std::move(value)); }
  /// Other options of a layer, and what may vary in it; its shape, parameters and buffers are to be those that it has.
  void set_options(int node, Layer layer, Decoration decoration) {
    graph_.nodes[node].layer = std::move(layer), graph_.nodes[node].decoration = std::move(decoration);
  }
  void add_gate(int node, std::shared_ptr<const Gate> gate) { graph_.nodes[node].gates.push_back(std::move(gate)); }

  /// Records the network's function of a batch (N x the input shape) on the input's tape.
  Var forward(const Var& input, Mode mode, const Random& random = Random()) {
    require<ArgumentError>(!nodes().empty(), "Network::forward: expected a network with layers, got an empty one");
    require<ShapeError>(input.shape().rank() == input_shape().rank() + 1 && input.shape().sample() == input_shape(),
                        "Network::forward: expected a batch of shape N x {}, got {}", input_shape(), input.shape());
    return Pass(graph_, input, mode, random).run(steps_);
  }

  /// The outputs for a batch, in inference mode, without a tape.
  Tensor predict(const Tensor& input) {
    Tape tape(false);
    return forward(tape.reference(input), Mode::inference).value();
  }

  void zero_grad() {
    for (const auto& parameter : graph_.parameters) parameter->zero_grad();
  }

  /// Values of all parameters and buffers under their names: `node.weight`, `node.running_mean`, ...
  void save(State& state, const std::string& prefix = "") const {
    for (const auto& parameter : graph_.parameters) state.put(prefix + parameter->name, parameter->value);
    for (const auto& buffer : graph_.buffers) state.put(prefix + buffer.name, buffer.value);
  }
  /// Checks everything before it changes anything.
  void load(const State& state, const std::string& prefix = "") {
    for (const auto& parameter : graph_.parameters) (void)state.tensor(prefix + parameter->name, parameter->value.shape());
    for (const auto& buffer : graph_.buffers) (void)state.tensor(prefix + buffer.name, buffer.value.shape());
    for (auto& parameter : graph_.parameters) parameter->value = state.get<Tensor>(prefix + parameter->name);
    for (auto& buffer : graph_.buffers) buffer.value = state.get<Tensor>(prefix + buffer.name);
  }

 private:
  Graph graph_;
  std::vector<Step> steps_;
};

}  // namespace siena
