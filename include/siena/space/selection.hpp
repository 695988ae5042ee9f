// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"

namespace siena {

/// What is chosen along one axis: some whole numbers for each part of the network that varies on it. Of channels: for each
/// group, which stay, 1 or 0; of taps: for each chain, how many steps; of choices: for each, which alternative.
using AxisState = std::vector<std::vector<int>>;

/// One architecture of a search space, exactly: the state of each of its axes, which have names.
class Selection {
 public:
  std::size_t size() const { return states_.size(); }
  /// By their order in the space.
  AxisState& operator[](std::size_t axis) { return states_[axis].second; }
  const AxisState& operator[](std::size_t axis) const { return states_[axis].second; }
  /// By name, which must be that of an axis.
  AxisState& operator[](std::string_view axis) { return states_[index_of(axis)].second; }
  const AxisState& operator[](std::string_view axis) const { return states_[index_of(axis)].second; }

  /// For a space, which adds them in its order. `name` is to last as long as the selection.
  void add(std::string_view name, AxisState state) { states_.emplace_back(name, std::move(state)); }

  bool operator==(const Selection&) const = default;

 private:
  std::size_t index_of(std::string_view axis) const {
    const auto found = std::find_if(states_.begin(), states_.end(), [&](const auto& state) { return state.first == axis; });
    require<ArgumentError>(found != states_.end(), "Selection: expected the name of an axis of the space, got '{}'", axis);
    return static_cast<std::size_t>(found - states_.begin());
  }

  std::vector<std::pair<std::string_view, AxisState>> states_;
};

}  // namespace siena
