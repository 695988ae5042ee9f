// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What people deploy: the networks of the benchmarks, and what searches have left of them.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "siena/data/preparation.hpp"
#include "siena/models.hpp"
#include "siena/space/discretize.hpp"
#include "support/random_network.hpp"

namespace siena::test {

struct NamedNetwork {
  std::string name;
  Network network;
};

/// What is left of a network by a chance selection.
inline Network found_by_chance(Network network, std::uint64_t seed) {
  const SearchSpace space = SearchSpace::install(network);
  return discretize(network, space, RandomNetwork(seed).selection(space));
}

/// The five networks and a supernet, whole and found, with norms and biases of any values. Small where a test would take long.
inline std::vector<NamedNetwork> deployed_networks() {
  std::vector<NamedNetwork> networks;
  const auto add = [&](const std::string& name, Network network) {
    networks.push_back({name + ", found", found_by_chance(network, 11)});
    networks.push_back({name, std::move(network)});
  };
  add("resnet8", resnet8());
  add("ds_cnn", ds_cnn());
  add("mobilenet_v1", mobilenet_v1({.input = {48, 48, 3}}));
  add("autoencoder", autoencoder());
  add("resnet18", resnet18({.input = {32, 32, 3}, .width = 0.25}));
  networks.push_back({"ds_cnn_supernet, found", found_by_chance(ds_cnn_supernet({}, true), 12)});
  for (auto& [name, network] : networks) RandomNetwork(13).randomise(network);
  return networks;
}

/// Bytes of images, else numbers, each channel with a mean and a deviation of its own.
inline data::Preparation some_preparation(const Shape& inputs) {
  data::Preparation preparation{.shape = inputs, .bytes = inputs.rank() == 3};
  for (std::int64_t c = 0; c < inputs.columns(); ++c) {
    preparation.mean.push_back(0.2f + 0.1f * static_cast<float>(c % 5));
    preparation.deviation.push_back(0.3f + 0.05f * static_cast<float>(c % 3));
  }
  return preparation;
}

}  // namespace siena::test
