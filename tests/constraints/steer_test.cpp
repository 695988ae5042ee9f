// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/constraints/steer.hpp"

#include <cmath>

#include "constraints/toy.hpp"
#include "siena/constraints/minimize.hpp"
#include "siena/core/random.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::test;

namespace {

struct Steered {
  std::vector<double> step, violations, gradients;
  double progress = 1, length = 0.01;
};
std::vector<double> steered(Steered problem, const Steer& steer = {}) {
  steer.steer(problem.step, {.violations = problem.violations,
                             .gradients = problem.gradients,
                             .progress = problem.progress,
                             .length = problem.length});
  return problem.step;
}

struct WeightedSum {  // of the inputs of two layers
  double first, second;
  std::string_view name() const { return "sum"; }
  template <class N>
  N network_cost(const Architecture<N>& net) const {
    return net.layers[0].in_channels * first + net.layers[1].in_channels * second;
  }
};
void near(const std::vector<double>& step, const std::vector<double>& expected) {
  REQUIRE(step.size() == expected.size());
  for (std::size_t i = 0; i < step.size(); ++i) CHECK(step[i] == Approx(expected[i]).margin(1e-7));
}

}  // namespace

TEST_CASE("steer: a step is steered just so far that it stays allowed", "[constraints]") {
  // On the limit: what leads beyond goes. Inside: half of the slack may go. What leads inwards stays, to the bit.
  near(steered({.step = {3, 4}, .violations = {0}, .gradients = {0, 2}}), {3, 0});
  near(steered({.step = {3, 4}, .violations = {-2}, .gradients = {0, 1}}), {3, 1});
  near(steered({.step = {3, 4}, .violations = {-2}, .gradients = {0, 1}}, {.approach = 1}), {3, 2});
  REQUIRE(steered({.step = {3, -0.1}, .violations = {0}, .gradients = {0, 1}}) == std::vector<double>{3, -0.1});
  REQUIRE(steered({.step = {3, 4}, .violations = {-50}, .gradients = {0, 1}}) == std::vector<double>{3, 4});
  near(steered({.step = {3, 4}, .violations = {0}, .gradients = {1, 1}}), {-0.5, 0.5});
}

TEST_CASE("steer: what is broken comes back by the deadline", "[constraints]") {
  const Steered five_left{.step = {3, 4}, .violations = {0.5}, .gradients = {0, 1}, .progress = 0.25, .length = 0.05};
  near(steered(five_left), {3, -0.1});
  near(steered(five_left, {.deadline = 1}), {3, -0.5 / 15});
  near(steered({.step = {3, 4}, .violations = {0.5}, .gradients = {0, 2}, .progress = 0.8}), {3, -0.25});  // late: at once
  near(steered({.step = {3, 4}, .violations = {0.5}, .gradients = {0, 1}, .progress = 0.8}, {.shortest = 10}), {3, -0.05});
  // A step that does more than is asked for stays.
  REQUIRE(steered({.step = {0, -2}, .violations = {0.5}, .gradients = {0, 1}}) == std::vector<double>{0, -2});
}

TEST_CASE("steer: several constraints at once", "[constraints]") {
  near(steered({.step = {3, 4}, .violations = {0, 0}, .gradients = {1, 0, 0, 1}}), {0, 0});  // a corner
  near(steered({.step = {3, 4}, .violations = {0, -100}, .gradients = {1, 0, 0, 1}}), {0, 4});
  near(steered({.step = {0, 2}, .violations = {0, 0}, .gradients = {0, 1, 1, 1}}), {0, 0});
  // The first alone would leave (2, 0), which breaks the second; the second alone (0, 0) breaks neither.
  near(steered({.step = {2, 2}, .violations = {0, 0}, .gradients = {0, 1, 1, 1}}), {0, 0});
  near(steered({.step = {1, 1}, .violations = {0, 0}, .gradients = {1, 1, 1, 1}}), {0, 0});         // twins
  near(steered({.step = {5, 1}, .violations = {0.1, 0.3}, .gradients = {1, 0, -1, 0}}), {0.1, 1});  // contradict each other
  REQUIRE(steered({.step = {3, 4}, .violations = {1}, .gradients = {0, 0}}) ==
          std::vector<double>{3, 4});  // nothing to be done
  REQUIRE(steered({.step = {3, 4}, .violations = {}, .gradients = {}}) == std::vector<double>{3, 4});
}

