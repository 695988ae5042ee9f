// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// --bits: with how many bits layers compute with their weights.

#include <siena/nn.hpp>
#include <siena/space.hpp>
#include <string>
#include <vector>

namespace siena::examples {

struct BitSettings {
  std::vector<int> widths = {};  ///< to choose from; one: that is it; none: floats, which costs count as 8 bits
  std::string per = "layer";     ///< or channel

  /// What a run with checkpoints is recognised by, a line.
  std::string owner() const {
    if (widths.empty()) return "";
    std::string text = "bits";
    for (const int bits : widths) text += format(" {}", bits);
    return widths.size() == 1 ? text + "\n" : text + " per " + per + "\n";
  }
  /// The network as it is trained, or searched.
  Network of(Network network) const {
    if (widths.empty()) return network;
    return with_bits(network, {.weights = widths, .per = per == "layer" ? Bits::Per::layer : Bits::Per::channel});
  }
};

}  // namespace siena::examples
