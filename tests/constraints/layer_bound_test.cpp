// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/constraints/layer_bound.hpp"

#include <cmath>

#include "constraints/toy.hpp"
#include "siena/constraints/augmented_lagrangian.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/constraints/nu_pi.hpp"
#include "siena/cost/layer_memory.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::test;

namespace {

struct Operands {  // inputs and weights of each layer at once
  std::string_view name() const { return "operands"; }
  std::string_view unit() const { return "B"; }
  template <class N>
  std::vector<N> per_layer(const Architecture<N>& network) const {
    std::vector<N> needs;
    for (const auto& layer : network.layers)
      needs.push_back(layer.has_weights() ? layer.input_elements() + layer.weights() : N(0.0));
    return needs;
  }
};
static_assert(LayerModel<Operands> && Bound<LayerBound<Operands>> && LayerModel<LayerMemory>);

struct Widths {  // a constraint of entries, of which a smaller network has fewer
  std::string_view name() const { return "widths"; }
  template <class N>
  std::vector<N> violations(const Architecture<N>& network) const {
    std::vector<N> all;
    for (const auto& layer : network.layers) all.push_back(layer.in_channels / 100.0 - 1.0);
    return all;
  }
};
static_assert(Constraint<Widths> && !Bound<Widths>);

template <class N>
Architecture<N> layers(const std::vector<N>& inputs) {  // of linear layers with one output: each needs twice its inputs
  Architecture<N> net;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    LayerDesc<N> layer{.kind = LayerKind::linear, .name = format("fc{}", i)};
    layer.in_channels = inputs[i], layer.out_channels = 1;
    net.layers.push_back(layer);
  }
  return net;
}

}  // namespace

TEST_CASE("layer bound: the level of a layer is that of its start, with a tolerance", "[constraints]") {
  const auto start = layers<double>({5, 50, 65, 65.5, 400, 700, 0});  // needs 10, 100, 130, 131, 800, 1400, 0
  const LayerBound bound{Operands{}, start, {.limits = {100, 1000}}};
  REQUIRE(bound.violations(start).size() == 6);  // the last one needs nothing
  const std::vector<double> expected{10 / 100.0 - 1, 0, 0.3, 131 / 1000.0 - 1, 0.8 - 1, 0.4};
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(bound.violations(start)[i] == Approx(expected[i]).margin(1e-12));
  REQUIRE(bound.value(start) == Approx(140));
  REQUIRE(bound.entry_name(2) == "fc2, level 100 B");
  REQUIRE(bound.entry_name(5) == "fc5, level 1000 B");
  // What was far above a level stays free of it when it shrinks.
  REQUIRE(bound.violations(layers<double>({5, 50, 65, 60, 400, 700, 0}))[3] == Approx(0.12 - 1));

  const LayerBound strict{Operands{}, start, {.limits = {100, 1000}, .tolerance = 0}};
  REQUIRE(strict.violations(start)[1] == 0);  // fits exactly
  REQUIRE(strict.violations(start)[2] == Approx(0.13 - 1));
}

TEST_CASE("layer bound: one row names the worst layer", "[constraints]") {
  const auto start = layers<double>({50, 60, 55});
  const auto set = subject_to(MemoryBound{1_KiB}, LayerBound{Operands{}, start, {.limits = {100}}});
  REQUIRE(set.violations(start).size() == 4);
  REQUIRE(set[1].violation(start) == Approx(0.2));
  REQUIRE(set.worst_violation(start) == Approx(0.2));
  REQUIRE_FALSE(set.feasible(start));
  REQUIRE(set.feasible(layers<double>({50, 50, 50})));
  const ConstraintStatus status = set.status(start)[1];
  REQUIRE(status.name == "operands");
  REQUIRE(status.worst == "fc1, level 100 B");
  REQUIRE(status.entry == 1);
  REQUIRE(*status.value == Approx(120));
  REQUIRE(status.limit == 100);
  REQUIRE(status.unit == "%");
  REQUIRE(set.status(start)[0].worst.empty());
  REQUIRE(set[1].is_bound());
}

TEST_CASE("layer bound: layers are known by name", "[constraints]") {
  auto start = layers<double>({50, 60, 55});
  start.layers[2].name = "fc0";  // runs again, and needs more
  const LayerBound bound{Operands{}, start, {.limits = {100}}};
  REQUIRE(bound.violations(start).size() == 2);
  REQUIRE(bound.violations(start)[0] == Approx(0.1));
  auto found = start;
  found.layers.erase(found.layers.begin());  // another place for each
  REQUIRE(bound.violations(found)[0] == Approx(0.1));
  REQUIRE(bound.violations(found)[1] == Approx(0.2));
  found.layers.resize(1);
  REQUIRE(bound.violations(found)[1] > 0);
  REQUIRE(bound.violations(found)[0] == -1);  // is gone
  start.layers[1].presence = 0.5;
  REQUIRE(bound.violations(start)[1] == Approx(0.5 * 1.2 - 1));
  start.layers[1].name = "stranger";
  REQUIRE_THROWS_WITH(bound.violations(start), ContainsSubstring("bound 'operands' was made for, got 'stranger'"));
}

