// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "siena/nn/graph.hpp"

namespace siena {

/// Nodes that are computed at one go: a batch norm with the add and the ReLU that follow it, or a single node.
struct Step {
  int node = 0;
  int output = 0;     ///< the node whose value this is
  int residual = -1;  ///< the node that is added, if any
  bool relu = false;
  std::vector<int> last = {};  ///< values that nobody reads after this step
};

namespace detail {
/// The steps of more than one node, each in the place of the node whose value it makes; and which nodes those compute.
struct FusedSteps {
  std::vector<Step> steps;  // node 0: none
  std::vector<bool> absorbed;
};
inline FusedSteps fuse(const Graph& graph) {
  const auto& nodes = graph.nodes;
  std::vector<std::vector<int>> users(nodes.size());
  for (int i = 0; i < graph.size(); ++i) {
    for (const int input : nodes[i].inputs) users[input].push_back(i);
  }
  const auto only_user = [&](int node) { return users[node].size() == 1 && node != graph.output ? users[node][0] : -1; };

  FusedSteps fused{std::vector<Step>(nodes.size()), std::vector<bool>(nodes.size(), false)};
  for (int i = 0; i < graph.size(); ++i) {
    if (fused.absorbed[i] || !nodes[i].layer.is<BatchNorm>()) continue;
    Step step{.node = i, .relu = true};
    int next = only_user(i), sum = -1;
    if (next >= 0 && !fused.absorbed[next] && nodes[next].layer.is<Add>()) {
      sum = next;
      const auto& summands = nodes[sum].inputs;
      step.residual = summands[0] == i ? summands[1] : summands[0];
      next = only_user(sum);
    }
    if (next < 0 || !nodes[next].layer.is<Relu>()) continue;
    fused.absorbed[i] = true;
    if (sum >= 0) fused.absorbed[sum] = true;
    step.output = next;
    fused.steps[next] = std::move(step);
  }
  return fused;
}
}  // namespace detail

/// The steps of a pass through a graph: which nodes are computed together, and after which step each value is done with.
inline std::vector<Step> plan_steps(const Graph& graph) {
  detail::FusedSteps fused = detail::fuse(graph);
  std::vector<Step> steps;
  for (int i = 0; i < graph.size(); ++i) {
    if (fused.steps[i].node != 0) {
      steps.push_back(std::move(fused.steps[i]));
    } else if (!fused.absorbed[i]) {
      steps.push_back({.node = i, .output = i});
    }
  }

  std::vector<int> last(graph.nodes.size(), -1);
  for (int s = 0; s < static_cast<int>(steps.size()); ++s) {
    for (const int input : graph.nodes[steps[s].node].inputs) last[input] = s;
    if (steps[s].residual >= 0) last[steps[s].residual] = s;
  }
  for (int i = 1; i < graph.size(); ++i) {
    if (last[i] >= 0 && i != graph.output) steps[last[i]].last.push_back(i);
  }
  return steps;
}

}  // namespace siena
