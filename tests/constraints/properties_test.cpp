// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// What every formulation must keep, whatever it does.

#include <cmath>
#include <string>
#include <vector>

#include "constraints/toy.hpp"
#include "siena/constraints/augmented_lagrangian.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/constraints/nu_pi.hpp"
#include "siena/constraints/penalty.hpp"
#include "siena/constraints/per_constraint.hpp"
#include "siena/constraints/steer.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::test;

namespace {

struct Rescaled {  // the same cost in another unit
  double factor;
  std::string_view name() const { return "rescaled"; }
  auto layer_cost(const auto& layer) const { return layer.weights() * factor; }
};

// Strong enough for the toy: with a loss of 4 after warm-up, every one of them holds the price of 48.
template <class Check>
void each_formulation(const Check& check) {
  const std::vector<AnyFormulation> all{Duccio{.kappa = 20, .floor = 1},
                                        Duccio{.kappa = 20, .schedule = Duccio::Schedule::constant, .floor = 1},
                                        Duccio{.kappa = 20, .shape = Duccio::Shape::absolute, .floor = 1},
                                        Penalty{.weight = 1000},
                                        Penalty{.weight = 20, .power = Penalty::Power::linear},
                                        AugmentedLagrangian{},
                                        AugmentedLagrangian{.penalty = 0},
                                        NuPi{.proportional = 10},
                                        NuPi{.nu = 0.9, .proportional = 10}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO("formulation " << i << ", " << all[i].name());
    check(all[i]);
    if (i < 2) check(PerConstraint{all[i]});
  }
  INFO("steer");
  check(Steer{});
  check(Steer{.deadline = 1, .shortest = 10, .approach = 1});
}

constexpr int run_steps = 4000;
constexpr double run_rate = 0.005, run_loss = 4;

// Where x stands after each step of a search from `start` (epochs 0 to 10).
template <class F>
std::vector<double> run(MultiConstraint<F>& problem, double start, int from = 0, int steps = run_steps) {
  std::vector<double> path;
  double x = start;
  for (int i = from; i < from + steps; ++i) {
    x = minimise(problem, x, 1, run_rate, 10.0 * i / run_steps, 1.0 / run_steps);
    path.push_back(x);
  }
  return path;
}
template <class F>
MultiConstraint<F> begun(const F& formulation, double start, double unit = 1) {
  MultiConstraint problem{subject_to(AtMost{Rescaled{unit}, 4 * unit}), formulation};
  problem.start(run_loss, toy(start), 10);
  return problem;
}

}  // namespace

TEST_CASE("every formulation: ends at the limit from above, and from below where it is broken later", "[constraints]") {
  each_formulation([](const auto& formulation) {
    for (const double start : {10.0, 4.0, 2.0}) {
      INFO("from " << start);
      auto problem = begun(formulation, start);
      const auto path = run(problem, start);
      CHECK(path.back() == Approx(4).margin(0.15));  // a step of a hinge, the gap of a quadratic penalty
      for (const double x : path) REQUIRE((x > 0 && x <= 10));
    }
  });
}

TEST_CASE("every formulation: the unit of a cost changes nothing", "[constraints]") {
  each_formulation([](const auto& formulation) {
    auto plain = begun(formulation, 10), kibi = begun(formulation, 10, 1024), milli = begun(formulation, 10, 1e-3),
         kilo = begun(formulation, 10, 1e3);
    const auto path = run(plain, 10), same = run(kibi, 10), small = run(milli, 10), large = run(kilo, 10);
    CHECK(same == path);  // to the bit
    // To rounding, until a hinge flips on its last bit; then to the size of a step.
    double worst_early = 0, worst = 0;
    for (std::size_t i = 0; i < path.size(); ++i) {
      const double error = std::max(std::abs(small[i] - path[i]), std::abs(large[i] - path[i]));
      worst = std::max(worst, error);
      if (i < 100) worst_early = std::max(worst_early, error);
    }
    CHECK(worst_early < 1e-11);
    CHECK(worst < 0.15);
    CHECK(kilo.strength(0) == Approx(plain.strength(0)).epsilon(0.01));
  });
}

TEST_CASE("every formulation: a limit that is hit exactly is kept, and costs nothing", "[constraints]") {
  each_formulation([](const auto& formulation) {
    auto problem = begun(formulation, 4);
    ScalarTape tape;
    for (const double epoch : {0.0, 5.0, 10.0}) {
      CHECK(problem.penalty(toy(4.0), epoch) == 0);
      const Scalar at = tape.leaf(4);
      tape.backward(problem.penalty(toy(at), epoch));
      CHECK(tape.gradient(at) == 0);  // no multiplier has moved yet
      problem.update(toy(4.0));
      CHECK(std::isfinite(problem.strength(0)));
    }
    CHECK(problem.feasible(toy(4.0)));
    CHECK(problem.status(toy(4.0))[0].feasible());
    CHECK_FALSE(problem.feasible(toy(4.0 + 1e-6)));
  });
}

TEST_CASE("every formulation: saved and loaded in mid-run, the path is the same to the bit", "[constraints]") {
  each_formulation([](const auto& formulation) {
    auto whole = begun(formulation, 10);
    const auto path = run(whole, 10, 0, 600);
    auto first = begun(formulation, 10);
    const auto before = run(first, 10, 0, 333);
    State state;
    first.save(state, "duals");
    MultiConstraint second{subject_to(AtMost{Rescaled{1}, 4}), formulation};  // never started
    second.load(state, "duals");
    const auto after = run(second, before.back(), 333, 267);
    CHECK(before.back() == path[332]);
    CHECK(after.back() == path.back());
    CHECK(second.strength(0) == whole.strength(0));
  });
}

TEST_CASE("every formulation: strengths stay in bounds where a constraint stays broken", "[constraints]") {
  each_formulation([](const auto& formulation) {
    auto problem = begun(formulation, 10);
    const auto remembered = [&] {  // where the formulation has such a number
      State state;
      problem.save(state, "duals");
      return state.contains("duals.0.0.strength") ? state.get<double>("duals.0.0.strength") : 0;
    };
    const double strength = remembered();
    for (int i = 0; i < 100000; ++i) problem.update(toy(6.0));
    CHECK(remembered() <= 100 * strength);
    CHECK(problem.strength(0) <= std::max(strength, 100000 * run_loss));  // a multiplier grows evenly
    CHECK(std::isfinite(problem.penalty(toy(6.0), 10)));
  });
}
