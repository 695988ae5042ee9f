// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/search/repair.hpp"
#include "siena/space/describe.hpp"

namespace siena {

/// How far a search lets constraints be violated on its way: from where it begins down to the limits, by the same factor in
/// every step. What is dropped by the way is chosen by what was learnt on it, and each drop is small; all at once at the end it
/// would be chosen by what channels were worth to the whole network.
class Approach {
 public:
  /// The violations at the start. Constraints that hold there are not looked at.
  explicit Approach(std::vector<double> start) : start_(std::move(start)) {}

  /// The violations allowed after this part of the way, in [0, 1]: (1 + start)^(1 - part) - 1.
  std::vector<double> allowed(double part) const {
    std::vector<double> all;
    for (const double violation : start_)
      all.push_back(violation > 0 ? std::pow(1 + violation, 1 - part) - 1 : std::numeric_limits<double>::infinity());
    return all;
  }

  /// Drops channels and taps, at each move those that cost the task least for the excess that they take away, until every
  /// violation is within what is allowed or no move helps.
  Selection drop(const Network& network, const SearchSpace& space, const ConstraintSet& constraints, Selection selection,
                 double part) const {
    const std::vector<double> allowance = allowed(part);
    while (detail::excess(constraints, describe(network, space, selection), allowance) > 0) {
      auto best = detail::best_move(network, space, constraints, selection, Direction::away, allowance);
      if (!best) break;
      selection = std::move(best->to);
    }
    return selection;
  }

 private:
  std::vector<double> start_;
};

}  // namespace siena
