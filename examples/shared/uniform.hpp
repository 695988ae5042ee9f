// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The baseline of --method uniform: every layer scaled alike.

#include <functional>
#include <siena/constraints.hpp>
#include <siena/cost.hpp>
#include <siena/nn.hpp>
#include <string>

namespace siena::examples {

/// The greatest width, up to `most`, whose network keeps every bound. Throws ConstraintError, with the bounds that the
/// narrowest one breaks, where there is none.
inline double widest(const std::function<Network(double width)>& network_of, const ConstraintSet& bounds, double most) {
  const auto keeps = [&](double width) { return bounds.feasible(describe(network_of(width))); };
  double low = keeps(most) ? most : 0, high = most;
  for (int i = 1; i < 20 && low < high; ++i) {
    const double width = (low + high) / 2;
    (keeps(width) ? low : high) = width;
  }
  if (low > 0) return low;
  std::string broken;
  for (const ConstraintStatus& bound : bounds.status(describe(network_of(high))))
    if (!bound.feasible()) broken += (broken.empty() ? "" : ", ") + bound.to_string();
  fail<ConstraintError>("uniform: expected bounds that some width keeps; the narrowest network has {}; raise the limit",
                        broken);
}

}  // namespace siena::examples
