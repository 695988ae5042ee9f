// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/deploy/lower.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "siena/cost/macs.hpp"
#include "siena/space/describe.hpp"
#include "support/catch.hpp"
#include "support/deployed_networks.hpp"
#include "support/listing.hpp"
#include "support/networks.hpp"
#include "support/random_network.hpp"
#include "support/run_operations.hpp"

using namespace siena;

namespace {
/// x times its sigmoid.
struct Swish {
  std::string_view kind() const { return "swish"; }
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return ops::multiply(f.input(), ops::sigmoid(f.input())); }
  void lower(Lowering& to) const {
    const primitive::Curve sigmoid{primitive::Curve::Kind::sigmoid};
    const int gate = to.part({.name = "gate", .what = sigmoid, .inputs = {0}, .shape = to.output()});
    to.part({.what = primitive::Multiply{}, .inputs = {0, gate}, .shape = to.output()});
  }
};
struct Unlowered {
  std::string_view kind() const { return "unlowered"; }
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return f.input(); }
};
/// Says what it is made of, and says it wrongly.
struct Mistaken : Unlowered {
  Lowering::Part part;
  std::string_view kind() const { return "mistaken"; }
  void lower(Lowering& to) const { to.part(part); }
};
/// Says what it is made of more than once.
struct Repeating : Unlowered {
  void (*say)(Lowering&);
  std::string_view kind() const { return "repeating"; }
  void lower(Lowering& to) const { say(to); }
};
struct Silent : Unlowered {
  std::string_view kind() const { return "silent"; }
  void lower(Lowering&) const {}
};

template <class Build>
std::string listed(const Shape& input, Build&& build, const deploy::LowerOptions& options = {}) {
  return test::listing(deploy::lower(Network(input, build), options));
}
std::int64_t all_multiply_adds(const deploy::LoweredNetwork& network) {
  std::int64_t count = 0;
  for (const auto& operation : network.operations) count += test::multiply_adds(operation);
  return count;
}
/// Every value is made once, before it is read, and constants are there.
void check_order(const deploy::LoweredNetwork& network) {
  CHECK(network.values.size() == network.operations.size() + 1);
  for (std::size_t i = 0; i < network.operations.size(); ++i) {
    const deploy::Operation& operation = network.operations[i];
    CHECK(operation.output == static_cast<int>(i) + 1);
    CHECK((network.values[operation.output].name == operation.name || operation.clamped()));
    for (const int input : operation.inputs) CHECK((input >= 0 && input < operation.output));
  }
}
}  // namespace

TEST_CASE("lower: a list of operations, and what another format takes") {
  const Network network({8, 8, 3}, [](Flow x) {
    x = x | Conv2d{.out = 4, .kernel = 3, .bias = false} | BatchNorm{} | Relu{};
    const Flow y = x | Conv2d{.out = 4, .kernel = 3, .groups = Conv2d::depthwise} | Relu6{};
    return add(x, y) | Relu{} | Dropout{} | GlobalAvgPool{} | Linear{.out = 2};
  });
  CHECK(test::listing(deploy::lower(network)) ==
        "conv2d_1: convolution of input 8x8x3 -> relu_1 8x8x4, at least 0, 6912 multiply-adds\n"
        "conv2d_2: convolution of relu_1 8x8x4 -> clip_1 8x8x4, at least 0, at most 6, 2304 multiply-adds\n"
        "add_1: add of relu_1 8x8x4, clip_1 8x8x4 -> relu_2 8x8x4, at least 0\n"
        "global_avg_pool_1: average pool of relu_2 8x8x4 -> global_avg_pool_1 4\n"
        "linear_1: linear of global_avg_pool_1 4 -> linear_1 2, 8 multiply-adds\n");
  std::vector<std::string> lines;
  // The sample of docs/guides/deploy.md.
  const deploy::LoweredNetwork lowered = deploy::lower(network);
  for (const deploy::Operation& operation : lowered.operations) {
    const deploy::Value& made = lowered.values[operation.output];
    lines.push_back(format("{} makes {} of {}", operation.name, made.name, made.shape));
  }
  CHECK(lines.back() == "linear_1 makes linear_1 of 2");
  CHECK(lowered.values[lowered.output].name == "linear_1");
  REQUIRE(lowered.operations[0].constants.size() == 2);
  CHECK(lowered.operations[0].constants[1].name == "conv2d_1.bias");  // of the batch norm
  const deploy::LoweredNetwork unfolded = deploy::lower(network, {.fold_batch_norm = false});
  CHECK(test::listing(unfolded).find("batch_norm_1: fixed norm of conv2d_1 8x8x4 -> relu_1 8x8x4, at least 0") !=
        std::string::npos);
  CHECK(unfolded.operations[0].constants.size() == 1);
  CHECK(unfolded.operations[1].constants[3].name == "batch_norm_1.running_variance");
}

