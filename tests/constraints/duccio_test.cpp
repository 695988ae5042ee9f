// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/constraints/duccio.hpp"

#include <algorithm>
#include <cmath>

#include "constraints/toy.hpp"
#include "siena/cost/model_size.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::test;

namespace {

struct Scaled {
  double factor;
  std::string_view name() const { return "scaled"; }
  auto layer_cost(const auto& layer) const { return ModelSize{}.layer_cost(layer) * factor; }
};

}  // namespace

TEST_CASE("duccio: the final penalty of the start weighs as much as the task", "[constraints]") {
  for (const double loss : {0.01, 1.4}) {
    for (const double limit : {1.0, 4.0, 9.0}) {
      MultiConstraint problem{subject_to(AtMost{Params{}, limit}), Duccio{}};
      problem.start(loss, toy(10.0), 20);
      REQUIRE(problem.penalty(toy(10.0), 10) == Approx(loss));
      REQUIRE(problem.penalty(toy(10.0), 0) == Approx(loss / 100));
    }
  }
  MultiConstraint strong{subject_to(AtMost{Params{}, 4}), Duccio{.kappa = 10}};
  strong.start(1.4, toy(10.0), 20);
  REQUIRE(strong.penalty(toy(10.0), 20) == Approx(14));
}

TEST_CASE("duccio: strengths follow the schedule of the paper, between epochs too", "[constraints]") {
  MultiConstraint problem{subject_to(AtMost{Params{}, 4}), Duccio{}};
  const double epochs = GENERATE(1.0, 5.0, 40.0);
  problem.start(3, toy(10.0), epochs);
  const double final = 3 / 1.5;
  const auto at = [&](double epoch) {
    problem.advance(epoch);
    return problem.strength(0);
  };
  REQUIRE(at(0) == Approx(final / 100));
  REQUIRE(at(epochs / 4) == Approx(final / 100 + epochs / 4 * 0.99 * final / (epochs / 2)));
  REQUIRE(at(0.3 * epochs) == Approx(final / 100 + 0.3 * epochs * 0.99 * final / (epochs / 2)));
  REQUIRE(at(epochs / 2) == final);
  REQUIRE(at(epochs) == final);

  MultiConstraint constant{subject_to(AtMost{Params{}, 4}), Duccio{.schedule = Duccio::Schedule::constant}};
  constant.start(3, toy(10.0), epochs);
  REQUIRE(constant.strength(0) == final);
}

TEST_CASE("duccio: in units of the cost, it is the paper's formula", "[constraints]") {
  const double task_loss = 1.4, c0 = 77360, target = 38680;  // ResNet8, half of its weights
  const double epochs = GENERATE(1.0, 2.0, 5.0, 30.0, 501.0);
  const double strength = task_loss / (c0 - target);  // lambda*, per weight
  MultiConstraint problem{subject_to(AtMost{Params{}, target}), Duccio{}};
  problem.start(task_loss, toy(c0), epochs);
  MultiConstraint constant{subject_to(AtMost{Params{}, target}), Duccio{.schedule = Duccio::Schedule::constant}};
  constant.start(task_loss, toy(c0), epochs);
  MultiConstraint absolute{subject_to(AtMost{Params{}, target}), Duccio{.shape = Duccio::Shape::absolute}};
  absolute.start(task_loss, toy(c0), epochs);
  for (double epoch = 0; epoch < epochs; ++epoch) {
    const double grown = std::min(strength / 100 + epoch * 0.99 * strength / (epochs / 2), strength);
    for (const double cost : {0.9 * c0, 0.5 * c0 + 1, 0.5 * c0, 0.3 * c0}) {
      CHECK(problem.penalty(toy(cost), epoch) == Approx(grown * std::max(0.0, cost - target)).epsilon(1e-9));
      CHECK(constant.penalty(toy(cost), epoch) == Approx(strength * std::max(0.0, cost - target)).epsilon(1e-9));
      CHECK(absolute.penalty(toy(cost), epoch) == Approx(grown * std::abs(cost - target)).epsilon(1e-9));
    }
  }
}

TEST_CASE("duccio: kappa stands for strengths that were chosen by hand", "[constraints]") {
  // Of the paper's runs: K = lambda* (c0 - T) is 140 for the MACs of ResNet8, whatever the target, where the loss is about 1.4.
  const double c0 = 12501632, task_loss = 1.4, by_hand = 140;
  for (const double part : {0.25, 0.5, 0.75}) {
    MultiConstraint problem{subject_to(AtMost{Params{}, part * c0}), Duccio{.kappa = by_hand / task_loss}};
    problem.start(task_loss, toy(c0), 500);
    REQUIRE(problem.penalty(toy(c0), 250) == Approx(by_hand));
    problem.advance(250);
    REQUIRE(problem.strength(0) / (part * c0) == Approx(by_hand / (c0 - part * c0)));
  }
}

