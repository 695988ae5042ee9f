// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

#include "siena/search/moves.hpp"
#include "siena/search/problem.hpp"
#include "siena/search/slack.hpp"

namespace siena {

/// Gives up 1, 2, 4, 8 or 16 channels (or multiples of them) or steps of taps where the task gains more by what then fits in
/// their place, the best such exchange at a time, for as long as there is one: after moves that each were the best, one bound
/// may be used up by channels that are worth less than those which another bound still has room for. Both are estimates, so a
/// gain must be 2 % of what is given up, and more than the rise of the price. A selection that breaks a constraint comes back
/// as it is.
inline Selection exchange(const Problem& problem, Selection selection) {
  constexpr int most_rounds = 64;
  constexpr double least_part = 0.02;
  const std::vector<double> now = problem.violations(selection);
  const detail::Allowance none(now.size(), 0.0);
  if (!detail::within(now, none)) return selection;
  for (int round = 0; round < most_rounds; ++round) {
    const double paid = problem.price_of(selection);
    std::optional<Selection> best;
    double highest = 0;
    for_each_move(problem.network, problem.space, selection, Direction::away, [&](const Move& move) {
      if (!std::has_single_bit(static_cast<unsigned>(move.steps))) return true;
      Move back = detail::grow(problem, move.to, none);
      const double saved = problem.price ? paid - problem.price_of(move.to) : 0;
      const double gained = back.worth + saved - move.worth;
      if (back.size > 0 && gained > std::max(highest, least_part * move.worth)) highest = gained, best = std::move(back.to);
      return true;
    });
    if (!best) break;
    selection = std::move(*best);
  }
  return selection;
}

}  // namespace siena
