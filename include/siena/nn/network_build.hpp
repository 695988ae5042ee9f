// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of Network that builds and plans; included by network.hpp.

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "siena/nn/network.hpp"

namespace siena {

inline int Network::Builder::append(Layer layer, std::vector<int> inputs, Decoration decoration) {
  const std::string kind(kind_of(layer));
  std::string name;
  do name = format("{}_{}", kind, ++counts_[kind]);
  while (taken(name));
  Node node{.name = std::move(name), .layer = std::move(layer), .inputs = std::move(inputs), .shape = {},
            .parameters = {}, .buffers = {}, .gate = nullptr, .decoration = std::move(decoration)};
  std::vector<Shape> shapes;
  for (const int input : node.inputs) {
    require<ArgumentError>(input >= 0 && input < static_cast<int>(network_.nodes_.size()),
                           "{}: expected inputs of the same network, got a value of another one", node.name);
    shapes.push_back(network_.nodes_[input].shape);
  }
  LayerSetup setup(node.name, shapes);
  node.shape = std::visit([&](const auto& l) { return l.setup(setup); }, node.layer);
  const Random random(network_.seed_);
  for (auto& spec : setup.parameters) {
    const auto index = static_cast<std::uint64_t>(network_.parameter_count());
    node.parameters.push_back(network_.add_parameter(Parameter(node.name + "." + spec.name,
                                                               spec.init.draw(spec.shape, random.split(index)), Role::weight,
                                                               spec.decay)));
  }
  for (auto& spec : setup.buffers) {
    node.buffers.push_back(network_.add_buffer(node.name + "." + spec.name, Tensor(spec.shape, spec.value)));
  }
  network_.nodes_.push_back(std::move(node));
  return static_cast<int>(network_.nodes_.size()) - 1;
}

inline bool Network::Builder::taken(const std::string& name) const {
  return std::any_of(network_.nodes_.begin(), network_.nodes_.end(), [&](const Node& node) { return node.name == name; });
}

inline void Network::Builder::rename(int index, std::string name) {
  Node& node = network_.nodes_[index];
  require<ArgumentError>(!name.empty() && (name == node.name || !taken(name)), "Network: expected a name that no other layer has, got '{}'", name);
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
    if (!used[i]) fail<ArgumentError>("Network: expected every layer to lead to the output, but nothing uses '{}'", nodes_[i].name);
    for (const int input : nodes_[i].inputs) used[input] = true;
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
  std::map<int, Step> fused;                 // by the node whose value the step makes
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
    fused.emplace(next, std::move(step));
  }
  steps_.clear();
  for (int i = 0; i < count; ++i) {
    if (const auto found = fused.find(i); found != fused.end()) {
      steps_.push_back(found->second);
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

}  // namespace siena
