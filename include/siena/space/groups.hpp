// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/nn/network.hpp"
#include "siena/space/channel_ties.hpp"
#include "siena/space/searchable.hpp"

namespace siena {

/// Who must share a mask, found by one walk over the network: for each node the groups of its output channels.
class ChannelGroups {
 public:
  explicit ChannelGroups(const Network& network) : ties_(network.nodes().size()) {
    for (int node = 0; node < static_cast<int>(network.nodes().size()); ++node) {
      ties_.set_runs(node, visit(network, node));
    }
    ties_.freeze(runs(network.output()), "they are the output of the network");
    groups_ = ties_.compress();
  }

  const std::vector<ChannelGroup>& groups() const { return groups_; }
  /// The output channels of a node, in order.
  const std::vector<ChannelRun>& runs(int node) const { return ties_.runs(node); }

 private:
  using Runs = std::vector<ChannelRun>;

  static std::optional<Channels> axis_of(const Network::Node& node) {
    const auto* axes = std::any_cast<SearchAxes>(&node.decoration);
    if (axes == nullptr) return std::nullopt;
    require_axes(node.layer, *axes, node.name);
    return axes->channels;
  }

  Runs visit(const Network& network, int index) {
    const Network::Node& node = network.nodes()[index];
    const std::optional<Channels> axis = axis_of(node);
    const auto input = [&]() -> const Runs& { return runs(node.inputs[0]); };
    const auto own = [&](const std::string& why = "") { return ties_.make(index, node.shape[-1], axis, why); };
    const std::string plain = format("'{}' has no Channels axis", node.name);
    return visit_layer(
        [&]<class L>(const L& layer) -> Runs {
          if constexpr (is_convolution<L>) {
            const std::int64_t in = network.nodes()[node.inputs[0]].shape[-1], groups = layer.group_count(in);
            return groups == 1 ? own(plain) : handed_on(index, node, {in / groups, layer.out / groups}, axis);
          } else if constexpr (std::is_same_v<L, Linear>) {
            return own(plain);
          } else if constexpr (std::is_same_v<L, Input>) {
            return own("they are the input of the network");
          } else if constexpr (std::is_same_v<L, Custom>) {
            for (const int from : node.inputs) ties_.freeze(runs(from), format("'{}', a custom layer, reads them", node.name));
            return own(format("'{}' is a custom layer", node.name));
          } else if constexpr (std::is_same_v<L, Add> || std::is_same_v<L, Multiply> || std::is_same_v<L, Mixture>) {
            return tied(node);  // whichever alternative is there has the same channels
          } else if constexpr (std::is_same_v<L, Concat>) {
            Runs all;
            for (const int from : node.inputs) all.insert(all.end(), runs(from).begin(), runs(from).end());
            return all;
          } else if constexpr (std::is_same_v<L, Slice>) {
            const auto box = layer.geometry(network.nodes()[node.inputs[0]].shape);
            if (box.box_channels == box.channels) return input();
            if (auto part = ties_.slice(node.inputs[0], box.first, box.first + box.box_channels)) return *std::move(part);
            const std::string why = format("'{}' cuts channels that go in other steps", node.name);
            ties_.freeze(input(), why);
            return own(why);
          } else if constexpr (std::is_same_v<L, Flatten>) {
            return flattened(input(), node.shape[0] / network.nodes()[node.inputs[0]].shape[-1]);
          } else {
            static_assert(is_activation<L> || is_pool<L> || std::is_same_v<L, BatchNorm> || std::is_same_v<L, Upsample> ||
                              std::is_same_v<L, Pad>,
                          "channels of every layer");
            return input();
          }
        },
        node.layer);
  }

  /// How many channels one group of a convolution reads and makes.
  struct GroupSize {
    std::int64_t in, out;
  };
  /// Of a depthwise or grouped convolution: what a group makes stays where what it reads stays.
  Runs handed_on(int index, const Network::Node& node, GroupSize size, const std::optional<Channels>& axis) {
    const int from = node.inputs[0];
    auto made = ties_.in_blocks(from, size.in, size.out);
    if (!made) {
      const std::string why = format("'{}' reads them in groups of {}, which end within theirs", node.name, size.in);
      ties_.freeze(runs(from), why);
      return ties_.make(index, node.shape[-1], std::nullopt, why);
    }
    if (!axis) ties_.freeze(*made, format("'{}' hands them on and has no Channels axis", node.name));
    ties_.join(index, *made, axis);
    return *std::move(made);
  }
  /// Of inputs that have the same channels.
  Runs tied(const Network::Node& node) {
    const int first = node.inputs[0];
    for (std::size_t k = 1; k < node.inputs.size(); ++k) {
      if (ties_.tie(first, node.inputs[k])) continue;
      const std::string why = format("'{}' ties channels that go in other steps", node.name);
      ties_.freeze(runs(first), why);
      ties_.freeze(runs(node.inputs[k]), why);
    }
    return runs(first);
  }
  static Runs flattened(Runs runs, std::int64_t positions) {
    if (runs.size() == 1) {
      runs[0].repeat *= positions;
      return runs;
    }
    Runs all;
    for (std::int64_t p = 0; p < positions; ++p) all.insert(all.end(), runs.begin(), runs.end());
    return all;
  }

  ChannelTies ties_;
  std::vector<ChannelGroup> groups_;
};

}  // namespace siena
