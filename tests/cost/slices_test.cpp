// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/cost/cortex_m.hpp"
#include "siena/cost/diana.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/latency_table.hpp"
#include "siena/cost/layer_memory.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/mpic.hpp"
#include "siena/cost/ne16.hpp"
#include "siena/cost/params.hpp"
#include "siena/cost/peak_memory.hpp"
#include "siena/cost/validate.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"
#include "support/latency_points.hpp"

using namespace siena;

namespace {

/// Every layer with weights cut into slices of these bits, the first of which has `first` filters.
Architecture<double> sliced(Architecture<double> net, double first, double first_bits, double other_bits) {
  for (auto& layer : net.layers) {
    if (layer.has_weights()) layer.slices = {{first_bits, first}, {other_bits, layer.filters() - first}};
  }
  return net;
}

template <class Visit>
void for_models_by_filter(const Visit& visit) {
  visit(Params{.bias = true});
  visit(Macs{});
  visit(ModelSize{});
  visit(LayerMemory{});
  visit(PeakMemory{});
  visit(Mpic{});
  visit(MpicEnergy{});
}
template <class Visit>
void for_models_in_tiles(const Visit& visit) {
  visit(Gap8{});
  visit(Ne16{});
  visit(Diana{});
  visit(Diana{.core = DianaCore::analog});
  visit(CortexM{});
}

}  // namespace

TEST_CASE("slices: one of all filters, or two of 8 bits, cost what the layer does", "[cost]") {
  for (const auto& net : {test::resnet8(), test::ds_cnn()}) {
    auto one = net;
    for (auto& layer : one.layers)
      if (layer.has_weights()) layer.slices = {{8, layer.filters()}};
    for_models_in_tiles([&](const auto& model) { CHECK(total(model, one) == total(model, net)); });
    for_models_by_filter([&](const auto& model) {
      INFO(model.name());
      CHECK(total(model, one) == total(model, net));
      CHECK(total(model, sliced(net, 5, 8, 8)) == Approx(total(model, net)).epsilon(1e-12));
    });
  }
}

TEST_CASE("slices: each is a call of its own, so tiles and inputs are paid for once each", "[cost]") {
  const auto net = test::resnet8();
  for_models_in_tiles([&](const auto& model) {
    INFO(model.name());
    double calls = 0;
    for (const auto& layer : net.layers) {
      if (!layer.has_weights()) {
        calls += model.layer_cost(layer);
        continue;
      }
      auto first = layer, second = layer;
      first.out_channels = 5, second.out_channels = layer.out_channels - 5, first.weight_bits = 4;
      calls += model.layer_cost(first) + model.layer_cost(second);
    }
    CHECK(total(model, sliced(net, 5, 4, 8)) == Approx(calls).epsilon(1e-12));
    CHECK(total(model, sliced(net, 5, 8, 8)) >= total(model, net));
  });
  const LatencyTable table(test::latency_points());
  const auto conv = test::conv("conv", {.in = 4, .out = 16, .height = 4, .width = 4});
  auto cut = conv;
  cut.slices = {{4, 8}, {8, 8}};
  CHECK(layer_total(table, cut) == 2 * table.layer_cost(test::conv("half", {.in = 4, .out = 8, .height = 4, .width = 4})));
  cut.slices = {{4, 20}, {8, 8}};  // more than were measured
  const std::vector<Architecture<double>> networks{{{cut}}};
  const auto missing = missing_points(table.points(), networks);
  REQUIRE(missing.size() == 3);
  CHECK(missing[0].out_channels == 20);
}

TEST_CASE("slices: bits count where the model knows them", "[cost]") {
  auto layer = test::conv("conv", {.in = 8, .out = 12, .height = 4, .width = 4});
  layer.slices = {{2, 2}, {4, 4}, {8, 6}};
  const double weights = 9 * 8, biases = 12 * 4;
  CHECK(layer_total(ModelSize{}, layer) == weights * (2 * 2 + 4 * 4 + 6 * 8) / 8 + biases);
  CHECK(LayerMemory{}.per_layer(Architecture<double>{{layer}})[0] == 16 * (8 + 12) + weights * (2 * 2 + 4 * 4 + 6 * 8) / 8);
  CHECK(layer_total(Mpic{}, layer) == Approx(weights * 16 * (2 / 2.5 + 4 / 2.3 + 6 / 2.1)));
  auto depthwise = test::depthwise("depthwise", {.in = 8, .out = 16});
  depthwise.multiplier = 2;
  depthwise.slices = {{4, 6}, {8, 10}};
  CHECK(layer_total(ModelSize{}, depthwise) == 9 * (6 * 4 + 10 * 8) / 8 + 16 * 4);
  CHECK(layer_total(Params{}, depthwise) == depthwise.weights());
  depthwise.presence = 0.25;
  CHECK(layer_total(Params{}, depthwise) == depthwise.weights() / 4);
}

