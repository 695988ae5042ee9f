// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/core/state.hpp"
#include "siena/nn/flow.hpp"
#include "siena/nn/gate.hpp"
#include "siena/nn/layers.hpp"

namespace siena {

/// A directed acyclic graph of layers with their parameters: nodes in the order they were written, which is an order of
/// execution. Plain run-time data: copying a network copies everything, and the copy shares nothing that changes.
class Network {
 public:
  struct Node {
    std::string name;
    Layer layer;
    std::vector<int> inputs = {};  ///< nodes before this one
    Shape shape = {};              ///< of one sample of the output
    std::vector<int> parameters =
        {};  ///< indices into the network's parameters, in the order in which the layer asked for them
    std::vector<int> buffers = {};
    std::vector<std::shared_ptr<const Gate>> gates = {};  ///< applied one after the other
    Decoration decoration = {};
    std::optional<double> macs = {};  ///< per sample, where the layer says it of itself
  };
  struct NamedBuffer {
    std::string name;
    Tensor value;
  };
  /// Nodes that are computed at one go: a batch norm with the add and the ReLU that follow it, or a single node.
  struct Step {
    int node = 0;
    int output = 0;     ///< the node whose value this is
    int residual = -1;  ///< the node that is added, if any
    bool relu = false;
    std::vector<int> last;  ///< values that nobody reads after this step
  };

  Network() = default;

  /// Builds the graph that `build` writes from a Flow of samples of a shape, H x W x C, T x C or F. Parameters are drawn from
  /// `seed`; without one they are 0, for those who bring values.
  template <class Build>
  Network(const Shape& input, Build&& build, std::optional<std::uint64_t> seed = 0) : seed_(seed) {
    Builder builder(*this);
    builder.append_input(input);
    const Flow output = build(Flow(&builder, 0));
    require<ArgumentError>(output.builder() == &builder,
                           "Network: expected an output of this network, got a value of another one");
    finish(output.node());
  }

  const Shape& input_shape() const { return nodes_.front().shape; }
  const Shape& output_shape() const { return nodes_[output_].shape; }
  const std::vector<Node>& nodes() const { return nodes_; }
  int output() const { return output_; }
  const std::vector<Step>& steps() const { return steps_; }

  /// The parameters of a role, in the order of creation. Pointers stay good until the network is copied over or destroyed.
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
  const std::string& buffer_name(int index) const { return buffers_[index].name; }

  /// Number of trainable weights, biases and norms (architecture parameters left out).
  std::int64_t weight_count() const {
    std::int64_t count = 0;
    for (const auto& parameter : parameters_) count += parameter->role == Role::weight ? parameter->value.elements() : 0;
    return count;
  }

  /// For the rooms above: adds a parameter or buffer that belongs to no layer, a gate to a node.
  int add_parameter(Parameter parameter) {
    parameters_.push_back(std::make_unique<Parameter>(std::move(parameter)));
    return parameter_count() - 1;
  }
  int add_buffer(std::string name, Tensor value) {
    buffers_.push_back({std::move(name), std::move(value)});
    return static_cast<int>(buffers_.size()) - 1;
  }
  void add_gate(int node, std::shared_ptr<const Gate> gate) { nodes_[node].gates.push_back(std::move(gate)); }

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

  Network(const Network& other)
      : seed_(other.seed_), nodes_(other.nodes_), buffers_(other.buffers_), steps_(other.steps_), output_(other.output_) {
    for (const auto& parameter : other.parameters_) parameters_.push_back(std::make_unique<Parameter>(*parameter));
  }
  Network(Network&&) = default;
  Network& operator=(Network&&) = default;
  Network& operator=(const Network& other) { return *this = Network(other); }

 private:
  class Builder final : public NetworkBuilder {
   public:
    explicit Builder(Network& network) : network_(network) {}
    void append_input(const Shape& shape) {
      require<ShapeError>(shape.rank() > 0 && shape.elements() > 0,
                          "Network: expected an input of at least one element, got {}", shape);
      network_.nodes_.push_back({.name = "input", .layer = Input{}, .shape = shape});
    }
    int append(Layer layer, std::vector<int> inputs, Decoration decoration) override;
    const Shape& shape(int node) const override { return network_.nodes_[node].shape; }
    int size() const override { return static_cast<int>(network_.nodes_.size()); }
    const std::string& name(int node) const override { return network_.nodes_[node].name; }
    void rename(int node, std::string name) override;

