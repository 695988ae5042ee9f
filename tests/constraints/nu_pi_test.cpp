// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/constraints/nu_pi.hpp"

#include "constraints/toy.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::test;

TEST_CASE("nu-pi: ends on the limit, at the price of the constraint", "[constraints]") {
  const double nu = GENERATE(-0.5, 0.0, 0.9);
  MultiConstraint problem{subject_to(AtMost{Params{}, 4}), NuPi{.rate = 0.5, .nu = nu, .proportional = 5}};
  problem.start(2, toy(10.0), 10);
  REQUIRE(minimise(problem, 10, 20000, 0.02, 0) == Approx(4).epsilon(1e-6));
  REQUIRE(problem.strength(0) == Approx(toy_price).epsilon(1e-5));
}

TEST_CASE("nu-pi: the proportional part damps what the plain Lagrangian overshoots", "[constraints]") {
  const auto lowest = [](double proportional) {
    MultiConstraint problem{subject_to(AtMost{Params{}, 4}), NuPi{.rate = 5, .proportional = proportional}};
    problem.start(2, toy(10.0), 10);
    double x = 10, low = 10;
    for (int i = 0; i < 1000; ++i) low = std::min(low, x = minimise(problem, x, 1, 0.02, 0));
    return low;
  };
  REQUIRE(lowest(0) < 2.5);
  REQUIRE(lowest(10) > 3.2);
}

TEST_CASE("nu-pi: one step is the formula", "[constraints]") {
  MultiConstraint problem{subject_to(AtMost{Params{}, 4}), NuPi{.rate = 0.1, .nu = 0.25, .proportional = 3, .integral = 2}};
  problem.start(2, toy(10.0), 10);
  problem.update(toy(8.0));  // e = 1: xi = 0.75
  REQUIRE(problem.strength(0) == Approx(0.2 * (2 + 3 * 0.75)));
  problem.update(toy(6.0));  // e = 0.5: xi = 0.1875 + 0.375
  REQUIRE(problem.strength(0) == Approx(0.85 + 0.2 * (2 * 0.5 + 3 * (0.5625 - 0.75))));
  problem.update(toy(0.0));
  REQUIRE(problem.strength(0) == 0);
  REQUIRE(problem.penalty(toy(9.0), 0) == 0);
}
