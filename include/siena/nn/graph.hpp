// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/nn/gate.hpp"
#include "siena/nn/layers.hpp"

namespace siena {

/// What a room above attaches to a layer; nn only carries it.
using Decoration = std::any;

/// The data of a network: layers in the order they were written, which is an order of execution, and their values. Copies share
/// nothing that changes.
struct Graph {
  struct Node {
    std::string name;
    Layer layer;
    std::vector<int> inputs = {};      ///< nodes before this one
    Shape shape = {};                  ///< of one sample of the output
    std::vector<int> parameters = {};  ///< indices into the graph's, in the order in which the layer asked for them
    std::vector<int> buffers = {};
    std::vector<std::shared_ptr<const Gate>> gates = {};  ///< applied one after the other
    Decoration decoration = {};
    std::optional<double> macs = {};  ///< per sample, where the layer says it of itself
  };
  struct NamedBuffer {
    std::string name;
    Tensor value;
  };

  std::vector<Node> nodes;
  std::vector<std::unique_ptr<Parameter>> parameters;  ///< each in its place for life: tapes point at them
  std::vector<NamedBuffer> buffers;
  int output = 0;

  Graph() = default;
  Graph(const Graph& other) : nodes(other.nodes), buffers(other.buffers), output(other.output) {
    for (const auto& parameter : other.parameters) parameters.push_back(std::make_unique<Parameter>(*parameter));
  }
  Graph(Graph&&) = default;
  Graph& operator=(Graph&&) = default;
  Graph& operator=(const Graph& other) { return *this = Graph(other); }

  int size() const { return static_cast<int>(nodes.size()); }
  /// Their indices, from now on.
  int add_parameter(Parameter parameter) {
    parameters.push_back(std::make_unique<Parameter>(std::move(parameter)));
    return static_cast<int>(parameters.size()) - 1;
  }
  int add_buffer(std::string name, Tensor value) {
    buffers.push_back({std::move(name), std::move(value)});
    return static_cast<int>(buffers.size()) - 1;
  }
};

/// From one level to the next of what a node reads first, as Forward::input_step says. `parameter(i)`: that of the network.
template <class Parameters>
float input_step(const std::vector<Graph::Node>& nodes, const Graph::Node& of, const Parameters& parameter) {
  const Graph::Node* from = &nodes[of.inputs[0]];
  while (only_moves(from->layer)) from = &nodes[from->inputs[0]];
  const auto* levels = from->layer.get_if<FakeQuantize>();
  if (levels == nullptr || !levels->widths.empty()) return 0;
  return levels->step(levels->learned ? &parameter(from->parameters[0]).value : nullptr);
}

}  // namespace siena