TEST_CASE("layer bound: levels that are none are refused", "[constraints]") {
  const auto start = layers<double>({50});
  const auto make = [&](LayerLevels levels) { return LayerBound{Operands{}, start, levels}; };
  REQUIRE_THROWS_WITH(make({.limits = {}}), ContainsSubstring("at least one level"));
  REQUIRE_THROWS_WITH(make({.limits = {100, 50}}), ContainsSubstring("increasing, got 50 after 100"));
  REQUIRE_THROWS_WITH(make({.limits = {0}}), ContainsSubstring("above 0"));
  REQUIRE_THROWS_AS(make({.limits = {HUGE_VAL}}), ConstraintError);
  REQUIRE_THROWS_AS(make({.limits = {100}, .tolerance = std::nan("")}), ConstraintError);
  REQUIRE_THROWS_WITH((LayerBound{Operands{}, layers<double>({0}), {.limits = {10}}}), ContainsSubstring("got none"));
  REQUIRE_THROWS_AS((LayerBound{Operands{}, layers<double>({std::nan("")}), {.limits = {10}}}), ConstraintError);
}

TEST_CASE("layer bound: every layer has a strength and a gradient of its own", "[constraints]") {
  const auto start = layers<double>({60, 65, 50, 10});
  MultiConstraint problem{subject_to(LayerBound{Operands{}, start, {.limits = {100}}}), Duccio{}};
  problem.start(3, start, 10);
  problem.advance(10);
  REQUIRE(problem.strength(0, 0) == Approx(3 / 0.2));
  REQUIRE(problem.strength(0, 1) == Approx(3 / 0.3));
  REQUIRE(problem.strength(0, 2) == Approx(3 / 0.05));
  REQUIRE(problem.penalty(start, 10) == Approx(2 * 3));
  REQUIRE(problem.status(start)[0].strength == Approx(3 / 0.3));  // of the worst layer
  ScalarTape tape;
  const std::vector<Scalar> inputs{tape.leaf(60), tape.leaf(65), tape.leaf(50), tape.leaf(10)};
  tape.backward(problem.penalty(layers<Scalar>(inputs), 10));
  REQUIRE(tape.gradient(inputs[0]) == Approx(3 / 0.2 * 2 / 100));
  REQUIRE(tape.gradient(inputs[1]) == Approx(3 / 0.3 * 2 / 100));
  REQUIRE(tape.gradient(inputs[2]) == 0);
  REQUIRE(tape.gradient(inputs[3]) == 0);
}

TEST_CASE("layer bound: multipliers move by layer, and are saved", "[constraints]") {
  const auto start = layers<double>({60, 65, 30});
  const auto make = [&] {
    return MultiConstraint{subject_to(LayerBound{Operands{}, start, {.limits = {100}}}, AtMost{Params{}, 200}),
                           AugmentedLagrangian{.rate = 0.5}};
  };
  auto one = make(), two = make();
  one.start(2, start, 10);
  one.update(start);
  one.update(layers<double>({50, 65, 30}));
  REQUIRE(one.strength(0, 0) == Approx(0.2));
  REQUIRE(one.strength(0, 1) == Approx(0.6));
  REQUIRE(one.strength(0, 2) == 0);
  State state;
  one.save(state, "duals");
  two.load(state, "duals");
  for (std::size_t entry = 0; entry < 3; ++entry) REQUIRE(one.strength(0, entry) == two.strength(0, entry));
  REQUIRE(one.penalty(start, 1) == two.penalty(start, 1));
  one.update(start), two.update(start);
  REQUIRE(one.penalty(start, 1) == two.penalty(start, 1));
}

TEST_CASE("layer bound: the memory of ResNet8 on GAP8", "[constraints]") {
  const LayerBound bound{LayerMemory{}, test::resnet8(), {.limits = {44'000, 400'000}}};
  REQUIRE(bound.value(test::resnet8()) == Approx(100 * 49152 / 44000.0));  // the first sum
  REQUIRE(bound.entry_name(0) == "stem, level 44000 B");
}

TEST_CASE("constraints of entries: the number of entries must stay", "[constraints]") {
  MultiConstraint problem{subject_to(Widths{}), NuPi{}};
  problem.start(1, layers<double>({110, 90}), 10);
  problem.update(layers<double>({110, 90}));
  REQUIRE(problem.strength(0, 0) == Approx(0.1 * 2 * 0.1));
  REQUIRE(problem.status(layers<double>({110, 130}))[0].entry == 1);
  REQUIRE(problem.status(layers<double>({110, 130}))[0].worst.empty());
  REQUIRE_THROWS_WITH(problem.update(layers<double>({110})),
                      ContainsSubstring("'widths': expected 2 entries as at the start, got 1"));
}
