// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/nn/network.hpp"
#include "siena/space/channel_ties.hpp"
#include "siena/space/channels.hpp"

namespace siena {

/// Who must share a mask, found by one walk over the network: for each node the groups of its output channels.
class ChannelGroups {
 public:
  explicit ChannelGroups(const Network& network) : ties_(network.nodes().size()) {
    for (int node = 0; node < static_cast<int>(network.nodes().size()); ++node) {
      Runs made = visit(network, node);
      check_width(network.nodes()[node], made);
      ties_.set_runs(node, std::move(made));
    }
    ties_.freeze(runs(network.output()), "they are the output of the network");
    groups_ = ties_.compress();
  }

  const std::vector<ChannelGroup>& groups() const { return groups_; }
  /// The output channels of a node, in order.
  const std::vector<ChannelRun>& runs(int node) const { return ties_.runs(node); }
  /// Calls each(group, channel of it) for the output channels of a node, in order.
  template <class Each>
  void for_each_channel(int node, Each&& each) const {
    for (const ChannelRun& run : runs(node)) {
      for (std::int64_t r = 0; r < run.repeat; ++r)
        for (std::int64_t c = 0; c < run.channels; ++c)
          for (std::int64_t w = 0; w < run.width; ++w) each(run.group, static_cast<std::size_t>(c));
    }
  }

 private:
  using Runs = std::vector<ChannelRun>;

  static std::optional<Channels> axis_of(const Network::Node& node) {
    const auto* channels = spec_of<Channels>(node.decoration);
    if (channels == nullptr) return std::nullopt;
    channels->check(node.layer, node.name);
    return *channels;
  }

  Runs visit(const Network& network, int index) {
    const Network::Node& node = network.nodes()[index];
    const LayerSite at = site_of(network, index);
    check_tensors(network, node, at);
    const ChannelRule rule = channel_rule(node.layer, at);
    check_numbers(rule, at);
    if (rule.kind != ChannelRule::Kind::ties && rule.kind != ChannelRule::Kind::concatenates) {
      for (std::size_t k = 1; k < node.inputs.size(); ++k)
        ties_.freeze(runs(node.inputs[k]), format("'{}' says of its first input alone what becomes of it", node.name));
    }
    const std::optional<Channels> axis = axis_of(node);
    switch (rule.kind) {
      using enum ChannelRule::Kind;
      case makes:
        return ties_.make(index, node.shape[-1], axis, format("'{}' has no Channels axis", node.name));
      case makes_in_blocks:
        return handed_on(index, node, {rule.first, rule.second}, axis);
      case follows:
        return followed(index, node, rule.first);
      case ties:
        return tied(network, node);
      case concatenates: {
        Runs all;
        for (const int from : node.inputs) all.insert(all.end(), runs(from).begin(), runs(from).end());
        return all;
      }
      case slices:
        if (auto part = ties_.slice(node.inputs[0], rule.first, rule.second)) return *std::move(part);
        return frozen(index, node, format("'{}' cuts channels that go in other steps", node.name));
      case repeats:
        return repeated(runs(node.inputs[0]), rule.first);
      case interleaves:
        if (auto mixed = ties_.interleave(node.inputs[0], rule.first)) return *std::move(mixed);
        return frozen(index, node, format("'{}' ties channels that go in other steps", node.name));
      case freezes:
        break;
    }
    for (const int from : node.inputs) ties_.freeze(runs(from), rule.why_read);
    return made_frozen(index, node, rule.why_made);
  }

