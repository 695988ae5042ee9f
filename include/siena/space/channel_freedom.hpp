// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "siena/nn/network.hpp"
#include "siena/space/channels.hpp"
#include "siena/space/groups.hpp"

namespace siena {

/// How the channels of one layer may vary, and why no more.
struct ChannelFreedom {
  bool asked = false;  ///< whether the layer was made Searchable with Channels
  std::int64_t channels = 0;
  std::int64_t fewest = 0;                  ///< that may stay
  std::vector<std::int64_t> steps = {};     ///< how many go at a time; several where parts go by themselves
  std::vector<std::string> with = {};       ///< layers whose channels go along
  std::vector<std::string> frozen_by = {};  ///< why channels, or a part of them, stay, as half sentences

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

/// Of a node's output.
inline ChannelFreedom channel_freedom(const Network& network, const ChannelGroups& channels, int node) {
  const auto add_new = [](auto& list, const auto& item) {
    if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
  };
  ChannelFreedom all{.asked = spec_of<Channels>(network.nodes()[node].decoration) != nullptr};
  for (const ChannelRun& run : channels.runs(node)) {
    const ChannelGroup& group = channels.groups()[run.group];
    all.channels += run.size();
    all.fewest += group.minimum * run.width * run.repeat;
    if (group.frozen) {
      add_new(all.frozen_by, group.frozen_by);
      continue;
    }
    add_new(all.steps, run.width * group.multiple);
    for (const int other : group.layers) {
      if (other != node) add_new(all.with, network.nodes()[other].name);
    }
  }
  return all;
}

}  // namespace siena
