// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "siena/deploy/fold_batch_norm.hpp"
#include "siena/deploy/plain.hpp"
#include "siena/nn/lowering.hpp"
#include "siena/nn/network.hpp"

namespace siena::deploy {

/// What an operation reads or makes. Of integers this would say scale and zero point.
struct Value {
  std::string name;
  Shape shape;  ///< of one sample
};

/// One step of a network that runs elsewhere. Of integers it would have weights of few bits and a multiplier for each channel,
/// beside the constants that they are made of.
struct Operation {
  std::string name;  ///< of its layer, or that and the name of a part
  Primitive what;
  std::vector<int> inputs;  ///< values
  int output = 0;           ///< a value; its name is the operation's, or that of the activation in `range`
  std::vector<Constant> constants = {};
  primitive::Clamp range = {};  ///< of what it makes: that of a ReLU or clip behind it

  bool clamped() const { return range != primitive::Clamp{}; }
};

/// A network as a list of operations in the order of execution: all that a writer of files, a simulator or a count needs.
struct LoweredNetwork {
  std::vector<Value> values;  ///< the network's input, then one for each operation, in their order
  std::vector<Operation> operations;
  int output = 0;  ///< a value, which has the name of the network's last layer

  const Shape& input_shape(const Operation& operation, int k = 0) const { return values[operation.inputs[k]].shape; }
  const Shape& output_shape(const Operation& operation) const { return values[operation.output].shape; }
  /// The operations that read each value, each as often as it does.
  std::vector<std::vector<int>> readers() const {
    std::vector<std::vector<int>> result(values.size());
    for (std::size_t i = 0; i < operations.size(); ++i) {
      for (const int input : operations[i].inputs) result[input].push_back(static_cast<int>(i));
    }
    return result;
  }
};

struct LowerOptions {
  bool fold_batch_norm = true;  ///< into the layers before; else FixedNorm
};

namespace detail {

/// Puts the parts of all layers one after the other.
class Lowerer {
 public:
  explicit Lowerer(const Network& network) : network_(network), places_(network.nodes().size(), 0) {}

  LoweredNetwork run() {
    const auto& nodes = network_.nodes();
    result_.values.push_back({nodes[0].name, nodes[0].shape});
    for (std::size_t i = 1; i < nodes.size(); ++i) places_[i] = lower(nodes[i]);
    result_.output = places_[network_.output()];
    const Network::Node& last = nodes[network_.output()];
    if (result_.values[result_.output].name != last.name)  // it hands on what another made
      result_.output = append(last, {.what = primitive::Reshape{}, .shape = last.shape}, {result_.output});
    return std::move(result_);
  }

 private:
  int lower(const Network::Node& node) {
    std::vector<Shape> shapes;
    std::vector<int> values;
    std::vector<Constant> constants;
    for (const int input : node.inputs) {
      shapes.push_back(network_.nodes()[input].shape);
      values.push_back(places_[input]);
    }
    for (const int p : node.parameters) constants.push_back({network_.parameter(p).name, network_.parameter(p).value});
    for (const int b : node.buffers) constants.push_back({network_.buffer_name(b), network_.buffer(b)});
    const float step =
        input_step(network_.nodes(), node, [&](int index) -> const Parameter& { return network_.parameter(index); });
    Lowering lowering(node.name, std::move(shapes), node.shape, std::move(constants), step);
    visit_layer([&](const auto& layer) { layer.lower(lowering); }, node.layer);
    const auto& parts = lowering.parts();
    const bool whole =
        parts.empty() ? lowering.is_handed_on() && lowering.input() == node.shape : parts.back().shape == node.shape;
    require<ArgumentError>(
        whole, "{}: expected operations of which the last makes {}, got {}; where there is nothing to compute say hands_on()",
        node.name, node.shape, parts.empty() ? "none" : parts.back().shape.to_string());
    for (std::size_t k = 0; k < parts.size(); ++k) {
      std::vector<int> inputs;
      for (const int input : parts[k].inputs) inputs.push_back(values[input]);
      Lowering::Part part = parts[k];
      if (k + 1 == parts.size()) part.name = "";
      values.push_back(append(node, std::move(part), std::move(inputs)));
    }
    return parts.empty() ? values[0] : values.back();
  }
  int append(const Network::Node& node, Lowering::Part part, std::vector<int> inputs) {
    const int made = static_cast<int>(result_.values.size());
    const std::string name = part.name.empty() ? node.name : node.name + "." + part.name;
    result_.values.push_back({name, part.shape});
    result_.operations.push_back({name, std::move(part.what), std::move(inputs), made, std::move(part.constants)});
    return made;
  }

  const Network& network_;
  std::vector<int> places_;  // the value of each node
  LoweredNetwork result_;
};

/// Whether an operation works out numbers that it could hold between two levels at no cost.
inline bool clamps(const Primitive& what) {
  return is_any<primitive::Convolution, primitive::Linear, primitive::FixedNorm, primitive::SampleNorm, primitive::Add,
                primitive::Multiply, primitive::AveragePool>(what);
}

/// Gives clamps to the operations before them, where nobody else reads what those make.
inline void fuse_clamps(LoweredNetwork& network) {
  const auto readers = network.readers();
  std::vector<int> maker(network.values.size(), -1), places(network.values.size(), 0);
  std::vector<Operation> kept;
  for (Operation& operation : network.operations) {
    const auto* clamp = std::get_if<primitive::Clamp>(&operation.what);
    const int from = operation.inputs[0], before = maker[from];
    const bool fuses = clamp != nullptr && *clamp != primitive::Clamp{} && before >= 0 && from != network.output &&
                       readers[from].size() == 1 && clamps(kept[before].what) && !kept[before].clamped();
    if (fuses) kept[before].range = *clamp, kept[before].output = operation.output;
    maker[operation.output] = fuses ? before : static_cast<int>(kept.size());
    if (!fuses) kept.push_back(std::move(operation));
  }
  std::vector<Value> values{std::move(network.values[0])};
  for (Operation& operation : kept) {
    for (int& input : operation.inputs) input = places[input];
    places[operation.output] = static_cast<int>(values.size());
    values.push_back(std::move(network.values[operation.output]));
    operation.output = places[operation.output];
  }
  network = {std::move(values), std::move(kept), places[network.output]};
}

}  // namespace detail

/// The operations of a plain network in inference mode: batch norms folded, ReLUs and clips held by the operation before them.
/// Which operations a layer is made of is said by the layer (Lowerable). Throws ArgumentError where masks or alternatives are
/// left, and for layers of users that do not say it.
inline LoweredNetwork lower(const Network& network, const LowerOptions& options = {}) {
  require_plain(network, "lower");
  LoweredNetwork lowered =
      options.fold_batch_norm ? detail::Lowerer(fold_batch_norm(network)).run() : detail::Lowerer(network).run();
  detail::fuse_clamps(lowered);
  return lowered;
}

}  // namespace siena::deploy
