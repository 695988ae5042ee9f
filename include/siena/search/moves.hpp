// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "siena/space/describe.hpp"
#include "siena/space/search_space.hpp"

namespace siena {

/// An architecture next to another one.
struct Move {
  Selection to{};
  double worth = 0;  ///< what the task loses or gains by it, an estimate: rise or fall of its loss
  int channels = 0;  ///< that go or come; or steps of taps
  int steps = 0;     ///< in which they do: of one channel, or of as many as are a multiple
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

/// How much more than its importance the last of `on` channels is worth, of `all` in its group. What many channels do together
/// is more than the sum of what each is missed for: the others step in for one, until few are left. So the worth of a group is
/// taken to grow with the logarithm of its channels; by the sum, whole layers go that no single channel of was missed.
inline double scarcity(std::int64_t all, std::int64_t on) { return static_cast<double>(all) / static_cast<double>(on); }

// Tiled costs fall in steps: up to this many channels are tried at a time, or one multiple where that is more.
inline constexpr std::int64_t longest_move = 16;

template <class Each>
void for_each_channel_move(const Network& network, const SearchSpace& space, const Selection& from, Direction direction,
                           Each&& each) {
  const bool away = direction == Direction::away;
  for (int g = 0; g < static_cast<int>(space.masks().groups().size()); ++g) {
    const ChannelGroup& group = space.masks().groups()[g];
    if (group.frozen) continue;
    const std::vector<std::int64_t> channels = ranked(network, space, from, g, away);
    Move move{.to = from};
    for (std::int64_t on = from.count(g);;) {
      const std::int64_t next = away ? group.fewer(on) : group.more(on);
      if (next == 0 || (move.steps > 0 && move.channels + std::abs(next - on) > longest_move)) break;
      for (; on != next; ++move.channels) {
        const std::int64_t channel = channels[static_cast<std::size_t>(move.channels)];
        move.to.keep[g][static_cast<std::size_t>(channel)] = !away;
        const std::int64_t most = away ? on-- : ++on;
        move.worth += space.masks().importance(network, g, channel) * scarcity(group.channels, most);
      }
      ++move.steps;
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
      ++move.channels, ++move.steps;
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

/// Calls each(move) for the moves from an architecture: 1 to 16 channels of a group (in whole multiples) or steps of a chain of
/// taps, for as long as `each` returns true, and every other alternative of a choice. What a tap is worth is its importance, of
/// a channel that times its scarcity; of alternatives see Choices::rise.
template <class Each>
void for_each_move(const Network& network, const SearchSpace& space, const Selection& from, Direction direction, Each&& each) {
  detail::for_each_channel_move(network, space, from, direction, each);
  detail::for_each_tap_move(network, space, from, direction, each);
  detail::for_each_choice_move(network, space, from, direction, each);
}

namespace detail {
/// The same, but with the alternatives taken that a node lies in.
inline Selection reaching(const Network& network, const SearchSpace& space, Selection selection, int node) {
  for (int c = 0; c < space.choices().count(); ++c) {
    const auto& branches = space.choices().branches(network, c);
    for (int b = 0; b < static_cast<int>(branches.size()); ++b) {
      if (branches[b].first <= node && node < branches[b].last) selection.chosen[c] = b;
    }
  }
  return selection;
}

/// Calls each(selection) for every size of a kernel: every state of its chains, from the `first` on.
template <class Each>
void for_each_kernel(const SearchSpace& space, Selection& trial, const std::vector<int>& chains, std::size_t first,
                     Each&& each) {
  if (first == chains.size()) return each(trial);
  for (int steps = 0; steps <= space.taps().chains()[chains[first]].steps; ++steps) {
    trial.taps[chains[first]] = steps;
    for_each_kernel(space, trial, chains, first + 1, each);
  }
}

/// Kernel by kernel and choice by choice, from a start, for as long as that lowers the cost. What lies in an alternative is
/// judged where that is taken, and so before the choice itself.
template <class Cost>
Selection descend(const Network& network, const SearchSpace& space, Selection best, Cost&& cost) {
  double least = cost(best);
  for (double before = HUGE_VAL; least < before;) {
    before = least;
    const auto settle = [&](int node, const auto& vary) {
      Selection lowest = reaching(network, space, best, node);
      double value = cost(lowest);
      vary(lowest, [&](const Selection& trial) {
        const double other = cost(trial);
        if (other < value) value = other, lowest = trial;
      });
      if (!(value < least)) {  // at least as good within its alternative, which stays as open as it was
        for (int c = 0; c < space.choices().count(); ++c) {
          if (space.choices().node(c) > node) lowest.chosen[c] = best.chosen[c];
        }
      }
      best = std::move(lowest);
      least = cost(best);
    };
    for (int node = 0; node < static_cast<int>(network.nodes().size()); ++node) {
      if (const auto chains = space.taps().chains_of(node); !chains.empty())
        settle(node, [&](Selection trial, const auto& each) { for_each_kernel(space, trial, chains, 0, each); });
    }
    for (int c = 0; c < space.choices().count(); ++c) {
      settle(space.choices().node(c), [&](Selection trial, const auto& each) {
        for (trial.chosen[c] = 0; trial.chosen[c] < space.choices().sizes()[c]; ++trial.chosen[c]) each(trial);
      });
    }
  }
  return best;
}
}  // namespace detail

/// The architecture of the fewest channels with the taps and alternatives that make `cost` least: the least there is where
/// costs add up. Where the largest of several counts, which no choice lowers alone, the start with the least activations finds
/// it mostly.
template <class Cost>
Selection cheapest(const Network& network, const SearchSpace& space, Cost&& cost) {
  const auto size = [&](const Selection& trial) {
    double sum = 0;
    for (const auto& layer : describe(network, space, trial).layers) sum += layer.output_elements() + layer.weights();
    return sum;
  };
  const Selection first = space.smallest();
  const Selection a = detail::descend(network, space, first, cost),
                  b = detail::descend(network, space, detail::descend(network, space, first, size), cost);
  return cost(b) < cost(a) ? b : a;
}

/// The whole network with the alternatives and kernels that make `cost` largest, found likewise.
template <class Cost>
Selection dearest(const Network& network, const SearchSpace& space, Cost&& cost) {
  return detail::descend(network, space, space.full(), [&](const Selection& trial) { return -cost(trial); });
}

}  // namespace siena
