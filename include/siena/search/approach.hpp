// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/state.hpp"
#include "siena/search/problem.hpp"
#include "siena/search/repair.hpp"

namespace siena {

/// How far a search lets constraints be violated on its way: from where it begins down to the limits, by the same factor in
/// every step. What is given up by the way is chosen by what was learnt on it, and each piece is small; all at once it would be
/// chosen by what things were worth to the whole network.
class Approach {
 public:
  /// The violations at the start.
  explicit Approach(std::vector<double> start) : start_(std::move(start)) {}

  /// The violations allowed after this part of the way, in [0, 1]: (1 + start)^(1 - part) - 1; 0 of what held at the start.
  std::vector<double> allowed(double part) const {
    std::vector<double> all;
    for (const double violation : start_) all.push_back(std::pow(1 + std::max(violation, 0.0), 1 - part) - 1);
    return all;
  }

  /// Drops what the task misses least for the excess that goes with it, move by move, until every violation is within what is
  /// allowed or no move helps.
  Selection drop(const Problem& problem, Selection selection, double part) const {
    const std::vector<double> allowance = allowed(part);
    while (detail::excess(problem, selection, allowance) > 0) {
      auto best = detail::best_move(problem, selection, Direction::away, allowance);
      if (!best) break;
      selection = std::move(best->to);
    }
    return selection;
  }

  void save(State& state, const std::string& prefix) const {
    state.put(prefix + "violations", static_cast<std::int64_t>(start_.size()));
    for (std::size_t i = 0; i < start_.size(); ++i) state.put(prefix + std::to_string(i), start_[i]);
  }
  void load(const State& state, const std::string& prefix) {
    std::vector<double> start(static_cast<std::size_t>(state.get<std::int64_t>(prefix + "violations")));
    for (std::size_t i = 0; i < start.size(); ++i) start[i] = state.get<double>(prefix + std::to_string(i));
    start_ = std::move(start);
  }

 private:
  std::vector<double> start_;
};
static_assert(Stateful<Approach>);

}  // namespace siena
