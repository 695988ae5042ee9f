// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::json (nlohmann-json): networks as files that stand on their own. Not part of the umbrella header.

#include <filesystem>
#include <string>
#include <utility>

#include "siena/core/json.hpp"
#include "siena/deploy/network_json.hpp"
#include "siena/deploy/safetensors.hpp"

namespace siena::deploy {

/// What else belongs to the file of a network.
struct NetworkFileOptions {
  Metadata metadata = {};     ///< texts of your own, by name
  LayerRegistry layers = {};  ///< layers of users
};

/// Writes a network as a file that stands on its own: a safetensors file with the values, as save_weights writes it, and the
/// graph as JSON (network_to_json) under `siena.network` of its metadata. Plain networks, and supernets as they were written;
/// not one that a SearchSpace gates: save it before the space is made, or what `discretize` returns. Whole or not at all; the
/// same network gives the same bytes. Throws as network_to_json and save_safetensors do.
inline void save_network(const Network& network, const std::filesystem::path& file, const NetworkFileOptions& options = {}) {
  const std::string where = siena::format("save_network: '{}'", file.string());
  Metadata metadata = options.metadata;
  const bool is_new = metadata.emplace(network_metadata, network_to_json(network, options.layers, where).dump()).second;
  require<ArgumentError>(is_new, "{}: expected other metadata than '{}', which holds the graph", where, network_metadata);
  save_weights(network, file, metadata);
}

/// Whether a safetensors file holds a graph: a file of save_network.
inline bool holds_network(const std::filesystem::path& file) {
  return load_safetensors(file).contains(std::string(network_metadata));
}

/// The network of such a file: the same graph, names, values and what may vary. `layers` has the layers of users in it. Throws
/// FormatError, with the file, for one without a graph (the weights alone are for load_weights), and as load_safetensors and
/// network_from_json do.
inline Network load_network(const std::filesystem::path& file, const LayerRegistry& layers = {}) {
  const std::string where = siena::format("load_network: '{}'", file.string());
  const State state = load_safetensors(file);
  const std::string key(network_metadata);
  require<FormatError>(state.contains(key),
                       "{}: expected a file of save_network, got tensors without a graph; hint: load_weights loads them into a "
                       "network that you build",
                       where);
  return network_from_json(parse_json(state.get<std::string>(key), where + ": the graph"), state, layers, where);
}

}  // namespace siena::deploy
