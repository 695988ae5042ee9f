// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "siena/nn/network.hpp"
#include "siena/space/mask.hpp"

namespace siena {

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

/// Copies the kept columns of the kept rows; rows count `period` input channels over and over (the taps of a kernel).
inline void copy_kept(const Tensor& from, std::int64_t period, const std::vector<std::int64_t>& rows,
                      const std::vector<std::int64_t>& columns, Tensor& to) {
  SIENA_ASSERT(to.columns() == static_cast<std::int64_t>(columns.size()));
  std::int64_t target = 0;
  for (std::int64_t base = 0; base < from.rows(); base += period) {
    for (const std::int64_t r : rows) {
      const auto source = from.row(base + r);
      auto row = to.row(target++);
      for (std::size_t c = 0; c < columns.size(); ++c) row[c] = source[static_cast<std::size_t>(columns[c])];
    }
  }
  SIENA_ASSERT(target == to.rows());
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
}  // namespace detail

/// The plain network that a selection leaves: no masks, no gates, smaller layers, and the same function as the masked network, since
/// masked channels are read by nobody. Weights, biases, batch norms and their statistics are carried over; names too.
inline Network discretize(const Network& network, const ChannelMasks& masks, const Selection& selection) {
  const auto& nodes = network.nodes();
  std::vector<std::vector<std::int64_t>> kept(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i)
    kept[i] = detail::kept_channels(masks.channels().runs(static_cast<int>(i)), selection);

  Network plain(network.input_shape(), [&](const Flow& input) {
    std::vector<int> placed(nodes.size(), 0);
    NetworkBuilder* builder = input.builder();
    builder->rename(0, nodes[0].name);
    for (std::size_t i = 1; i < nodes.size(); ++i) {
      std::vector<int> from;
      for (const int k : nodes[i].inputs) from.push_back(placed[k]);
      placed[i] =
          builder->append(detail::narrowed(network, nodes[i], static_cast<std::int64_t>(kept[i].size())), std::move(from), {});
      builder->rename(placed[i], nodes[i].name);
    }
    return Flow(builder, placed[network.output()]);
  });

  for (std::size_t i = 1; i < nodes.size(); ++i) {
    const Network::Node& node = nodes[i];
    const Network::Node& target = plain.nodes()[i];
    const std::vector<std::int64_t> first_row{0};
    for (std::size_t p = 0; p < node.parameters.size(); ++p) {
      const Tensor& from = network.parameter(node.parameters[p]).value;
      Tensor& to = plain.parameter(target.parameters[p]).value;
      if (std::holds_alternative<Custom>(node.layer)) {
        to = from;
      } else if (p == 0 && from.rows() > 1 && from.shape()[-2] == nodes[node.inputs[0]].shape[-1]) {
        detail::copy_kept(from, from.shape()[-2], kept[node.inputs[0]], kept[i], to);  // a layer that reads channels
      } else if (p == 0 && from.rows() > 1 && from.shape()[-2] > 1) {
        to = from;  // a grouped convolution: frozen on both sides
      } else {
        detail::copy_kept(from, 1, first_row, kept[i], to);  // a vector of channels, or depthwise taps
      }
    }
    for (std::size_t b = 0; b < node.buffers.size(); ++b) {
      const Tensor& from = network.buffer(node.buffers[b]);
      Tensor& to = plain.buffer(target.buffers[b]);
      if (std::holds_alternative<Custom>(node.layer)) {
        to = from;
      } else {
        detail::copy_kept(from, 1, first_row, kept[i], to);
      }
    }
  }
  return plain;
}

/// The plain network that the masks leave now.
inline Network discretize(const Network& network, const ChannelMasks& masks) {
  return discretize(network, masks, masks.selection(network));
}

}  // namespace siena
