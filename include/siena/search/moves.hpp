// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "siena/space/search_space.hpp"

namespace siena {

/// An architecture next to another one.
struct Move {
  Selection to{};
  double worth = 0;  ///< what the task loses or gains by it, an estimate: rise or fall of its loss
  int channels = 0;  ///< that go or come; or steps of taps
};

/// Which moves: to fewer channels and taps and any alternative,
/// or to more channels and taps and better alternatives.
enum class Direction { away, back };

namespace detail {
/// Channels of a group that are on (or off), those that go (or come back) first in front.
inline std::vector<std::int64_t> ranked(const Network& network, const SearchSpace& space, const Selection& selection, int group,
                                        bool on) {
  std::vector<std::int64_t> channels;
  for (std::int64_t c = 0; c < space.masks().groups()[group].channels; ++c) {
    if (selection.keep[group][static_cast<std::size_t>(c)] == on) channels.push_back(c);
  }
  std::stable_sort(channels.begin(), channels.end(), [&](std::int64_t a, std::int64_t b) {
    const double x = space.masks().importance(network, group, a), y = space.masks().importance(network, group, b);
    return on ? x < y : x > y;
  });
  return channels;
}

// Tiled costs fall in steps: up to this many channels are tried at a time.
inline constexpr std::int64_t longest_move = 16;

template <class Each>
void for_each_channel_move(const Network& network, const SearchSpace& space, const Selection& from, Direction direction,
                           Each&& each) {
  const bool away = direction == Direction::away;
  for (int g = 0; g < static_cast<int>(space.masks().groups().size()); ++g) {
    const ChannelGroup& group = space.masks().groups()[g];
    if (group.frozen) continue;
    const std::vector<std::int64_t> channels = ranked(network, space, from, g, away);
    const auto spare = static_cast<std::int64_t>(channels.size()) - (away ? group.minimum : 0);
    Move move{.to = from};
    for (std::int64_t i = 0; i < std::min(spare, longest_move); ++i) {
      const std::int64_t channel = channels[static_cast<std::size_t>(i)];
      move.to.keep[g][static_cast<std::size_t>(channel)] = !away;
      move.worth += space.masks().importance(network, g, channel);
      ++move.channels;
      if (!each(move)) break;
    }
  }
}

template <class Each>
void for_each_tap_move(const Network& network, const SearchSpace& space, const Selection& from, Direction direction,
                       Each&& each) {
  const bool away = direction == Direction::away;
  for (int c = 0; c < static_cast<int>(space.taps().chains().size()); ++c) {
    Move move{.to = from};
    int& steps = move.to.taps[c];
    const int spare = away ? steps : space.taps().chains()[c].steps - steps;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(spare, longest_move); ++i) {
      move.worth += space.taps().importance(network, c, away ? steps - 1 : steps);
      steps += away ? -1 : 1;
      ++move.channels;
      if (!each(move)) break;
    }
  }
}

template <class Each>
void for_each_choice_move(const Network& network, const SearchSpace& space, const Selection& from, Direction direction,
                          Each&& each) {
  for (int c = 0; c < space.choices().count(); ++c) {
    for (int b = 0; b < space.choices().sizes()[c]; ++b) {
      if (b == from.chosen[c]) continue;
      const double rise = space.choices().rise(network, c, from.chosen[c], b);
      if (direction == Direction::back && rise >= 0) continue;
      Move move{.to = from};
      move.to.chosen[c] = b;
      move.worth = direction == Direction::away ? std::max(rise, 0.0) : -rise;
      (void)each(move);
    }
  }
}
}  // namespace detail

/// Calls each(move) for the moves from an architecture: 1 to 16 channels of a group or steps of a chain of taps, for as long as
/// `each` returns true, and every other alternative of a choice. What a channel or a tap is worth is its importance; of
/// alternatives see Choices::rise.
template <class Each>
void for_each_move(const Network& network, const SearchSpace& space, const Selection& from, Direction direction, Each&& each) {
  detail::for_each_channel_move(network, space, from, direction, each);
  detail::for_each_tap_move(network, space, from, direction, each);
  detail::for_each_choice_move(network, space, from, direction, each);
}

namespace detail {
/// Changes alternatives, choice by choice, for as long as that lowers the cost.
template <class Cost>
Selection descend(const SearchSpace& space, Selection best, Cost&& cost) {
  double least = cost(best);
  for (bool improved = true; improved;) {
    improved = false;
    for (int c = 0; c < space.choices().count(); ++c) {
      Selection trial = best;
      for (int b = 0; b < space.choices().sizes()[c]; ++b) {
        trial.chosen[c] = b;
        const double value = cost(trial);
        if (!(value < least)) continue;
        best = trial;
        least = value;
        improved = true;
      }
    }
  }
  return best;
}
}  // namespace detail

/// The architecture of the fewest channels and taps with the alternatives that make `cost` least, found
/// choice by choice: the least there is where costs add up.
template <class Cost>
Selection cheapest(const SearchSpace& space, Cost&& cost) {
  return detail::descend(space, space.smallest(), cost);
}

/// The whole network with the alternatives that make `cost` largest, found likewise.
template <class Cost>
Selection dearest(const SearchSpace& space, Cost&& cost) {
  return detail::descend(space, space.full(), [&](const Selection& trial) { return -cost(trial); });
}

}  // namespace siena
