// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/search/moves.hpp"
#include "siena/search/problem.hpp"
#include "siena/space/describe.hpp"

namespace siena {

/// Whether a constraint is a bound on a value from above, as costs are: broken where the value exceeds its limit. One from
/// below is broken where the value does not.
inline bool is_from_above(const Network& network, const SearchSpace& space, const AnyConstraint& constraint) {
  if (!constraint.is_bound()) return false;
  const auto agrees = [&](const Selection& selection) {
    const Architecture<double> priced = describe(network, space, selection);
    return holds(constraint.violation(priced)) == (*constraint.value(priced) <= *constraint.limit() * (1 + 1e-9));
  };
  return agrees(space.smallest()) && agrees(space.full());
}

namespace detail {
/// How far each violation may go, in the order of ConstraintSet::violations: 0 up to the limit. None: all of them 0.
using Allowance = std::vector<double>;

inline double excess(const Problem& problem, const Selection& selection, const Allowance& allowed = {}) {
  double sum = 0;
  const std::vector<double> violations = problem.violations(selection);
  for (std::size_t i = 0; i < violations.size(); ++i)
    sum += std::max(0.0, violations[i] - (allowed.empty() ? 0.0 : allowed[i]));
  return sum;
}

/// The move that lowers the excess for the least that the task loses; back (for constraints from
/// below) it costs the task nothing. None where no move helps.
inline std::optional<Move> best_move(const Problem& problem, const Selection& selection, Direction direction,
                                     const Allowance& allowed = {}) {
  const double before = excess(problem, selection, allowed);
  std::optional<Move> best;
  double lowest = std::numeric_limits<double>::infinity();
  for_each_move(problem.network, problem.space, selection, direction, [&](const Move& move) {
    const double gained = before - excess(problem, move.to, allowed);
    if (gained <= 0) return true;
    const double worth = direction == Direction::away ? move.worth : 0;
    const double score = (worth + 1e-12 * static_cast<double>(move.size)) / gained;
    if (score < lowest) lowest = score, best = move;
    return true;
  });
  return best;
}

/// Takes the first move away of everything that has one to spare: the least important channel (or multiple of channels) of
/// every group, a step of every chain of taps. False where nothing is left to drop.
inline bool narrow_all(const Problem& problem, Selection& selection) {
  const Selection from = selection;
  for_each_move(problem.network, problem.space, from, Direction::away, [&](const Move& move) {
    for (std::size_t a = 0; a < from.size() && move.size > 0; ++a) {
      for (std::size_t part = 0; part < from[a].size(); ++part) {
        if (move.to[a][part] != from[a][part]) selection[a][part] = move.to[a][part];
      }
    }
    return false;
  });
  return !(selection == from);
}

/// Whose excess is least, of the smallest networks.
inline Selection cheapest(const Problem& problem) {
  return siena::cheapest(problem.network, problem.space, [&](const Selection& trial) { return excess(problem, trial); });
}
}  // namespace detail

/// Drops channels and taps and changes alternatives until every constraint holds: at each move those that cost the task least
/// for the violation that they take away; goes back where a constraint from below asks for it. Where no move alone helps (a
/// step of the cost that is longer than a move, or the largest of several costs), all groups lose a channel and all kernels
/// taps, so that bounds which the smallest network keeps are always met. A selection that holds already comes back as it is.
/// Throws ConstraintError where nothing helps.
inline Selection repair(const Problem& problem, Selection selection) {
  const ConstraintSet& constraints = problem.constraints;
  bool may_add = true, may_narrow = true;
  std::vector<bool> from_above;
  for (const AnyConstraint& constraint : constraints)
    from_above.push_back(is_from_above(problem.network, problem.space, constraint));
  while (true) {
    const Architecture<double> now = problem.describe(selection);
    if (constraints.feasible(now)) return selection;
    bool only_bounds = true;
    for (std::size_t i = 0; i < constraints.size(); ++i)
      only_bounds = only_bounds && (from_above[i] || holds(constraints[i].violation(now)));
    std::optional<Move> best = detail::best_move(problem, selection, Direction::away);
    if (!best && may_add && !only_bounds) best = detail::best_move(problem, selection, Direction::back);
    if (best) {
      selection = std::move(best->to);
      continue;
    }
    may_add = false;  // narrowing everything and widening it again would go on for ever
    require<ConstraintError>(
        only_bounds && may_narrow,
        "repair: expected every constraint to hold after dropping channels, got a worst violation of {:.4g} that "
        "dropping no longer lowers; do two constraints contradict each other?",
        constraints.worst_violation(now));
    may_narrow = detail::narrow_all(problem, selection);
    if (!may_narrow) selection = detail::cheapest(problem);  // a whole kernel may cost less than a part, and 8 bits than 2
  }
}

}  // namespace siena
