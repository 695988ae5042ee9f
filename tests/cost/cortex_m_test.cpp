// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/cortex_m.hpp"

#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

constexpr CortexM unit_rates{
    .rates = {.dense = 16, .depthwise = 4, .linear = 8, .gather = 0, .output = 0, .element = 1}};  // a cycle a MAC

}  // namespace

TEST_CASE("cortex-m: blocks of 2 pixels by 2 filters, 4 inputs at a time", "[cost]") {
  const auto cost = [](const LayerDesc<double>& layer) { return unit_rates.layer_cost(layer); };
  for (const auto& layer : {test::conv("", {.in = 16, .out = 16}), test::conv("", {.in = 64, .out = 32, .kernel = 1}),
                            test::depthwise("", {.in = 64, .out = 64}), test::linear("", 64, 12)}) {
    CHECK(cost(layer) == layer.macs());
  }
  CHECK(cost(test::conv("", {.in = 16, .out = 15})) == cost(test::conv("", {.in = 16, .out = 16})));
  CHECK(cost(test::conv("", {.in = 3, .out = 16, .kernel = 1})) == cost(test::conv("", {.in = 4, .out = 16, .kernel = 1})));
  CHECK(cost(test::conv("", {.in = 4, .out = 2, .kernel = 1, .height = 3, .width = 3})) == 5 * 16);
  CHECK(cost(test::depthwise("", {.in = 5, .out = 5, .height = 1, .width = 1})) == 2 * 9 * 4);
  CHECK(cost(test::linear("", 5, 3)) == 2 * 2 * 8);
  auto grouped = test::conv("", {.in = 16, .out = 32});
  grouped.groups = 2;
  CHECK(cost(grouped) == 2 * cost(test::conv("", {.in = 8, .out = 16})));
}

TEST_CASE("cortex-m: patches are gathered, outputs scaled, adds and pools read", "[cost]") {
  constexpr CortexM gather{.rates = {.dense = 0, .depthwise = 0, .linear = 0, .gather = 1, .output = 0, .element = 0}};
  CHECK(gather.layer_cost(test::conv("", {.in = 16, .out = 16})) == 1024 * 9 * 16);
  CHECK(gather.layer_cost(test::conv("", {.in = 16, .out = 16, .kernel = 1})) == 0);
  CHECK(gather.layer_cost(test::conv("", {.in = 16, .out = 16, .kernel = 1, .stride = 2})) == 256 * 16);
  constexpr CortexM output{.rates = {.dense = 0, .depthwise = 0, .linear = 0, .gather = 0, .output = 1, .element = 0}};
  for (const auto& layer :
       {test::conv("", {.in = 16, .out = 16}), test::depthwise("", {.in = 64, .out = 64}), test::linear("", 64, 12)}) {
    CHECK(output.layer_cost(layer) == layer.output_elements());
  }
  LayerDesc<double> add{.kind = LayerKind::add, .producers = {0, 1}, .in_channels = 6, .out_channels = 6};
  CHECK(unit_rates.layer_cost(add) == 12);
  add.kind = LayerKind::multiply;
  CHECK(unit_rates.layer_cost(add) == 12);
  add.kind = LayerKind::batch_norm;
  CHECK(unit_rates.layer_cost(add) == 6);
  add.batch_norm_folded = true;
  CHECK(unit_rates.layer_cost(add) == 0);
  CHECK(unit_rates.layer_cost(LayerDesc<double>{.kind = LayerKind::activation, .in_channels = 6}) == 0);
  CHECK(unit_rates.layer_cost(LayerDesc<double>{.kind = LayerKind::other, .own_macs = 100}) == 100);
}
