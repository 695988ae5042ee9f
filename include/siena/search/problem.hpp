// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/search_space.hpp"

namespace siena {

/// Costs that are minimized, in units of the task's loss.
using PriceOf = std::function<double(const Architecture<double>&)>;

/// What is to be found: an architecture of a network's search space that keeps constraints, for a low price beside them.
/// Refers to all of it.
struct Problem {
  const Network& network;            ///< with what was learnt of it
  const SearchSpace& space;          ///< of the network
  const ConstraintSet& constraints;  ///< to be kept
  PriceOf price = {};                ///< of what is minimized beside them; none: nothing is

  Architecture<double> describe(const Selection& selection) const { return siena::describe(network, space, selection); }
  std::vector<double> violations(const Selection& selection) const { return constraints.violations(describe(selection)); }
  double price_of(const Selection& selection) const { return price ? price(describe(selection)) : 0; }
  /// The same with other constraints.
  Problem with(const ConstraintSet& others) const { return {network, space, others, price}; }
};

}  // namespace siena
