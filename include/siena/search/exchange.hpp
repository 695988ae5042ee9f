// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/search/moves.hpp"
#include "siena/search/slack.hpp"
#include "siena/space/describe.hpp"

namespace siena {

/// Gives up 1, 2, 4, 8 or 16 channels (or multiples of them) or steps of taps where the task gains more by what then fits in
/// their place, the best such exchange at a time, for as long as there is one: after moves that each were the best, one bound
/// may be used up by channels that are worth less than those which another bound still has room for. Both are estimates, so a
/// gain must be 2 % of what is given up, and more than the rise of `price`. A selection that breaks a constraint comes back as
/// it is.
inline Selection exchange(const Network& network, const SearchSpace& space, const ConstraintSet& constraints,
                          Selection selection, const PriceOf& price = {}) {
  constexpr int most_rounds = 64;
  constexpr double least_part = 0.02;
  const std::vector<double> now = constraints.violations(describe(network, space, selection));
  const detail::Allowance none(now.size(), 0.0);
  if (!detail::within(now, none)) return selection;
  for (int round = 0; round < most_rounds; ++round) {
    const double paid = price ? price(describe(network, space, selection)) : 0;
    std::optional<Selection> best;
    double highest = 0;
    for_each_move(network, space, selection, Direction::away, [&](const Move& move) {
      if (!std::has_single_bit(static_cast<unsigned>(move.steps))) return true;
      Move back = detail::grow(network, space, constraints, move.to, none, price);
      const double saved = price ? paid - price(describe(network, space, move.to)) : 0;
      const double gained = back.worth + saved - move.worth;
      if (back.channels > 0 && gained > std::max(highest, least_part * move.worth)) highest = gained, best = std::move(back.to);
      return true;
    });
    if (!best) break;
    selection = std::move(*best);
  }
  return selection;
}

}  // namespace siena