TEST_CASE("lower: operations compute what the network does, with the multiply-adds that are charged") {
  for (const auto& [name, network] : test::deployed_networks()) {
    INFO(name);
    const deploy::LoweredNetwork lowered = deploy::lower(network);
    check_order(lowered);
    Network network_too = network;
    const Tensor x = test::RandomNetwork(3).batch(network, 1);
    CHECK(test::difference(network_too.predict(x), test::run_operations(lowered, x)) < 1e-4);
    CHECK(static_cast<double>(all_multiply_adds(lowered)) == total(Macs{}, describe(network)));
    for (const auto& operation : lowered.operations) CHECK_FALSE(is_any<primitive::Clamp>(operation.what));
  }
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    test::RandomNetwork random(seed);
    Network network = seed % 3 == 0 ? random.make_1d() : random.make();
    const deploy::LoweredNetwork lowered = deploy::lower(network, {.fold_batch_norm = seed % 2 == 0});
    check_order(lowered);
    const Tensor x = random.batch(network, 2);
    CHECK(test::difference(network.predict(x), test::run_operations(lowered, x)) < 1e-4);
    CHECK(lowered.values[lowered.output].shape == network.output_shape());
    CHECK(lowered.values[lowered.output].name == network.nodes()[network.output()].name);
  }
}

TEST_CASE("lower: an activation is held by the operation before it where nobody else reads that") {
  CHECK(listed({4}, [](Flow x) { return x | Linear{.out = 3} | Dropout{} | Clip{.low = -1, .high = 1}; }) ==
        "linear_1: linear of input 4 -> clip_1 3, at least -1, at most 1, 12 multiply-adds\n");
  CHECK(listed({4}, [](Flow x) { return x | Linear{.out = 3} | Relu{} | Relu6{}; }) ==
        "linear_1: linear of input 4 -> relu_1 3, at least 0, 12 multiply-adds\n"
        "clip_1: clamp of relu_1 3 -> clip_1 3\n");
  CHECK(listed({4},
               [](Flow x) {
                 const Flow y = x | Linear{.out = 4};
                 return add(y | Relu{}, y);
               }) ==
        "linear_1: linear of input 4 -> linear_1 4, 16 multiply-adds\n"
        "relu_1: clamp of linear_1 4 -> relu_1 4\n"
        "add_1: add of relu_1 4, linear_1 4 -> add_1 4\n");
  CHECK(listed({4, 4, 1}, [](Flow x) { return x | Relu{} | MaxPool{} | Relu{}; }) ==
        "relu_1: clamp of input 4x4x1 -> relu_1 4x4x1\n"
        "max_pool_1: max pool of relu_1 4x4x1 -> max_pool_1 2x2x1\n"
        "relu_2: clamp of max_pool_1 2x2x1 -> relu_2 2x2x1\n");
  Mistaken open;  // holds nothing: an operation as others are
  open.part = {.what = primitive::Clamp{}, .inputs = {0}, .shape = {3}};
  CHECK(listed({4}, [&](Flow x) { return x | Linear{.out = 3} | open | Relu{}; }) ==
        "linear_1: linear of input 4 -> linear_1 3, 12 multiply-adds\n"
        "mistaken_1: clamp of linear_1 3 -> mistaken_1 3\n"
        "relu_1: clamp of mistaken_1 3 -> relu_1 3\n");
}

TEST_CASE("lower: what computes nothing is no operation, but the output keeps its name") {
  CHECK(listed({4}, [](Flow x) { return x | Dropout{} | Tanh{} | Dropout{}; }) ==
        "tanh_1: curve of input 4 -> tanh_1 4\n"
        "dropout_2: reshape of tanh_1 4 -> dropout_2 4\n");
  CHECK(deploy::lower(Network({3}, [](Flow x) { return x; })).operations.empty());
}

