// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/search/moves.hpp"
#include "siena/search/problem.hpp"
#include "siena/search/repair.hpp"

namespace siena {

namespace detail {
inline bool within(const std::vector<double>& violations, const Allowance& allowed) {
  for (std::size_t i = 0; i < violations.size(); ++i) {
    if (!holds(violations[i] - allowed[i])) return false;
  }
  return true;
}

/// The move back that the task gains most by per share of the scarcest allowance. None where nothing fits or gains.
inline std::optional<Move> best_gain(const Problem& problem, const Selection& selection, const Allowance& allowed) {
  const Architecture<double> here = problem.describe(selection);
  const std::vector<double> now = problem.constraints.violations(here);
  const double paid = problem.price ? problem.price(here) : 0;
  std::optional<Move> best;
  double highest = -1;
  for_each_move(problem.network, problem.space, selection, Direction::back, [&](Move move) {
    const Architecture<double> there = problem.describe(move.to);
    const std::vector<double> then = problem.constraints.violations(there);
    if (!within(then, allowed)) return false;
    double share = 1e-6;  // a channel may be free: the tile was not full
    for (std::size_t i = 0; i < then.size(); ++i) share = std::max(share, then[i] - now[i]);
    const double rise = problem.price ? problem.price(there) - paid : 0;
    move.worth -= rise;
    if (rise > 0 && move.worth <= 0) return true;
    if (move.worth / share > highest) highest = move.worth / share, best = std::move(move);
    return true;
  });
  return best;
}

/// Takes moves back for as long as there are any; `worth` of the result is that of all of them.
inline Move grow(const Problem& problem, const Selection& from, const Allowance& allowed) {
  Move grown;
  grown.to = from;
  while (auto next = best_gain(problem, grown.to, allowed)) {
    grown.to = std::move(next->to);
    grown.worth += next->worth;
    grown.size += next->size;
  }
  return grown;
}

/// How far entries from `first` to `last` must be allowed to go, the others being held, for anything to be added at all;
/// nothing where no move is held back by them.
inline std::optional<double> least_raise(const Problem& problem, const Selection& selection, std::size_t first,
                                         std::size_t last) {
  std::optional<double> least;
  for_each_move(problem.network, problem.space, selection, Direction::back, [&](const Move& move) {
    std::vector<double> then = problem.violations(move.to);
    double needed = 0;
    for (std::size_t i = first; i < last; ++i) needed = std::max(needed, std::exchange(then[i], 0.0));
    if (within(then, Allowance(then.size(), 0.0)) && !holds(needed)) least = std::min(needed, least.value_or(needed));
    return false;  // longer moves need no less
  });
  return least;
}
}  // namespace detail

/// Gives slack back: takes the moves that the task gains most by per share of the scarcest bound (channels and taps come back,
/// choices change to better alternatives) for as long as every constraint still holds. A move must be worth more than the
/// rise of the price. A selection that breaks a constraint comes back as it is.
inline Selection use_slack(const Problem& problem, const Selection& selection) {
  const std::vector<double> now = problem.violations(selection);
  const detail::Allowance none(now.size(), 0.0);
  if (!detail::within(now, none)) return selection;
  return detail::grow(problem, selection, none).to;
}

/// What a constraint costs the task.
struct ShadowPrice {
  std::string name = {}, unit = {};
  std::optional<double> limit = {};
  bool binds = false;  ///< whether something could be added to the network, were the limit of this constraint higher
  double price = 0;    ///< fall of the task's loss per unit of the limit; per 1 of the violation where there is no limit

  /// "memory binds: a limit 1 % higher would lower the loss by 0.0012"
  std::string to_string() const {
    if (!binds) return format("{} does not bind", name);
    return format("{} binds: a limit {} higher would lower the loss by {:.2g}", name, limit ? "1 %" : "0.01",
                  0.01 * price * limit.value_or(1));
  }
};

/// The shadow price of every constraint at a selection that keeps them all: by how much the loss would fall, per unit, if this
/// limit alone were raised, by the part `raise` or as much as anything to be added needs, and the slack given back. Where
/// bounds hold back the same channels together, raising one of them may allow nothing: it does not bind then. Estimated from
/// what channels, taps and alternatives are worth, not trained.
inline std::vector<ShadowPrice> shadow_prices(const Problem& problem, const Selection& selection, double raise = 0.05) {
  const detail::Allowance limits(problem.violations(selection).size(), 0.0);
  const Selection full = detail::grow(problem, selection, limits).to;
  const Architecture<double> exact = problem.describe(full);
  std::vector<ShadowPrice> prices;
  std::size_t first = 0, last = 0;
  for (const AnyConstraint& constraint : problem.constraints) {
    first = std::exchange(last, last + constraint.violations(exact).size());
    ShadowPrice& result =
        prices.emplace_back(ShadowPrice{.name = constraint.name(), .unit = constraint.unit(), .limit = constraint.limit()});
    const auto least = detail::least_raise(problem, full, first, last);
    if (!least) continue;
    const double raised = std::max(raise, *least);
    detail::Allowance allowed = limits;
    for (std::size_t i = first; i < last; ++i) allowed[i] = raised;
    result.binds = true;
    result.price = detail::grow(problem, full, allowed).worth / (raised * result.limit.value_or(1));
  }
  return prices;
}

}  // namespace siena
