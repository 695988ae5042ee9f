// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

#include "siena/nn/network.hpp"
#include "siena/space/choices.hpp"
#include "siena/space/mask.hpp"
#include "siena/space/selection.hpp"
#include "siena/space/taps.hpp"

namespace siena {

struct SpaceOptions {
  MaskOptions masks = {};
  ChoiceOptions choices = {};
};

/// All that may vary in a network: made from what its layers were decorated with. Adds the parameters by which a search moves,
/// and the gates by which they act, to the network; names them by index, and so serves every copy of the network.
class SearchSpace {
 public:
  explicit SearchSpace(Network& network, const SpaceOptions& options = {})
      : masks_(network, options.masks), taps_(network, options.masks), choices_(network, options.choices) {}

  const ChannelMasks& masks() const { return masks_; }
  const TapMasks& taps() const { return taps_; }
  const Choices& choices() const { return choices_; }

  /// Whether there is anything to choose: more than one architecture.
  bool varies() const {
    const auto any = [](const auto& all, auto test) { return std::any_of(all.begin(), all.end(), test); };
    return !taps_.chains().empty() || any(choices_.sizes(), [](int count) { return count > 1; }) ||
           any(masks_.groups(), [](const ChannelGroup& group) { return !group.frozen && group.minimum < group.channels; });
  }

  /// The architecture that a forward pass computes now (`project` sees to minimums).
  Selection selection(const Network& network) const {
    return {.keep = masks_.kept(network), .taps = taps_.kept(network), .chosen = choices_.chosen(network)};
  }
  /// Makes the network compute this architecture.
  void select(Network& network, const Selection& selection) const {
    masks_.select(network, selection.keep);
    taps_.select(network, selection.taps);
    choices_.select(network, selection.chosen);
  }
  /// Switches off the channels and taps that a selection leaves out; all else stays as it is.
  void switch_off(Network& network, const Selection& selection) const {
    masks_.switch_off(network, selection.keep);
    taps_.switch_off(network, selection.taps);
  }
  /// Brings the parameters back into their range after an update.
  void project(Network& network) const {
    masks_.project(network);
    taps_.project(network);
  }

  /// Everything that there is; of choices the first alternative.
  Selection full() const {
    Selection all;
    for (const ChannelGroup& group : masks_.groups()) all.keep.emplace_back(static_cast<std::size_t>(group.channels), true);
    for (const TapChain& chain : taps_.chains()) all.taps.push_back(chain.steps);
    all.chosen.assign(static_cast<std::size_t>(choices_.count()), 0);
    return all;
  }
  /// As few channels and taps as may stay; of choices the first alternative.
  Selection smallest() const {
    Selection least;
    for (const ChannelGroup& group : masks_.groups()) {
      least.keep.emplace_back(static_cast<std::size_t>(group.channels), false);
      std::fill_n(least.keep.back().begin(), group.minimum, true);
    }
    least.taps.resize(taps_.chains().size(), 0);
    least.chosen.assign(static_cast<std::size_t>(choices_.count()), 0);
    return least;
  }

 private:
  ChannelMasks masks_;
  TapMasks taps_;
  Choices choices_;
};

}  // namespace siena
