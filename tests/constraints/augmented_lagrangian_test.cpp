// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/constraints/augmented_lagrangian.hpp"

#include "constraints/toy.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::test;

TEST_CASE("augmented lagrangian: ends on the limit, at the price of the constraint", "[constraints]") {
  const double penalty = GENERATE(0.0, 1.0, 20.0);  // 0: the plain Lagrangian
  MultiConstraint problem{subject_to(AtMost{Params{}, 4}), AugmentedLagrangian{.rate = 0.5, .penalty = penalty}};
  problem.start(2, toy(10.0), 10);
  REQUIRE(problem.strength(0) == 0);
  const double x = minimise(problem, 10, 20000, 0.02, 0);
  REQUIRE(x == Approx(4).epsilon(1e-6));
  REQUIRE(problem.strength(0) == Approx(toy_price).epsilon(1e-5));
}

TEST_CASE("augmented lagrangian: a bound that does not bind costs nothing", "[constraints]") {
  MultiConstraint problem{subject_to(AtMost{Params{}, 40}), AugmentedLagrangian{}};
  problem.start(2, toy(10.0), 10);
  REQUIRE(minimise(problem, 3, 2000, 0.05, 0) == Approx(10));
  REQUIRE(problem.strength(0) == 0);
}

TEST_CASE("augmented lagrangian: exact violations move the multiplier and the penalty", "[constraints]") {
  MultiConstraint problem{subject_to(AtMost{Params{}, 4}),
                          AugmentedLagrangian{.rate = 0.1, .penalty = 3, .growth = 1.5, .tolerance = 0.1}};
  problem.start(2, toy(10.0), 10);
  problem.update(toy(8.0));
  REQUIRE(problem.memory(0).multiplier == Approx(0.2));
  REQUIRE(problem.memory(0).strength == Approx(9));
  problem.update(toy(4.2));  // within the tolerance
  REQUIRE(problem.memory(0).multiplier == Approx(0.21));
  REQUIRE(problem.memory(0).strength == Approx(9));
  REQUIRE(problem.penalty(toy(8.0), 0) == Approx(0.21 + 4.5));
  problem.update(toy(0.0));
  REQUIRE(problem.memory(0).multiplier == Approx(0.01));
  REQUIRE(problem.memory(0).strength == 6);
  problem.update(toy(0.0));
  REQUIRE(problem.memory(0).multiplier == 0);
}

TEST_CASE("augmented lagrangian: the penalty grows up to its limit", "[constraints]") {
  MultiConstraint problem{subject_to(AtMost{Params{}, 4}), AugmentedLagrangian{.penalty = 3, .growth = 1.5, .most = 10}};
  problem.start(2, toy(10.0), 10);
  for (int i = 0; i < 5000; ++i) problem.update(toy(8.0));  // 1.5^5000 is no number any more
  REQUIRE(problem.memory(0).strength == 60);
  MultiConstraint standard{subject_to(AtMost{Params{}, 4}), AugmentedLagrangian{}};
  standard.start(2, toy(10.0), 10);
  for (int i = 0; i < 80000; ++i) standard.update(toy(8.0));
  REQUIRE(standard.memory(0).strength == 200);
  MultiConstraint wrong{subject_to(AtMost{Params{}, 4}), AugmentedLagrangian{.most = 0.5}};
  REQUIRE_THROWS_WITH(wrong.start(1, toy(1.0), 1), ContainsSubstring("most >= 1"));
}
