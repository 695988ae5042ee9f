// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/deploy/integer/quantization_aware.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "siena/cost.hpp"
#include "siena/cost/latency_point.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/deploy/integer/simulate.hpp"
#include "siena/deploy/network_json.hpp"
#include "siena/space/activation_bits.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/discretize.hpp"
#include "siena/train/loop.hpp"
#include "support/catch.hpp"
#include "support/deployed_networks.hpp"
#include "support/few_bits.hpp"
#include "support/networks.hpp"
#include "support/random_network.hpp"

using namespace siena;

namespace {

/// What the integers of a network make of a batch, as numbers, sample by sample.
std::vector<std::vector<float>> simulated(const deploy::IntegerNetwork& integers, const Tensor& batch) {
  std::vector<float> inputs;
  batch.copy_to(inputs);
  const std::size_t samples = static_cast<std::size_t>(batch.shape()[0]), each = inputs.size() / samples;
  std::vector<std::vector<float>> outputs;
  for (std::size_t n = 0; n < samples; ++n) {
    const auto sample = deploy::quantize_input(integers, std::span(inputs).subspan(n * each, each));
    outputs.push_back(deploy::dequantize_output(integers, deploy::simulate(integers, sample)));
  }
  return outputs;
}

struct Agreement {
  double equal = 0;              ///< part of the numbers
  double steps = 0;              ///< between the others, at most
  int samples = 0, classes = 0;  ///< of which the greatest output is the same one
};
/// Of what training predicts and what integers compute.
Agreement agreement(Network aware, const Tensor& batch) {
  const deploy::IntegerNetwork integers = deploy::quantize(aware);
  const auto got = simulated(integers, batch);
  std::vector<float> expected;
  aware.predict(batch).copy_to(expected);
  Agreement result;
  std::size_t k = 0;
  for (const auto& output : got) {
    const auto first = expected.begin() + static_cast<std::ptrdiff_t>(k);
    const auto most = std::max_element(first, first + std::ssize(output)) - first;
    result.classes += output[static_cast<std::size_t>(most)] == *std::max_element(output.begin(), output.end()) ? 1 : 0;
    ++result.samples;
    for (const float number : output) {
      const double steps = std::abs(number - expected[k++]) / integers.values[integers.output].scale;
      result.equal += steps < 0.01 ? 1 : 0;
      result.steps = std::max(result.steps, steps);
    }
  }
  result.equal /= static_cast<double>(k);
  return result;
}

int quantisers(const Network& network) {
  return static_cast<int>(std::count_if(network.nodes().begin(), network.nodes().end(),
                                        [](const Network::Node& node) { return node.layer.is<FakeQuantize>(); }));
}

Network network_of_8_bits(const Shape& input, std::uint64_t seed) {
  return Network(
      input,
      [](Flow x) {
        x = x | Conv2d{.out = 8, .kernel = 3, .bias = false} | BatchNorm{} | Relu{};
        const Flow y = x | Conv2d{.out = 8, .kernel = 3, .groups = Conv2d::depthwise, .bias = false} | BatchNorm{} | Relu6{} |
                       Conv2d{.out = 8, .bias = false} | BatchNorm{};
        x = add(x, y) | Relu{} | MaxPool{} | Conv2d{.out = 8, .kernel = 3} | HardSwish{};
        return x | GlobalAvgPool{} | Dropout{0.1} | Linear{.out = 4};
      },
      seed);
}

}  // namespace

