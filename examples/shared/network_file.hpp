// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a program begins with where that is in a file: a network (--network), or weights for its own (--init).

#include <siena/core.hpp>
#include <siena/deploy/network_file.hpp>
#include <siena/nn.hpp>
#include <siena/space.hpp>
#include <string>

#include "outputs.hpp"

namespace siena::examples {

/// The network of --network, in place of `own`. Throws ArgumentError where it does not fit the data that `own` is for.
inline Network network_from(const std::string& file, const Network& own) {
  Network network;
  for_option("--network", [&] { network = deploy::load_network(file); });
  require<ArgumentError>(network.input_shape() == own.input_shape() && network.output_shape() == own.output_shape(),
                         "--network: expected a network from {} to {}, as the data are, got one from {} to {} in '{}'",
                         own.input_shape(), own.output_shape(), network.input_shape(), network.output_shape(), file);
  return network;
}

/// What percents are of: the network, of choices the first alternative.
inline Network whole(const Network& network) {
  Network copy = network;
  const SearchSpace space(copy);
  return space.choices().count() == 0 ? network : discretize(copy, space, space.full());
}

/// The weights of --init, where they fit.
inline void load_weights(Network& network, const std::string& file) {
  try {
    deploy::load_weights(network, file);
  } catch (const FormatError& error) {
    if (!deploy::holds_network(file)) throw;
    fail<FormatError>("{}, which --network {} begins with", error.what(), file);
  }
}

}  // namespace siena::examples
