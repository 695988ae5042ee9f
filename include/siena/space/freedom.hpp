// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <any>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "siena/nn/network.hpp"
#include "siena/space/search_space.hpp"

namespace siena {

/// What a search may change in one layer with channels of its own.
struct LayerFreedom {
  std::string layer = {};
  bool asked = false;  ///< whether the layer was made Searchable with Channels
  std::int64_t channels = 0;
  std::int64_t fewest = 0;                  ///< that may stay
  std::vector<std::int64_t> steps = {};     ///< how many go at a time; several where parts go by themselves
  std::vector<std::string> with = {};       ///< layers whose channels go along
  std::vector<std::string> frozen_by = {};  ///< why channels, or a part of them, stay, as half sentences
  std::string kernels = {};                 ///< "1x1 to 5x5", "" where taps stay

  bool varies() const { return fewest < channels; }
  /// "8 to 32 of 32 channels in steps of 8, with conv2d_3", or "16 channels stay: they are the output of the network".
  std::string to_string() const {
    std::string text;
    if (varies()) {
      text = format("{} to {} of {} channels", fewest, channels, channels);
      if (steps != std::vector<std::int64_t>{1}) text += " in steps of " + listed(steps, " and ");
      if (!with.empty()) text += ", with " + listed(with, ", ");
    } else {
      text = format("{} channels stay{}", channels, asked ? ", though searchable" : "");
    }
    if (!frozen_by.empty()) text += format("{}: {}", varies() ? "; some stay" : "", listed(frozen_by, "; "));
    if (!kernels.empty()) text += format("; kernel {}", kernels);
    return text;
  }

 private:
  template <class T>
  static std::string listed(const std::vector<T>& items, const std::string& between) {
    std::string text;
    for (const T& item : items) text += (text.empty() ? "" : between) + format("{}", item);
    return text;
  }
};

/// What a search may change in a network, what stays, and why.
struct Freedom {
  std::vector<LayerFreedom> layers = {};
  std::vector<std::string> choices = {};  ///< "mixture_1: 3x3, 5x5 or identity"

  /// A line for each layer with channels of its own, and each choice.
  std::string to_string() const {
    std::size_t width = 0;
    for (const LayerFreedom& layer : layers) width = std::max(width, layer.layer.size());
    std::string text = "what may vary:\n";
    for (const LayerFreedom& layer : layers)
      text += "  " + layer.layer + std::string(width + 2 - layer.layer.size(), ' ') + layer.to_string() + "\n";
    for (const std::string& choice : choices) text += "  " + choice + "\n";
    text.pop_back();
    return text;
  }
};

namespace detail {
template <class T>
void add_new(std::vector<T>& list, const T& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}
inline void describe_channels(const Network& network, const SearchSpace& space, int node, LayerFreedom& layer) {
  for (const ChannelRun& run : space.masks().channels().runs(node)) {
    const ChannelGroup& group = space.masks().groups()[run.group];
    layer.channels += run.size();
    layer.fewest += group.minimum * run.width * run.repeat;
    if (group.frozen) {
      add_new(layer.frozen_by, group.frozen_by);
      continue;
    }
    add_new(layer.steps, run.width * group.multiple);
    for (const int other : group.layers) {
      if (other != node) add_new(layer.with, network.nodes()[other].name);
    }
  }
}
inline std::string kernels_of(const Network& network, const SearchSpace& space, int node) {
  const std::vector<int> none(space.taps().chains().size(), 0);
  const auto least = space.taps().cut(node, none);
  if (!least) return {};
  const Size2 whole = convolution_of(network.nodes()[node].layer)->kernel;
  if (network.nodes()[node].shape.rank() == 2) return format("{} to {}", least->columns.size(), whole.width);
  return format("{}x{} to {}x{}", least->rows.size(), least->columns.size(), whole.height, whole.width);
}
inline std::string alternatives_of(const Network& network, const Choices& choices, int choice) {
  std::string names;
  const auto& branches = choices.branches(network, choice);
  for (std::size_t b = 0; b < branches.size(); ++b)
    names += (b == 0 ? "" : b + 1 == branches.size() ? " or " : ", ") + branches[b].name;
  return format("{}: {}", network.nodes()[choices.node(choice)].name, names);
}
}  // namespace detail

/// What may vary of a network whose search space that is.
inline Freedom freedom(const Network& network, const SearchSpace& space) {
  Freedom all;
  for (int i = 1; i < static_cast<int>(network.nodes().size()); ++i) {
    const Network::Node& node = network.nodes()[i];
    using enum ChannelRule::Kind;
    const ChannelRule::Kind rule = channel_rule(node.layer, site_of(network, i)).kind;
    if (rule != makes && rule != makes_in_blocks && rule != freezes) continue;
    LayerFreedom layer{.layer = node.name, .kernels = detail::kernels_of(network, space, i)};
    if (const auto* axes = std::any_cast<SearchAxes>(&node.decoration)) layer.asked = axes->channels.has_value();
    detail::describe_channels(network, space, i, layer);
    all.layers.push_back(std::move(layer));
  }
  for (int c = 0; c < space.choices().count(); ++c) all.choices.push_back(detail::alternatives_of(network, space.choices(), c));
  return all;
}

/// Of a network with searchable layers, before any search: what wrapping them allows, and what else has to vary for more.
inline Freedom freedom(Network network, const SpaceOptions& options = {}) {
  const SearchSpace space(network, options);
  return freedom(network, space);
}

}  // namespace siena
