// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/search/moves.hpp"
#include "siena/space/describe.hpp"

namespace siena {

namespace detail {
inline double excess(const ConstraintSet& constraints, const Architecture<double>& network) {
  double sum = 0;
  for (const double violation : constraints.violations(network)) sum += std::max(0.0, violation);
  return sum;
}

/// The move that lowers the excess for the least that the task loses; back (for constraints from
/// below) it costs the task nothing. None where no move helps.
inline std::optional<Move> best_move(const Network& network, const SearchSpace& space, const ConstraintSet& constraints,
                                     const Selection& selection, Direction direction) {
  const double before = excess(constraints, describe(network, space, selection));
  std::optional<Move> best;
  double lowest = std::numeric_limits<double>::infinity();
  for_each_move(network, space, selection, direction, [&](const Move& move) {
    const double gained = before - excess(constraints, describe(network, space, move.to));
    if (gained <= 0) return true;
    const double worth = direction == Direction::away ? move.worth : 0;
    const double score = (worth + 1e-12 * static_cast<double>(move.channels)) / gained;
    if (score < lowest) lowest = score, best = move;
    return true;
  });
  return best;
}

/// Drops the least important channel of every group that has one to spare, and a step of every chain of taps; where none has,
/// takes the alternatives that make the excess least. False where nothing is left to do.
inline bool narrow_all(const Network& network, const SearchSpace& space, const ConstraintSet& constraints,
                       Selection& selection) {
  bool narrowed = false;
  for (int g = 0; g < static_cast<int>(space.masks().groups().size()); ++g) {
    const ChannelGroup& group = space.masks().groups()[g];
    if (group.frozen || selection.count(g) <= group.minimum) continue;
    selection.keep[g][static_cast<std::size_t>(ranked(network, space, selection, g, true).front())] = false;
    narrowed = true;
  }
  for (int& steps : selection.taps) {
    narrowed |= steps > 0;
    steps = std::max(0, steps - 1);
  }
  if (narrowed) return true;
  const auto cost = [&](const Selection& trial) { return excess(constraints, describe(network, space, trial)); };
  std::vector<int> least = cheapest(space, cost).chosen;
  if (least == selection.chosen) return false;
  selection.chosen = std::move(least);
  return true;
}
}  // namespace detail

/// Drops channels and taps and changes alternatives until every constraint holds: at each move those that cost the task least
/// for the violation that they take away; goes back where a constraint from below asks for it. Where no move alone helps (a
/// step of the cost that is longer than a move, or the largest of several costs), all groups lose a channel and all kernels
/// taps, so that bounds which the smallest network keeps are always met. A selection that holds already comes back as it is.
/// Throws ConstraintError where nothing helps.
inline Selection repair(const Network& network, const SearchSpace& space, const ConstraintSet& constraints,
                        Selection selection) {
  bool may_add = true;
  while (true) {
    const Architecture<double> now = describe(network, space, selection);
    if (constraints.feasible(now)) return selection;
    const bool only_bounds = std::all_of(constraints.begin(), constraints.end(), [&](const AnyConstraint& constraint) {
      return constraint.is_bound() || holds(constraint.violation(now));
    });
    std::optional<Move> best = detail::best_move(network, space, constraints, selection, Direction::away);
    if (!best && may_add && !only_bounds) best = detail::best_move(network, space, constraints, selection, Direction::back);
    if (best) {
      selection = std::move(best->to);
      continue;
    }
    may_add = false;  // narrowing everything and widening it again would go on for ever
    require<ConstraintError>(
        only_bounds && detail::narrow_all(network, space, constraints, selection),
        "repair: expected every constraint to hold after dropping channels, got a worst violation of {:.4g} that "
        "dropping no longer lowers; do two constraints contradict each other?",
        constraints.worst_violation(now));
  }
}

namespace detail {
/// What `require_reachable` says of constraints that are no bounds, or of bounds that hold one by one but not together.
inline void require_found(const Network& network, const SearchSpace& space, const ConstraintSet& constraints) {
  try {
    (void)repair(network, space, constraints, space.full());
  } catch (const ConstraintError&) {
    const Architecture<double> least = describe(network, space, space.smallest()),
                               most = describe(network, space, space.full());
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
}  // namespace detail

/// Throws ConstraintError where a bound cannot be kept: says the smallest value that can be reached. Costs grow with channels
/// and taps, so the smallest network with the cheapest alternatives decides for bounds. What is no bound is tried by `repair`,
/// from the whole network on, and so are bounds together where there are choices, whose cheapest alternatives may differ from
/// bound to bound: what it does not find is refused.
inline void require_reachable(const Network& network, const SearchSpace& space, const ConstraintSet& constraints) {
  bool only_bounds = true;
  for (const AnyConstraint& constraint : constraints) {
    only_bounds &= constraint.is_bound();
    if (!constraint.is_bound()) continue;
    const Architecture<double> least = describe(network, space, cheapest(space, [&](const Selection& trial) {
                                                  return constraint.violation(describe(network, space, trial));
                                                }));
    if (holds(constraint.violation(least))) continue;
    fail<ConstraintError>(
        "bound '{}': expected a limit that some architecture keeps, got {:.6g} {}; the smallest value that this search "
        "space reaches is {:.6g} {} (the network as it is: {:.6g}); raise the limit or let more layers vary",
        constraint.name(), *constraint.limit(), constraint.unit(), *constraint.value(least), constraint.unit(),
        *constraint.value(describe(network, space, space.full())));
  }
  if (!only_bounds || space.choices().count() > 0) detail::require_found(network, space, constraints);
}

/// Gives slack back: takes the moves that the task gains most by per share of the scarcest bound (channels and taps come back,
/// choices change to better alternatives) for as long as every constraint still holds. A move must be worth more than the
/// rise of `price`, of costs that are minimized in units of the loss. A selection that breaks a constraint comes back as it is.
inline Selection use_slack(const Network& network, const SearchSpace& space, const ConstraintSet& constraints,
                           Selection selection, const std::function<double(const Architecture<double>&)>& price = {}) {
  if (!constraints.feasible(describe(network, space, selection))) return selection;
  while (true) {
    const Architecture<double> here = describe(network, space, selection);
    const std::vector<double> now = constraints.violations(here);
    const double paid = price ? price(here) : 0;
    std::optional<Move> best;
    double highest = -1;
    for_each_move(network, space, selection, Direction::back, [&](const Move& move) {
      const Architecture<double> there = describe(network, space, move.to);
      const std::vector<double> then = constraints.violations(there);
      if (!std::all_of(then.begin(), then.end(), [](double violation) { return holds(violation); })) return false;
      double share = 1e-6;  // a channel may be free: the tile was not full
      for (std::size_t i = 0; i < then.size(); ++i) share = std::max(share, then[i] - now[i]);
      const double rise = price ? price(there) - paid : 0, worth = move.worth - rise;
      if (rise > 0 && worth <= 0) return true;
      if (worth / share > highest) highest = worth / share, best = move;
      return true;
    });
    if (!best) return selection;
    selection = std::move(best->to);
  }
}

}  // namespace siena
