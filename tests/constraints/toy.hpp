// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// A problem whose solution is known: minimise (x - 10)^2 over the inputs x of one linear layer, where x may be 4 at most. At the
// solution x = 4 the relative violation g = x/4 - 1 has the price mu = -f'(4) / g' = 12 * 4 = 48.

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

/// Gradient descent from x on the task and the penalty, with exact updates of the multipliers after each step.
template <class F>
double minimise(MultiConstraint<F>& problem, double x, int steps, double rate, double epoch) {
  ScalarTape tape;
  for (int i = 0; i < steps; ++i) {
    tape.clear();
    const Scalar at = tape.leaf(x);
    tape.backward((at - 10) * (at - 10) + problem.penalty(toy(at), epoch));
    x -= rate * tape.gradient(at);
    problem.update(toy(x));
  }
  return x;
}

}  // namespace siena::test