TEST_CASE("slices: chance bits cost what each width costs by itself", "[cost]") {
  Random random(3);
  for (int i = 0; i < 50; ++i) {
    auto layer = test::conv("conv", {.in = 1 + double(random.below(40)), .out = 0, .height = 6, .width = 5});
    double bytes = 0, cycles = 0, ne16 = 0, memory = layer.in_channels * 30;
    for (const int bits : {8, 7, 5, 4, 3, 2}) {
      const auto filters = static_cast<double>(random.below(20));
      if (filters == 0) continue;
      layer.slices.push_back({double(bits), filters}), layer.out_channels += filters;
      auto alone = layer;
      alone.slices.clear(), alone.out_channels = filters, alone.weight_bits = bits;
      bytes += 9 * layer.in_channels * filters * bits / 8 + 4 * filters;
      memory += 9 * layer.in_channels * filters * bits / 8 + 30 * filters;
      cycles += alone.macs() / (bits > 4 ? 2.1 : bits > 2 ? 2.3 : 2.5);
      ne16 += Ne16{}.layer_cost(alone);
    }
    CHECK(layer_total(ModelSize{}, layer) == Approx(bytes));
    CHECK(layer_total(Mpic{}, layer) == Approx(cycles));
    CHECK(layer_total(MpicEnergy{}, layer) == Approx(cycles * 21.53e-6));
    CHECK(layer_total(Ne16{}, layer) == Approx(ne16));
    CHECK(LayerMemory{}.per_layer(Architecture<double>{{layer}})[0] == Approx(memory));
  }
}

TEST_CASE("slices: an empty one is free, with the slope of its first filter", "[cost]") {
  const auto check = [](const auto& model) {
    INFO(model.name());
    auto layer = test::conv("conv", {.in = 16, .out = 32});
    const double whole = model.layer_cost(layer);
    layer.slices = {{8, 32}, {4, 0}};
    CHECK(layer_total(model, layer) == whole);
    ScalarTape tape;
    auto soft = convert<Scalar>(layer);
    soft.slices[1].filters = tape.leaf(0);
    const Scalar cost = layer_total(model, soft);
    CHECK(cost.value() == whole);
    tape.backward(cost);
    layer.slices[1].filters = 1;
    CHECK(tape.gradient(soft.slices[1].filters) == Approx(layer_total(model, layer) - whole));
  };
  for_models_in_tiles(check);
  check(ModelSize{});
  check(Mpic{});
}

TEST_CASE("slices: the gradient is true", "[cost]") {
  auto three = test::ds_cnn();
  for (auto& layer : three.layers)
    if (layer.has_weights()) layer.slices = {{8, 2}, {2, 3}, {4, layer.filters() - 5}};
  const auto passes = [&](const auto& model) {
    for (const auto& net : {sliced(test::resnet8(), 5, 4, 8), three}) {
      const Validation validation = validate(model, net);
      INFO(validation.to_string());
      CHECK(validation.passed());
    }
  };
  for_models_by_filter(passes);
  for_models_in_tiles(passes);
}

TEST_CASE("slices: conversion keeps every field", "[cost]") {
  const LayerDesc<double> all{.kind = LayerKind::other,
                              .operation = "mine",
                              .name = "a",
                              .node = 3,
                              .producers = {1, 2},
                              .in_channels = 5,
                              .out_channels = 6,
                              .in_height = 7,
                              .in_width = 8,
                              .out_height = 9,
                              .out_width = 10,
                              .kernel_height = 11,
                              .kernel_width = 12,
                              .stride_height = 13,
                              .stride_width = 14,
                              .dilation_height = 15,
                              .dilation_width = 16,
                              .pad_top = 17,
                              .groups = 18,
                              .multiplier = 19,
                              .live_taps = 20,
                              .bias = true,
                              .per_channel = true,
                              .batch_norm_folded = true,
                              .repeated = true,
                              .presence = 0.5,
                              .weight_bits = 4,
                              .input_bits = 3,
                              .output_bits = 2,
                              .slices = {{4, 2}, {8, 3}},
                              .own_weights = 21,
                              .own_macs = 22,
                              .in_place = true};
  CHECK(convert<double>(convert<Scalar>(all)) == all);
  auto other = all;
  other.slices[1].bits = 2;
  CHECK_FALSE(other == all);
}
