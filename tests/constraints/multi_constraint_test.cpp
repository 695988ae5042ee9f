// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/constraints/multi_constraint.hpp"

#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "constraints/toy.hpp"
#include "siena/constraints/augmented_lagrangian.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/constraints/minimize.hpp"
#include "siena/constraints/nu_pi.hpp"
#include "siena/constraints/penalty.hpp"
#include "siena/constraints/per_constraint.hpp"
#include "siena/constraints/steer.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::test;

static_assert(Stateful<MultiConstraint<Duccio>>);

TEST_CASE("multi constraint: any number of bounds at once", "[constraints]") {
  const auto net = resnet8();
  MultiConstraint problem{
      subject_to(MemoryBound{Bytes{78744 / 2}}, LatencyBound{Gap8{.clock = 100_MHz}, 3_ms}, AtMost{Macs{}, 20e6}), Duccio{}};
  REQUIRE_FALSE(problem.started());
  problem.start(1.5, net, 10);
  REQUIRE(problem.started());
  REQUIRE(problem.size() == 3);
  // Each bound that is broken weighs as much as the task; the third one holds.
  REQUIRE(problem.penalty(net, 5) == Approx(2 * 1.5));
  REQUIRE(problem.strength(0) == Approx(1.5));
  REQUIRE(problem.strength(1) == Approx(1.5 / (7.66624 / 3 - 1)));
  REQUIRE(problem.strength(2) == Approx(1.5 / 0.05));

  ScalarTape tape;
  auto soft = convert<Scalar>(net);
  soft.layers[0].in_channels = tape.leaf(3);
  const Scalar penalty = problem.penalty(soft, 5);
  REQUIRE(penalty.value() == Approx(3));
  tape.backward(penalty);
  double expected = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    tape.zero_gradients();
    tape.backward(problem.term(i, problem.constraints()[i].violation(soft)));
    expected += tape.gradient(soft.layers[0].in_channels);
  }
  tape.zero_gradients();
  tape.backward(penalty);
  REQUIRE(expected > 0);
  REQUIRE(tape.gradient(soft.layers[0].in_channels) == Approx(expected));

  REQUIRE_FALSE(problem.feasible(net));
  const auto status = problem.status(net);
  REQUIRE(status.size() == 3);
  REQUIRE(status[1].name == "latency");
  REQUIRE(status[1].strength == problem.strength(1));
  REQUIRE(status[1].violation == Approx(7.66624 / 3 - 1));
  REQUIRE(status[2].feasible());
}

TEST_CASE("multi constraint: without constraints there is no penalty", "[constraints]") {
  MultiConstraint problem{ConstraintSet{}, Duccio{}};
  problem.start(1, resnet8(), 10);
  REQUIRE(problem.penalty(resnet8(), 3) == 0);
  REQUIRE(problem.feasible(resnet8()));
}

TEST_CASE("multi constraint: the soft cost gives the penalty, the exact one moves the multiplier", "[constraints]") {
  MultiConstraint problem{subject_to(AtMost{Params{}, 4}), AugmentedLagrangian{.rate = 1, .penalty = 0}};
  problem.start(1, toy(10.0), 10);
  problem.update(toy(6.0));
  ScalarTape tape;
  const Scalar x = tape.leaf(100);
  problem.penalty(toy(x), 1);
  REQUIRE(problem.strength(0) == 0.5);
}

TEST_CASE("multi constraint: violations that are allowed for now cost nothing", "[constraints]") {
  // At 10: violations of 1.5 and 4 of the bounds, one minimized cost between them.
  MultiConstraint problem{subject_to(AtMost{Params{}, 4}, Minimize{Params{}}, AtMost{Params{}, 2}), Duccio{}};
  problem.start(1, toy(10.0), 10);
  const double minimized = problem.minimized(toy(7.0)), before = problem.penalty(toy(7.0), 5) - minimized;
  CHECK(before == Approx(0.75 / 1.5 + 2.5 / 4));
  problem.allow(std::vector{0.25, 2.5});
  CHECK(problem.penalty(toy(7.0), 5) - minimized == Approx(0.5 / 1.5));
  CHECK(problem.penalty(toy(5.0), 5) == Approx(problem.minimized(toy(5.0))));
  problem.allow({});
  CHECK(problem.penalty(toy(7.0), 5) - minimized == Approx(before));

  MultiConstraint dual{subject_to(AtMost{Params{}, 4}), AugmentedLagrangian{.rate = 1, .penalty = 0}};
  dual.start(1, toy(10.0), 10);
  dual.allow(std::vector{0.25});
  dual.update(toy(6.0));
  CHECK(dual.strength(0) == 0.25);
}