TEST_CASE("lower: curves are what the layers compute") {
  const auto check = [](auto layer) {
    Network network({9}, [&](Flow x) { return x | layer; });
    const Tensor x(Shape{1, 9}, {-7, -3.5, -3, -1, 0, 0.5, 2, 3, 8}), y = network.predict(x);
    const auto lowered = deploy::lower(network);
    const auto& curve = std::get<primitive::Curve>(lowered.operations.at(0).what);
    for (int i = 0; i < 9; ++i) CHECK(static_cast<double>(y(i)) == Approx(curve(static_cast<double>(x(i)))).margin(1e-6));
  };
  check(Sigmoid{});
  check(Tanh{});
  check(HardSigmoid{});
  check(HardSwish{});
  check(LeakyRelu{.slope = 0.2});
}

TEST_CASE("lower: layers of users say what they are made of") {
  CHECK(listed({4}, [](Flow x) { return x | Linear{.out = 3} | Swish{} | Relu{}; }) ==
        "linear_1: linear of input 4 -> linear_1 3, 12 multiply-adds\n"
        "swish_1.gate: curve of linear_1 3 -> swish_1.gate 3\n"
        "swish_1: multiply of linear_1 3, swish_1.gate 3 -> relu_1 3, at least 0\n");
  CHECK_THROWS_WITH(deploy::lower(Network({3}, [](Flow x) { return x | Unlowered{}; })),
                    "unlowered_1: expected a layer that says of which operations it is made, got one of your own (unlowered) "
                    "without `void lower(Lowering& to) const`; write that, or use siena's layers");
  CHECK_THROWS_WITH(deploy::lower(Network({3}, [](Flow x) { return x | Silent{}; })),
                    "silent_1: expected operations of which the last makes 3, got none; where there is nothing to compute say "
                    "hands_on()");
}

TEST_CASE("lower: layers of users that say wrongly what they are made of are refused") {
  const auto lower = [](Lowering::Part part) {
    Mistaken layer;
    layer.part = std::move(part);
    (void)deploy::lower(Network({3}, [&](Flow x) { return x | layer; }));
  };
  const Shape shape{3};
  CHECK_THROWS_WITH(lower({.what = primitive::Add{}, .inputs = {0}, .shape = shape}),
                    "mistaken_1: expected an operation that reads 2 of the values from 0 to 0, got 0");
  CHECK_THROWS_WITH(lower({.what = primitive::Clamp{.low = 0}, .inputs = {1}, .shape = shape}),
                    "mistaken_1: expected an operation that reads 1 of the values from 0 to 0, got 1");
  CHECK_THROWS_WITH(lower({.what = primitive::Concat{}, .shape = shape}),
                    "mistaken_1: expected an operation that reads 1 of the values from 0 to 0, got none");
  CHECK_THROWS_WITH(lower({.what = primitive::PRelu{}, .inputs = {0}, .shape = shape}),
                    "mistaken_1: expected an operation with 1 to 1 constants, got 0");
  CHECK_THROWS_WITH(lower({.what = primitive::Clamp{.low = 0}, .inputs = {0}, .shape = {4}}),
                    "mistaken_1: expected an operation that makes 3 of 3, got 4");
  CHECK_THROWS_WITH(lower({.what = primitive::Shuffle{.groups = 2}, .inputs = {0}, .shape = shape}),
                    "mistaken_1: expected groups that divide 3 channels, got 2");
  CHECK_THROWS_WITH(lower({.what = primitive::Reshape{}, .inputs = {0}, .shape = {1, 3}}),
                    ContainsSubstring("mistaken_1: expected operations of which the last makes 3, got 1x3"));
}

TEST_CASE("lower: layers say one thing of what they are made of") {
  const auto refused = [](void (*say)(Lowering&)) {
    Repeating layer;
    layer.say = say;
    CHECK_THROWS_WITH(deploy::lower(Network({3}, [&](Flow x) { return x | layer; })),
                      ContainsSubstring("repeating_1: expected a layer that is one operation, made of parts or hands on, got"));
  };
  static const auto clamp = [](Lowering& to) {
    to.part({.what = primitive::Clamp{.low = 0}, .inputs = {0}, .shape = to.output()});
  };
  refused([](Lowering& to) { to.is(primitive::Clamp{.low = 0}), to.is(primitive::Clamp{.low = 0}); });
  refused([](Lowering& to) { to.is(primitive::Clamp{.low = 0}), clamp(to); });
  refused([](Lowering& to) { clamp(to), to.is(primitive::Clamp{.low = 0}); });
  refused([](Lowering& to) { clamp(to), to.hands_on(); });
  refused([](Lowering& to) { to.hands_on(), clamp(to); });
}