  /// What a layer says of its tensors has to be true of them, and a mask has to have its rows.
  static void check_tensors(const Network& network, const Network::Node& node, const LayerSite& at) {
    bool masked = channel_rule(node.layer, at).kind != ChannelRule::Kind::makes;
    std::vector<Shape> shapes = at.parameters;
    for (const int b : node.buffers) shapes.push_back(network.buffer(b).shape());
    for (std::size_t k = 0; k < shapes.size(); ++k) {
      const Shape& shape = shapes[k];
      const TensorAxes axes = tensor_axes(node.layer, at, static_cast<int>(k));
      require<ArgumentError>(
          (!axes.reads || (shape.rank() > 1 && shape[-2] == at.channels())) && (!axes.makes || shape[-1] == at.output[-1]),
          "'{}': expected tensor {} to have the channels as its axes that tensor_axes says, {} by {}, got a "
          "shape of {}",
          node.name, k, axes.reads ? at.channels() : 1, at.output[-1], shape);
      masked |= k == 0 && k < at.parameters.size() && axes.reads;
    }
    require<ArgumentError>(masked,
                           "'{}': expected the first parameter of a layer that makes channels to read its input's, "
                           "tensor_axes(at, 0).reads",
                           node.name);
  }
  static void check_numbers(const ChannelRule& rule, const LayerSite& at) {
    const bool slices = rule.kind == ChannelRule::Kind::slices;
    require<ArgumentError>(slices ? rule.first >= 0 && rule.first < rule.second && rule.second <= at.channels()
                                  : rule.first > 0 && rule.second > 0,
                           "'{}': expected a channel_rule with numbers above 0, and slices within what the layer reads, got {} "
                           "and {}",
                           at.name, rule.first, rule.second);
  }
  /// What a layer says of its channels has to be true of their number.
  static void check_width(const Network::Node& node, const Runs& made) {
    std::int64_t width = 0;
    for (const ChannelRun& run : made) width += run.size();
    require<ArgumentError>(width == node.shape[-1],
                           "'{}': expected a channel_rule that says where each of its {} channels comes from, got one of {}; "
                           "channels of its own are `makes()`",
                           node.name, node.shape[-1], width);
  }

  /// Of a layer where nothing fits: what it reads and puts out stays.
  Runs frozen(int index, const Network::Node& node, const std::string& why) {
    ties_.freeze(runs(node.inputs[0]), why);
    return made_frozen(index, node, why);
  }
  Runs made_frozen(int index, const Network::Node& node, const std::string& why) {
    Runs made = ties_.make(index, node.shape[-1], std::nullopt, why);
    ties_.freeze(made, why);
    return made;
  }
  Runs followed(int index, const Network::Node& node, std::int64_t block) {
    const bool all = block > 1 && block == node.shape[-1];
    if (all) ties_.freeze(runs(node.inputs[0]), format("'{}' reads all of them together", node.name));
    if (all || block == 1) return runs(node.inputs[0]);
    if (auto made = ties_.in_blocks(node.inputs[0], block, block)) return *std::move(made);
    return frozen(index, node, format("'{}' reads them in groups of {}, which end within theirs", node.name, block));
  }
  /// How many channels one group of a convolution reads and makes.
  struct GroupSize {
    std::int64_t in, out;
  };
  /// Of a depthwise or grouped convolution: what a group makes stays where what it reads stays.
  Runs handed_on(int index, const Network::Node& node, GroupSize size, const std::optional<Channels>& axis) {
    const int from = node.inputs[0];
    auto made = ties_.in_blocks(from, size.in, size.out);
    if (!made)
      return frozen(index, node, format("'{}' reads them in groups of {}, which end within theirs", node.name, size.in));
    if (!axis) ties_.keep_all(*made, format("'{}' hands them on and has no Channels axis", node.name));
    ties_.join(index, *made, axis);
    return *std::move(made);
  }
  /// Of inputs that have the same channels.
  Runs tied(const Network& network, const Network::Node& node) {
    const int first = node.inputs[0];
    for (std::size_t k = 1; k < node.inputs.size(); ++k) {
      const std::int64_t channels = network.nodes()[first].shape[-1], others = network.nodes()[node.inputs[k]].shape[-1];
      require<ArgumentError>(channels == others, "'{}': expected a channel_rule that ties as many channels each, got {} and {}",
                             node.name, channels, others);
      if (ties_.tie(first, node.inputs[k])) continue;
      const std::string why = format("'{}' ties channels that go in other steps", node.name);
      ties_.freeze(runs(first), why);
      ties_.freeze(runs(node.inputs[k]), why);
    }
    return runs(first);
  }
  static Runs repeated(Runs runs, std::int64_t positions) {
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
