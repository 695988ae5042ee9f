// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "siena/space/describe.hpp"
#include "siena/space/search_space.hpp"

namespace siena {

/// An architecture next to another one, along one axis.
struct Move : AxisMove {
  Selection to{};
};

/// Calls each(move) for the moves from an architecture along every axis of its space (see AxisHooks::for_each_move), for as
/// long as `each` returns true.
template <class Each>
void for_each_move(const Network& network, const SearchSpace& space, const Selection& from, Direction direction, Each&& each) {
  Move move;
  move.to = from;
  for (std::size_t a = 0; a < space.axes().size(); ++a) {
    space.axes()[a]->for_each_move(network, move.to, move.to[a], direction, [&](const AxisMove& step) {
      static_cast<AxisMove&>(move) = step;
      return each(std::as_const(move));
    });
  }
}

namespace detail {
/// Calls each(selection) for every value of the parts of a site, from the `first` on.
template <class Each>
void for_each_value(const AxisSite& site, Selection& trial, std::size_t axis, std::size_t first, Each&& each) {
  if (first == site.parts.size()) return each(trial);
  for (int value = 0; value < site.parts[first].values; ++value) {
    trial[axis][site.parts[first].index][0] = value;
    for_each_value(site, trial, axis, first + 1, each);
  }
}

/// Site by site, kernels and choices for instance, from a start, for as long as that lowers the cost. What lies in an
/// alternative is judged where that is taken, and so before the choice itself.
template <class Cost>
Selection descend(const Network& network, const SearchSpace& space, Selection best, Cost&& cost) {
  double least = cost(best);
  const auto settle = [&](std::size_t axis, const AxisSite& site) {
    Selection lowest = best;
    for (std::size_t a = 0; a < space.axes().size(); ++a) space.axes()[a]->enter(network, site.node, lowest[a]);
    const Selection entered = lowest;
    double value = cost(lowest);
    Selection trial = lowest;
    for_each_value(site, trial, axis, 0, [&](const Selection& other) {
      if (const double its = cost(other); its < value) value = its, lowest = other;
    });
    if (!(value < least)) {  // at least as good within its alternative, which stays as open as it was
      for (std::size_t a = 0; a < space.axes().size(); ++a) {
        for (std::size_t part = 0; part < lowest[a].size(); ++part) {
          if (entered[a][part] != best[a][part]) lowest[a][part] = best[a][part];
        }
      }
    }
    best = std::move(lowest);
    least = cost(best);
  };
  for (double before = HUGE_VAL; least < before;) {
    before = least;
    for (std::size_t a = 0; a < space.axes().size(); ++a) {
      for (const AxisSite& site : space.axes()[a]->sites()) settle(a, site);
    }
  }
  return best;
}
}  // namespace detail

namespace detail {
/// Weights and elements of outputs.
inline double numbers(const Network& network, const SearchSpace& space, const Selection& selection) {
  double sum = 0;
  for (const auto& layer : describe(network, space, selection).layers) sum += layer.output_elements() + layer.weights();
  return sum;
}
}  // namespace detail

/// The smallest architecture, but with the most bits where as many numbers cost less so: weights of 8 bits need no code that
/// takes fewer of them apart.
template <class Cost>
Selection smallest_by(const Network& network, const SearchSpace& space, Cost&& cost) {
  const Selection full = space.full();
  Selection best = space.smallest();
  const double numbers = detail::numbers(network, space, best);
  double least = cost(best);
  for (std::size_t a = 0; a < full.size(); ++a) {
    Selection trial = best;
    trial[a] = full[a];
    if (trial[a] == best[a] || detail::numbers(network, space, trial) != numbers) continue;
    if (const double its = cost(trial); its < least) least = its, best = std::move(trial);
  }
  return best;
}

/// The architecture of `smallest_by` with the kernels and alternatives that make `cost` least: the least there is where
/// costs add up. Where the largest of several counts, which no choice lowers alone, the start with the least activations finds
/// it mostly.
template <class Cost>
Selection cheapest(const Network& network, const SearchSpace& space, Cost&& cost) {
  const auto size = [&](const Selection& trial) { return detail::numbers(network, space, trial); };
  const Selection first = smallest_by(network, space, cost);
  const Selection a = detail::descend(network, space, first, cost),
                  b = detail::descend(network, space, detail::descend(network, space, first, size), cost);
  return cost(b) < cost(a) ? b : a;
}

/// The whole network with the alternatives and kernels that make `cost` largest, found likewise.
template <class Cost>
Selection dearest(const Network& network, const SearchSpace& space, Cost&& cost) {
  return detail::descend(network, space, space.full(), [&](const Selection& trial) { return -cost(trial); });
}

}  // namespace siena
