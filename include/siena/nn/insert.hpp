// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/nn/network.hpp"
#include "siena/nn/network_builder.hpp"

namespace siena {

/// A layer that is to be put behind a node, so that all who read that read the layer.
struct Insertion {
  Layer layer;
  Decoration decoration = {};
};

/// A network with layers between its own; the parameters of those have the values that they begin with.
struct Inserted {
  Network network;
  std::vector<int> nodes;  ///< where each node of the network before is
};

/// The same network with a layer behind each node for which there is one; it is called as the node, with `suffix` behind. In an
/// alternative of a choice the layer is part of it. Gates stay behind.
inline Inserted insert_behind(const Network& network, const std::vector<std::optional<Insertion>>& layers,
                              const std::string& suffix) {
  const auto& nodes = network.nodes();
  std::vector<int> own(nodes.size(), 0), read(nodes.size(), 0);  // where each node is, and what its readers read
  std::vector<int> begins(nodes.size() + 1, 1);                  // how many nodes there are before the place of each
  Network longer(
      network.input_shape(),
      [&](const Flow& input) {
        NetworkBuilder& builder = *input.builder();
        builder.rename(0, nodes[0].name);
        for (std::size_t i = 0; i < nodes.size(); ++i) {
          if (i > 0) {
            begins[i] = builder.size();
            Layer layer = nodes[i].layer;
            if (layer.is<Mixture>()) {
              Mixture mixture = layer.get<Mixture>();
              for (Mixture::Branch& branch : mixture.branches)
                branch.first = begins[static_cast<std::size_t>(branch.first)],
                branch.last = begins[static_cast<std::size_t>(branch.last)];
              layer = std::move(mixture);
            }
            std::vector<int> inputs;
            for (const int k : nodes[i].inputs) inputs.push_back(read[static_cast<std::size_t>(k)]);
            own[i] = builder.append(std::move(layer), std::move(inputs), nodes[i].decoration);
            builder.rename(own[i], nodes[i].name);
          }
          read[i] = own[i];
          if (!layers[i]) continue;
          read[i] = builder.append(layers[i]->layer, {own[i]}, layers[i]->decoration);
          builder.rename(read[i], nodes[i].name + suffix);
        }
        return Flow(&builder, read[static_cast<std::size_t>(network.output())]);
      },
      0);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Network::Node& to = longer.nodes()[static_cast<std::size_t>(own[i])];
    for (std::size_t p = 0; p < nodes[i].parameters.size(); ++p)
      longer.parameter(to.parameters[p]).value = network.parameter(nodes[i].parameters[p]).value;
    for (std::size_t b = 0; b < nodes[i].buffers.size(); ++b)
      longer.buffer(to.buffers[b]) = network.buffer(nodes[i].buffers[b]);
  }
  return {std::move(longer), std::move(own)};
}

}  // namespace siena
