// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "siena/nn/network.hpp"
#include "siena/space/mask.hpp"

// The graph of the channels that stay, and which elements of which tensors those are: what discretize returns, and what CompactNetwork
// keeps up to date.

namespace siena {

/// What stays of a tensor: the kept columns of the kept rows, which count `period` input channels over and over (the taps of a kernel).
struct TensorCut {
  int wide = 0, narrow = 0;  // which tensor of the one network is which of the other
  std::int64_t period = 1;
  std::vector<std::int64_t> rows{}, columns{};
  bool whole = false;
};

/// Calls each(wide element, narrow element) for every element that stays.
template <class Wide, class Narrow, class Each>
void for_each_kept(const TensorCut& cut, Wide& wide, Narrow& narrow, Each&& each) {
  if (cut.whole) {
    for (std::int64_t r = 0; r < wide.rows(); ++r) {
      const auto from = wide.row(r);
      const auto to = narrow.row(r);
      for (std::size_t c = 0; c < from.size(); ++c) each(from[c], to[c]);
    }
    return;
  }
  SIENA_ASSERT(narrow.columns() == static_cast<std::int64_t>(cut.columns.size()));
  std::int64_t target = 0;
  for (std::int64_t base = 0; base < wide.rows(); base += cut.period) {
    for (const std::int64_t r : cut.rows) {
      const auto from = wide.row(base + r);
      const auto to = narrow.row(target++);
      for (std::size_t c = 0; c < cut.columns.size(); ++c) each(from[static_cast<std::size_t>(cut.columns[c])], to[c]);
    }
  }
  SIENA_ASSERT(target == narrow.rows());
}

/// The plain network that a selection leaves, and where its parameters and buffers come from; their values are not yet brought over.
struct Narrowed {
  Network network;
  std::vector<TensorCut> parameters, buffers;
};

namespace detail {
/// Positions, among all channels of a value, of those that stay.
inline std::vector<std::int64_t> kept_channels(const std::vector<ChannelRun>& runs, const Selection& selection) {
  std::vector<std::int64_t> kept;
  std::int64_t begin = 0;
  for (const ChannelRun& run : runs) {
    for (std::int64_t r = 0; r < run.repeat; ++r, begin += run.channels) {
      for (std::int64_t c = 0; c < run.channels; ++c) {
        if (selection.keep[run.group][static_cast<std::size_t>(c)]) kept.push_back(begin + c);
      }
    }
  }
  return kept;
}

inline Layer narrowed(const Network& network, const Network::Node& node, std::int64_t channels) {
  Layer layer = node.layer;
  if (auto* conv = std::get_if<Conv2d>(&layer)) {
    const std::int64_t in = network.nodes()[node.inputs[0]].shape[-1];
    conv->out = static_cast<int>(channels);
    if (in > 1 && conv->group_count(in) == in) conv->groups = Conv2d::depthwise;
  } else if (auto* linear = std::get_if<Linear>(&layer)) {
    linear->out = static_cast<int>(channels);
  }
  return layer;
}
inline Network narrowed_graph(const Network& network, const std::vector<std::vector<std::int64_t>>& kept) {
  const auto& nodes = network.nodes();
  return Network(
      network.input_shape(),
      [&](const Flow& input) {
        std::vector<int> placed(nodes.size(), 0);
        NetworkBuilder* builder = input.builder();
        builder->rename(0, nodes[0].name);
        for (std::size_t i = 1; i < nodes.size(); ++i) {
          std::vector<int> from;
          for (const int k : nodes[i].inputs) from.push_back(placed[k]);
          placed[i] =
              builder->append(narrowed(network, nodes[i], static_cast<std::int64_t>(kept[i].size())), std::move(from), {});
          builder->rename(placed[i], nodes[i].name);
        }
        return Flow(builder, placed[network.output()]);
      },
      std::nullopt);
}
}  // namespace detail

inline Narrowed narrow(const Network& network, const ChannelMasks& masks, const Selection& selection) {
  const auto& nodes = network.nodes();
  std::vector<std::vector<std::int64_t>> kept(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    kept[i] = detail::kept_channels(masks.channels().runs(static_cast<int>(i)), selection);
  }
  Narrowed result{detail::narrowed_graph(network, kept), {}, {}};
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    const Network::Node &node = nodes[i], &target = result.network.nodes()[i];
    const bool whole = std::holds_alternative<Custom>(node.layer);
    for (std::size_t p = 0; p < node.parameters.size(); ++p) {
      const Tensor& from = network.parameter(node.parameters[p]).value;
      TensorCut cut{
          .wide = node.parameters[p], .narrow = target.parameters[p], .rows = {0}, .columns = kept[i], .whole = whole};
      if (p == 0 && from.rows() > 1 && from.shape()[-2] == nodes[node.inputs[0]].shape[-1]) {  // a layer that reads channels
        cut.period = from.shape()[-2];
        cut.rows = kept[node.inputs[0]];
      } else if (p == 0 && from.rows() > 1 && from.shape()[-2] > 1) {
        cut.whole = true;  // a grouped convolution: frozen on both sides
      }                    // else a vector of channels, or depthwise taps
      result.parameters.push_back(std::move(cut));
    }
    for (std::size_t b = 0; b < node.buffers.size(); ++b) {
      result.buffers.push_back(
          {.wide = node.buffers[b], .narrow = target.buffers[b], .rows = {0}, .columns = kept[i], .whole = whole});
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
