// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/cost_model.hpp"

#include "siena/cost/cortex_m.hpp"
#include "siena/cost/latency_table.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/ne16.hpp"
#include "siena/cost/params.hpp"
#include "siena/cost/peak_memory.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

struct Energy {
  double joules_per_mac, joules_per_byte;
  std::string_view name() const { return "energy"; }
  auto layer_cost(const auto& layer) const {
    return layer.macs() * joules_per_mac + layer.weights() * layer.weight_bits * (joules_per_byte / 8);
  }
};
struct Widest {
  std::string_view name() const { return "widest"; }
  std::string_view unit() const { return "channels"; }
  template <class N>
  N network_cost(const Architecture<N>& network) const {
    N widest = 0;
    for (const auto& layer : network.layers) widest = max_of(widest, layer.out_channels);
    return widest;
  }
};
struct Fixed {
  std::string_view name() const { return "fixed"; }
  double layer_cost(const auto&) const { return 2; }
};
struct Nameless {
  auto layer_cost(const auto& layer) const { return layer.macs(); }
};
struct Priceless {
  std::string_view name() const { return "priceless"; }
};
struct WithoutGradient {
  std::string_view name() const { return "without gradient"; }
  double layer_cost(const LayerDesc<double>& layer) const { return layer.macs(); }
};
static_assert(CostModel<Energy> && CostModel<Widest> && CostModel<Fixed>);
static_assert(!CostModel<Nameless> && !CostModel<Priceless> && !CostModel<WithoutGradient> && !CostModel<int>);

}  // namespace

TEST_CASE("total: one formula for truth and gradient", "[cost]") {
  const auto net = test::resnet8();
  const Energy energy{.joules_per_mac = 2, .joules_per_byte = 3};
  REQUIRE(total(energy, net) == Approx(2 * 12501632 + 3 * 77360));
  REQUIRE(unit_of(energy) == "");

  ScalarTape tape;
  auto soft = convert<Scalar>(net);
  soft.layers[0].out_channels = tape.leaf(16);
  soft.layers[1].in_channels = soft.layers[0].out_channels;
  const Scalar cost = total(energy, soft);
  REQUIRE(cost.value() == total(energy, net));
  tape.backward(cost);
  REQUIRE(tape.gradient(soft.layers[0].out_channels) == Approx(2 * (27 + 144) * 1024 + 3 * (27 + 144)));
}

TEST_CASE("total: whole-network models see all layers at once", "[cost]") {
  REQUIRE(total(Widest{}, test::resnet8()) == 64);
  REQUIRE(unit_of(Widest{}) == "channels");
}

TEST_CASE("total: every layer counts, the fixed ones too, as often as it is there", "[cost]") {
  auto net = test::resnet8();
  const auto layers = static_cast<double>(net.layers.size());
  REQUIRE(total(Fixed{}, net) == 2 * layers);

  SECTION("branches of a supernet by their probability") {
    net.layers[2].presence = 0.25;
    REQUIRE(total(Fixed{}, net) == 2 * layers - 1.5);
    REQUIRE(total(Params{}, net) == 77360 - 0.75 * 2304);
    ScalarTape tape;
    auto soft = convert<Scalar>(net);
    soft.layers[2].presence = tape.leaf(0.25);
    tape.backward(total(Params{}, soft));
    REQUIRE(tape.gradient(soft.layers[2].presence) == 2304);
  }
  SECTION("a layer that runs twice takes time twice and memory once") {
    auto again = net.layers[2];
    again.repeated = true;
    net.layers.push_back(again);
    REQUIRE(total(Params{}, net) == 77360);
    REQUIRE(total(Macs{}, net) == 12501632 + 2359296);
  }
}