TEST_CASE("quantization_aware: quantisers stand behind what integers round, and only there") {
  const Network network = network_of_8_bits({8, 8, 3}, 1);
  const std::vector<Tensor> batches{test::RandomNetwork(3).batch(network, 8)};
  const Network aware = deploy::quantization_aware(network, batches);
  std::string names;
  for (const Network::Node& node : aware.nodes()) names += node.name + " ";
  CHECK(names ==
        "input input.levels conv2d_1 relu_1 relu_1.levels conv2d_2 clip_1 clip_1.levels conv2d_3 conv2d_3.levels add_1 relu_2 "
        "relu_2.levels max_pool_1 conv2d_4 conv2d_4.levels hard_swish_1 hard_swish_1.levels global_avg_pool_1 "
        "global_avg_pool_1.levels dropout_1 linear_1 linear_1.levels ");
  for (const Network::Node& node : aware.nodes()) {
    if (const auto* conv = node.layer.get_if<Conv2d>()) CHECK((conv->weight_bits == 8 && conv->bias));
    if (const auto* linear = node.layer.get_if<Linear>()) CHECK(linear->weight_bits == 8);
  }
  CHECK(aware.nodes()[4].layer.get<FakeQuantize>().zero_point == -128);  // behind a ReLU
  // Quantisers cost nothing.
  const auto before = describe(network), with_levels = describe(aware);
  CHECK(total(ModelSize{}, with_levels) == total(ModelSize{}, before));
  CHECK(total(PeakMemory{}, with_levels) == total(PeakMemory{}, before));
  CHECK(total(Macs{}, with_levels) == total(Macs{}, before));
  CHECK(total(CortexM{}, with_levels) == total(CortexM{}, before));
  for (const auto& layer : with_levels.layers)
    if (layer.operation == "fake_quantize") CHECK_FALSE(latency_query(layer));
  // The integers are those of calibration, but for weights that are rounded once in floats.
  const deploy::IntegerNetwork direct = deploy::quantize(network, batches), trained = deploy::quantize(aware);
  REQUIRE(trained.values.size() == direct.values.size());
  for (std::size_t v = 0; v < direct.values.size(); ++v) {
    CHECK(trained.values[v].name == direct.values[v].name);
    CHECK(trained.values[v].scale == Approx(direct.values[v].scale).epsilon(1e-6));
    CHECK(trained.values[v].zero_point == direct.values[v].zero_point);
  }
  const auto& first = std::get<deploy::integer::Convolution>(direct.operations[0].what);
  CHECK(std::get<deploy::integer::Convolution>(trained.operations[0].what).weights == first.weights);
}

TEST_CASE("quantization_aware: what it predicts is what integers compute") {
  double equal = 0;
  int networks = 0, samples = 0, classes = 0;
  const auto check = [&](const Network& network, const Tensor& batch, const deploy::QuantizationAwareOptions& options) {
    const Agreement found = agreement(deploy::quantization_aware(network, std::vector{batch}, options), batch);
    CHECK(found.steps < 12);
    samples += found.samples, classes += found.classes;
    CHECK(found.equal > 0.7);  // one step off in one place is a step or two at the end
    equal += found.equal, ++networks;
  };
  for (const auto& [name, network] : test::deployed_networks()) {
    if (name.starts_with("mobilenet") || name.starts_with("resnet18")) continue;  // take long
    INFO(name);
    check(network, test::RandomNetwork(3).batch(network, 2), {});
  }
  for (std::uint64_t seed = 0; seed < 60; ++seed) {  // those from 20 on with weights of few bits
    INFO("seed " << seed);
    test::RandomNetwork random(seed);
    const Network network = seed % 3 == 0 ? random.make_1d() : random.make();
    if (test::has<GroupNorm>(network)) continue;
    check(seed < 20 ? network : test::with_chance_bits(network, seed), random.batch(network, 4),
          {.learn_scales = seed % 2 == 0});
  }
  CHECK(equal / networks > 0.97);
  CHECK(classes >= samples - samples / 200);
}