TEST_CASE("multi constraint: what cannot start is refused", "[constraints]") {
  MultiConstraint problem{subject_to(AtMost{Params{}, 4}), Duccio{}};
  for (const double loss : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    REQUIRE_THROWS_WITH(problem.start(loss, toy(10.0), 10), ContainsSubstring("finite task loss above 0"));
  }
  REQUIRE_THROWS_WITH(problem.start(1, toy(10.0), 0), ContainsSubstring("more than 0 epochs"));
  REQUIRE_THROWS_AS(problem.start(1, toy(HUGE_VAL), 1), ConstraintError);
}

TEST_CASE("multi constraint: a loaded state goes on to the same bits", "[constraints]") {
  const auto make = [](double limit) {
    return MultiConstraint{subject_to(AtMost{Params{}, limit}, AtMost{Macs{}, 3}), AugmentedLagrangian{.rate = 0.3}};
  };
  auto one = make(4), two = make(4);
  one.start(1.7, toy(10.0), 12);
  double x = minimise(one, 10, 7, 0.05, 3.5);
  State state;
  one.save(state, "duals");
  two.load(state, "duals");
  REQUIRE(two.epoch() == 3.5);
  REQUIRE(two.progress() == one.progress());
  REQUIRE(minimise(one, x, 5, 0.05, 4) == minimise(two, x, 5, 0.05, 4));
  REQUIRE(one.strength(0) == two.strength(0));
  REQUIRE(one.strength(1) == two.strength(1));

  auto other = make(5);
  REQUIRE_THROWS_WITH(
      other.load(state, "duals"),
      ContainsSubstring("'params: at most 5 weights, by params; macs: at most 3 MACs, by macs', got 'params: at most 4"));
  REQUIRE_FALSE(other.started());
  MultiConstraint fewer{subject_to(AtMost{Params{}, 4}), AugmentedLagrangian{}};
  REQUIRE_THROWS_WITH(fewer.load(state, "duals"), ContainsSubstring("expected formulation 'augmented lagrangian, rate 0.1, "));
  MultiConstraint duccio{subject_to(AtMost{Params{}, 4}), Duccio{}};
  REQUIRE_THROWS_WITH(duccio.load(state, "duals"), ContainsSubstring("expected formulation 'duccio, kappa 1, "));
  REQUIRE_THROWS_AS(two.load(State{}, "duals"), FormatError);
}

TEST_CASE("multi constraint: a state is refused by formulations of other options, and by constraints that price otherwise",
          "[constraints]") {
  const auto accepts = [](const auto& saved, const auto& loading) {
    const auto bounds = subject_to(AtMost{Params{}, 4}, AtMost{Macs{}, 3});
    MultiConstraint one(bounds, saved), two(bounds, loading);
    one.start(1.7, toy(10.0), 12);
    State state;
    one.save(state, "duals");
    try {
      two.load(state, "duals");
      return true;
    } catch (const FormatError&) {
      return false;
    }
  };
  CHECK(accepts(Duccio{}, Duccio{}));
  for (const Duccio& other :
       {Duccio{.kappa = 1.1}, Duccio{.schedule = Duccio::Schedule::constant}, Duccio{.shape = Duccio::Shape::absolute},
        Duccio{.shape = Duccio::Shape::objective}, Duccio{.floor = 0.04}, Duccio{.first = 0.02}, Duccio{.ramp = 0.6}})
    CHECK_FALSE(accepts(Duccio{}, other));
  CHECK_FALSE(accepts(Duccio{.ramp = 0.2}, Duccio{.ramp = 0.24}));
  for (const AugmentedLagrangian& other :
       {AugmentedLagrangian{.rate = 0.2}, AugmentedLagrangian{.penalty = 2}, AugmentedLagrangian{.growth = 1.1},
        AugmentedLagrangian{.most = 50}, AugmentedLagrangian{.tolerance = 0.1}})
    CHECK_FALSE(accepts(AugmentedLagrangian{}, other));
  for (const NuPi& other : {NuPi{.rate = 0.2}, NuPi{.nu = 0.1}, NuPi{.proportional = 2}, NuPi{.integral = 2}})
    CHECK_FALSE(accepts(NuPi{}, other));
  CHECK_FALSE(accepts(Penalty{}, Penalty{.weight = 9}));
  CHECK_FALSE(accepts(Penalty{}, Penalty{.power = Penalty::Power::linear}));
  CHECK(accepts(Steer{}, Steer{}));
  for (const Steer& other : {Steer{.deadline = 0.6}, Steer{.shortest = 2}, Steer{.approach = 0.4}})
    CHECK_FALSE(accepts(Steer{}, other));
  CHECK(accepts(PerConstraint{Duccio{}, NuPi{}}, PerConstraint{Duccio{}, NuPi{}}));
  CHECK_FALSE(accepts(PerConstraint{Duccio{}, NuPi{}}, PerConstraint{Duccio{}, NuPi{.rate = 0.2}}));

  State state;
  MultiConstraint one{subject_to(AtMost{Params{}, 4}, Minimize{Macs{}}), Duccio{}}, two = one;
  one.start(1.7, toy(10.0), 12);
  one.save(state, "duals");
  two.start(1.7, toy(11.0), 12);
  CHECK_THROWS_WITH(two.load(state, "duals"), ContainsSubstring("'macs' to begin at 11, got 10"));
}

