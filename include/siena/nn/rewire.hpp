// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/nn/network.hpp"

namespace siena {

/// A network built from the graph of another one, and where the nodes of that one are in it.
struct Rewired {
  Network network;
  std::vector<int> nodes;  ///< -1: gone
};

/// The graph of a network with other layers, one for each node, under the old names and decorations. `sources` says of each
/// node which node its readers read: itself where it stays, else an earlier one that stays. Values are 0 for the caller to
/// bring over; gates stay behind.
inline Rewired rewire(const Network& network, std::vector<Layer> layers, const std::vector<int>& sources) {
  const auto& nodes = network.nodes();
  std::vector<int> placed(nodes.size(), -1);
  Network rewired(
      network.input_shape(),
      [&](const Flow& input) {
        NetworkBuilder* builder = input.builder();
        builder->rename(0, nodes[0].name);
        placed[0] = 0;
        std::vector<int> before(nodes.size() + 1, 1);  // how many nodes there are before the place of each
        for (std::size_t i = 1; i < nodes.size(); ++i) {
          before[i] = builder->size();
          if (sources[i] != static_cast<int>(i)) continue;
          if (layers[i].is<Mixture>()) {
            Mixture mixture = layers[i].get<Mixture>();
            for (auto& branch : mixture.branches) branch.first = before[branch.first], branch.last = before[branch.last];
            layers[i] = std::move(mixture);
          }
          std::vector<int> from;
          for (const int k : nodes[i].inputs) from.push_back(placed[sources[k]]);
          placed[i] = builder->append(std::move(layers[i]), std::move(from), nodes[i].decoration);
          builder->rename(placed[i], nodes[i].name);
        }
        return Flow(builder, placed[sources[network.output()]]);
      },
      std::nullopt);
  return {std::move(rewired), std::move(placed)};
}

}  // namespace siena