   private:
    void make_parameters(LayerSetup& setup, Node& node);
    bool taken(const std::string& name) const;

    Network& network_;
    std::map<std::string, int> counts_;  // layers of each kind
  };
  class Pass;

  void finish(int output);
  void plan();

  std::optional<std::uint64_t> seed_ = 0;
  std::vector<Node> nodes_;
  std::vector<std::unique_ptr<Parameter>> parameters_;  // each in its place for life: tapes point at them
  std::vector<NamedBuffer> buffers_;
  std::vector<Step> steps_;
  int output_ = 0;
};

inline int Network::Builder::append(Layer layer, std::vector<int> inputs, Decoration decoration) {
  const std::string kind(kind_of(layer));
  std::string name;
  do name = format("{}_{}", kind, ++counts_[kind]);
  while (taken(name));
  Node node{
      .name = std::move(name), .layer = std::move(layer), .inputs = std::move(inputs), .decoration = std::move(decoration)};
  require<ArgumentError>(!node.inputs.empty(), "{}: expected a layer that reads something, got no inputs", node.name);
  std::vector<Shape> shapes;
  for (const int input : node.inputs) {
    require<ArgumentError>(input >= 0 && input < static_cast<int>(network_.nodes_.size()),
                           "{}: expected inputs of the same network, got a value of another one", node.name);
    shapes.push_back(network_.nodes_[input].shape);
  }
  LayerSetup setup(node.name, shapes);
  try {
    node.shape = visit_layer([&](const auto& l) { return l.setup(setup); }, node.layer);
    require<ArgumentError>(shapes.size() == 1 || setup.reads_all() || std::holds_alternative<Custom>(node.layer),
                           "{}: expected one input, got {}", node.name, shapes.size());
    make_parameters(setup, node);
  } catch (const ShapeError& error) {  // of a shape, which knows of no layer
    if (std::string_view(error.what()).starts_with(node.name)) throw;
    fail<ShapeError>("{}: {}", node.name, error.what());
  }
  node.macs = setup.own_macs;
  network_.nodes_.push_back(std::move(node));
  return static_cast<int>(network_.nodes_.size()) - 1;
}

/// Parameters and buffers that a layer asked for.
inline void Network::Builder::make_parameters(LayerSetup& setup, Node& node) {
  for (auto& spec : setup.parameters) {
    const auto index = static_cast<std::uint64_t>(network_.parameter_count());
    Tensor value = network_.seed_ ? spec.init.draw(spec.shape, Random(*network_.seed_).split(index)) : Tensor(spec.shape);
    node.parameters.push_back(
        network_.add_parameter(Parameter(node.name + "." + spec.name, std::move(value), spec.role, spec.decay)));
  }
  for (auto& spec : setup.buffers) {
    node.buffers.push_back(network_.add_buffer(node.name + "." + spec.name, Tensor(spec.shape, spec.value)));
  }
}

inline bool Network::Builder::taken(const std::string& name) const {
  return std::any_of(network_.nodes_.begin(), network_.nodes_.end(), [&](const Node& node) { return node.name == name; });
}

inline void Network::Builder::rename(int index, std::string name) {
  Node& node = network_.nodes_[index];
  require<ArgumentError>(!name.empty() && (name == node.name || !taken(name)),
                         "Network: expected a name that no other layer has, got '{}'", name);
  const auto renamed = [&](const std::string& old) { return name + old.substr(node.name.size()); };
  for (const int p : node.parameters) network_.parameters_[p]->name = renamed(network_.parameters_[p]->name);
  for (const int b : node.buffers) network_.buffers_[b].name = renamed(network_.buffers_[b].name);
  node.name = std::move(name);
}

inline void Network::finish(int output) {
  output_ = output;
  std::vector<bool> used(nodes_.size(), false);
  used[output] = true;
  for (int i = static_cast<int>(nodes_.size()) - 1; i > 0; --i) {
    if (!used[i])
      fail<ArgumentError>("Network: expected every layer to lead to the output, but nothing uses '{}'", nodes_[i].name);
    for (const int input : nodes_[i].inputs) used[input] = true;
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (const auto* mixture = std::get_if<Mixture>(&nodes_[i].layer)) mixture->check_branches(nodes_, i);
  }
  plan();
}

/// Works out which nodes are computed together and when each value was read for the last time.
inline void Network::plan() {
  const int count = static_cast<int>(nodes_.size());
  std::vector<std::vector<int>> users(count);
  for (int i = 0; i < count; ++i) {
    for (const int input : nodes_[i].inputs) users[input].push_back(i);
  }
  const auto only_user = [&](int node) { return users[node].size() == 1 && node != output_ ? users[node][0] : -1; };

  std::vector<bool> absorbed(count, false);  // computed in the step of a later node
  std::vector<Step> fused(count);            // by the node whose value the step makes; node 0: none
  for (int i = 0; i < count; ++i) {
    if (absorbed[i] || !std::holds_alternative<BatchNorm>(nodes_[i].layer)) continue;
    Step step{.node = i, .relu = true, .last = {}};
    int next = only_user(i), sum = -1;
    if (next >= 0 && !absorbed[next] && std::holds_alternative<Add>(nodes_[next].layer)) {
      sum = next;
      const auto& summands = nodes_[sum].inputs;
      step.residual = summands[0] == i ? summands[1] : summands[0];
      next = only_user(sum);
    }
    if (next < 0 || !std::holds_alternative<Relu>(nodes_[next].layer)) continue;
    absorbed[i] = true;
    if (sum >= 0) absorbed[sum] = true;
    step.output = next;
    fused[next] = std::move(step);
  }
  steps_.clear();
  for (int i = 0; i < count; ++i) {
    if (fused[i].node != 0) {
      steps_.push_back(fused[i]);
    } else if (!absorbed[i]) {
      steps_.push_back({.node = i, .output = i, .last = {}});
    }
  }

  std::vector<int> last(count, -1);
  for (int s = 0; s < static_cast<int>(steps_.size()); ++s) {
    for (const int input : nodes_[steps_[s].node].inputs) last[input] = s;
    if (steps_[s].residual >= 0) last[steps_[s].residual] = s;
  }
  for (int i = 1; i < count; ++i) {
    if (last[i] >= 0 && i != output_) steps_[last[i]].last.push_back(i);
  }
}

/// One pass: hands each layer its inputs and parameters, and keeps the values in between.
class Network::Pass final : public Forward {
 public:
  Pass(Network& network, const Var& input, Mode mode, const Random& random)
      : network_(network),
        tape_(input.tape()),
        mode_(mode),
        random_(random),
        batch_(input.shape()[0]),
        values_(network.nodes_.size()),
        stays_(network.nodes_.size(), false),
        parameters_(network.parameters_.size()),
        shared_(network.parameters_.size()) {
    values_[0] = input;
  }