TEST_CASE("duccio: the absolute shape pulls from both sides, the objective has no limit", "[constraints]") {
  MultiConstraint absolute{subject_to(AtMost{Params{}, 20}), Duccio{.kappa = 10, .shape = Duccio::Shape::absolute}};
  absolute.start(20, toy(15.0), 10);  // g0 = -0.25: lambda* = 800 > f'(20) * 20 = 400: the task alone would end at 10
  absolute.advance(10);
  REQUIRE(absolute.strength(0) == Approx(800));
  REQUIRE(minimise(absolute, 15, 20000, 0.0005, 10) == Approx(20).margin(0.05));
  ScalarTape tape;
  const Scalar met = tape.leaf(20);
  tape.backward(absolute.penalty(toy(met), 10));  // a limit that is met exactly: no push either way
  REQUIRE(tape.gradient(met) == 0);

  MultiConstraint objective{subject_to(AtMost{Params{}, 4}), Duccio{.shape = Duccio::Shape::objective}};
  objective.start(30, toy(10.0), 10);  // lambda* = 30 / (10 / 4) = 12 per limit, 3 per weight
  REQUIRE(objective.penalty(toy(10.0), 10) == Approx(30));
  REQUIRE(objective.penalty(toy(2.0), 10) == Approx(6));
  REQUIRE(minimise(objective, 10, 5000, 0.01, 10) == Approx(10 - 3 / 2.0).epsilon(1e-9));
}

TEST_CASE("duccio: a bound that holds at the start, or is hit exactly, is enforced later", "[constraints]") {
  for (const double start : {2.0, 4.0, 4.0 * (1 + 1e-15)}) {
    MultiConstraint problem{subject_to(AtMost{Params{}, 4}), Duccio{}};
    problem.start(2, toy(start), 10);
    problem.advance(10);
    REQUIRE(problem.strength(0) == Approx(2 / 0.05));
    ScalarTape tape;
    const Scalar x = tape.leaf(8), below = tape.leaf(4);
    tape.backward(problem.penalty(toy(x), 10));
    REQUIRE(tape.gradient(x) == Approx(40 / 4.0));
    tape.backward(problem.penalty(toy(below), 10));  // satisfied: no push at all
    REQUIRE(tape.gradient(below) == 0);
    REQUIRE(problem.penalty(toy(3.9), 10) == 0);
  }
}

TEST_CASE("duccio: the hinge is exact once its strength exceeds the price", "[constraints]") {
  MultiConstraint weak{subject_to(AtMost{Params{}, 4}), Duccio{}};
  weak.start(30, toy(10.0), 10);  // lambda* = 30 / 1.5 = 20 < 48: ends where 2 (x - 10) + lambda / 4 = 0
  REQUIRE(minimise(weak, 10, 2000, 0.01, 10) == Approx(10 - 20 / 8.0).epsilon(1e-6));
  MultiConstraint strong{subject_to(AtMost{Params{}, 4}), Duccio{.kappa = 2}};
  strong.start(60, toy(10.0), 10);  // lambda* = 80 > 48: on the limit, within the size of a step
  REQUIRE(minimise(strong, 10, 20000, 0.0005, 10) == Approx(4).margin(0.01));
}

TEST_CASE("duccio: the unit of a cost does not matter", "[constraints]") {
  const auto net = resnet8();
  auto smaller = net;
  smaller.layers[5].out_channels = 50;
  const auto run = [&](double factor) {
    MultiConstraint problem{subject_to(AtMost{Scaled{factor}, 60000 * factor}), Duccio{}};
    problem.start(1.3, net, 30);
    ScalarTape tape;
    auto soft = convert<Scalar>(smaller);
    soft.layers[5].in_channels = tape.leaf(27.5);
    const Scalar penalty = problem.penalty(soft, 4.25);
    tape.backward(penalty);
    return std::pair{penalty.value(), tape.gradient(soft.layers[5].in_channels)};
  };
  const auto [value, slope] = run(1);
  REQUIRE(value > 0);
  REQUIRE(slope > 0);
  REQUIRE(run(1 / 1024.0) == std::pair{value, slope});  // bytes or KiB: the same bits
  REQUIRE(run(1e3).first == Approx(value).epsilon(1e-12));
  REQUIRE(run(1e3).second == Approx(slope).epsilon(1e-12));
}

TEST_CASE("duccio: options out of range are refused", "[constraints]") {
  MultiConstraint problem{subject_to(AtMost{Params{}, 4}), Duccio{.floor = 0}};
  REQUIRE_THROWS_WITH(problem.start(1, toy(1.0), 1), ContainsSubstring("floor > 0"));
}
