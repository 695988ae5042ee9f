// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "siena/space/narrow.hpp"

namespace siena {

/// The plain network that a selection leaves: no masks, no gates, smaller layers, and the same function as the masked network,
/// since masked channels are read by nobody. Weights, biases, batch norms and their statistics are carried over; names and what
/// may vary too: it can be searched further. Where weights of one layer differ in bits, channels are in that order
/// (order_by_bits).
inline Network discretize(const Network& network, const SearchSpace& space, const Selection& selection) {
  Narrowed plain = narrow(network, space, selection, ChannelOrder::by_bits);
  bring_over(network, plain);
  return std::move(plain.network);
}

/// The plain network that the masks leave now.
inline Network discretize(const Network& network, const SearchSpace& space) {
  return discretize(network, space, space.selection(network));
}

}  // namespace siena
