// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/nn/graph.hpp"

namespace siena {

/// Makes a graph, layer by layer, from an input of a shape on: what a Flow talks to. Refers to the graph, which must be empty
/// at first. Parameters are drawn from `seed`; without one they are 0.
class NetworkBuilder {
 public:
  NetworkBuilder(Graph& graph, const Shape& input, std::optional<std::uint64_t> seed) : graph_(graph), seed_(seed) {
    require<ShapeError>(input.rank() > 0 && input.elements() > 0, "Network: expected an input of at least one element, got {}",
                        input);
    graph_.nodes.push_back({.name = "input", .layer = Input{}, .shape = input});
  }
  NetworkBuilder(const NetworkBuilder&) = delete;
  NetworkBuilder& operator=(const NetworkBuilder&) = delete;
  ~NetworkBuilder() { *self_ = nullptr; }

  /// The node of a layer that reads these nodes.
  int append(Layer layer, std::vector<int> inputs, Decoration decoration);
  void rename(int node, std::string name);
  /// The graph is whole and this node its output. Throws ArgumentError where a layer does not lead there.
  void finish(int output);

  Shape shape(int node) const { return graph_.nodes[node].shape; }
  int size() const { return graph_.size(); }  ///< nodes so far
  std::string name(int node) const { return graph_.nodes[node].name; }
  const std::vector<Graph::Node>& nodes() const { return graph_.nodes; }

  /// Where it is for as long as it lives, then null: a Flow outlives it where somebody keeps one.
  const std::shared_ptr<NetworkBuilder*>& self() const { return self_; }

 private:
  void make_parameters(LayerSetup& setup, Graph::Node& node);
  bool taken(const std::string& name) const {
    return std::any_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Graph::Node& node) { return node.name == name; });
  }

  Graph& graph_;
  std::optional<std::uint64_t> seed_;
  std::map<std::string, int> counts_;  // layers of each kind
  std::shared_ptr<NetworkBuilder*> self_ = std::make_shared<NetworkBuilder*>(this);
};

inline int NetworkBuilder::append(Layer layer, std::vector<int> inputs, Decoration decoration) {
  const std::string kind(kind_of(layer));
  std::string name;
  do name = format("{}_{}", kind, ++counts_[kind]);
  while (taken(name));
  Graph::Node node{
      .name = std::move(name), .layer = std::move(layer), .inputs = std::move(inputs), .decoration = std::move(decoration)};
  require<ArgumentError>(!node.inputs.empty(), "{}: expected a layer that reads something, got no inputs", node.name);
  std::vector<Shape> shapes;
  for (const int input : node.inputs) {
    require<ArgumentError>(input >= 0 && input < size(), "{}: expected inputs of the same network, got a value of another one",
                           node.name);
    shapes.push_back(graph_.nodes[input].shape);
  }
  LayerSetup setup(node.name, shapes);
  try {
    node.shape = visit_layer([&](const auto& l) { return l.setup(setup); }, node.layer);
    require<ArgumentError>(shapes.size() == 1 || setup.reads_all() || node.layer.is<Custom>(), "{}: expected one input, got {}",
                           node.name, shapes.size());
    make_parameters(setup, node);
  } catch (const ShapeError& error) {  // of a shape, which knows of no layer
    if (std::string_view(error.what()).starts_with(node.name)) throw;
    fail<ShapeError>("{}: {}", node.name, error.what());
  }
  node.macs = setup.own_macs;
  graph_.nodes.push_back(std::move(node));
  return size() - 1;
}

/// Parameters and buffers that a layer asked for.
inline void NetworkBuilder::make_parameters(LayerSetup& setup, Graph::Node& node) {
  for (auto& spec : setup.parameters) {
    Tensor value = seed_ ? spec.init.draw(spec.shape, Random(*seed_).split(graph_.parameters.size())) : Tensor(spec.shape);
    node.parameters.push_back(
        graph_.add_parameter(Parameter(node.name + "." + spec.name, std::move(value), spec.role, spec.decay)));
  }
  for (auto& spec : setup.buffers) {
    node.buffers.push_back(graph_.add_buffer(node.name + "." + spec.name, Tensor(spec.shape, spec.value)));
  }
}

inline void NetworkBuilder::rename(int index, std::string name) {
  Graph::Node& node = graph_.nodes[index];
  require<ArgumentError>(!name.empty() && (name == node.name || !taken(name)),
                         "Network: expected a name that no other layer has, got '{}'", name);
  const auto renamed = [&](const std::string& old) { return name + old.substr(node.name.size()); };
  for (const int p : node.parameters) graph_.parameters[p]->name = renamed(graph_.parameters[p]->name);
  for (const int b : node.buffers) graph_.buffers[b].name = renamed(graph_.buffers[b].name);
  node.name = std::move(name);
}

inline void NetworkBuilder::finish(int output) {
  const auto& nodes = graph_.nodes;
  graph_.output = output;
  std::vector<bool> used(nodes.size(), false);
  used[output] = true;
  for (int i = size() - 1; i > 0; --i) {
    if (!used[i])
      fail<ArgumentError>("Network: expected every layer to lead to the output, but nothing uses '{}'", nodes[i].name);
    for (const int input : nodes[i].inputs) used[input] = true;
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (const auto* mixture = nodes[i].layer.get_if<Mixture>()) mixture->check_branches(nodes, i);
  }
}

}  // namespace siena
