// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Networks whose weights have few bits.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/nn/layers.hpp"
#include "siena/nn/network.hpp"

namespace siena::test {

/// The same network, in which a layer with weights, of so many outputs, has the bits that `bits_of(outputs)` says.
template <class F>
Network with_bits(const Network& from, F&& bits_of) {
  const auto& nodes = from.nodes();
  Network network(
      from.input_shape(),
      [&](const Flow& input) {
        NetworkBuilder& builder = *input.builder();
        for (std::size_t i = 1; i < nodes.size(); ++i) {
          Layer layer = nodes[i].layer;
          const bool has = visit_layer([]<class L>(const L&) { return has_weight_bits<L>; }, layer);
          if (has) set_weight_bits(layer, bits_of(nodes[i].shape[-1]));
          builder.rename(builder.append(layer, nodes[i].inputs, nodes[i].decoration), nodes[i].name);
        }
        return Flow(&builder, from.output());
      },
      std::nullopt);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Network::Node& to = network.nodes()[i];
    for (std::size_t p = 0; p < nodes[i].parameters.size(); ++p)
      network.parameter(to.parameters[p]).value = from.parameter(nodes[i].parameters[p]).value;
    for (std::size_t b = 0; b < nodes[i].buffers.size(); ++b) network.buffer(to.buffers[b]) = from.buffer(nodes[i].buffers[b]);
  }
  return network;
}

/// Of each layer: 8 bits, a chance number, or a chance number for each output.
inline Network with_chance_bits(const Network& from, std::uint64_t seed) {
  Random random(seed);
  return with_bits(from, [&](std::int64_t outputs) -> WeightBits {
    const auto one = [&] { return random.chance(0.7) ? 2 << random.below(3) : 2 + static_cast<int>(random.below(7)); };
    if (random.chance(0.2)) return 8;
    if (random.chance(0.5)) return one();
    std::vector<int> each;
    for (std::int64_t o = 0; o < outputs; ++o) each.push_back(one());
    return each;
  });
}

}  // namespace siena::test
