// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/constraints/penalty.hpp"

#include "constraints/toy.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::test;

TEST_CASE("penalty: the quadratic one ends where task and penalty balance", "[constraints]") {
  for (const double weight : {1.0, 16.0, 1000.0}) {
    MultiConstraint problem{subject_to(AtMost{Params{}, 4}), Penalty{.weight = weight}};
    problem.start(2, toy(10.0), 10);
    REQUIRE(problem.penalty(toy(10.0), 0) == Approx(2 * weight / 2 * 1.5 * 1.5));
    const double c = 2 * weight;  // 2 (x - 10) + c (x/4 - 1) / 4 = 0
    const double x = (20 + c / 4) / (2 + c / 16);
    REQUIRE(minimise(problem, 10, 5000, 0.5 / (2 + c / 16), 0) == Approx(x).epsilon(1e-9));
    REQUIRE_FALSE(problem.feasible(toy(x)));
  }
}

TEST_CASE("penalty: the linear one is exact above the price", "[constraints]") {
  MultiConstraint weak{subject_to(AtMost{Params{}, 4}), Penalty{.weight = 16, .power = Penalty::Power::linear}};
  weak.start(1, toy(10.0), 10);
  REQUIRE(weak.strength(0) == 16);
  REQUIRE(minimise(weak, 10, 2000, 0.01, 0) == Approx(8).epsilon(1e-9));
  MultiConstraint strong{subject_to(AtMost{Params{}, 4}), Penalty{.weight = 60, .power = Penalty::Power::linear}};
  strong.start(1, toy(10.0), 10);
  REQUIRE(minimise(strong, 10, 20000, 0.0005, 0) == Approx(4).margin(0.01));
  REQUIRE_THROWS_WITH((MultiConstraint{subject_to(AtMost{Params{}, 4}), Penalty{.weight = -1}}.start(1, toy(1.0), 1)),
                      ContainsSubstring("weight of 0 or more"));
}
