// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// --bits and --activation-bits: with how many bits layers compute with their weights, and hand their values on.

#include <algorithm>
#include <siena/nn.hpp>
#include <siena/space.hpp>
#include <string>
#include <vector>

namespace siena::examples {

struct BitSettings {
  std::vector<int> widths = {};  ///< to choose from; one: that is it; none: floats, which costs count as 8 bits
  std::string per = "layer";     ///< or channel
  std::vector<int> values = {};  ///< of what layers hand on, the same

  /// What a run with checkpoints is recognised by, a line.
  std::string owner() const {
    const auto line = [](std::string text, const std::vector<int>& all, const std::string& behind) {
      for (const int bits : all) text += format(" {}", bits);
      return all.empty() ? "" : text + (all.size() > 1 ? behind : "") + "\n";
    };
    return line("bits", widths, " per " + per) + line("activation bits", values, "");
  }
  bool choose() const { return widths.size() > 1 || values.size() > 1; }
  /// The network as it is trained, or searched.
  Network of(Network network) const {
    const Bits of_weights{.weights = widths, .per = per == "layer" ? Bits::Per::layer : Bits::Per::channel};
    if (!widths.empty()) {
      const auto is_open = [](const Network::Node& node) {
        return visit_layer([]<class L>(const L&) { return has_weight_bits<L>; }, node.layer) &&
               weight_bits_of(node.layer).none();
      };
      require<ArgumentError>(std::any_of(network.nodes().begin(), network.nodes().end(), is_open),
                             "--bits: expected a network with weights in floats, got one whose layers all have bits; leave "
                             "--bits away to keep them");
      network = with_bits(network, of_weights);
    }
    if (values.empty()) return network;
    require<ArgumentError>(std::none_of(network.nodes().begin(), network.nodes().end(),
                                        [](const Network::Node& node) { return node.layer.is<FakeQuantize>(); }),
                           "--activation-bits: expected a network whose values have no levels yet, got one that was trained "
                           "with levels; leave --activation-bits away to keep them");
    return with_activation_bits(network, {.widths = values});
  }
};

}  // namespace siena::examples
