// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/core/units.hpp"
#include "siena/search/moves.hpp"
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
/// What may be left of the taps of all kernels: so many selections of steps that each kernel takes every size it can have.
inline std::vector<std::vector<int>> kernel_sizes(const Network& network, const SearchSpace& space) {
  std::vector<std::vector<int>> all;
  for (int number = 0, most = 1; number < most; ++number) {
    std::vector<int> sizes(network.nodes().size(), 1), steps;  // of a kernel by the chains so far: digits of the number
    for (const TapChain& chain : space.taps().chains()) {
      steps.push_back(number / sizes[chain.node] % (chain.steps + 1));
      sizes[chain.node] *= chain.steps + 1;
      most = std::max(most, sizes[chain.node]);
    }
    all.push_back(std::move(steps));
  }
  return all;
}
/// Groups of channels that go in whole groups of a convolution, or with their filters: it is another operation for each number.
inline std::vector<int> counted_groups(const Network& network, const SearchSpace& space) {
  std::vector<int> all;
  for (int i = 1; i < static_cast<int>(network.nodes().size()); ++i) {
    const auto conv = convolution_of(network.nodes()[i].layer);
    const std::int64_t in = network.nodes()[network.nodes()[i].inputs[0]].shape[-1];
    if (!conv || conv->group_count(in) == 1 || conv->out == conv->group_count(in)) continue;
    for (const ChannelRun& run : space.masks().channels().runs(i)) {
      if (!space.masks().groups()[run.group].frozen) all.push_back(run.group);
    }
  }
  return all;
}

/// Networks with every operation that a search may leave of each layer, of the fewest channels and of all: every kernel, every
/// number of groups, the alternatives of every choice. What else there is lies between them.
inline std::vector<Architecture<double>> extremes(const Network& network, const SearchSpace& space) {
  std::vector<Architecture<double>> all;
  const std::vector<int> counted = counted_groups(network, space);
  for (Selection selection : {space.smallest(), space.full()}) {
    std::fill(selection.chosen.begin(), selection.chosen.end(), -1);  // open: all alternatives are there, as while it searches
    for (const std::vector<int>& steps : kernel_sizes(network, space)) {
      selection.taps = steps;
      all.push_back(describe(network, space, selection));
      for (const int g : counted) {
        const ChannelGroup& group = space.masks().groups()[g];
        const std::vector<bool> before = selection.keep[g];
        for (std::int64_t count = group.channels; count != 0; count = group.fewer(count)) {
          std::fill(selection.keep[g].begin(), selection.keep[g].end(), false);
          std::fill_n(selection.keep[g].begin(), count, true);
          all.push_back(describe(network, space, selection));
        }
        selection.keep[g] = before;
      }
    }
  }
  return all;
}
}  // namespace detail

/// The range of every constraint, then of every cost that is minimized: as exact costs grow with channels and taps, from the
/// smallest network with the cheapest alternatives to the whole one with the dearest. Trains nothing, takes milliseconds.
inline std::vector<Reach> reach(const Network& network, const SearchSpace& space, const ConstraintSet& constraints) {
  std::vector<Reach> all;
  const auto check = [&](const auto& priced) {
    if (priced.checks_networks()) priced.check(detail::extremes(network, space));
  };
  std::for_each(constraints.begin(), constraints.end(), check);
  std::for_each(constraints.minimized().begin(), constraints.minimized().end(), check);
  const auto add = [&](const auto& of, std::optional<double> limit, const auto& value) {
    const auto metric = [&](const Selection& selection) { return value(describe(network, space, selection)); };
    const auto [smallest, largest] =
        std::minmax({metric(cheapest(network, space, metric)), metric(dearest(network, space, metric))});
    all.push_back({.name = of.name(),
                   .unit = of.unit(),
                   .smallest = smallest,
                   .largest = largest,
                   .whole = metric(space.full()),
                   .limit = limit});
  };
  for (const AnyConstraint& constraint : constraints) {
    add(constraint, is_from_above(network, space, constraint) ? constraint.limit() : std::nullopt,
        [&](const Architecture<double>& priced) {
          return constraint.is_bound() ? *constraint.value(priced) : constraint.violation(priced);
        });
  }
  for (const Minimize& cost : constraints.minimized())
    add(cost, std::nullopt, [&](const Architecture<double>& priced) { return cost.value(priced); });
  return all;
}

