// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/search/moves.hpp"
#include "siena/search/problem.hpp"
#include "siena/search/repair.hpp"

namespace siena {

namespace detail {
/// A part of an architecture: of which axis, and which of that.
using PartIndex = std::pair<std::size_t, std::size_t>;

/// The one that a move changes.
inline PartIndex part_of(const Selection& from, const Move& move) {
  for (std::size_t a = 0; a < from.size(); ++a) {
    for (std::size_t part = 0; part < from[a].size(); ++part)
      if (move.to[a][part] != from[a][part]) return {a, part};
  }
  return {from.size(), 0};
}

/// By how many steps, or parts that are on, two states of a part differ.
inline double steps_between(const std::vector<int>& a, const std::vector<int>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum;
}
}  // namespace detail

/// A random architecture that keeps every constraint and to which nothing fits any more: what random search tries, to which
/// any search has to be compared (Li and Talwalkar 2019, arXiv 1902.07638). Alternatives, and what kernels have at least, are
/// drawn first, each as likely as any; then channels, bits and taps come back, of each part in proportion to a share drawn at
/// random, for as long as the constraints allow. One seed gives one architecture. Throws ConstraintError where `repair` does.
inline Selection random_selection(const Problem& problem, std::uint64_t seed) {
  Random random(seed);
  const auto& axes = problem.space.axes();
  Selection selection =
      smallest_by(problem.network, problem.space, [&](const Selection& trial) { return detail::excess(problem, trial); });
  for (std::size_t a = 0; a < axes.size(); ++a) {
    for (const AxisSite& site : axes[a]->sites())
      for (const auto& [index, values] : site.parts)
        selection[a][index][0] = static_cast<int>(random.below(static_cast<std::uint64_t>(values)));
  }
  selection = repair(problem, std::move(selection));

  const Selection start = selection, full = problem.space.full();
  const auto how_far = [&](const Selection& there, const detail::PartIndex& part) {
    const auto& [axis, index] = part;
    return detail::steps_between(there[axis][index], start[axis][index]);
  };
  std::map<detail::PartIndex, double> shares;  // of parts that may grow
  for (std::size_t a = 0; a < axes.size(); ++a) {
    for (std::size_t part = 0; part < start[a].size(); ++part)
      if (how_far(full, {a, part}) > 0) shares[{a, part}] = 1 - random.uniform();
  }
  while (true) {
    std::optional<Selection> next;
    double least = std::numeric_limits<double>::infinity();
    for_each_move(problem.network, problem.space, selection, Direction::back, [&](const Move& move) {
      if (move.size == 0) return false;  // another alternative, not more
      const detail::PartIndex part = detail::part_of(selection, move);
      const double after = how_far(move.to, part) / (how_far(full, part) * shares[part]);
      if (after < least && problem.constraints.feasible(problem.describe(move.to))) least = after, next = move.to;
      return false;
    });
    if (!next) return selection;
    selection = std::move(*next);
  }
}

}  // namespace siena
