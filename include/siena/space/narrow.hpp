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
#include "siena/space/channel_order.hpp"
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
/// All of a network.
inline Narrowing whole_narrowing(const Network& network) {
  const std::size_t count = network.nodes().size();
  Narrowing all{.sources = std::vector<int>(count), .layers = {}, .channels = {}, .taps = {}, .gated = {}, .decided = {}};
  std::iota(all.sources.begin(), all.sources.end(), 0);
  for (const Network::Node& node : network.nodes()) {
    all.layers.push_back(node.layer);
    std::vector<std::int64_t>& channels = all.channels.emplace_back(static_cast<std::size_t>(node.shape[-1]));
    std::iota(channels.begin(), channels.end(), std::int64_t{0});
  }
  all.taps.resize(count);
  all.gated.resize(count, false), all.decided.resize(count, false);
  return all;
}
}  // namespace detail

/// In which order the channels that stay are: as they were, or by the bits of their weights.
enum class ChannelOrder { as_written, by_bits };

inline Narrowed narrow(const Network& network, const SearchSpace& space, const Selection& selection,
                       ChannelOrder order = ChannelOrder::as_written) {
  const auto& nodes = network.nodes();
  Narrowing left = detail::whole_narrowing(network);
  for (std::size_t a = 0; a < space.axes().size(); ++a) space.axes()[a]->narrow(network, selection[a], left);
  if (order == ChannelOrder::by_bits) order_by_bits(network, space.axis<ChannelMasks>().channels(), left);
  Narrowed result;
  const auto channels_kept = [&](std::size_t i) -> KeptChannels {
    if (nodes[i].inputs.empty()) return {.out = left.channels[i]};
    const int from = nodes[i].inputs[0];
    return {.read = nodes[from].shape[-1], .in = left.channels[from], .out = left.channels[i]};
  };
  for (std::size_t i = 0; i < nodes.size(); ++i) left.layers[i] = narrowed(left.layers[i], channels_kept(i));
  Rewired graph = rewire(network, std::move(left.layers), left.sources);
  result.network = std::move(graph.network), result.nodes = std::move(graph.nodes);
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (result.nodes[i] < 0) continue;
    const Network::Node &node = nodes[i], &target = result.network.nodes()[result.nodes[i]];
    detail::check_narrowed(node.name, target.shape[-1], static_cast<std::int64_t>(left.channels[i].size()));
    const bool as_many = target.parameters.size() == node.parameters.size() && target.buffers.size() == node.buffers.size();
    require<ArgumentError>(as_many || left.decided[i],
                           "'{}': expected `narrowed` to make a layer with as many parameters and buffers, {} and {}, got {} "
                           "and {}",
                           node.name, node.parameters.size(), node.buffers.size(), target.parameters.size(),
                           target.buffers.size());
    if (left.gated[i]) {
      for (const auto& gate : node.gates) result.network.add_gate(result.nodes[i], gate);
    }
    const LayerSite at = site_of(network, static_cast<int>(i));
    int k = 0;  // of its tensors
    const auto cut_of = [&](const Tensor& from, int wide) {
      TensorCut cut = detail::tensor_cut(node.layer, at, k++, from, channels_kept(i));
      cut.wide = wide;
      return cut;
    };
    std::size_t next = 0;  // of the target's
    for (std::size_t p = 0; p < node.parameters.size(); ++p) {
      const Parameter& from = network.parameter(node.parameters[p]);
      TensorCut cut = cut_of(from.value, node.parameters[p]);
      if (left.decided[i] && from.role == Role::architecture) continue;
      cut.narrow = target.parameters[next++];
      if (p == 0) cut.taps = left.taps[i];
      detail::check_cut(node.name, cut, from.value, result.network.parameter(cut.narrow).value);
      result.parameters.push_back(std::move(cut));
    }
    for (std::size_t b = 0; b < target.buffers.size(); ++b) {
      TensorCut cut = cut_of(network.buffer(node.buffers[b]), node.buffers[b]);
      cut.narrow = target.buffers[b], cut.measures = node.layer.is<FakeQuantize>();
      detail::check_cut(node.name, cut, network.buffer(node.buffers[b]), result.network.buffer(cut.narrow));
      result.buffers.push_back(std::move(cut));
    }
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