/// Of a network with searchable layers, which need not be trained: to choose limits by.
inline std::vector<Reach> reach(Network network, const ConstraintSet& constraints, const SpaceOptions& options = {}) {
  const SearchSpace space(network, options);
  return reach(network, space, constraints);
}

namespace detail {
/// Whether constraints can be kept, alone: measured times may fall where channels are added.
inline bool repairable(const Network& network, const SearchSpace& space, const ConstraintSet& constraints) {
  try {
    (void)repair(network, space, constraints, space.full());
    return true;
  } catch (const ConstraintError&) {
    return false;
  }
}

/// Throws ConstraintError, with both names, for two constraints that are kept one by one but not together.
inline void require_no_contradiction(const Network& network, const SearchSpace& space, const ConstraintSet& constraints) {
  const Architecture<double> least = describe(network, space, space.smallest()), most = describe(network, space, space.full());
  for (std::size_t i = 0; i < constraints.size(); ++i) {
    for (std::size_t j = i + 1; j < constraints.size(); ++j) {
      const AnyConstraint &a = constraints[i], &b = constraints[j];
      if (repairable(network, space, ConstraintSet().add(a).add(b))) continue;
      fail<ConstraintError>(
          "constraints '{}' and '{}': expected some architecture that keeps both, found none; of the smallest network: {}; {}; "
          "of the largest: {}; {}; they contradict each other: give one of them up, or move its limit",
          a.name(), b.name(), a.status(least).to_string(), b.status(least).to_string(), a.status(most).to_string(),
          b.status(most).to_string());
    }
  }
}

/// What `require_reachable` says of constraints that are no bounds, or of bounds that hold one by one but not together.
inline void require_found(const Network& network, const SearchSpace& space, const ConstraintSet& constraints) {
  try {
    (void)repair(network, space, constraints, space.full());
  } catch (const ConstraintError&) {
    const Architecture<double> least = describe(network, space, space.smallest()),
                               most = describe(network, space, space.full());
    for (const AnyConstraint& constraint : constraints) {
      if (is_from_above(network, space, constraint) || holds(constraint.violation(least)) ||
          holds(constraint.violation(most))) {
        continue;
      }
      fail<ConstraintError>(
          "constraint '{}': expected one that some architecture keeps, got a violation of {:.4g} for the smallest and "
          "{:.4g} for the largest network of this search space, and found none between them that keeps it",
          constraint.name(), constraint.violation(least), constraint.violation(most));
    }
    require_no_contradiction(network, space, constraints);
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
/// above is tried by `repair`, from the whole network on, and so are bounds together where there are choices, whose cheapest
/// alternatives may differ from bound to bound: what it does not find is refused, with the names of two constraints that
/// contradict each other where there are such.
inline void require_reachable(const Network& network, const SearchSpace& space, const ConstraintSet& constraints) {
  const std::vector<Reach> metrics = reach(network, space, constraints);
  bool only_bounds = true;
  for (std::size_t i = 0; i < constraints.size(); ++i) {
    const Reach& metric = metrics[i];
    only_bounds = only_bounds && metric.limit;
    require<ConstraintError>(
        !metric.limit || holds(metric.smallest / *metric.limit - 1) ||
            detail::repairable(network, space, ConstraintSet().add(constraints[i])),
        "bound '{}': expected a limit that some architecture keeps, got {}; the smallest value that this search space "
        "reaches is {} (the network as it is: {}); raise the limit or let more layers vary",
        metric.name, metric.amount(metric.limit.value_or(0)), metric.amount(metric.smallest), metric.amount(metric.whole));
  }
  if (!only_bounds || space.choices().count() > 0) detail::require_found(network, space, constraints);
}

}  // namespace siena
