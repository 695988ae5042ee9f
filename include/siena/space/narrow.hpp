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
#include "siena/space/search_space.hpp"

// The graph of the channels that stay, and which elements of which tensors those are: what discretize returns, and what CompactNetwork
// keeps up to date.

namespace siena {

/// Neighbouring columns that stay.
struct ColumnRun {
  std::int64_t begin = 0, count = 0;
};

/// What stays of a tensor: the kept columns of the kept rows, which count `period` input channels over and over (the taps of a kernel).
struct TensorCut {
  int wide = 0, narrow = 0;  // which tensor of the one network is which of the other
  std::int64_t period = 1;
  std::vector<std::int64_t> rows{};
  std::vector<ColumnRun> columns{};
};

/// Calls each(wide element, narrow element) for every element that stays, in parallel.
template <class Wide, class Narrow, class Each>
void for_each_kept(const TensorCut& cut, Wide& wide, Narrow& narrow, Each&& each) {
  const auto kept = static_cast<std::int64_t>(cut.rows.size());
  SIENA_ASSERT(narrow.rows() == kept * (wide.rows() / cut.period));
  parallel_ranges(narrow.rows(), kernels::elements_grain(narrow.columns()), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const auto from = wide.row(r / kept * cut.period + cut.rows[static_cast<std::size_t>(r % kept)]);
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

/// The plain network that a selection leaves, and where its parameters and buffers come from; their values are not yet brought over.
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
    for (std::int64_t r = 0; r < run.repeat; ++r, begin += run.channels) {
      for (std::int64_t c = 0; c < run.channels; ++c) {
        if (selection.keep[run.group][static_cast<std::size_t>(c)]) kept.push_back(begin + c);
      }
    }
  }
  return kept;
}

inline std::vector<ColumnRun> runs_of(const std::vector<std::int64_t>& positions) {
  std::vector<ColumnRun> runs;
  for (const std::int64_t p : positions) {
    if (runs.empty() || runs.back().begin + runs.back().count != p) runs.push_back({.begin = p});
    ++runs.back().count;
  }
  return runs;
}
/// All of a tensor.
inline TensorCut whole_cut(const Tensor& tensor, int wide, int narrow) {
  return {.wide = wide, .narrow = narrow, .rows = {0}, .columns = {{.begin = 0, .count = tensor.columns()}}};
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
/// The layers that stay; `placed` is filled in.
inline Network narrowed_graph(const Network& network, const std::vector<std::vector<std::int64_t>>& kept,
                              const std::vector<int>& sources, std::vector<int>& placed) {
  const auto& nodes = network.nodes();
  placed.assign(nodes.size(), -1);
  return Network(
      network.input_shape(),
      [&](const Flow& input) {
        NetworkBuilder* builder = input.builder();
        builder->rename(0, nodes[0].name);
        placed[0] = 0;
        std::vector<int> before(nodes.size() + 1, 1);  // how many nodes there are before the place of each
        for (std::size_t i = 1; i < nodes.size(); ++i) {
          before[i] = builder->size();
          if (sources[i] != static_cast<int>(i)) continue;
          Layer layer = narrowed(network, nodes[i], static_cast<std::int64_t>(kept[i].size()));
          if (auto* mixture = std::get_if<Mixture>(&layer)) {
            for (auto& branch : mixture->branches) branch.first = before[branch.first], branch.last = before[branch.last];
          }
          std::vector<int> from;
          for (const int k : nodes[i].inputs) from.push_back(placed[sources[k]]);
          placed[i] = builder->append(std::move(layer), std::move(from), {});
          builder->rename(placed[i], nodes[i].name);
        }
        return Flow(builder, placed[sources[network.output()]]);
      },
      std::nullopt);
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
  result.network = detail::narrowed_graph(network, kept, sources, result.nodes);
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (result.nodes[i] < 0) continue;
    const Network::Node &node = nodes[i], &target = result.network.nodes()[result.nodes[i]];
    const bool mixture = std::holds_alternative<Mixture>(node.layer);
    if (mixture) result.network.set_gate(result.nodes[i], node.gate);
    const bool whole = mixture || std::holds_alternative<Custom>(node.layer);
    const std::vector<ColumnRun> columns = detail::runs_of(kept[i]);
    for (std::size_t p = 0; p < node.parameters.size(); ++p) {
      const Tensor& from = network.parameter(node.parameters[p]).value;
      TensorCut cut{.wide = node.parameters[p], .narrow = target.parameters[p], .rows = {0}, .columns = columns};
      if (p == 0 && !whole && from.rows() > 1 &&
          from.shape()[-2] == nodes[node.inputs[0]].shape[-1]) {  // a layer that reads channels
        cut.period = from.shape()[-2];
        cut.rows = kept[node.inputs[0]];
      } else if (whole ||
                 (p == 0 && from.rows() > 1 && from.shape()[-2] > 1)) {  // or a grouped convolution, frozen on both sides
        cut = detail::whole_cut(from, cut.wide, cut.narrow);
      }  // else a vector of channels, or depthwise taps
      result.parameters.push_back(std::move(cut));
    }
    for (std::size_t b = 0; b < node.buffers.size(); ++b) {
      if (whole) {
        result.buffers.push_back(detail::whole_cut(network.buffer(node.buffers[b]), node.buffers[b], target.buffers[b]));
      } else {
        result.buffers.push_back({.wide = node.buffers[b], .narrow = target.buffers[b], .rows = {0}, .columns = columns});
      }
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
