// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/core/units.hpp"
#include "siena/search/moves.hpp"
#include "siena/search/problem.hpp"
#include "siena/search/repair.hpp"
#include "siena/space/describe.hpp"

namespace siena {

/// What the metric of a constraint can come to in a search space; of a constraint that has none, its violation.
struct Reach {
  std::string name = {}, unit = {};
  double smallest = 0, largest = 0;
  double whole = 0;                  ///< of all channels and taps; of choices the first alternative
  std::optional<double> limit = {};  ///< of a bound from above

  ShownUnit shown() const { return shown_unit(unit, limit.value_or(largest)); }
  std::string amount(double value) const { return format("{}{}{}", shown().amount(value), shown().space(), shown().name); }
  /// "memory: 812 to 78744 B can be reached, the limit of 39372 B is 50.0 % of the whole network's 78744 B"; says so where
  /// the largest network keeps the limit.
  std::string to_string() const {
    const std::string range = format("{}: {} to {} can be reached", name, shown().amount(smallest), amount(largest));
    if (!limit) return range;
    return format("{}, the limit of {} is {:.1f} % of the whole network's {}{}", range, amount(*limit), 100 * *limit / whole,
                  amount(whole), largest <= *limit ? ": the largest network keeps it" : "");
  }
};

namespace detail {
/// Networks with every operation that a search may leave of each layer, of the smallest and of the whole network: every kernel,
/// every number of groups, the alternatives of every choice. What else there is lies between them.
inline std::vector<Architecture<double>> extremes(const Network& network, const SearchSpace& space) {
  std::vector<Architecture<double>> all;
  const std::function<void(Selection, std::size_t)> add = [&](Selection selection, std::size_t axis) {
    if (axis == space.axes().size()) {
      all.push_back(describe(network, space, selection));
      return;
    }
    for (AxisState& state : space.axes()[axis]->operations(network, selection[axis])) {
      selection[axis] = std::move(state);
      add(selection, axis + 1);
    }
  };
  for (Selection selection : {space.smallest(), space.full()}) {
    // Open: all alternatives are there, as while it searches.
    for (std::size_t a = 0; a < space.axes().size(); ++a) space.axes()[a]->open(selection[a]);
    add(std::move(selection), 0);
  }
  return all;
}
}  // namespace detail

/// The range of every constraint, then of every cost that is minimized: as exact costs grow with channels and taps, from the
/// smallest network with the cheapest alternatives to the whole one with the dearest. Trains nothing, takes milliseconds.
inline std::vector<Reach> reach(const Problem& problem) {
  const Network& network = problem.network;
  const SearchSpace& space = problem.space;
  const auto& minimized = problem.constraints.minimized();
  std::vector<Reach> all;
  const auto check = [&](const auto& priced) {
    if (priced.checks_networks()) priced.check(detail::extremes(network, space));
  };
  std::for_each(problem.constraints.begin(), problem.constraints.end(), check);
  std::for_each(minimized.begin(), minimized.end(), check);
  const auto add = [&](const auto& of, std::optional<double> limit, const auto& value) {
    const auto metric = [&](const Selection& selection) { return value(problem.describe(selection)); };
    const auto [smallest, largest] =
        std::minmax({metric(cheapest(network, space, metric)), metric(dearest(network, space, metric))});
    all.push_back({.name = of.name(),
                   .unit = of.unit(),
                   .smallest = smallest,
                   .largest = largest,
                   .whole = metric(space.full()),
                   .limit = limit});
  };
  for (const AnyConstraint& constraint : problem.constraints) {
    add(constraint, is_from_above(network, space, constraint) ? constraint.limit() : std::nullopt,
        [&](const Architecture<double>& priced) {
          return constraint.is_bound() ? *constraint.value(priced) : constraint.violation(priced);
        });
  }
  for (const Minimize& cost : minimized)
    add(cost, std::nullopt, [&](const Architecture<double>& priced) { return cost.value(priced); });
  return all;
}

/// Of a network with searchable layers, which need not be trained: to choose limits by.
inline std::vector<Reach> reach(Network network, const ConstraintSet& constraints, const SpaceOptions& options = {}) {
  const SearchSpace space = SearchSpace::install(network, options);
  return reach(Problem{network, space, constraints});
}

namespace detail {
/// Whether the constraints can be kept: measured times may fall where channels are added.
inline bool repairable(const Problem& problem) {
  try {
    (void)repair(problem, problem.space.full());
    return true;
  } catch (const ConstraintError&) {
    return false;
  }
}

/// Throws ConstraintError, with both names, for two constraints that are kept one by one but not together.
inline void require_no_contradiction(const Problem& problem) {
  const ConstraintSet& constraints = problem.constraints;
  const Architecture<double> least = problem.describe(problem.space.smallest()), most = problem.describe(problem.space.full());
  for (std::size_t i = 0; i < constraints.size(); ++i) {
    for (std::size_t j = i + 1; j < constraints.size(); ++j) {
      const AnyConstraint &a = constraints[i], &b = constraints[j];
      if (repairable(problem.with(ConstraintSet().add(a).add(b)))) continue;
      fail<ConstraintError>(
          "constraints '{}' and '{}': expected some architecture that keeps both, found none; of the smallest network: {}; {}; "
          "of the largest: {}; {}; they contradict each other: give one of them up, or move its limit",
          a.name(), b.name(), a.status(least).to_string(), b.status(least).to_string(), a.status(most).to_string(),
          b.status(most).to_string());
    }
  }
}

/// What `require_reachable` says of constraints that are no bounds, or of bounds that hold one by one but not together.
inline void require_found(const Problem& problem) {
  try {
    (void)repair(problem, problem.space.full());
  } catch (const ConstraintError&) {
    const Architecture<double> least = problem.describe(problem.space.smallest()),
                               most = problem.describe(problem.space.full());
    for (const AnyConstraint& constraint : problem.constraints) {
      if (is_from_above(problem.network, problem.space, constraint) || holds(constraint.violation(least)) ||
          holds(constraint.violation(most))) {
        continue;
      }
      fail<ConstraintError>(
          "constraint '{}': expected one that some architecture keeps, got a violation of {:.4g} for the smallest and "
          "{:.4g} for the largest network of this search space, and found none between them that keeps it",
          constraint.name(), constraint.violation(least), constraint.violation(most));
    }
    require_no_contradiction(problem);
    throw;
  }
}
}  // namespace detail

/// Throws ArgumentError where nothing of a network may vary.
inline void require_varying(const SearchSpace& space) {
  require<ArgumentError>(space.varies(),
                         "search: expected a network in which something may vary, got one in which nothing may, or nothing is "
                         "left to; say what: x | Searchable{{Conv2d{{.out = 16, .kernel = 3}}, Channels{{}}}}, or a Choice");
}

/// Throws ConstraintError where a bound cannot be kept: says the smallest value that can be reached. What is no bound from
/// above is tried by `repair`, from the whole network on, and so are bounds together where none of the smallest networks keeps
/// them all, or there are choices, whose cheapest alternatives may differ from bound to bound: what it does not find is
/// refused, with the names of two constraints that contradict each other where there are such.
inline void require_reachable(const Problem& problem) {
  const ConstraintSet& constraints = problem.constraints;
  const std::vector<Reach> metrics = reach(problem);
  bool only_bounds = true;
  for (std::size_t i = 0; i < constraints.size(); ++i) {
    const Reach& metric = metrics[i];
    only_bounds = only_bounds && metric.limit;
    require<ConstraintError>(
        !metric.limit || holds(metric.smallest / *metric.limit - 1) ||
            detail::repairable(problem.with(ConstraintSet().add(constraints[i]))),
        "bound '{}': expected a limit that some architecture keeps, got {}; the smallest value that this search space "
        "reaches is {} (the network as it is: {}); raise the limit or let more layers vary",
        metric.name, metric.amount(metric.limit.value_or(0)), metric.amount(metric.smallest), metric.amount(metric.whole));
  }
  if (!only_bounds || problem.space.mixes() || detail::excess(problem, detail::cheapest(problem)) > 0)
    detail::require_found(problem);
}

}  // namespace siena