namespace {

// Alike at a width of 10.
struct Knee {
  double slope;
  std::string_view name() const { return "knee"; }
  std::string to_string() const { return format("knee, slope {}", slope); }
  auto layer_cost(const auto& layer) const { return 10.0 + (layer.weights() - 10.0) * slope; }
};
struct Capacity {
  double slope;
  std::string_view name() const { return "capacity"; }
  std::string to_string() const { return format("capacity, slope {}", slope); }
  template <class N>
  N violation(const Architecture<N>& net) const {
    return (total(Params{}, net) - 10.0) * slope;
  }
};
// Remembers how often it was broken, and by how much: not numbers alone.
struct Grudge {
  struct Memory {
    std::vector<double> violations = {};
    void save(State& state, const std::string& prefix) const {
      state.put(prefix + "count", static_cast<std::int64_t>(violations.size()));
      for (std::size_t i = 0; i < violations.size(); ++i) state.put(prefix + std::to_string(i), violations[i]);
    }
    void load(const State& state, const std::string& prefix) {
      violations.resize(static_cast<std::size_t>(state.get<std::int64_t>(prefix + "count")));
      for (std::size_t i = 0; i < violations.size(); ++i) violations[i] = state.get<double>(prefix + std::to_string(i));
    }
  };
  std::string_view name() const { return "grudge"; }
  std::string to_string() const { return "grudge"; }
  Memory start(double violation, double) const { return {{violation}}; }
  void update(Memory& memory, double violation) const { memory.violations.push_back(violation); }
  double strength(const Memory& memory, double) const {
    return std::accumulate(memory.violations.begin(), memory.violations.end(), 0.0);
  }
  template <class N>
  N term(const N& violation, const Memory& memory, double progress) const {
    return violation * strength(memory, progress);
  }
};

}  // namespace

TEST_CASE("multi constraint: models and constraints are recognised by what they say, not by what they cost", "[constraints]") {
  const auto refusal = [](const ConstraintSet& saved, const ConstraintSet& loading) {
    MultiConstraint one(saved, Duccio{}), two(loading, Duccio{});
    one.start(1.7, toy(10.0), 12);
    two.start(1.7, toy(10.0), 12);
    State state;
    one.save(state, "duals");
    try {
      two.load(state, "duals");
    } catch (const FormatError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal(subject_to(AtMost{Knee{1}, 4}, Capacity{1}), subject_to(AtMost{Knee{1}, 4}, Capacity{1})).empty());
  CHECK_THAT(refusal(subject_to(AtMost{Knee{1}, 4}), subject_to(AtMost{Knee{2}, 4})), ContainsSubstring("knee, slope 2"));
  CHECK_THAT(refusal(subject_to(Capacity{1}), subject_to(Capacity{2})), ContainsSubstring("capacity, slope 2"));
  CHECK_THAT(refusal(subject_to(Minimize{Knee{1}}), subject_to(Minimize{Knee{2}})), ContainsSubstring("knee, slope 2"));
  CHECK_FALSE(
      refusal(subject_to(AtMost{Params{}, 4}, AtMost{Macs{}, 4}), subject_to(AtMost{Macs{}, 4}, AtMost{Params{}, 4})).empty());
}

TEST_CASE("multi constraint: a formulation's memory may be anything that saves itself", "[constraints]") {
  MultiConstraint one{subject_to(AtMost{Params{}, 4}), Grudge{}}, two = one;
  MultiConstraint any{subject_to(AtMost{Params{}, 4}), AnyFormulation(Grudge{})}, held = any;
  const auto goes_on = [](auto& first, auto& second) {
    first.start(1, toy(8.0), 10);
    for (const double x : {8.0, 6.0, 5.0}) first.update(toy(x));
    State state;
    first.save(state, "duals");
    second.load(state, "duals");
    CHECK(second.strength(0) == first.strength(0));
    CHECK(second.strength(0) == 1 + 1 + 0.5 + 0.25);
  };
  goes_on(one, two);
  CHECK(two.memory(0).violations == one.memory(0).violations);
  goes_on(any, held);
  two.update(toy(12.0));  // copies share nothing
  CHECK(one.strength(0) == 2.75);
}