  Var run() {
    weigh_branches();
    for (const Step& step : network_.steps_) {
      if (step.node != 0 && !skipped(step.node)) {
        at(step.node);
        fused_relu = step.relu;
        fused_residual = step.residual >= 0 ? values_[step.residual] : Var{};
        const Var value = visit_layer([&](const auto& layer) { return layer.forward(*this); }, node_->layer);
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
    return values_[network_.output_];
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
  void at(int node) {
    node_ = &network_.nodes_[node];
    index_ = node;
  }
  bool skipped(int node) const { return !skipped_.empty() && skipped_[node]; }
  // Weights of mixtures are known first: what they weigh by 0 is not
  // computed. Outer mixtures come after those in their branches.
  void weigh_branches() {
    for (int i = static_cast<int>(network_.nodes_.size()) - 1; i > 0; --i) {
      const auto* mixture = std::get_if<Mixture>(&network_.nodes_[i].layer);
      if (mixture == nullptr || skipped(i)) continue;
      weights_.resize(network_.nodes_.size());
      skipped_.resize(network_.nodes_.size(), false);
      at(i);
      const Var weights = parameter(0);
      weights_[i] = weights;
      for (std::size_t b = 0; b < mixture->branches.size(); ++b) {
        if (weights.value().data()[b] != 0) continue;
        for (int n = mixture->branches[b].first; n < mixture->branches[b].last; ++n) skipped_[n] = true;
      }
    }
  }

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
  std::vector<Var> weights_;  // of mixtures, by node; empty where there is none
  std::vector<bool> skipped_;
};

inline Var Network::forward(const Var& input, Mode mode, const Random& random) {
  require<ArgumentError>(!nodes_.empty(), "Network::forward: expected a network with layers, got an empty one");
  require<ShapeError>(input.shape().rank() == input_shape().rank() + 1 && input.shape().sample() == input_shape(),
                      "Network::forward: expected a batch of shape N x {}, got {}", input_shape(), input.shape());
  return Pass(*this, input, mode, random).run();
}

}  // namespace siena
