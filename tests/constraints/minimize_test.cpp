// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/constraints/minimize.hpp"

#include <cmath>

#include "constraints/toy.hpp"
#include "siena/constraints/augmented_lagrangian.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/constraints/nu_pi.hpp"
#include "siena/constraints/per_constraint.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::test;

static_assert(!Constraint<Minimize>);

TEST_CASE("minimize: a cost weighs as a multiple of the task at the start", "[constraints]") {
  const auto net = resnet8();
  MultiConstraint problem{subject_to(MemoryBound{100_KiB}, Minimize{Gap8{}, 0.5}), Duccio{}};
  problem.start(1.4, net, 10);
  REQUIRE(problem.penalty(net, 0) == Approx(0.7));
  REQUIRE(problem.penalty(net, 10) == Approx(0.7));
  REQUIRE(problem.minimized(net) == Approx(0.7));
  REQUIRE(problem.status(net)[1].strength == Approx(0.7));
  auto smaller = net;
  smaller.layers.resize(3);
  REQUIRE(problem.minimized(smaller) == Approx(0.7 * total(Gap8{}, smaller) / total(Gap8{}, net)));

  ScalarTape tape;
  auto soft = convert<Scalar>(net);
  soft.layers[0].out_channels = tape.leaf(16);
  tape.backward(problem.penalty(soft, 10));
  REQUIRE(tape.gradient(soft.layers[0].out_channels) == Approx(0.7 / 766624 * 64 * (5 + 14 * 7 + 10) / 4));
  problem.update(net);  // nothing to move
  REQUIRE(problem.penalty(net, 0) == Approx(0.7));
}

TEST_CASE("minimize: shown as a cost without a limit, never infeasible", "[constraints]") {
  const auto net = resnet8();
  const auto set = subject_to(Minimize{Gap8{}}, MemoryBound{64_KiB});
  REQUIRE(set.size() == 1);
  REQUIRE(set.minimized().size() == 1);
  REQUIRE(set.violations(net) == std::vector<double>{78744 / 65536.0 - 1});
  REQUIRE(set.worst_violation(net) == Approx(78744 / 65536.0 - 1));
  REQUIRE(subject_to(Minimize{Gap8{}}).feasible(net));
  const auto status = set.status(net);
  REQUIRE(status[1].name == "gap8");
  REQUIRE(status[1].value == 766624);
  REQUIRE(status[1].limit == HUGE_VAL);
  REQUIRE(status[1].feasible());
  REQUIRE(status[1].to_string() == "gap8 766624 cycles (minimized)");
  REQUIRE(status[0].to_string() == "memory 78744 of 65536 B (-20.2 % slack): BROKEN");
  REQUIRE(ConstraintStatus{.name = "capacity", .violation = -0.25}.to_string() == "capacity: kept (violation -0.25)");
  ConstraintStatus layer{.name = "layers", .unit = "%", .value = 110, .limit = 100, .violation = 0.1};
  layer.worst = "fc1, level 100 B";
  REQUIRE(layer.to_string() == "layers 110 of 100 % (-10.0 % slack, worst: fc1, level 100 B): BROKEN");
  const ConstraintStatus met{.name = "memory", .unit = "B", .value = 64, .limit = 64};  // exactly
  REQUIRE(met.to_string() == "memory 64 of 64 B (0.0 % slack): kept");
  const auto alike = subject_to(Minimize{Params{}}, AtMost{Params{}, 4}, Minimize{Params{}}).status(net);
  REQUIRE(alike[0].name == "params 2");
  REQUIRE(alike[1].name == "params");
  REQUIRE(alike[2].name == "params 3");
}

TEST_CASE("minimize: balances task and cost, and yields to a bound that binds", "[constraints]") {
  // (x - 10)^2 + 20 x / 10 is least at 9; within x <= 4 the price of the bound falls by 2 * 4.
  MultiConstraint free{subject_to(Minimize{Params{}, 2}), NuPi{}};
  free.start(10, toy(10.0), 10);
  REQUIRE(minimise(free, 10, 2000, 0.05, 0) == Approx(9).epsilon(1e-9));
  MultiConstraint bound{subject_to(Minimize{Params{}, 2}, AtMost{Params{}, 4}), NuPi{.rate = 0.1, .proportional = 5}};
  bound.start(10, toy(10.0), 10);
  REQUIRE(minimise(bound, 10, 20000, 0.02, 0) == Approx(4).epsilon(1e-6));
  REQUIRE(bound.strength(0) == Approx(toy_price - 8).epsilon(1e-5));
}

TEST_CASE("minimize: no formulation has a part in it", "[constraints]") {
  MultiConstraint problem{subject_to(Minimize{Params{}}, AtMost{Params{}, 4}, Minimize{Macs{}}, AtMost{Macs{}, 5}),
                          PerConstraint{Duccio{}, NuPi{}}};
  problem.start(3, toy(10.0), 10);
  problem.advance(10);
  REQUIRE(problem.strength(0) == Approx(3 / 1.5));
  REQUIRE(problem.strength(1) == 0);
  problem.update(toy(10.0));
  REQUIRE(problem.strength(0) == Approx(3 / 1.5));
  REQUIRE(problem.strength(1) == Approx(0.1 * 3 * 2));
  State state;
  problem.save(state, "duals");
  MultiConstraint other{subject_to(Minimize{Params{}}, AtMost{Params{}, 4}, Minimize{Macs{}}, AtMost{Macs{}, 5}),
                        PerConstraint{Duccio{}, NuPi{}}};
  other.load(state, "duals");
  REQUIRE(other.penalty(toy(7.0), 5) == problem.penalty(toy(7.0), 5));
  MultiConstraint heavier{subject_to(Minimize{Params{}, 2}, AtMost{Params{}, 4}, Minimize{Macs{}}, AtMost{Macs{}, 5}),
                          PerConstraint{Duccio{}, NuPi{}}};
  REQUIRE_THROWS_WITH(heavier.load(state, "duals"), ContainsSubstring("minimized 'params: minimize params, weight 2; "));
}

TEST_CASE("minimize: what cannot be weighed is refused", "[constraints]") {
  for (const double weight : {0.0, -1.0, std::nan(""), HUGE_VAL}) REQUIRE_THROWS_AS((Minimize{Macs{}, weight}), ArgumentError);
  MultiConstraint problem{subject_to(Minimize{Params{}}), Duccio{}};
  REQUIRE_THROWS_WITH(problem.start(1, toy(0.0), 1), ContainsSubstring("expected 'params' to be above 0 at the start, got 0"));
}
