// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// A problem whose solution is known: minimise (x - 10)^2 over the inputs x of one linear layer, where x may be 4 at most. At
// the solution x = 4 the relative violation g = x/4 - 1 has the price mu = -f'(4) / g' = 12 * 4 = 48.

#include <span>
#include <vector>

#include "siena/constraints/bound.hpp"
#include "siena/constraints/multi_constraint.hpp"
#include "siena/cost/params.hpp"

namespace siena::test {

inline constexpr double toy_price = 48;

template <class N>
Architecture<N> toy(const N& x) {
  LayerDesc<N> layer{.kind = LayerKind::linear, .name = "toy"};
  layer.in_channels = x, layer.out_channels = 1;
  return {.layers = {layer}};
}

/// What a step at `leaves` sees of violations that were computed from them: fills `values` and `gradients`, which it refers to.
inline Linearized linearized(ScalarTape& tape, std::span<const Scalar> leaves, std::span<const Scalar> violations,
                             std::vector<double>& values, std::vector<double>& gradients) {
  values.clear(), gradients.clear();
  for (const Scalar& violation : violations) {
    tape.zero_gradients();
    tape.backward(violation);
    values.push_back(violation.value());
    for (const Scalar& leaf : leaves) gradients.push_back(tape.gradient(leaf));
  }
  return {.violations = values, .gradients = gradients};
}

/// Gradient descent from x on the task and the penalty, with exact updates of the multipliers after each step. `length`: of a
/// step, for formulations that steer steps; the epoch stays.
template <class F>
double minimise(MultiConstraint<F>& problem, double x, int steps, double rate, double epoch, double length = 0.01) {
  ScalarTape tape;
  std::vector<double> values, gradients;
  for (int i = 0; i < steps; ++i) {
    tape.clear();
    const Scalar at = tape.leaf(x);
    tape.backward((at - 10) * (at - 10) + problem.penalty(toy(at), epoch));
    double step = -rate * tape.gradient(at);
    if constexpr (SteersSteps<F>) {
      Linearized seen = linearized(tape, {&at, 1}, problem.constraints().violations(toy(at)), values, gradients);
      seen.length = length;
      problem.steer({&step, 1}, seen);
    }
    x += step;
    problem.update(toy(x));
  }
  return x;
}

}  // namespace siena::test
