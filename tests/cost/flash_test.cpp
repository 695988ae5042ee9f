// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/flash.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "siena/constraints/device_bounds.hpp"
#include "siena/cost/ram.hpp"
#include "siena/cost/validate.hpp"
#include "siena/space/describe.hpp"
#include "support/architectures.hpp"
#include "support/catch.hpp"
#include "support/random_network.hpp"

using namespace siena;

namespace {

std::string kept(const Architecture<double>& network) {
  std::string names;
  for (const auto& layer : network.layers) names += format("{}{}", names.empty() ? "" : " ", layer.name);
  return names;
}

/// Flash without code, which has no slope.
struct TablesAlone {
  Flash flash;
  std::string_view name() const { return "tables"; }
  template <class N>
  N network_cost(const Architecture<N>& network) const {
    N sum = 0;
    for (const auto& layer : as_deployed(network).layers) sum += flash.tables(layer) * layer.presence;
    return sum;
  }
};

/// RAM without the stack, which is less where weights are no longer packed.
struct ArenaAlone {
  Ram ram;
  std::string_view name() const { return "arena"; }
  template <class N>
  N network_cost(const Architecture<N>& network) const {
    return ram.arena(network);
  }
};

}  // namespace

TEST_CASE("as deployed, norms and dropouts are gone, and a layer holds the first activation behind it", "[cost]") {
  const Network network({6, 6, 2}, [](Flow x) {
    x = x | Conv2d{.out = 4} | BatchNorm{} | Relu{} | Dropout{} | Relu6{};  // the second is a table
    const Flow y = x | Conv2d{.out = 4};
    x = add(x, y) | Relu{};
    x = x | Conv2d{.out = 4, .kernel = 1, .groups = Conv2d::depthwise};
    return add(x | Relu{}, x) | MaxPool{.kernel = 2} | Relu{} | Flatten{} | Linear{.out = 2};  // read twice: a table
  });
  REQUIRE(kept(as_deployed(describe(network))) ==
          "conv2d_1 clip_1 conv2d_2 add_1 conv2d_3 relu_3 add_2 max_pool_1 relu_4 flatten_1 linear_1");
  const auto deployed = as_deployed(describe(network)).layers;
  REQUIRE(deployed[1].producers == std::vector<int>{0});
  REQUIRE(deployed[3].producers == std::vector<int>{1, 2});
  REQUIRE(deployed[4].kind == LayerKind::batch_norm);
}

TEST_CASE("as deployed, a ReLU's values are held where levels begin below 0", "[cost]") {
  const auto operation = [](int zero_point, bool relu) {
    const Network network({6, 6, 2}, [=](Flow x) {
      x = x | Conv2d{.out = 4};
      return (relu ? x | Relu{} : x) | FakeQuantize{.scale = 0.1, .zero_point = zero_point};
    });
    return as_deployed(describe(network)).layers.at(0).operation;
  };
  REQUIRE(operation(-128, true) == "relu");
  REQUIRE(operation(0, true) == "clip");
  REQUIRE(operation(0, false) != "clip");
}

TEST_CASE("as deployed, a ReLU behind levels is a table, and a dropout hides no range that is held", "[cost]") {
  const auto layers = [](auto&& body) {
    const Network network({6, 6, 2}, [&](Flow x) { return body(x | Conv2d{.out = 4}) | Conv2d{.out = 2}; });
    return as_deployed(describe(network)).layers;
  };
  for (const int bits : {4, 8}) {
    const FakeQuantize levels{.scale = 0.1, .bits = bits}, from_zero{.scale = 0.1, .zero_point = levels.low(), .bits = bits};
    const auto behind = layers([&](const Flow& x) { return x | levels | Dropout{} | Relu{}; });
    REQUIRE(behind.size() == 3);
    REQUIRE((behind[0].operation == "clip") == (bits == 4));
    REQUIRE(behind[1].operation == "relu");
    REQUIRE(Flash{}.tables(behind[1]) == 256);
    const auto dropped = layers([&](const Flow& x) { return x | Relu{} | Dropout{} | from_zero; });
    REQUIRE(dropped.size() == 2);
    REQUIRE(dropped[0].operation == (bits == 4 ? "clip" : "relu"));
  }
}

