// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/search_space.hpp"

namespace siena {

namespace detail {
/// One move of repair: the channels of a group, least (or most) important first.
struct Move {
  int group = -1;
  std::vector<std::int64_t> channels{};
  double score = 0;
};

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

inline void flip(Selection& selection, const Move& move, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    auto&& channel = selection.keep[move.group][static_cast<std::size_t>(move.channels[i])];
    channel = !channel;
  }
}

inline double excess(const ConstraintSet& constraints, const Architecture<double>& network) {
  double sum = 0;
  for (const AnyConstraint& constraint : constraints) sum += std::max(0.0, constraint.violation(network));
  return sum;
}

// Tiled costs fall in steps: up to this many channels are tried at a time.
inline constexpr std::size_t longest_move = 16;

/// The move of one group that lowers the excess for the least importance lost: drops channels, or brings some back (for constraints
/// from below; what comes back costs the task nothing). Its group is -1 where no move helps.
inline Move best_move(const Network& network, const SearchSpace& space, const ConstraintSet& constraints,
                      const Selection& selection, bool drop) {
  const double before = excess(constraints, describe(network, space, selection));
  Move best;
  best.score = std::numeric_limits<double>::infinity();
  for (int g = 0; g < static_cast<int>(space.masks().groups().size()); ++g) {
    const ChannelGroup& group = space.masks().groups()[g];
    if (group.frozen) continue;
    Move move{.group = g, .channels = ranked(network, space, selection, g, drop)};
    const auto most = std::min<std::int64_t>(static_cast<std::int64_t>(move.channels.size()) - (drop ? group.minimum : 0),
                                             static_cast<std::int64_t>(longest_move));
    double worth = 0;
    for (std::int64_t count = 1; count <= most; ++count) {
      if (drop) worth += space.masks().importance(network, g, move.channels[static_cast<std::size_t>(count - 1)]);
      Selection trial = selection;
      flip(trial, move, static_cast<std::size_t>(count));
      const double gained = before - excess(constraints, describe(network, space, trial));
      if (gained <= 0) continue;
      const double score = (worth + 1e-12 * static_cast<double>(count)) / gained;
      if (!(score < best.score)) continue;
      best = move;
      best.score = score;
      best.channels.resize(static_cast<std::size_t>(count));
    }
  }
  return best;
}

/// Drops the least important channel of every group that has one to spare; false where none has.
inline bool narrow_all(const Network& network, const SearchSpace& space, Selection& selection) {
  bool narrowed = false;
  for (int g = 0; g < static_cast<int>(space.masks().groups().size()); ++g) {
    if (space.masks().groups()[g].frozen || selection.count(g) <= space.masks().groups()[g].minimum) continue;
    selection.keep[g][static_cast<std::size_t>(ranked(network, space, selection, g, true).front())] = false;
    narrowed = true;
  }
  return narrowed;
}
}  // namespace detail

/// Drops channels until every constraint holds: at each move those that cost the task least (importance) for the violation that they
/// take away; brings channels back where a constraint from below asks for them. Where no group alone helps (a step of the cost that is
/// longer than a move, or the largest of several costs), all groups lose a channel, so that bounds which the smallest network keeps
/// are always met. A selection that holds already comes back as it is. Throws ConstraintError where neither helps.
inline Selection repair(const Network& network, const SearchSpace& space, const ConstraintSet& constraints,
                        Selection selection) {
  bool may_add = true;
  while (true) {
    const Architecture<double> now = describe(network, space, selection);
    if (constraints.feasible(now)) return selection;
    const bool only_bounds = std::all_of(constraints.begin(), constraints.end(), [&](const AnyConstraint& constraint) {
      return constraint.is_bound() || holds(constraint.violation(now));
    });
    detail::Move best = detail::best_move(network, space, constraints, selection, true);
    if (best.group < 0 && may_add && !only_bounds) {
      best = detail::best_move(network, space, constraints, selection, false);
    }
    if (best.group >= 0) {
      detail::flip(selection, best, best.channels.size());
      continue;
    }
    may_add = false;  // narrowing everything and widening it again would go on for ever
    require<ConstraintError>(
        only_bounds && detail::narrow_all(network, space, selection),
        "repair: expected every constraint to hold after dropping channels, got a worst violation of {:.4g} that "
        "dropping no longer lowers; do two constraints contradict each other?",
        constraints.worst_violation(now));
  }
}

/// Throws ConstraintError where a bound cannot be kept: says the smallest value that can be reached. Costs grow with channels, so the
/// smallest network decides for bounds, alone and together. Other constraints are tried by `repair`, from the whole network on: what it
/// does not find is refused.
inline void require_reachable(const Network& network, const SearchSpace& space, const ConstraintSet& constraints) {
  const Architecture<double> least = describe(network, space, space.smallest());
  const Architecture<double> most = describe(network, space, space.full());
  bool only_bounds = true;
  for (const AnyConstraint& constraint : constraints) {
    only_bounds &= constraint.is_bound();
    if (!constraint.is_bound() || holds(constraint.violation(least))) continue;
    fail<ConstraintError>(
        "bound '{}': expected a limit that some architecture keeps, got {:.6g} {}; the smallest value that this search "
        "space reaches is {:.6g} {} (the network as it is: {:.6g}); raise the limit or let more layers vary",
        constraint.name(), *constraint.limit(), constraint.unit(), *constraint.value(least), constraint.unit(),
        *constraint.value(most));
  }
  if (only_bounds) return;
  try {
    (void)repair(network, space, constraints, space.full());
  } catch (const ConstraintError&) {
    for (const AnyConstraint& constraint : constraints) {
      if (constraint.is_bound() || holds(constraint.violation(least)) || holds(constraint.violation(most))) continue;
      fail<ConstraintError>(
          "constraint '{}': expected one that some architecture keeps, got a violation of {:.4g} for the smallest and "
          "{:.4g} for the largest network of this search space, and found none between them that keeps it",
          constraint.name(), constraint.violation(least), constraint.violation(most));
    }
    throw;
  }
}

/// Gives slack back: switches on the most valuable channels (importance per share of the scarcest bound) for as long as every constraint
/// still holds. A selection that breaks a constraint comes back as it is.
inline Selection use_slack(const Network& network, const SearchSpace& space, const ConstraintSet& constraints,
                           Selection selection) {
  if (!constraints.feasible(describe(network, space, selection))) return selection;
  while (true) {
    const std::vector<double> now = constraints.violations(describe(network, space, selection));
    detail::Move best;
    best.score = -1;
    std::size_t best_count = 0;
    for (int g = 0; g < static_cast<int>(space.masks().groups().size()); ++g) {
      if (space.masks().groups()[g].frozen) continue;
      detail::Move move{.group = g, .channels = detail::ranked(network, space, selection, g, false)};
      double worth = 0;
      for (std::size_t count = 1; count <= std::min(move.channels.size(), detail::longest_move); ++count) {
        worth += space.masks().importance(network, g, move.channels[count - 1]);
        Selection trial = selection;
        detail::flip(trial, move, count);
        const std::vector<double> then = constraints.violations(describe(network, space, trial));
        if (!std::all_of(then.begin(), then.end(), [](double violation) { return holds(violation); })) break;
        double share = 1e-6;  // a channel may be free: the tile was not full
        for (std::size_t i = 0; i < then.size(); ++i) share = std::max(share, then[i] - now[i]);
        if (worth / share > best.score) {
          best = move;
          best.score = worth / share;
          best_count = count;
        }
      }
    }
    if (best.group < 0) return selection;
    detail::flip(selection, best, best_count);
  }
}

}  // namespace siena