TEST_CASE("description: elements, weights and multiplications of every kind of layer", "[cost]") {
  auto layer = test::conv("conv", {.in = 8, .out = 12, .stride = 2, .height = 10, .width = 6});
  REQUIRE(layer.weights() == 9 * 8 * 12);
  REQUIRE(layer.macs() == 9 * 8 * 12 * 15);
  REQUIRE(layer.biases() == 12);
  REQUIRE(layer.input_elements() == 8 * 60);
  REQUIRE(layer.output_elements() == 12 * 15);
  layer.batch_norm_folded = false;
  REQUIRE(layer.biases() == 0);
  layer.groups = 4;
  REQUIRE(layer.weights() == 9 * 2 * 12);
  layer.live_taps = 5;
  REQUIRE(layer.weights() == 5 * 2 * 12);

  auto depthwise = test::depthwise("depthwise", {.in = 8, .out = 16, .height = 4, .width = 4});
  depthwise.multiplier = 2;
  REQUIRE(depthwise.weights() == 9 * 16);
  REQUIRE(depthwise.biases() == 16);
  REQUIRE(depthwise.output_elements() == 256);
  ScalarTape tape;
  auto soft = convert<Scalar>(depthwise);
  soft.in_channels = tape.leaf(8);
  tape.backward(soft.macs());
  REQUIRE(tape.gradient(soft.in_channels) == 9 * 2 * 16);

  tape.clear();
  soft = convert<Scalar>(depthwise);
  soft.in_height = tape.leaf(8), soft.out_height = tape.leaf(4);
  tape.backward(soft.macs() + soft.input_elements());
  REQUIRE(tape.gradient(soft.out_height) == 9 * 16 * 4);
  REQUIRE(tape.gradient(soft.in_height) == 8 * 4);

  LayerDesc<double> norm{.kind = LayerKind::batch_norm, .in_channels = 6, .out_channels = 6};
  REQUIRE(norm.weights() + norm.biases() == 12);
  norm.batch_norm_folded = true;
  REQUIRE(norm.weights() + norm.biases() == 0);

  LayerDesc<double> add{.kind = LayerKind::add, .producers = {0, 1}, .in_channels = 6, .out_channels = 6, .in_height = 2};
  REQUIRE(add.input_elements() == 24);
  REQUIRE(add.macs() == 0);

  LayerDesc<double> product{.kind = LayerKind::multiply, .producers = {0, 1}, .in_channels = 6, .out_channels = 6};
  product.in_height = product.out_height = 2;
  REQUIRE(product.input_elements() == 24);
  product.per_channel = true;
  REQUIRE(product.input_elements() == 18);
  REQUIRE(product.output_elements() == 12);
  REQUIRE(product.weights() + product.macs() == 0);

  const LayerDesc<double> custom{.kind = LayerKind::other, .own_weights = 11, .own_macs = 13};
  REQUIRE(custom.weights() == 11);
  REQUIRE(custom.macs() == 13);
}

TEST_CASE("description: a convolution of one channel is dense", "[cost]") {
  const auto layer = test::conv("one", {.in = 1, .out = 1});
  ScalarTape tape;
  auto soft = convert<Scalar>(layer);
  soft.in_channels = tape.leaf(1), soft.out_channels = tape.leaf(1);
  tape.backward(soft.weights());
  REQUIRE(tape.gradient(soft.in_channels) == 9);
  REQUIRE(tape.gradient(soft.out_channels) == 9);
}

TEST_CASE("description: conversion keeps everything", "[cost]") {
  auto net = test::resnet8();
  net.layers[3].live_taps = 4;
  net.layers[4].presence = 0.5, net.layers[4].weight_bits = 4, net.layers[5].repeated = true;
  net.layers.push_back({.kind = LayerKind::other, .own_weights = 11, .own_macs = 13});
  net.layers.push_back({.kind = LayerKind::multiply, .in_channels = 5, .in_height = 3, .per_channel = true});
  const auto back = convert<double>(convert<Scalar>(net));
  REQUIRE(back.layers.size() == net.layers.size());
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    const auto &a = net.layers[i], &b = back.layers[i];
    REQUIRE(a.kind == b.kind);
    REQUIRE(a.name == b.name);
    REQUIRE(a.producers == b.producers);
    REQUIRE(a.weights() == b.weights());
    REQUIRE(a.biases() == b.biases());
    REQUIRE(a.macs() == b.macs());
    REQUIRE(a.input_elements() == b.input_elements());
    REQUIRE(a.output_elements() == b.output_elements());
    REQUIRE(a.stride_height * a.stride_width == b.stride_height * b.stride_width);
    REQUIRE(a.presence == b.presence);
    REQUIRE(a.weight_bits == b.weight_bits);
    REQUIRE(a.repeated == b.repeated);
  }
}

TEST_CASE("a model that has options says them, so that checkpoints tell two of them apart", "[cost]") {
  CHECK(text_of(Macs{}) == "macs");
  CHECK(text_of(Params{}) != text_of(Params{.bias = true}));
  CHECK(text_of(Ne16{}) != text_of(Ne16{.ignore_stride = true}));
  CHECK(text_of(CortexM{}) != text_of(CortexM{.rates = cortex_m7}));
  CHECK(text_of(PeakMemory{}) != text_of(PeakMemory{.rules = arena_tflm}));
  CHECK(text_of(PeakMemory{}) != text_of(PeakMemory{.rules = {.repairs = 0}}));
  const auto table = [](double seconds) {
    return LatencyTable({{.key = {.operation = "linear"}, .in_channels = 4, .out_channels = 2, .seconds = 1e-3},
                         {.key = {.operation = "linear"}, .in_channels = 8, .out_channels = 2, .seconds = seconds}});
  };
  CHECK(text_of(table(2e-3)) == text_of(table(2e-3)));
  CHECK(text_of(table(2e-3)) != text_of(table(2.5e-3)));
}
