// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "siena/nn/network.hpp"
#include "siena/space/search_space.hpp"

namespace siena {

/// What a search may change in one layer, and why no more: "8 to 32 of 32 channels; kernel 1x1 to 5x5".
struct LayerFreedom {
  std::string layer = {};
  std::string text = {};

  std::string to_string() const { return layer + ": " + text; }
};

/// What a search may change in a network, what stays, and why.
struct Freedom {
  std::vector<LayerFreedom> layers = {};

  /// A line for each layer of which there is something to say.
  std::string to_string() const {
    std::size_t width = 0;
    for (const LayerFreedom& layer : layers) width = std::max(width, layer.layer.size());
    std::string text = "what may vary:";
    for (const LayerFreedom& layer : layers)
      text += "\n  " + layer.layer + std::string(width + 2 - layer.layer.size(), ' ') + layer.text;
    return text;
  }
};

/// What may vary of a network whose search space that is.
inline Freedom freedom(const Network& network, const SearchSpace& space) {
  Freedom all;
  for (int i = 1; i < static_cast<int>(network.nodes().size()); ++i) {
    LayerFreedom layer{.layer = network.nodes()[i].name};
    for (const AnyAxis& axis : space.axes()) {
      const std::string more = axis->freedom(network, i);
      if (!more.empty()) layer.text += (layer.text.empty() ? "" : "; ") + more;
    }
    if (!layer.text.empty()) all.layers.push_back(std::move(layer));
  }
  return all;
}

/// Of a network with searchable layers, before any search: what wrapping them allows, and what else has to vary for more.
inline Freedom freedom(Network network, const SpaceOptions& options = {}) {
  const SearchSpace space = SearchSpace::install(network, options);
  return freedom(network, space);
}

}  // namespace siena
