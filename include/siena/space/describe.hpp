// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "siena/autograd/ops/structure.hpp"
#include "siena/cost/description.hpp"
#include "siena/nn/batch_norm_folding.hpp"
#include "siena/space/layer_description.hpp"
#include "siena/space/search_space.hpp"

namespace siena {

namespace detail {
inline KernelSize<double> kernel_size(const KernelCut& cut) {
  const auto distance = [](const std::vector<int>& kept) { return kept.size() > 1 ? kept[1] - kept[0] : 1; };
  return {.height = static_cast<int>(cut.rows.size()),
          .width = static_cast<int>(cut.columns.size()),
          .first_row = cut.rows.front(),
          .row_distance = distance(cut.rows),
          .column_distance = distance(cut.columns)};
}

/// What varies of a network: which nodes stand for which (`sources`, see Choices), `channels(node)`, how many channels each
/// puts out, and `kernel(node)`, where that is not the kernel of its layer.
template <class Channels, class Kernel>
struct Variation {
  const std::vector<int>& sources;
  const Channels& channels;
  const Kernel& kernel;
};
template <class Channels, class Kernel>
Variation(const std::vector<int>&, const Channels&, const Kernel&) -> Variation<Channels, Kernel>;

/// The network as cost models see it.
template <class N, class Channels, class Kernel>
Architecture<N> describe_with(const Network& network, const Variation<Channels, Kernel>& variation) {
  const std::vector<int>& sources = variation.sources;
  const auto& nodes = network.nodes();
  const auto there = [&](int node) { return sources[node] == node; };
  const std::vector<bool> folded = batch_norm_folding(network, sources).folded;
  std::vector<int> place(nodes.size(), -1);  // in the architecture
  Architecture<N> architecture;
  for (int i = 1; i < static_cast<int>(nodes.size()); ++i) {
    if (!there(i)) continue;
    const Network::Node& node = nodes[i];
    LayerDesc<N> layer = describe_layer<N>(network, i, variation.channels, variation.kernel(i));
    for (const int input : node.inputs) layer.producers.push_back(place[sources[input]]);
    place[i] = static_cast<int>(architecture.layers.size());
    layer.batch_norm_folded = folded[i];
    architecture.layers.push_back(std::move(layer));
  }
  return architecture;
}

template <class N, class GroupCount>
N count_runs(const std::vector<ChannelRun>& runs, const GroupCount& count) {
  N sum = 0;
  for (const ChannelRun& run : runs) sum += count(run.group) * static_cast<double>(run.width * run.repeat);
  return sum;
}

/// Gives the layers of open choices the probability of their alternative as presence; and a batch norm behind a choice that of
/// the alternatives into which it does not fold.
inline void weigh_alternatives(Tape& tape, Network& network, const SearchSpace& space, const std::vector<int>& sources,
                               Architecture<Scalar>& architecture) {
  const Choices& choices = space.choices();
  std::vector<LayerDesc<Scalar>*> layers(network.nodes().size(), nullptr);
  for (auto& layer : architecture.layers) layers[layer.node] = &layer;
  std::vector<std::vector<Scalar>> probabilities(network.nodes().size());
  for (int c = choices.count() - 1; c >= 0; --c) {  // outer choices come after those in their alternatives
    const int node = choices.node(c);
    if (sources[node] != node) continue;
    probabilities[node] = choices.probabilities(tape, network, c);
    for (std::size_t b = 0; b < probabilities[node].size(); ++b) {
      const Mixture::Branch& branch = choices.branches(network, c)[b];
      const Scalar presence = layers[node]->presence * probabilities[node][b];
      for (int inner = branch.first; inner < branch.last; ++inner) {
        if (layers[inner] != nullptr) layers[inner]->presence = presence;
      }
    }
  }
  const BatchNormFolding folding = batch_norm_folding(network, sources);
  const std::function<Scalar(int)> stays = [&](int node) -> Scalar {  // a batch norm behind this node
    if (folding.takes[node] || !folding.read_once[node]) return folding.takes[node] ? 0 : 1;
    if (node != 0 && layers[node]->kind == LayerKind::batch_norm) return stays(sources[network.nodes()[node].inputs[0]]);
    if (probabilities[node].empty()) return 1;
    Scalar sum = 0;
    for (std::size_t b = 0; b < probabilities[node].size(); ++b)
      sum += probabilities[node][b] * stays(sources[network.nodes()[node].inputs[b]]);
    return sum;
  };
  for (auto& layer : architecture.layers) {
    if (layer.kind != LayerKind::batch_norm || layer.batch_norm_folded) continue;
    layer.presence = layer.presence * stays(sources[network.nodes()[layer.node].inputs[0]]);
  }
}
}  // namespace detail

/// A plain network, exactly; of a network with choices all alternatives.
inline Architecture<double> describe(const Network& network) {
  std::vector<int> sources(network.nodes().size());
  for (int i = 0; i < static_cast<int>(sources.size()); ++i) sources[i] = i;
  const auto channels = [&](int node) { return static_cast<double>(network.nodes()[node].shape[-1]); };
  const auto kernel = [](int) { return std::optional<detail::KernelSize<double>>(); };
  return detail::describe_with<double>(network, detail::Variation{sources, channels, kernel});
}

/// The network that a selection leaves, exactly: what `describe` says of the network that `discretize` returns.
inline Architecture<double> describe(const Network& network, const SearchSpace& space, const Selection& selection) {
  std::vector<double> counts;
  for (std::size_t g = 0; g < selection.keep.size(); ++g)
    counts.push_back(static_cast<double>(selection.count(static_cast<int>(g))));
  const auto channels = [&](int node) {
    return detail::count_runs<double>(space.masks().channels().runs(node), [&](int g) { return counts[g]; });
  };
  const auto kernel = [&](int node) {
    const auto cut = space.taps().cut(node, selection.taps);
    return cut ? std::optional(detail::kernel_size(*cut)) : std::nullopt;
  };
  const std::vector<int> sources = space.choices().sources(network, selection.chosen);
  return detail::describe_with<double>(network, detail::Variation{sources, channels, kernel});
}

/// The network that its masks and choices leave now, exactly.
inline Architecture<double> describe(const Network& network, const SearchSpace& space) {
  return describe(network, space, space.selection(network));
}

/// What the search is charged, with its gradient: channel counts and live taps are sums of binary masks on `tape`, and of every
/// open choice all alternatives are there, each with its probability as presence, so that totals are expected costs.
inline Architecture<Scalar> describe(Tape& tape, Network& network, const SearchSpace& space) {
  std::vector<Scalar> counts;
  for (int g = 0; g < static_cast<int>(space.masks().groups().size()); ++g) {
    counts.push_back(space.masks().parameter(g) < 0 ? Scalar(static_cast<double>(space.masks().groups()[g].channels))
                                                    : tape.scalar(ops::sum(space.masks().mask(tape, network, g))));
  }
  const auto channels = [&](int node) {
    return detail::count_runs<Scalar>(space.masks().channels().runs(node), [&](int g) { return counts[g]; });
  };
  const std::vector<int> taps = space.taps().kept(network);
  const auto kernel = [&](int node) -> std::optional<detail::KernelSize<Scalar>> {
    const auto cut = space.taps().cut(node, taps);
    if (!cut) return std::nullopt;
    const auto size = detail::kernel_size(*cut);
    return detail::KernelSize<Scalar>{size.height,    size.width,        space.taps().live_taps(tape, network, node),
                                      size.first_row, size.row_distance, size.column_distance};
  };
  const Choices& choices = space.choices();
  std::vector<int> decided;
  for (int c = 0; c < choices.count(); ++c) decided.push_back(choices.decided(network, c));
  const std::vector<int> sources = choices.sources(network, decided);
  auto architecture = detail::describe_with<Scalar>(network, detail::Variation{sources, channels, kernel});
  detail::weigh_alternatives(tape, network, space, sources, architecture);
  return architecture;
}

/// What the search is charged, without gradients: expected where choices are open, exact where none is.
inline Architecture<double> describe_expected(Network& network, const SearchSpace& space) {
  Tape tape(false);
  return convert<double>(describe(tape, network, space));
}

}  // namespace siena
