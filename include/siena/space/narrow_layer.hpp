// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <variant>
#include <vector>

#include "siena/nn/network.hpp"

// What stays of a single layer: its options, and which elements of its tensors.

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

namespace detail {
inline std::vector<ColumnRun> runs_of(const std::vector<std::int64_t>& positions) {
  std::vector<ColumnRun> runs;
  for (const std::int64_t p : positions) {
    if (runs.empty() || runs.back().begin + runs.back().count != p) runs.push_back({.begin = p});
    ++runs.back().count;
  }
  return runs;
}

/// Positions, among all channels, of those that stay: of a layer's first input and of its output.
struct KeptChannels {
  const std::vector<std::int64_t>&in, &out;
};

/// The same slice of an input of which these channels stay.
inline Slice narrowed(Slice slice, std::int64_t channels, const std::vector<std::int64_t>& kept) {
  if (slice.channels.all()) return slice;
  const auto before = [&](std::int64_t end) {
    return static_cast<int>(std::lower_bound(kept.begin(), kept.end(), end) - kept.begin());
  };
  slice.channels = {before(slice.channels.first(channels)), before(slice.channels.last(channels))};
  return slice;
}
/// A layer of `in` channels, before any went, with those that stay.
inline Layer narrowed(Layer layer, std::int64_t in, const KeptChannels& kept) {
  if (auto conv = convolution_of(layer)) {
    if (const int groups = conv->group_count(in); groups > 1) {
      const auto left = static_cast<std::int64_t>(kept.in.size());
      conv->groups = groups == in ? Conv2d::depthwise : static_cast<int>(left / (in / groups));
    }
    conv->out = static_cast<int>(kept.out.size());
    set_convolution(layer, *conv);
  } else if (auto* linear = std::get_if<Linear>(&layer)) {
    linear->out = static_cast<int>(kept.out.size());
  } else if (auto* slice = std::get_if<Slice>(&layer)) {
    *slice = narrowed(*slice, in, kept.in);
  }
  return layer;
}

/// What stays of the p-th parameter of a node of so many input channels, a tensor like `from`.
inline TensorCut parameter_cut(const Network::Node& node, std::size_t p, const Tensor& from, const KeptChannels& kept,
                               std::int64_t in) {
  TensorCut cut{.wide = node.parameters[p], .rows = {0}};
  if (std::holds_alternative<Mixture>(node.layer) || std::holds_alternative<Custom>(node.layer)) {
    cut.columns = {{.begin = 0, .count = from.columns()}};
    return cut;
  }
  cut.columns = runs_of(kept.out);
  const std::int64_t read = from.rows() > 1 ? from.shape()[-2] : 1;  // input channels, of a weight
  if (p == 0 && from.rows() > 1 && read == in) {
    cut.period = read;
    cut.rows = kept.in;
  } else if (p == 0 && read > 1) {  // a grouped convolution: its groups stay whole
    cut.period = read;
    cut.rows.resize(static_cast<std::size_t>(read));
    std::iota(cut.rows.begin(), cut.rows.end(), std::int64_t{0});
  }  // else a vector of channels, or depthwise taps
  return cut;
}
/// What stays of the b-th buffer of a node.
inline TensorCut buffer_cut(const Network::Node& node, std::size_t b, const Tensor& from, const KeptChannels& kept) {
  const bool whole = std::holds_alternative<Mixture>(node.layer) || std::holds_alternative<Custom>(node.layer);
  return {.wide = node.buffers[b],
          .rows = {0},
          .columns = whole ? std::vector<ColumnRun>{{.begin = 0, .count = from.columns()}} : runs_of(kept.out)};
}
}  // namespace detail

}  // namespace siena
