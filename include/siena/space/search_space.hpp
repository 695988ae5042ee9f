// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <any>
#include <cstddef>
#include <utility>
#include <vector>

#include "siena/nn/network.hpp"
#include "siena/space/axis.hpp"
#include "siena/space/choices.hpp"
#include "siena/space/mask.hpp"
#include "siena/space/options.hpp"
#include "siena/space/searchable.hpp"
#include "siena/space/selection.hpp"
#include "siena/space/taps.hpp"

namespace siena {

/// All that may vary in a network, by what its layers were decorated with: names the parameters by which a search moves by
/// index, and so serves every copy of the network.
class SearchSpace {
 public:
  /// Adds the parameters by which a search moves, and the gates by which they act, to the network. Throws ArgumentError for an
  /// axis that a layer does not have, and for a network that has a space.
  static SearchSpace install(Network& network, const SpaceOptions& options = {}) { return SearchSpace(network, options); }

  /// In the order of their states in a Selection.
  const std::vector<AnyAxis>& axes() const { return axes_; }
  /// The one of a type.
  template <Axis A>
  const A& axis() const {
    for (const AnyAxis& axis : axes_) {
      if (const auto* found = dynamic_cast<const A*>(axis.get())) return *found;
    }
    fail<ArgumentError>("SearchSpace: expected one of the axes of this space, got another");
  }

  /// Whether there is anything to choose: more than one architecture.
  bool varies() const {
    return any([](const AxisHooks& axis) { return axis.varies(); });
  }
  /// Whether what the network costs while it is searched is an expectation.
  bool mixes() const {
    return any([](const AxisHooks& axis) { return axis.mixes(); });
  }
  bool learns_from_loss() const {
    return any([](const AxisHooks& axis) { return axis.learns_from_loss(); });
  }

  /// The architecture that a forward pass computes now (`project` sees to minimums).
  Selection selection(const Network& network) const {
    return each([&](const AxisHooks& axis) { return axis.state(network); });
  }
  /// What a pass of a search computes: choices that are not decided are left open.
  Selection computed(const Network& network, Mode mode) const {
    return each([&](const AxisHooks& axis) { return axis.computed(network, mode); });
  }
  /// Makes the network compute this architecture.
  void select(Network& network, const Selection& selection) const {
    for (std::size_t a = 0; a < axes_.size(); ++a) axes_[a]->select(network, selection[a]);
  }
  /// Switches off what a selection leaves out; all else stays as it is.
  void switch_off(Network& network, const Selection& selection) const {
    for (std::size_t a = 0; a < axes_.size(); ++a) axes_[a]->switch_off(network, selection[a]);
  }
  /// Brings the parameters back into their range after an update.
  void project(Network& network) const {
    for (const AnyAxis& axis : axes_) axis->project(network);
  }

  /// Everything that there is; of choices the first alternative.
  Selection full() const {
    return each([](const AxisHooks& axis) { return axis.whole(); });
  }
  /// As little as may stay; of choices the first alternative.
  Selection smallest() const {
    return each([](const AxisHooks& axis) { return axis.smallest(); });
  }

 private:
  SearchSpace(Network& network, const SpaceOptions& options) {
    using Kind = std::pair<int, AnyAxisSpec::Install>;
    static_assert(ChannelMasks::order < TapMasks::order && TapMasks::order < Choices::order);
    std::vector<Kind> kinds{{ChannelMasks::order, install_axis<ChannelMasks>},
                            {TapMasks::order, install_axis<TapMasks>},
                            {Choices::order, install_axis<Choices>}};
    for (const Network::Node& node : network.nodes()) {
      const auto* axes = std::any_cast<SearchAxes>(&node.decoration);
      if (axes == nullptr) continue;
      axes->check(node.layer, node.name);
      for (const AnyAxisSpec& spec : *axes) {
        const Kind kind{spec.order(), spec.install()};
        if (kind.second == nullptr || std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) continue;
        const auto behind = [&](const Kind& other) { return other.first > kind.first; };
        kinds.insert(std::find_if(kinds.begin(), kinds.end(), behind), kind);
      }
    }
    for (const Kind& kind : kinds) axes_.push_back(kind.second(network, options));
  }

  template <class Test>
  bool any(const Test& test) const {
    return std::any_of(axes_.begin(), axes_.end(), [&](const AnyAxis& axis) { return test(*axis); });
  }
  template <class StateOf>
  Selection each(const StateOf& state_of) const {
    Selection selection;
    for (const AnyAxis& axis : axes_) selection.add(axis->name(), state_of(*axis));
    return selection;
  }

  std::vector<AnyAxis> axes_;
};

}  // namespace siena
