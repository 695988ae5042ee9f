// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "siena/cost/description.hpp"
#include "siena/nn/batch_norm_folding.hpp"
#include "siena/space/layer_description.hpp"
#include "siena/space/search_space.hpp"
#include "siena/space/value_bits.hpp"

namespace siena {

namespace detail {
/// The network as cost models see it.
template <class N>
Architecture<N> describe_with(const Network& network, const Variation<N>& variation) {
  const std::vector<int>& sources = variation.sources;
  const auto& nodes = network.nodes();
  const auto there = [&](int node) { return sources[node] == node; };
  const BatchNormFolding folding = batch_norm_folding(network, sources);
  std::vector<int> place(nodes.size(), -1);  // in the architecture
  Architecture<N> architecture;
  const bool quantizes =
      std::any_of(nodes.begin(), nodes.end(), [](const auto& node) { return node.layer.template is<FakeQuantize>(); });
  const std::vector<N> bits = quantizes ? value_bits<N>(network, sources, folding, variation.value_bits) : std::vector<N>();
  for (int i = 1; i < static_cast<int>(nodes.size()); ++i) {
    if (!there(i)) continue;
    const Network::Node& node = nodes[i];
    LayerDesc<N> layer = describe_layer<N>(network, i, variation);
    for (const int input : node.inputs) layer.producers.push_back(place[sources[input]]);
    if (quantizes) {
      layer.input_bits = bits[sources[node.inputs[0]]], layer.output_bits = bits[i];
      for (const int input : node.inputs) layer.input_bits = max_of(layer.input_bits, bits[sources[input]]);
    }
    place[i] = static_cast<int>(architecture.layers.size());
    layer.batch_norm_folded = folding.folded[i];
    architecture.layers.push_back(std::move(layer));
  }
  return architecture;
}

/// A network as it is written: of choices all alternatives.
template <class N>
Variation<N> as_written(const Network& network) {
  Variation<N> variation;
  variation.sources.resize(network.nodes().size());
  std::iota(variation.sources.begin(), variation.sources.end(), 0);
  variation.channels = [&network](int node) { return N(static_cast<double>(network.nodes()[node].shape[-1])); };
  variation.kernel = [](int) { return std::optional<KernelSize<N>>(); };
  return variation;
}
}  // namespace detail

/// A plain network, exactly; of a network with choices all alternatives.
inline Architecture<double> describe(const Network& network) {
  return detail::describe_with(network, detail::as_written<double>(network));
}

/// The network that a selection leaves, exactly: what `describe` says of the network that `discretize` returns.
inline Architecture<double> describe(const Network& network, const SearchSpace& space, const Selection& selection) {
  auto variation = detail::as_written<double>(network);
  for (std::size_t a = 0; a < space.axes().size(); ++a) space.axes()[a]->vary(network, selection[a], variation);
  return detail::describe_with(network, variation);
}

/// The network that its space leaves now, exactly.
inline Architecture<double> describe(const Network& network, const SearchSpace& space) {
  return describe(network, space, space.selection(network));
}

/// What the search is charged, with its gradient: channel counts and live taps are sums of binary masks on `tape`, and of every
/// open choice all alternatives are there, each with its probability as presence, so that totals are expected costs.
inline Architecture<Scalar> describe(Tape& tape, Network& network, const SearchSpace& space) {
  auto variation = detail::as_written<Scalar>(network);
  for (const AnyAxis& axis : space.axes()) axis->vary(tape, network, variation);
  auto architecture = detail::describe_with(network, variation);
  for (const AnyAxis& axis : space.axes()) axis->weigh(tape, network, variation.sources, architecture);
  return architecture;
}

/// What the search is charged, without gradients: expected where choices are open, exact where none is.
inline Architecture<double> describe_expected(Network& network, const SearchSpace& space) {
  Tape tape(false);
  return convert<double>(describe(tape, network, space));
}

}  // namespace siena
