// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "siena/nn/network.hpp"
#include "siena/space/axis.hpp"
#include "siena/space/groups.hpp"

namespace siena {

namespace detail {
/// Places of the channels of a group when those whose weights have most bits come first. Where several layers make the group
/// with bits of their own, the one with most weights decides, the next one where that leaves it open, and so on.
inline std::vector<std::size_t> places_by_bits(const Network& network, const ChannelGroups& channels, int group,
                                               const Narrowing& left) {
  struct Maker {
    std::int64_t weights;
    std::vector<int> bits;  // of each channel of the group, the most of those that it stands for
  };
  const auto count = static_cast<std::size_t>(channels.groups()[group].channels);
  std::vector<Maker> makers;
  for (const int node : channels.groups()[group].layers) {
    const WeightBits bits = weight_bits_of(left.layers[node]);
    if (left.sources[node] != node || !bits.differ()) continue;
    Maker& maker = makers.emplace_back(
        Maker{network.parameter(network.nodes()[node].parameters[0]).value.elements(), std::vector<int>(count)});
    std::size_t output = 0;
    channels.for_each_channel(node, [&](int its, std::size_t channel) {
      if (its == group) maker.bits[channel] = std::max(maker.bits[channel], bits[output]);
      ++output;
    });
  }
  std::stable_sort(makers.begin(), makers.end(), [](const Maker& a, const Maker& b) { return a.weights > b.weights; });
  std::vector<std::size_t> order(count), places(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    for (const Maker& maker : makers)
      if (maker.bits[a] != maker.bits[b]) return maker.bits[a] > maker.bits[b];
    return false;
  });
  for (std::size_t p = 0; p < count; ++p) places[order[p]] = p;
  return places;
}
}  // namespace detail

/// Puts the channels that stay in the order of the bits of the weights that make them, for all that read them: filters of as
/// many bits then lie side by side, as far as ties allow, and hardware runs them as one call. What must stay in its order does.
inline void order_by_bits(const Network& network, const ChannelGroups& channels, Narrowing& left) {
  std::vector<std::vector<std::size_t>> places;
  for (int g = 0; g < static_cast<int>(channels.groups().size()); ++g) {
    places.emplace_back();
    if (!channels.groups()[g].ordered) places.back() = detail::places_by_bits(network, channels, g, left);
  }
  for (int node = 0; node < static_cast<int>(left.channels.size()); ++node) {
    std::vector<std::pair<std::size_t, std::size_t>> place;  // of each channel of the node: its run, and where in that
    std::size_t number = 0;
    for (const ChannelRun& run : channels.runs(node)) {
      const std::vector<std::size_t>& its = places[static_cast<std::size_t>(run.group)];
      for (std::int64_t r = 0; r < run.repeat; ++r, ++number)
        for (std::size_t c = 0; c < static_cast<std::size_t>(run.channels); ++c)
          place.insert(place.end(), static_cast<std::size_t>(run.width), {number, its.empty() ? c : its[c]});
    }
    std::vector<std::int64_t>& kept = left.channels[static_cast<std::size_t>(node)];
    std::stable_sort(kept.begin(), kept.end(), [&](std::int64_t a, std::int64_t b) {
      return place[static_cast<std::size_t>(a)] < place[static_cast<std::size_t>(b)];
    });
  }
}

}  // namespace siena
