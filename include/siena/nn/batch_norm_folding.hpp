// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "siena/nn/network.hpp"

namespace siena {

/// Which nodes have a part in folding batch norms into the convolutions and linear layers before them.
struct BatchNormFolding {
  std::vector<bool> folded;     ///< batch norms that fold away, and the layers that they fold into
  std::vector<bool> takes;      ///< a batch norm right behind this node folds
  std::vector<bool> read_once;  ///< by one reader
};

/// A batch norm folds into the layer before it, with nothing but batch norms that fold between, where nobody else reads what
/// that computes. Through open choices too, where it folds into each alternative. `sources` says of each node which node its
/// readers read, itself where it stays. What networks are charged for and what is deployed both ask here.
inline BatchNormFolding batch_norm_folding(const Network& network, const std::vector<int>& sources) {
  const auto& nodes = network.nodes();
  const int count = static_cast<int>(nodes.size());
  std::vector<int> users(nodes.size(), 0), reader(nodes.size(), -1);
  for (int i = 0; i < count; ++i) {
    if (sources[i] != i) continue;
    for (const int input : nodes[i].inputs) ++users[sources[input]], reader[sources[input]] = i;
  }
  const auto is_mixture = [&](int node) { return nodes[node].layer.is<Mixture>(); };
  const auto feeds_batch_norm = [&](int node) {
    while (users[node] == 1 && is_mixture(reader[node])) node = reader[node];
    return users[node] == 1 && nodes[reader[node]].layer.is<BatchNorm>();
  };
  const std::vector<bool> none(nodes.size(), false);
  BatchNormFolding result{none, none, none};
  for (int i = 0; i < count; ++i) {
    if (sources[i] != i) continue;
    const Layer& layer = nodes[i].layer;
    const auto& inputs = nodes[i].inputs;
    const bool weighs = may_take_batch_norm(layer);
    const auto input_takes = [&](int input) { return result.takes[sources[input]]; };
    result.read_once[i] = users[i] == 1;
    result.folded[i] = weighs ? feeds_batch_norm(i) : layer.is<BatchNorm>() && input_takes(inputs[0]);
    const bool hands_on = is_mixture(i) ? std::all_of(inputs.begin(), inputs.end(), input_takes) : result.folded[i];
    result.takes[i] = users[i] == 1 && (weighs || hands_on);
  }
  return result;
}

}  // namespace siena