TEST_CASE("quantization_aware: what it predicts is what integers compute, with values of few bits") {
  int samples = 0, classes = 0, levels = 0;
  double equal = 0;
  for (std::uint64_t seed = 0; seed < 42; ++seed) {
    INFO("seed " << seed);
    test::RandomNetwork random(seed);
    const Network network = seed % 3 == 0 ? random.make_1d() : random.make();
    if (test::has<GroupNorm>(network)) continue;
    const Network few = with_activation_bits(network, {.widths = {2 + static_cast<int>(seed % 7)}});
    const Tensor batch = random.batch(network, 4);
    const deploy::IntegerNetwork integers = deploy::quantize(few, std::vector{batch});
    for (const Network::Node& node : few.nodes()) {
      if (!node.layer.is<FakeQuantize>()) continue;
      const std::string made_by = few.nodes()[static_cast<std::size_t>(node.inputs[0])].name;
      for (const auto& operation : integers.operations) {
        if (integers.values[operation.output].name != made_by) continue;
        if (std::holds_alternative<deploy::integer::Table>(operation.what)) continue;  // says what it may be
        CHECK(operation.high - operation.low < 1 << node.layer.get<FakeQuantize>().bits);
        ++levels;
      }
    }
    const Agreement found = agreement(deploy::quantization_aware(few, std::vector{batch}), batch);
    samples += found.samples, classes += found.classes, equal += found.equal * found.samples;
  }
  CHECK(levels > 100);
  CHECK(equal / samples > 0.95);
  CHECK(classes >= samples - samples / 100);
}

TEST_CASE("quantization_aware: training ends in the integer network") {
  const auto data = data::synthetic_images({.classes = 4, .height = 8, .width = 8, .train = 256, .validation = 0, .test = 256});
  Network network = network_of_8_bits(data.train.shape(), 1);
  fit(network, data, {.epochs = 4, .batch = 16, .optimizer = Adam{.lr = 1e-2}, .seed = 1});
  for (const bool learned : {false, true}) {
    INFO("learned " << learned);
    Network aware = deploy::quantization_aware(network, data.train.take(64), {.learn_scales = learned});
    fit(aware, data, {.epochs = 1, .batch = 32, .optimizer = Adam{.lr = 1e-3}, .seed = 2});
    const deploy::IntegerNetwork integers = deploy::quantize(aware);
    const auto calibrated = static_cast<float>(aware.nodes()[4].layer.get<FakeQuantize>().scale);
    CHECK((static_cast<float>(integers.values[1].scale) != calibrated) == learned);
    std::int64_t apart = 0, right = 0;
    const auto batches = deploy::detail::batches_of(data.test, 64);
    for (std::size_t b = 0; b < batches.size(); ++b) {
      const auto got = simulated(integers, batches[b]);
      const Tensor predicted = aware.predict(batches[b]);
      for (std::size_t n = 0; n < got.size(); ++n) {
        const auto row = predicted.row(static_cast<std::int64_t>(n));
        const auto expected = std::max_element(row.begin(), row.end()) - row.begin();
        const auto found = std::max_element(got[n].begin(), got[n].end()) - got[n].begin();
        apart += found != expected ? 1 : 0;
        right += found == data.test.label(static_cast<std::int64_t>(64 * b + n)) ? 1 : 0;
      }
    }
    CHECK(apart <= 1);  // of 256
    CHECK(static_cast<double>(right) / 256 > evaluate(network, data.test).accuracy - 0.03);
  }
}

TEST_CASE("quantization_aware: weights of 4 bits, where a layer says so") {
  Network network({6, 6, 3}, [](Flow x) {
    x = x | Conv2d{.out = 4, .kernel = 3, .bias = false, .weight_bits = 4} | BatchNorm{} | Relu{};
    return x | GlobalAvgPool{} | Linear{.out = 3};
  });
  test::RandomNetwork(3).randomise(network);
  const Tensor batch = test::RandomNetwork(4).batch(network, 8);
  const Network aware = deploy::quantization_aware(network, std::vector{batch});
  const deploy::IntegerNetwork integers = deploy::quantize(aware);
  const auto most = [&](std::size_t operation) {
    const auto& weights = std::get<deploy::integer::Convolution>(integers.operations[operation].what).weights;
    return *std::max_element(weights.begin(), weights.end(), [](int a, int b) { return std::abs(a) < std::abs(b); });
  };
  CHECK(std::abs(most(0)) == 7);
  CHECK(std::abs(most(2)) == 127);
  CHECK(agreement(aware, batch).equal > 0.9);
}

