// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <any>
#include <cstdint>
#include <numeric>
#include <string>
#include <variant>
#include <vector>

#include "siena/nn/network.hpp"
#include "siena/space/searchable.hpp"

namespace siena {

/// Consecutive channels of a value that belong to one group, `repeat`
/// times over (once for each position that a flatten unrolled).
struct ChannelRun {
  int group = 0;
  std::int64_t channels = 0;
  std::int64_t repeat = 1;
};

/// Channels that live and die together: those of all layers whose outputs meet in an
/// add or are alternatives, or pass through a depthwise layer.
struct ChannelGroup {
  std::int64_t channels = 0;
  std::int64_t minimum = 1;   ///< the fewest that may stay
  bool frozen = false;        ///< touched by something that cannot vary: all stay
  std::vector<int> layers{};  ///< nodes that make these channels
};

/// Who must share a mask, found by one walk over the network: for each node the groups of its output channels.
class ChannelGroups {
 public:
  explicit ChannelGroups(const Network& network) : runs_(network.nodes().size()) {
    for (int node = 0; node < static_cast<int>(network.nodes().size()); ++node) visit(network, node);
    freeze(runs_[network.output()]);
    compress();
  }

  const std::vector<ChannelGroup>& groups() const { return groups_; }
  /// The output channels of a node, in order.
  const std::vector<ChannelRun>& runs(int node) const { return runs_[node]; }

 private:
  int add_group(int node, std::int64_t channels, const std::optional<Channels>& axis) {
    groups_.push_back({.channels = channels,
                       .minimum = axis ? std::min<std::int64_t>(axis->minimum, channels) : channels,
                       .frozen = !axis,
                       .layers = {node}});
    parent_.push_back(static_cast<int>(parent_.size()));
    return parent_.back();
  }
  int root(int group) {
    while (parent_[group] != group) group = parent_[group] = parent_[parent_[group]];
    return group;
  }
  void unite(int a, int b) {
    a = root(a), b = root(b);
    if (a == b) return;
    if (b < a) std::swap(a, b);
    parent_[b] = a;
    groups_[a].frozen |= groups_[b].frozen;
    groups_[a].minimum = std::max(groups_[a].minimum, groups_[b].minimum);
    groups_[a].layers.insert(groups_[a].layers.end(), groups_[b].layers.begin(), groups_[b].layers.end());
  }
  void freeze(const std::vector<ChannelRun>& runs) {
    for (const ChannelRun& run : runs) groups_[root(run.group)].frozen = true;
  }

  void visit(const Network& network, int index) {
    const Network::Node& node = network.nodes()[index];
    std::optional<Channels> axis;
    if (const auto* axes = std::any_cast<SearchAxes>(&node.decoration)) {
      require_axes(node.layer, *axes, node.name);
      axis = axes->channels;
    }
    const auto input = [&](int k = 0) -> const std::vector<ChannelRun>& { return runs_[node.inputs[k]]; };
    const auto own = [&] { return std::vector<ChannelRun>{{add_group(index, node.shape[-1], axis), node.shape[-1], 1}}; };
    runs_[index] = visit_layer(
        [&]<class L>(const L& layer) -> std::vector<ChannelRun> {
          if constexpr (is_convolution<L>) {
            const std::int64_t in = network.nodes()[node.inputs[0]].shape[-1];
            const int groups = layer.group_count(in);
            if (groups == 1) return own();
            if (groups == in && layer.out == in) {  // channel by channel: the output's channels are the input's
              if (!axis) freeze(input());
              return joined(index, axis, input());
            }
            freeze(input());
            axis.reset();
            return own();
          } else if constexpr (std::is_same_v<L, Linear>) {
            return own();
          } else if constexpr (std::is_same_v<L, Input>) {
            return own();
          } else if constexpr (std::is_same_v<L, Custom>) {
            for (const int from : node.inputs) freeze(runs_[from]);
            return own();
          } else if constexpr (std::is_same_v<L, Add>) {
            return added(input(0), input(1));
          } else if constexpr (std::is_same_v<L, Mixture>) {  // whichever alternative is there has the same channels
            std::vector<ChannelRun> runs = input(0);
            for (std::size_t k = 1; k < node.inputs.size(); ++k) runs = added(runs, input(static_cast<int>(k)));
            return runs;
          } else if constexpr (std::is_same_v<L, Concat>) {
            std::vector<ChannelRun> all;
            for (const int from : node.inputs) all.insert(all.end(), runs_[from].begin(), runs_[from].end());
            return all;
          } else if constexpr (std::is_same_v<L, Flatten>) {
            return flattened(input(), node.shape[0] / network.nodes()[node.inputs[0]].shape[-1]);
          } else {
            return input();
          }
        },
        node.layer);
  }

  std::vector<ChannelRun> joined(int index, const std::optional<Channels>& axis, const std::vector<ChannelRun>& runs) {
    for (const ChannelRun& run : runs) {
      ChannelGroup& group = groups_[root(run.group)];
      group.layers.push_back(index);
      if (axis) group.minimum = std::max<std::int64_t>(group.minimum, std::min<std::int64_t>(axis->minimum, group.channels));
    }
    return runs;
  }
  std::vector<ChannelRun> added(const std::vector<ChannelRun>& a, const std::vector<ChannelRun>& b) {
    const bool aligned = std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const ChannelRun& x, const ChannelRun& y) {
      return x.channels == y.channels && x.repeat == y.repeat;
    });
    if (aligned) {
      for (std::size_t i = 0; i < a.size(); ++i) unite(a[i].group, b[i].group);
    } else {  // runs that end at different channels: no mask fits both
      freeze(a);
      freeze(b);
    }
    return a;
  }
  static std::vector<ChannelRun> flattened(std::vector<ChannelRun> runs, std::int64_t positions) {
    if (runs.size() == 1) {
      runs[0].repeat *= positions;
      return runs;
    }
    std::vector<ChannelRun> all;
    for (std::int64_t p = 0; p < positions; ++p) all.insert(all.end(), runs.begin(), runs.end());
    return all;
  }
  // Groups that were united become one; numbers become dense, in order of first appearance.
  void compress() {
    std::vector<int> number(groups_.size(), -1);
    std::vector<ChannelGroup> kept;
    for (auto& runs : runs_) {
      for (ChannelRun& run : runs) {
        const int top = root(run.group);
        if (number[top] < 0) {
          number[top] = static_cast<int>(kept.size());
          kept.push_back(groups_[top]);
          if (kept.back().frozen) kept.back().minimum = kept.back().channels;
        }
        run.group = number[top];
      }
    }
    groups_ = std::move(kept);
  }

  std::vector<ChannelGroup> groups_;
  std::vector<int> parent_;
  std::vector<std::vector<ChannelRun>> runs_;
};

}  // namespace siena
