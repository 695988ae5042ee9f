// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <variant>
#include <vector>

#include "siena/nn/network.hpp"

namespace siena {

/// Which nodes have a part in folding: batch norms that fold away, and the convolutions and linear layers that they fold into,
/// those right before them where nobody else reads what those compute. Through open choices too: such a batch norm folds into
/// each alternative. `sources` says of each node which node its readers read, itself where it stays. What networks are charged
/// for and what is deployed both ask here.
inline std::vector<bool> folded_batch_norms(const Network& network, const std::vector<int>& sources) {
  const auto& nodes = network.nodes();
  const int count = static_cast<int>(nodes.size());
  std::vector<int> users(nodes.size(), 0), reader(nodes.size(), -1);
  for (int i = 0; i < count; ++i) {
    if (sources[i] != i) continue;
    for (const int input : nodes[i].inputs) ++users[sources[input]], reader[sources[input]] = i;
  }
  const auto is_mixture = [&](int node) { return std::holds_alternative<Mixture>(nodes[node].layer); };
  const auto feeds_batch_norm = [&](int node) {
    while (users[node] == 1 && is_mixture(reader[node])) node = reader[node];
    return users[node] == 1 && std::holds_alternative<BatchNorm>(nodes[reader[node]].layer);
  };
  std::vector<bool> folded(nodes.size(), false), takes(nodes.size(), false);  // takes: a batch norm after it
  for (int i = 0; i < count; ++i) {
    if (sources[i] != i) continue;
    const Layer& layer = nodes[i].layer;
    const auto& inputs = nodes[i].inputs;
    const bool weighs = convolution_of(layer) || std::holds_alternative<Linear>(layer);
    const auto input_takes = [&](int input) { return takes[sources[input]]; };
    takes[i] = users[i] == 1 && (weighs || (is_mixture(i) && std::all_of(inputs.begin(), inputs.end(), input_takes)));
    folded[i] = weighs ? feeds_batch_norm(i) : std::holds_alternative<BatchNorm>(layer) && input_takes(inputs[0]);
  }
  return folded;
}

}  // namespace siena
