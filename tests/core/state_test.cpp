// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/state.hpp"

#include "support/catch.hpp"

using namespace siena;

namespace {
struct Counter {
  Tensor weights{Shape{2}};
  std::int64_t steps = 0;
  void save(State& state, const std::string& prefix) const {
    state.put(prefix + "weights", weights);
    state.put(prefix + "steps", steps);
  }
  void load(const State& state, const std::string& prefix) {
    weights = state.tensor(prefix + "weights", Shape{2});
    steps = state.get<std::int64_t>(prefix + "steps");
  }
};
static_assert(Stateful<Counter>);
static_assert(!Stateful<int>);
struct OnlySaves {
  void save(State&, const std::string&) const {}
};
static_assert(!Stateful<OnlySaves>);
}  // namespace

TEST_CASE("what was put comes back, by name and type", "[core][state]") {
  State state;
  state.put("a.tensor", Tensor(Shape{2, 2}, {1, 2, 3, 4}));
  state.put("a.rate", 0.5);
  state.put("a.step", std::int64_t{7});
  state.put("a.name", std::string("siena"));
  REQUIRE(state.get<Tensor>("a.tensor")(1, 0) == 3);
  REQUIRE(state.tensor("a.tensor", Shape{2, 2})(0, 1) == 2);
  REQUIRE(state.get<double>("a.rate") == 0.5);
  REQUIRE(state.get<std::int64_t>("a.step") == 7);
  REQUIRE(state.get<std::string>("a.name") == "siena");
  REQUIRE(state.contains("a.rate"));
  REQUIRE_FALSE(state.contains("rate"));
  REQUIRE(state.values().size() == 4);
}

TEST_CASE("a stateful thing survives the way through a state", "[core][state]") {
  Counter counter{Tensor(Shape{2}, {3, 4}), 12};
  State state;
  counter.save(state, "x.");
  counter.save(state, "y.");
  Counter other;
  other.load(state, "y.");
  REQUIRE(other.steps == 12);
  REQUIRE(other.weights(1) == 4);
}

TEST_CASE("a state says what is missing or does not fit", "[core][state]") {
  State state;
  state.put("w", Tensor(Shape{2, 2}));
  REQUIRE_THROWS_AS(state.put("w", 1.0), ArgumentError);
  REQUIRE_THROWS_WITH(state.put("w", 1.0), ContainsSubstring("'w' was saved twice"));
  REQUIRE(state.tensor("w", Shape{2, 2}).elements() == 4);  // the first value stays
  REQUIRE_THROWS_AS(state.get<double>("v"), FormatError);
  REQUIRE_THROWS_WITH(state.get<double>("v"), ContainsSubstring("expected a value named 'v', got none"));
  REQUIRE_THROWS_WITH(state.get<double>("w"), ContainsSubstring("'w' holds another type"));
  REQUIRE_THROWS_WITH(state.tensor("w", Shape{4}), ContainsSubstring("expected 'w' of shape 4, got 2x2"));
}
