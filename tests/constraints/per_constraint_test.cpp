// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/constraints/per_constraint.hpp"

#include "constraints/toy.hpp"
#include "siena/constraints/augmented_lagrangian.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/constraints/nu_pi.hpp"
#include "siena/constraints/penalty.hpp"
#include "siena/cost/macs.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::test;

namespace {

struct LongName {  // whose name is gone after the call
  std::string name() const { return "a formulation with a name too long to be stored in place"; }
  std::string to_string() const { return name(); }
  NoMemory start(double, double) const { return {}; }
  double strength(const NoMemory&, double) const { return 1; }
  template <class N>
  N term(const N& violation, const NoMemory&, double) const {
    return violation;
  }
};

ConstraintSet two_bounds() { return subject_to(AtMost{Params{}, 4}, AtMost{Macs{}, 5}); }

}  // namespace

TEST_CASE("any formulation: does what the one that it holds does", "[constraints]") {
  const AugmentedLagrangian held{.rate = 0.3};
  MultiConstraint plain{two_bounds(), held};
  MultiConstraint any{two_bounds(), AnyFormulation(held)};
  plain.start(1.7, toy(10.0), 12);
  any.start(1.7, toy(10.0), 12);
  REQUIRE(minimise(plain, 10, 50, 0.05, 3) == minimise(any, 10, 50, 0.05, 3));
  REQUIRE(plain.strength(1) == any.strength(1));
  REQUIRE(plain.penalty(toy(7.0), 3) == any.penalty(toy(7.0), 3));
  REQUIRE(AnyFormulation(held).name() == "augmented lagrangian");
  REQUIRE(AnyFormulation(LongName{}).name() == LongName{}.name());

  MultiConstraint still{two_bounds(), AnyFormulation(Duccio{})};  // no multiplier to move
  still.start(1.7, toy(10.0), 12);
  const double strength = still.strength(0);
  still.update(toy(20.0));
  REQUIRE(still.strength(0) == strength);
}

TEST_CASE("per constraint: each constraint has its own formulation", "[constraints]") {
  MultiConstraint problem{two_bounds(), PerConstraint{Penalty{.weight = 3}, NuPi{.rate = 0.1}}};
  REQUIRE(problem.formulation().name() == "penalty + nu-pi");
  problem.start(2, toy(10.0), 10);
  REQUIRE(problem.strength(0) == 6);
  REQUIRE(problem.strength(1) == 0);
  problem.update(toy(10.0));  // moves the second one alone: e = 1, rate (K_I + K_P) L e
  REQUIRE(problem.strength(0) == 6);
  REQUIRE(problem.strength(1) == Approx(0.1 * 2 * (1 + 1)));
  REQUIRE(problem.penalty(toy(8.0), 0) == Approx(6 / 2.0 * 1 * 1 + 0.4 * 0.6));
  problem.start(2, toy(10.0), 10);  // begins anew
  REQUIRE(problem.strength(0) == 6);
  REQUIRE(problem.strength(1) == 0);

  MultiConstraint one{subject_to(AtMost{Params{}, 4}), PerConstraint{Duccio{}}};
  one.start(3, toy(10.0), 10);
  REQUIRE(one.penalty(toy(10.0), 10) == Approx(3));
}

TEST_CASE("per constraint: ends where the formulation of the bound that binds ends", "[constraints]") {
  MultiConstraint problem{two_bounds(), PerConstraint{NuPi{.rate = 0.5, .proportional = 5}, Duccio{}}};
  problem.start(2, toy(10.0), 10);
  REQUIRE(minimise(problem, 10, 20000, 0.02, 10) == Approx(4).epsilon(1e-6));
  REQUIRE(problem.strength(0) == Approx(toy_price).epsilon(1e-5));
}

TEST_CASE("per constraint: a number that does not fit is refused", "[constraints]") {
  REQUIRE_THROWS_WITH((MultiConstraint{two_bounds(), PerConstraint{Duccio{}, NuPi{}, Penalty{}}}),
                      ContainsSubstring("a formulation for each of 2 constraints, got 3 (duccio + nu-pi + penalty)"));
  REQUIRE_THROWS_AS((MultiConstraint{two_bounds(), PerConstraint{Duccio{}}}), ArgumentError);
}

TEST_CASE("per constraint: a loaded state goes on to the same bits", "[constraints]") {
  const auto make = [] { return MultiConstraint{two_bounds(), PerConstraint{AugmentedLagrangian{}, NuPi{.nu = 0.5}}}; };
  auto one = make(), two = make();
  one.start(1.7, toy(10.0), 12);
  const double x = minimise(one, 10, 7, 0.05, 3.5);
  State state;
  one.save(state, "duals");
  two.load(state, "duals");
  REQUIRE(minimise(one, x, 5, 0.05, 4) == minimise(two, x, 5, 0.05, 4));
  MultiConstraint swapped{two_bounds(), PerConstraint{NuPi{}, AugmentedLagrangian{}}};
  REQUIRE_THROWS_WITH(swapped.load(state, "duals"), ContainsSubstring("got 'augmented lagrangian, rate 0.1, "));
}