TEST_CASE("steer: no allowed step is nearer", "[constraints]") {
  Random random(7);
  const auto any = [&] { return random.uniform() * 2 - 1; };
  for (int round = 0; round < 100; ++round) {
    const std::size_t n = 5, count = 1 + static_cast<std::size_t>(round % 4);
    Steered problem{
        .step = std::vector<double>(n), .violations = std::vector<double>(count), .gradients = std::vector<double>(n * count)};
    for (double& x : problem.step) x = any();
    for (double& x : problem.violations) x = 0.3 * any();
    for (double& x : problem.gradients) x = any();
    const auto best = steered(problem, {.approach = 1});
    const auto distance = [&](const std::vector<double>& s) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += (s[i] - problem.step[i]) * (s[i] - problem.step[i]);
      return sum;
    };
    const auto beyond = [&](const std::vector<double>& s) {
      double worst = -HUGE_VAL;
      for (std::size_t j = 0; j < count; ++j) {
        double after = problem.violations[j];
        for (std::size_t i = 0; i < n; ++i) after += problem.gradients[j * n + i] * s[i];
        worst = std::max(worst, after);
      }
      return worst;
    };
    REQUIRE(beyond(best) < 1e-7);
    for (int attempt = 0; attempt < 200; ++attempt) {
      auto other = best;
      for (double& x : other) x += 0.1 * any();
      if (beyond(other) <= 0) REQUIRE(distance(other) > distance(best) - 1e-7);
    }
  }
}

TEST_CASE("steer: comes down in equal parts, ends on the limit and stays", "[constraints]") {
  MultiConstraint problem{subject_to(AtMost{Params{}, 4}), Steer{}};
  problem.start(2, toy(10.0), 10);
  double x = 10;
  for (int i = 0; i < 100; ++i) {  // 100 steps, 50 until the deadline
    x = minimise(problem, x, 1, 0.05, 0.1 * i, 0.01);
    const double expected = i < 50 ? 10 - 6 * (i + 1) / 50.0 : 4;
    REQUIRE(x == Approx(expected).epsilon(1e-6));
  }
  REQUIRE(problem.feasible(toy(x)));
  REQUIRE(problem.strength(0) == 0);
  REQUIRE(problem.penalty(toy(8.0), 5) == 0);
}

TEST_CASE("steer: ends at the solution of a problem with two bounds", "[constraints]") {
  // The point nearest to (8, 6) with x + y <= 6 and y <= 1 is the corner (5, 1); without the second one, (4, 2).
  const auto solve = [&](const ConstraintSet& set, std::vector<double> point, bool rescaled) {
    MultiConstraint problem{set, Steer{}};
    const auto pair = []<class N>(const N& x, const N& y) {
      auto net = toy(x);
      net.layers.push_back(toy(y).layers[0]);
      return net;
    };
    problem.start(1, pair(point[0], point[1]), 1);
    ScalarTape tape;
    std::vector<double> values, gradients;
    const int steps = 4000;
    for (int i = 0; i < steps; ++i) {
      tape.clear();
      problem.advance(static_cast<double>(i) / steps);
      const std::vector<Scalar> at{tape.leaf(point[0]), tape.leaf(point[1])};
      std::vector<double> step{-0.02 * (point[0] - 8), -0.02 * (point[1] - 6)};
      if (rescaled) step[0] *= 0.3;  // as an optimizer may
      auto seen = linearized(tape, at, set.violations(pair(at[0], at[1])), values, gradients);
      seen.length = 1.0 / steps;
      problem.steer(step, seen);
      point = {point[0] + step[0], point[1] + step[1]};
    }
    return point;
  };
  const auto both = subject_to(AtMost{WeightedSum{1, 1}, 6}, AtMost{WeightedSum{0, 1}, 1});
  near(solve(both, {8, 6}, false), {5, 1});
  near(solve(both, {8, 6}, true), {5, 1});
  near(solve(both, {0.5, 0.5}, false), {5, 1});  // from inside
  near(solve(subject_to(AtMost{WeightedSum{1, 1}, 6}), {8, 6}, false), {4, 2});
  near(solve(subject_to(AtMost{WeightedSum{1, 1}, 60}), {0, 0}, false), {8, 6});
}

TEST_CASE("steer: minimized costs keep their part in the loss", "[constraints]") {
  MultiConstraint problem{subject_to(AtMost{Params{}, 20}, Minimize{Params{}, 2}), Steer{}};
  problem.start(10, toy(10.0), 10);
  REQUIRE(minimise(problem, 10, 2000, 0.05, 0) == Approx(9).epsilon(1e-9));
}

TEST_CASE("steer: what makes no sense is refused", "[constraints]") {
  MultiConstraint late{subject_to(AtMost{Params{}, 4}), Steer{.deadline = 0}};
  REQUIRE_THROWS_WITH(late.start(1, toy(5.0), 1), ContainsSubstring("deadline in (0, 1]"));
  REQUIRE_THROWS_WITH(steered({.step = {1, 2}, .violations = {0}, .gradients = {1}}),
                      ContainsSubstring("1 gradients of 2 numbers"));
  REQUIRE_THROWS_AS(steered({.step = {1}, .violations = {0}, .gradients = {1}, .length = 0}), ArgumentError);
  REQUIRE_THROWS_WITH(steered({.step = {std::nan("")}, .violations = {0}, .gradients = {1}}),
                      ContainsSubstring("constraint 0"));
}
