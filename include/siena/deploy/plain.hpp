// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "siena/nn/network.hpp"

namespace siena::deploy {

/// Throws ArgumentError, with `where` in front, unless a network has layers and none of them is gated by masks or by what
/// samples alternatives.
inline void require_no_gates(const Network& network, std::string_view where) {
  require<ArgumentError>(!network.nodes().empty(), "{}: expected a network with layers, got an empty one", where);
  for (const Network::Node& node : network.nodes()) {
    require<ArgumentError>(node.gates.empty(),
                           "{}: expected a plain network, got '{}', which masks still gate; discretize it first", where,
                           node.name);
  }
}

/// Throws ArgumentError, with `where` in front, unless a network has layers and nothing about them is open: masks that gate a
/// layer, or alternatives.
inline void require_plain(const Network& network, std::string_view where) {
  for (const Network::Node& node : network.nodes()) {
    require<ArgumentError>(!node.layer.is<Mixture>(),
                           "{}: expected a plain network, got '{}', which is open between alternatives; discretize it first",
                           where, node.name);
  }
  require_no_gates(network, where);
}

}  // namespace siena::deploy
