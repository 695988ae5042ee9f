// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/core/state.hpp"
#include "siena/nn/flow.hpp"
#include "siena/nn/gate.hpp"
#include "siena/nn/layers.hpp"

namespace siena {

/// A directed acyclic graph of layers with their parameters: nodes in the order they were written, which is an order of execution.
/// Plain run-time data: copying a network copies everything, and the copy shares nothing that changes.
class Network {
 public:
  struct Node {
    std::string name;
    Layer layer;
    std::vector<int> inputs;      ///< nodes before this one
    Shape shape;                  ///< of one sample of the output
    std::vector<int> parameters;  ///< indices into the network's parameters, in the order in which the layer asked for them
    std::vector<int> buffers;
    std::shared_ptr<const Gate> gate;
    Decoration decoration;
  };
  struct NamedBuffer {
    std::string name;
    Tensor value;
  };
  /// Nodes that are computed at one go: a batch norm with the add and the ReLU that follow it, or a single node.
  struct Step {
    int node = 0;
    int output = 0;         ///< the node whose value this is
    int residual = -1;      ///< the node that is added, if any
    bool relu = false;
    std::vector<int> last;  ///< values that nobody reads after this step
  };

  Network() = default;

  /// Builds the graph that `build` writes from a Flow of samples of a shape, H x W x C or F. Parameters are drawn from `seed`.
  template <class Build>
  Network(const Shape& input, Build&& build, std::uint64_t seed = 0) : seed_(seed) {
    Builder builder(*this);
    builder.append_input(input);
    const Flow output = build(Flow(&builder, 0));
    require<ArgumentError>(output.builder() == &builder, "Network: expected an output of this network, got a value of another one");
    finish(output.node());
  }

  const Shape& input_shape() const { return nodes_.front().shape; }
  const Shape& output_shape() const { return nodes_[output_].shape; }
  const std::vector<Node>& nodes() const { return nodes_; }
  int output() const { return output_; }
  const std::vector<Step>& steps() const { return steps_; }

  /// The parameters of a role, in the order of their creation. Pointers stay good until the network is copied over or destroyed.
  std::vector<Parameter*> parameters(Role role) {
    std::vector<Parameter*> found;
    for (const auto& parameter : parameters_) {
      if (parameter->role == role) found.push_back(parameter.get());
    }
    return found;
  }
  Parameter& parameter(int index) { return *parameters_[index]; }
  const Parameter& parameter(int index) const { return *parameters_[index]; }
  int parameter_count() const { return static_cast<int>(parameters_.size()); }
  Tensor& buffer(int index) { return buffers_[index].value; }
  const Tensor& buffer(int index) const { return buffers_[index].value; }

  /// Number of trainable weights, biases and norms (architecture parameters left out).
  std::int64_t weight_count() const {
    std::int64_t count = 0;
    for (const auto& parameter : parameters_) count += parameter->role == Role::weight ? parameter->value.elements() : 0;
    return count;
  }

  /// For the rooms above: adds a parameter or buffer that belongs to no layer, sets the gate of a node, drops all of these again.
  int add_parameter(Parameter parameter) {
    parameters_.push_back(std::make_unique<Parameter>(std::move(parameter)));
    return parameter_count() - 1;
  }
  int add_buffer(std::string name, Tensor value) {
    buffers_.push_back({std::move(name), std::move(value)});
    return static_cast<int>(buffers_.size()) - 1;
  }
  void set_gate(int node, std::shared_ptr<const Gate> gate) { nodes_[node].gate = std::move(gate); }

  /// Records the network's function of a batch (N x the input shape) on the input's tape.
  Var forward(const Var& input, Mode mode, const Random& random = Random());

  /// The outputs for a batch, in inference mode, without a tape.
  Tensor predict(const Tensor& input) {
    Tape tape(false);
    return forward(tape.reference(input), Mode::inference).value();
  }

  void zero_grad() {
    for (const auto& parameter : parameters_) parameter->zero_grad();
  }

  /// Values of all parameters and buffers under their names: `node.weight`, `node.running_mean`, ...
  void save(State& state, const std::string& prefix = "") const {
    for (const auto& parameter : parameters_) state.put(prefix + parameter->name, parameter->value);
    for (const auto& buffer : buffers_) state.put(prefix + buffer.name, buffer.value);
  }
  /// Checks everything before it changes anything.
  void load(const State& state, const std::string& prefix = "") {
    for (const auto& parameter : parameters_) (void)state.tensor(prefix + parameter->name, parameter->value.shape());
    for (const auto& buffer : buffers_) (void)state.tensor(prefix + buffer.name, buffer.value.shape());
    for (auto& parameter : parameters_) parameter->value = state.get<Tensor>(prefix + parameter->name);
    for (auto& buffer : buffers_) buffer.value = state.get<Tensor>(prefix + buffer.name);
  }

  Network(const Network& other) { *this = other; }
  Network(Network&&) = default;
  Network& operator=(Network&&) = default;
  Network& operator=(const Network& other) {
    if (this == &other) return *this;
    seed_ = other.seed_;
    nodes_ = other.nodes_;
    buffers_ = other.buffers_;
    steps_ = other.steps_;
    output_ = other.output_;
    parameters_.clear();
    for (const auto& parameter : other.parameters_) parameters_.push_back(std::make_unique<Parameter>(*parameter));
    return *this;
  }

 private:
  class Builder final : public NetworkBuilder {
   public:
    explicit Builder(Network& network) : network_(network) {}
    void append_input(const Shape& shape) {
      require<ShapeError>(shape.rank() > 0 && shape.elements() > 0, "Network: expected an input of at least one element, got {}", shape);
      network_.nodes_.push_back({.name = "input", .layer = Input{}, .inputs = {}, .shape = shape, .parameters = {}, .buffers = {},
                                 .gate = nullptr, .decoration = {}});
    }
    int append(Layer layer, std::vector<int> inputs, Decoration decoration) override;
    const Shape& shape(int node) const override { return network_.nodes_[node].shape; }
    void rename(int node, std::string name) override;

   private:
    bool taken(const std::string& name) const;

    Network& network_;
    std::map<std::string, int> counts_;  // layers of each kind
  };
  class Pass;

  void finish(int output);
  void plan();

  std::uint64_t seed_ = 0;
  std::vector<Node> nodes_;
  std::vector<std::unique_ptr<Parameter>> parameters_;  // each in its place for life: tapes point at them
  std::vector<NamedBuffer> buffers_;
  std::vector<Step> steps_;
  int output_ = 0;
};

}  // namespace siena

#include "siena/nn/network_build.hpp"
#include "siena/nn/network_forward.hpp"
