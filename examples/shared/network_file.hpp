// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a program begins with where that is in a file: a network (--network), or weights for its own (--init).

#include <optional>
#include <siena/core.hpp>
#include <siena/data.hpp>
#include <siena/deploy/network_file.hpp>
#include <siena/deploy/preparation_file.hpp>
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

/// How the inputs of the network in a file were prepared, where it says so.
inline std::optional<data::Preparation> preparation_in(const std::string& file) {
  std::optional<data::Preparation> found;
  for_option("--network", [&] {
    if (deploy::load_safetensors(file).contains(std::string(data::preparation_key))) found = deploy::load_preparation(file);
  });
  return found;
}

/// Samples normalised as those of a network were. Throws ArgumentError where they are other things: features of another
/// front-end, numbers in place of bytes.
inline data::Dataset prepared_as(const data::Preparation& trained, const data::Dataset& samples) {
  const data::Preparation own = samples.preparation();
  const bool known = own.colours != data::Colours::none && trained.colours != data::Colours::none;
  require<ArgumentError>(own.shape == trained.shape && own.bytes == trained.bytes && own.sound == trained.sound &&
                             (!known || own.colours == trained.colours),
                         "--network: expected data prepared as the network was trained with, {} of {}{}, got {} of {}{}",
                         trained.bytes ? "bytes" : "numbers", trained.shape,
                         trained.sound ? ", " + to_string(trained.sound->front_end) : "", own.bytes ? "bytes" : "numbers",
                         own.shape, own.sound ? ", " + to_string(own.sound->front_end) : "");
  return samples.normalized(trained.mean, trained.deviation);
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