TEST_CASE("lower: networks that are still open are refused") {
  Network masked = resnet8({.width = 0.25});
  const SearchSpace space = SearchSpace::install(masked);
  CHECK_THROWS_WITH(deploy::lower(masked),
                    "lower: expected a plain network, got 'convblock1', which masks still gate; discretize it first");
  CHECK_THROWS_WITH(deploy::lower(ds_cnn_supernet()),
                    ContainsSubstring("'depthpoint1', which is open between alternatives; discretize it first"));
}

TEST_CASE("lower: numbers of few bits") {
  Network network({6, 6, 3}, [](Flow x) {
    x = x | FakeQuantize{.scale = 0.1} | Conv2d{.out = 4, .kernel = 3, .bias = false, .weight_bits = 4} | BatchNorm{} | Relu{};
    x = x | FakeQuantize{.scale = 0.25, .zero_point = -128, .learned = true};
    return x | GlobalAvgPool{} | Linear{.out = 2, .weight_bits = 8} | FakeQuantize{.scale = 0.5, .bits = 4};
  });
  test::RandomNetwork(3).randomise(network);
  for (Parameter* parameter : network.parameters())
    if (parameter->name == "fake_quantize_2.range") *parameter->value.data() = 255 * 0.0625f;
  const deploy::LoweredNetwork lowered = deploy::lower(network);
  CHECK(test::listing(lowered) ==
        "fake_quantize_1: quantize of input 6x6x3 -> fake_quantize_1 6x6x3\n"
        "conv2d_1: convolution of fake_quantize_1 6x6x3 -> relu_1 6x6x4, at least 0, 3888 multiply-adds\n"
        "fake_quantize_2: quantize of relu_1 6x6x4 -> fake_quantize_2 6x6x4\n"
        "global_avg_pool_1: average pool of fake_quantize_2 6x6x4 -> global_avg_pool_1 4\n"
        "linear_1: linear of global_avg_pool_1 4 -> linear_1 2, 8 multiply-adds\n"
        "fake_quantize_3: quantize of linear_1 2 -> fake_quantize_3 2\n");
  const auto& operations = lowered.operations;
  CHECK(std::get<primitive::Convolution>(operations[1].what).weight_bits == 4);
  CHECK(std::get<primitive::Quantize>(operations[2].what).scale == Approx(0.0625));  // as it was learned
  CHECK(std::get<primitive::Quantize>(operations[5].what).low == -8);
  const Tensor& weights = operations[1].constants[0].value;  // folded, then of few bits
  for (std::size_t o = 0; o < 4; ++o) {
    float most = 0;
    for (std::int64_t r = 0; r < weights.rows(); ++r) most = std::max(most, std::abs(weights.row(r)[o]));
    for (std::int64_t r = 0; r < weights.rows(); ++r) {
      const double q = weights.row(r)[o] / most * 7;
      CHECK(std::abs(q - std::round(q)) < 1e-4);
    }
  }
  const Tensor x = test::RandomNetwork(4).batch(network, 2), expected = network.predict(x);
  CHECK(test::difference(expected, test::run_operations(lowered, x)) <= 0.5 / 0.5);  // a level at most
}

TEST_CASE("lower: a bias of few bits is the one that its layer computes with") {
  Network network({6, 6, 3}, [](Flow x) {
    x = x | FakeQuantize{.scale = 0.5} | MaxPool{.kernel = 2} | Conv2d{.out = 4, .kernel = 3, .bias = true, .weight_bits = 2};
    return x | FakeQuantize{.scale = 0.5, .learned = true} | Flatten{} | Linear{.out = 3, .weight_bits = 3};
  });
  test::RandomNetwork(5).randomise(network);
  const deploy::LoweredNetwork lowered = deploy::lower(network);
  for (const std::size_t operation : {2, 5}) {
    const Tensor& own = network.parameter(operation == 2 ? 1 : 4).value;
    REQUIRE(own.columns() == lowered.operations[operation].constants[1].value.columns());
    CHECK(test::difference(own, lowered.operations[operation].constants[1].value) > 1e-3);  // it is rounded
  }
  const Tensor x = test::RandomNetwork(6).batch(network, 3);
  CHECK(test::difference(network.predict(x), test::run_operations(lowered, x)) < 1e-5);
}