TEST_CASE("flash is weights, a bias and a multiplier for each filter, tables and code", "[cost]") {
  LayerDesc<double> conv{.kind = LayerKind::conv2d,
                         .in_channels = 3,
                         .out_channels = 5,
                         .in_height = 8,
                         .in_width = 8,
                         .out_height = 8,
                         .out_width = 8,
                         .kernel_height = 3,
                         .kernel_width = 3,
                         .pad_top = 1};
  const Flash portable, cortex{code_cortex_m};
  REQUIRE(portable.tables(conv) == 5 * 27 + 5 * 8);
  REQUIRE(cortex.tables(conv) == 6 * 3 * 10 + 6 * 8);  // pairs of filters, and of the 9 inputs in a row
  Architecture<double> network{{conv}};
  const double once = total(portable, network);
  const CodeParts parts = code_parts(conv, CTarget::portable);
  const double call = code_portable.call_of(conv, parts), tables = portable.tables(conv) + 1;  // they end at words
  REQUIRE(parts.kind == CodeKind::convolution);
  REQUIRE(once == Approx(tables + code_portable.once(0) + call + code_portable.function(parts)));
  network.layers.push_back(conv);  // the same function
  REQUIRE(total(portable, network) == Approx(once + tables + call));
  network.layers[1].dilation_width = 2;  // another one
  REQUIRE(total(portable, network) > once + tables + call + 100);
  conv.repeated = true;  // the weights are there already
  REQUIRE(portable.tables(conv) == 5 * 8);
}

TEST_CASE("flash of weights of few bits: 2, 4 or 8 of them, filter by filter, and which filter has which", "[cost]") {
  LayerDesc<double> conv{.kind = LayerKind::conv2d,
                         .in_channels = 3,
                         .out_channels = 5,
                         .in_height = 8,
                         .in_width = 8,
                         .out_height = 8,
                         .out_width = 8,
                         .kernel_height = 3,
                         .kernel_width = 3};
  const Flash portable, cortex{code_cortex_m};
  conv.weight_bits = 4;
  REQUIRE(portable.tables(conv) == 5 * 14 + 5 * 8);   // 27 numbers in 14 bytes
  REQUIRE(cortex.tables(conv) == 6 * 3 * 6 + 6 * 8);  // 9 of a row in 3 words of 4 for each of two filters
  conv.weight_bits = 3;
  REQUIRE(portable.tables(conv) == 5 * 14 + 5 * 8);
  conv.weight_bits = 5;
  REQUIRE(portable.tables(conv) == 5 * 27 + 5 * 8);
  conv.slices = {{6, 1}, {4, 3}, {2, 1}};
  REQUIRE(portable.tables(conv) == 27 + 3 * 14 + 7 + 5 * 8 + 2);
  REQUIRE(cortex.tables(conv) == 2 * 3 * 10 + 4 * 3 * 6 + 2 * 3 * 4 + 8 * 8 + 8);
  conv.slices = {{8, 2}, {6, 3}};  // the same bytes
  REQUIRE(cortex.tables(conv) == 6 * 3 * 10 + 6 * 8);
  conv.slices = {{8, 1}, {2, 5}}, conv.groups = 3, conv.out_channels = 6;
  REQUIRE(portable.tables(conv) == 9 + 5 * 3 + 6 * 8 + 2);
  REQUIRE(cortex.tables(conv) == 6 * 3 * 3 * 2 + 6 * 8);  // groups as the widest of them
  LayerDesc<double> depthwise = conv;
  depthwise.kind = LayerKind::depthwise_conv2d, depthwise.in_channels = depthwise.out_channels = 6;
  REQUIRE(cortex.tables(depthwise) == 9 + 5 * 3 + 6 * 8 + 2);
  REQUIRE(cortex.tables(depthwise) == portable.tables(depthwise));
}

