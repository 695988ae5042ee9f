// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/parallel.hpp"
#include "siena/kernels/rows.hpp"
#include "siena/nn/network.hpp"
#include "siena/nn/rewire.hpp"
#include "siena/space/narrow_layer.hpp"
#include "siena/space/search_space.hpp"

// The graph of the channels that stay, and which elements of which tensors those are: what
// discretize returns, and what CompactNetwork keeps up to date.

namespace siena {

/// Calls each(wide element, narrow element) for every element that stays, in parallel.
template <class Wide, class Narrow, class Each>
void for_each_kept(const TensorCut& cut, Wide& wide, Narrow& narrow, Each&& each) {
  const auto kept = static_cast<std::int64_t>(cut.rows.size());
  const bool every_tap = cut.taps.empty();
  SIENA_ASSERT(narrow.rows() == kept * (every_tap ? wide.rows() / cut.period : static_cast<std::int64_t>(cut.taps.size())));
  parallel_ranges(narrow.rows(), kernels::elements_grain(narrow.columns()), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const std::int64_t tap = every_tap ? r / kept : cut.taps[static_cast<std::size_t>(r / kept)];
      const auto from = wide.row(tap * cut.period + cut.rows[static_cast<std::size_t>(r % kept)]);
      auto* to = narrow.row(r).data();
      for (const ColumnRun& run : cut.columns) {
        auto* const first = from.data() + run.begin;
        for (std::int64_t c = 0; c < run.count; ++c) each(first[c], to[c]);
        to += run.count;
      }
      SIENA_ASSERT(to == narrow.row(r).data() + narrow.columns());
    }
  });
}

/// The plain network that a selection leaves, and where its parameters and
/// buffers come from; their values are not yet brought over.
struct Narrowed {
  Network network;
  std::vector<int> nodes;  ///< where each node of the wide network is; -1: gone
  std::vector<TensorCut> parameters, buffers;
};

namespace detail {
/// Positions, among all channels of a value, of those that stay.
inline std::vector<std::int64_t> kept_channels(const std::vector<ChannelRun>& runs, const Selection& selection) {
  std::vector<std::int64_t> kept;
  std::int64_t begin = 0;
  for (const ChannelRun& run : runs) {
    for (std::int64_t r = 0; r < run.repeat; ++r, begin += run.channels * run.width) {
      for (std::int64_t c = 0; c < run.channels; ++c) {
        if (!selection.keep[run.group][static_cast<std::size_t>(c)]) continue;
        for (std::int64_t w = 0; w < run.width; ++w) kept.push_back(begin + c * run.width + w);
      }
    }
  }
  return kept;
}

/// Positions of the taps that stay, row by row of the kernel.
inline std::vector<std::int64_t> kept_taps(const KernelCut& cut, int kernel_width) {
  std::vector<std::int64_t> taps;
  for (const int row : cut.rows) {
    for (const int column : cut.columns) taps.push_back(row * kernel_width + column);
  }
  return taps;
}
}  // namespace detail

inline Narrowed narrow(const Network& network, const SearchSpace& space, const Selection& selection) {
  const auto& nodes = network.nodes();
  std::vector<std::vector<std::int64_t>> kept(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    kept[i] = detail::kept_channels(space.masks().channels().runs(static_cast<int>(i)), selection);
  }
  Narrowed result;
  const std::vector<int> sources = space.choices().sources(network, selection.chosen);
  const auto channels_kept = [&](std::size_t i) -> KeptChannels {
    if (nodes[i].inputs.empty()) return {.out = kept[i]};
    return {.read = nodes[nodes[i].inputs[0]].shape[-1], .in = kept[nodes[i].inputs[0]], .out = kept[i]};
  };
  std::vector<Layer> layers;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Layer layer = nodes[i].layer;
    if (const auto cut = space.taps().cut(static_cast<int>(i), selection.taps)) {
      set_convolution(layer, narrowed_kernel(*convolution_of(layer), space.taps().geometry(static_cast<int>(i)), *cut));
    }
    layers.push_back(narrowed(layer, channels_kept(i)));
  }
  Rewired graph = rewire(network, std::move(layers), sources);
  result.network = std::move(graph.network), result.nodes = std::move(graph.nodes);
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (result.nodes[i] < 0) continue;
    const Network::Node &node = nodes[i], &target = result.network.nodes()[result.nodes[i]];
    for (const auto& gate : node.gates) {  // of a choice; the masks of other layers are spent
      if (std::holds_alternative<Mixture>(node.layer)) result.network.add_gate(result.nodes[i], gate);
    }
    const LayerSite at = site_of(network, static_cast<int>(i));
    int k = 0;  // of its tensors
    const auto cut_of = [&](const Tensor& from, int wide, int narrow) {
      TensorCut cut = detail::tensor_cut(node.layer, at, k++, from, channels_kept(i));
      cut.wide = wide, cut.narrow = narrow;
      return cut;
    };
    for (std::size_t p = 0; p < node.parameters.size(); ++p) {
      TensorCut cut = cut_of(network.parameter(node.parameters[p]).value, node.parameters[p], target.parameters[p]);
      if (const auto taps = p == 0 ? space.taps().cut(static_cast<int>(i), selection.taps) : std::nullopt) {
        cut.taps = detail::kept_taps(*taps, space.taps().geometry(static_cast<int>(i)).kernel_width);
      }
      result.parameters.push_back(std::move(cut));
    }
    for (std::size_t b = 0; b < node.buffers.size(); ++b)
      result.buffers.push_back(cut_of(network.buffer(node.buffers[b]), node.buffers[b], target.buffers[b]));
  }
  return result;
}

/// Brings the values of all that stays over.
inline void bring_over(const Network& network, Narrowed& narrowed) {
  const auto copy = [](float from, float& to) { to = from; };
  for (const TensorCut& cut : narrowed.parameters) {
    for_each_kept(cut, network.parameter(cut.wide).value, narrowed.network.parameter(cut.narrow).value, copy);
  }
  for (const TensorCut& cut : narrowed.buffers) {
    for_each_kept(cut, network.buffer(cut.wide), narrowed.network.buffer(cut.narrow), copy);
  }
}

}  // namespace siena