TEST_CASE("quantization_aware: levels that are there stay, and calibration finds those of other values") {
  const Network some({8, 8, 3}, [](Flow x) {
    x = x | Conv2d{.out = 8, .kernel = 3} | Relu{} | FakeQuantize{.scale = 0.1, .zero_point = -8, .bits = 4};
    return x | Conv2d{.out = 6, .kernel = 3} | Relu{} | GlobalAvgPool{} | Linear{.out = 3};
  });
  const Tensor batch = test::RandomNetwork(3).batch(some, 8);
  const deploy::IntegerNetwork integers = deploy::quantize(some, std::vector{batch});
  CHECK(integers.values[1].scale == Approx(0.1));
  CHECK(integers.values[1].zero_point == -8);
  const Network aware = deploy::quantization_aware(some, std::vector{batch});
  CHECK(quantisers(aware) == 5);  // of the input, two convolutions, the pool and the linear layer
  CHECK(agreement(aware, batch).equal > 0.9);
  const Network again = deploy::quantization_aware(aware, std::vector{batch});
  CHECK(deploy::network_to_json(again) == deploy::network_to_json(aware));
}

TEST_CASE("quantization_aware: searched further, and kept in files") {
  const Network seed({8, 8, 3}, [](Flow x) {
    x = x | Searchable{Conv2d{.out = 8, .kernel = 3}, Channels{}} | Relu{};
    x = x | Searchable{Conv2d{.out = 6, .kernel = 3}, Channels{}} | Relu{};
    return x | GlobalAvgPool{} | Linear{.out = 3};
  });
  const Tensor batch = test::RandomNetwork(3).batch(seed, 4);
  const Network aware = deploy::quantization_aware(seed, std::vector{batch}, {.learn_scales = true});
  Network masked = aware;
  const SearchSpace space = SearchSpace::install(masked);
  const auto selection = test::RandomNetwork(5).selection(space);
  space.select(masked, selection);
  Network found = discretize(masked, space, selection);
  CHECK(quantisers(found) == quantisers(aware));
  CHECK(test::difference(masked.predict(batch), found.predict(batch)) < 1e-6);
  CHECK(agreement(found, batch).equal > 0.9);
  State values;
  found.save(values);
  Network loaded = deploy::network_from_json(deploy::network_to_json(found), values);
  CHECK(test::difference(found.predict(batch), loaded.predict(batch)) == 0);
}

TEST_CASE("quantization_aware: what cannot be is refused by name") {
  const std::vector<Tensor> batches{Tensor({2, 4}, {1, 2, 3, 4, -1, -2, -3, -4})};
  const auto quantized = [&](auto build) { return deploy::quantize(Network({4}, build)); };
  CHECK_THROWS_WITH(quantized([](Flow x) { return x | Linear{.out = 2}; }),
                    "quantize: expected calibration data, or FakeQuantize behind all that is computed, got neither behind "
                    "'input'; hint: quantization_aware puts them there");
  CHECK_THROWS_WITH(
      quantized([](Flow x) { return x | FakeQuantize{} | Linear{.out = 2}; }),
      "quantize: expected calibration data, or FakeQuantize behind all that is computed, got neither behind 'linear_1'; hint: "
      "quantization_aware puts them there");
  CHECK_THROWS_WITH(
      quantized([](Flow x) { return x | FakeQuantize{} | FakeQuantize{}; }),
      "quantize: 'fake_quantize_2': expected the input, of 8 bits, or what an operation computes, once, got 'input'");
  CHECK_THROWS_WITH(quantized([](Flow x) {
                      const Flow y = x | FakeQuantize{} | Linear{.out = 4};
                      return add(y, y | FakeQuantize{}) | FakeQuantize{};
                    }),
                    "quantize: 'fake_quantize_2': expected a value that nothing else reads, got 'linear_1' with 2 readers; put "
                    "FakeQuantize before it goes several ways");
  const Network network({4}, [](Flow x) { return x | Linear{.out = 2}; });
  CHECK_THROWS_AS(deploy::quantization_aware(network, std::vector<Tensor>{}), DataError);
}