TEST_CASE("flash of what scales each element: a number for each channel, of one channel a table", "[cost]") {
  for (const LayerKind kind : {LayerKind::activation, LayerKind::other}) {
    LayerDesc<double> layer{.kind = kind, .in_channels = 3, .out_channels = 3, .own_weights = 3};
    REQUIRE(Flash{}.tables(layer) == 12);
    layer.in_channels = layer.out_channels = layer.own_weights = 1;
    REQUIRE(Flash{}.tables(layer) == 256);
  }
}

TEST_CASE("flash prices the code that unpacks, for each width", "[cost]") {
  LayerDesc<double> conv{.kind = LayerKind::conv2d, .in_channels = 8, .out_channels = 8};
  const auto code = [&](const CodeSize& size, double first, double second) {
    Architecture<double> network{{conv, conv}};
    network.layers[0].weight_bits = first, network.layers[1].weight_bits = second;
    double sum = total(Flash{size}, network);
    for (const auto& layer : network.layers) sum -= Flash{size}.tables(layer);
    return sum;
  };
  const double shared = code(code_portable, 4, 2);  // a function for both, and what it calls
  REQUIRE(shared == code(code_portable, 4, 4));
  REQUIRE(shared > code(code_portable, 8, 8) + packed_portable.shared);
  REQUIRE(code(code_portable, 4, 8) > shared + 80);
  REQUIRE(code(code_cortex_m, 4, 2) > code(code_cortex_m, 4, 4));
}

TEST_CASE("flash and ram have the slopes of what they price", "[cost]") {
  const auto passes = [](const Validation& validation) {
    INFO(validation.to_string());
    REQUIRE(validation.passed());
  };
  const ValidateOptions all{.span = 64};  // whole tiles: pairs of filters, words of inputs
  Architecture<double> sliced{{test::conv("a", {.in = 3, .out = 16}), test::depthwise("b", {.in = 16, .out = 16}),
                               test::conv("c", {.in = 16, .out = 24, .kernel = 1}), test::linear("d", 24, 10)}};
  for (auto& layer : sliced.layers) layer.slices = {{8, 2}, {2, 3}, {4, layer.filters() - 5}};
  for (const CodeSize& code : {code_portable, code_cortex_m}) {
    passes(validate(TablesAlone{{code}}, sliced, all));
    for (const auto& whole : {test::ds_cnn(), test::resnet8()}) {
      passes(validate(TablesAlone{{code}}, whole, all));
      passes(validate(ArenaAlone{{code}}, whole, all));
    }
  }
}

TEST_CASE("ram is the arena of what is deployed, and a stack", "[cost]") {
  auto network = test::resnet8();
  REQUIRE(total(Ram{}, network) == 49152 + Ram{}.stack(network));
  REQUIRE(Ram{}.stack(network) > 120);
  REQUIRE(Ram{}.stack(network) < 240);
  REQUIRE(Ram{code_cortex_m}.arena(network) == 36032);
  for (auto& layer : network.layers)
    if (layer.has_weights()) layer.slices = {{8, 4}, {4, layer.filters() - 4}};
  REQUIRE(Ram{code_cortex_m}.arena(network) == 36032);  // one call, whatever bits filters have
}

TEST_CASE("bounds of flash and ram have units", "[cost]") {
  const FlashBound flash{64_KiB};
  const RamBound ram{32_KiB, {code_cortex_m}};
  const auto network = test::resnet8();
  REQUIRE(flash.violation(network) == total(Flash{}, network) / 65536 - 1);
  REQUIRE(ram.value(network) == 36032 + Ram{code_cortex_m}.stack(network));
  REQUIRE(ram.to_string() == "at most 32768 B, by ram, cortex-m, arm-none-eabi-gcc 12.2.1 -mcpu=cortex-m4 -mthumb -O2");
  REQUIRE_THROWS_WITH(FlashBound{Bytes{0}},
                      "FlashBound: expected a limit of 'flash' that is finite and above 0, got 0 B; every network costs more");
}
