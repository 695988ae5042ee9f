// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/constraints/duccio.hpp"

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
