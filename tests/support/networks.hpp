// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tests of whole networks count.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "siena/nn/network.hpp"
#include "siena/space/search_space.hpp"

namespace siena::test {

struct ParameterCounts {
  std::int64_t weights = 0, biases = 0, norms = 0;
};

/// Weights and biases of the layers that have them; what batch norms learn.
inline ParameterCounts parameter_counts(const Network& network) {
  ParameterCounts counts;
  for (const auto& node : network.nodes()) {
    const bool norm = node.layer.is<BatchNorm>();
    for (std::size_t p = 0; p < node.parameters.size(); ++p) {
      (norm ? counts.norms : p == 0 ? counts.weights : counts.biases) += network.parameter(node.parameters[p]).value.elements();
    }
  }
  return counts;
}

/// Largest difference, in multiples of the largest element of `a` (or of
/// `least`, if that is larger); infinite where the shapes differ.
inline double difference(const Tensor& a, const Tensor& b, double least = 1e-6) {
  if (a.shape() != b.shape()) return HUGE_VAL;
  double most = 0, largest = least;
  for (std::int64_t r = 0; r < a.rows(); ++r) {
    for (std::size_t c = 0; c < a.row(r).size(); ++c) {
      most = std::max<double>(most, std::abs(a.row(r)[c] - b.row(r)[c]));
      largest = std::max<double>(largest, std::abs(a.row(r)[c]));
    }
  }
  return most / largest;
}

struct Freedom {
  std::size_t groups = 0;     ///< of channels that vary together
  std::int64_t channels = 0;  ///< in those groups
};

/// What a search may choose about the channels of a network.
inline Freedom freedom(Network network) {
  Freedom freedom;
  const SearchSpace space = SearchSpace::install(network);
  for (const ChannelGroup& group : space.axis<ChannelMasks>().groups()) {
    if (!group.frozen) ++freedom.groups, freedom.channels += group.channels;
  }
  return freedom;
}

}  // namespace siena::test
