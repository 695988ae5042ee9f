// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/parallel.hpp"
#include "siena/kernels/rows.hpp"
#include "siena/nn/network.hpp"
#include "siena/nn/rewire.hpp"
#include "siena/space/search_space.hpp"

// The graph of the channels that stay, and which elements of which tensors those are: what
// discretize returns, and what CompactNetwork keeps up to date.

namespace siena {

/// Neighbouring columns that stay.
struct ColumnRun {
  std::int64_t begin = 0, count = 0;
};

/// What stays of a tensor: the kept columns of the kept rows, which count `period`
/// input channels over and over, once for each tap of a kernel.
struct TensorCut {
  int wide = 0, narrow = 0;  // which tensor of the one network is which of the other
  std::int64_t period = 1;
  std::vector<std::int64_t> rows{};
  std::vector<ColumnRun> columns{};
  std::vector<std::int64_t> taps{};  // those that stay; all where there are none
};

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

/// How many channels of its input and of its output stay of a layer.
struct KeptCounts {
  std::int64_t in, out;
};
inline Layer narrowed(const Network& network, const SearchSpace& space, const Selection& selection, int index,
                      KeptCounts kept) {
  const Network::Node& node = network.nodes()[index];
  Layer layer = node.layer;
  if (auto conv = convolution_of(layer)) {
    const std::int64_t in = network.nodes()[node.inputs[0]].shape[-1];
    if (const auto cut = space.taps().cut(index, selection.taps)) {
      conv = narrowed_kernel(*conv, space.taps().geometry(index), *cut);
    }
    conv->out = static_cast<int>(kept.out);
    if (const int groups = conv->group_count(in); groups > 1)
      conv->groups = groups == in ? Conv2d::depthwise : static_cast<int>(kept.in / (in / groups));
    if (auto* signal = std::get_if<Conv1d>(&layer)) {
      signal->set_image(*conv);
    } else {
      layer = *conv;
    }
  } else if (auto* linear = std::get_if<Linear>(&layer)) {
    linear->out = static_cast<int>(kept.out);
  }
  return layer;
}
/// The same slice of an input of which these channels stay.
inline Slice narrowed(Slice slice, std::int64_t channels, const std::vector<std::int64_t>& kept) {
  if (slice.channels.all()) return slice;
  const auto before = [&](std::int64_t end) {
    return static_cast<int>(std::lower_bound(kept.begin(), kept.end(), end) - kept.begin());
  };
  slice.channels = {before(slice.channels.first(channels)), before(slice.channels.last(channels))};
  return slice;
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
  std::vector<Layer> layers;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::size_t in = nodes[i].inputs.empty() ? 0 : kept[nodes[i].inputs[0]].size();
    layers.push_back(detail::narrowed(network, space, selection, static_cast<int>(i),
                                      {.in = static_cast<std::int64_t>(in), .out = static_cast<std::int64_t>(kept[i].size())}));
    if (auto* slice = std::get_if<Slice>(&layers.back()))
      *slice = detail::narrowed(*slice, nodes[nodes[i].inputs[0]].shape[-1], kept[nodes[i].inputs[0]]);
  }
  Rewired graph = rewire(network, std::move(layers), sources);
  result.network = std::move(graph.network), result.nodes = std::move(graph.nodes);
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (result.nodes[i] < 0) continue;
    const Network::Node &node = nodes[i], &target = result.network.nodes()[result.nodes[i]];
    const bool mixture = std::holds_alternative<Mixture>(node.layer);
    if (mixture) {
      for (const auto& gate : node.gates) result.network.add_gate(result.nodes[i], gate);
    }
    const bool whole = mixture || std::holds_alternative<Custom>(node.layer);
    const std::vector<ColumnRun> columns = detail::runs_of(kept[i]);
    for (std::size_t p = 0; p < node.parameters.size(); ++p) {
      const Tensor& from = network.parameter(node.parameters[p]).value;
      TensorCut cut{.wide = node.parameters[p], .narrow = target.parameters[p], .rows = {0}, .columns = columns};
      const std::int64_t read = from.rows() > 1 ? from.shape()[-2] : 1;  // input channels, of a weight
      if (p == 0 && !whole && from.rows() > 1 && read == nodes[node.inputs[0]].shape[-1]) {
        cut.period = read;
        cut.rows = kept[node.inputs[0]];
      } else if (p == 0 && !whole && read > 1) {  // a grouped convolution: its groups stay whole
        cut.period = read;
        cut.rows.resize(static_cast<std::size_t>(read));
        std::iota(cut.rows.begin(), cut.rows.end(), std::int64_t{0});
      } else if (whole) {
        cut = detail::whole_cut(from, cut.wide, cut.narrow);
      }  // else a vector of channels, or depthwise taps
      if (const auto taps = p == 0 ? space.taps().cut(static_cast<int>(i), selection.taps) : std::nullopt) {
        cut.taps = detail::kept_taps(*taps, space.taps().geometry(static_cast<int>(i)).kernel_width);
      }
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
