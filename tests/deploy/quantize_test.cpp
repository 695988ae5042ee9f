// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/deploy/integer/quantize.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "siena/deploy/c_source.hpp"
#include "siena/deploy/integer/as_network.hpp"
#include "siena/deploy/integer/batch_simulator.hpp"
#include "siena/deploy/integer/simulate.hpp"
#include "support/catch.hpp"
#include "support/deployed_networks.hpp"
#include "support/few_bits.hpp"
#include "support/networks.hpp"
#include "support/random_network.hpp"
#include "support/run_operations.hpp"

using namespace siena;
using deploy::IntegerNetwork;
using deploy::IntegerOperation;
using deploy::IntegerValue;

namespace {

/// The numbers that integers stand for, as a batch of one.
Tensor numbers_of(const IntegerValue& value, const std::vector<std::int8_t>& integers) {
  std::vector<float> numbers;
  for (const int q : integers) numbers.push_back(static_cast<float>(value.scale * (q - value.zero_point)));
  return Tensor(value.shape.batch(1), std::span<const float>(numbers));
}

/// The same operation on real numbers, with weights that are those of the integers.
deploy::Operation real_operation(const IntegerNetwork& network, const IntegerOperation& integers, deploy::Operation operation) {
  const auto* convolution = std::get_if<deploy::integer::Convolution>(&integers.what);
  if (!convolution) return operation;
  const double x = network.input_of(integers).scale, y = network.output_of(integers).scale;
  const kernels::ConvGeometry& g = convolution->geometry;
  Tensor weights(Shape{g.kernel_height, g.kernel_width, g.group_in_channels(), g.out_channels}), bias(Shape{g.out_channels});
  for (std::int64_t o = 0; o < g.out_channels; ++o) {
    const double step = std::ldexp(convolution->multiplier[o], convolution->shift - 32) * y / x;
    bias.row(0)[o] = static_cast<float>(convolution->bias[o] * step * x);
    for (std::int64_t r = 0; r < g.weight_rows(); ++r)
      weights.row(r)[o] = static_cast<float>(convolution->weights[o * g.weight_rows() + r] * step);
  }
  operation.what = primitive::Convolution{g};
  operation.constants = {{"weight", std::move(weights)}, {"bias", std::move(bias)}};
  return operation;
}

/// Each operation against the same one on the numbers that its integers stand for: at most a step apart.
void require_steps(const Network& network, std::span<const Tensor> batches, const deploy::QuantizeOptions& options = {}) {
  deploy::LoweredNetwork lowered = deploy::lower(network);
  const IntegerNetwork integers = deploy::quantize(network, batches, options);
  REQUIRE(integers.operations.size() == lowered.operations.size());
  const auto sample = batches[0].row(0).size() * static_cast<std::size_t>(network.input_shape().rows());
  std::vector<float> first;
  batches[0].copy_to(first);
  const auto values = deploy::simulate_values(integers, deploy::quantize_input(integers, std::span(first).first(sample)));
  for (std::size_t i = 0; i < lowered.operations.size(); ++i) {
    const IntegerOperation& operation = integers.operations[i];
    const IntegerValue& made = integers.output_of(operation);
    INFO(operation.name);
    const deploy::Operation real = real_operation(integers, operation, lowered.operations[i]);
    std::vector<Tensor> inputs;
    for (const int input : operation.inputs) inputs.push_back(numbers_of(integers.values[input], values[input]));
    std::vector<const Tensor*> pointers;
    for (const Tensor& input : inputs) pointers.push_back(&input);
    const Tensor result = test::OperationRunner(real, pointers, made.shape).run();
    std::vector<float> expected;
    result.copy_to(expected);
    int worst = 0;
    for (std::size_t k = 0; k < expected.size(); ++k)
      worst = std::max(worst, std::abs(made.nearest(expected[k]) - values[operation.output][k]));
    REQUIRE(worst <= 1);
  }
}

/// Of a mean error in parts of the greatest output.
double error_of(const Network& network, std::span<const Tensor> batches, const deploy::QuantizeOptions& options = {}) {
  const IntegerNetwork integers = deploy::quantize(network, batches, options);
  const deploy::LoweredNetwork lowered = deploy::lower(network);
  double error = 0, greatest = 0;
  std::int64_t count = 0;
  for (const Tensor& batch : batches) {
    const Tensor expected = deploy::run_lowered(lowered, batch)[lowered.output];
    std::vector<float> inputs, outputs;
    batch.copy_to(inputs), expected.copy_to(outputs);
    const auto in = static_cast<std::size_t>(network.input_shape().elements()), out = outputs.size() / batch.shape()[0];
    for (std::size_t n = 0; n < static_cast<std::size_t>(batch.shape()[0]); ++n) {
      const auto sample = deploy::quantize_input(integers, std::span(inputs).subspan(n * in, in));
      const auto got = deploy::dequantize_output(integers, deploy::simulate(integers, sample));
      for (std::size_t k = 0; k < got.size(); ++k, ++count) {
        error += std::abs(got[k] - outputs[n * out + k]);
        greatest = std::max(greatest, std::abs(double{outputs[n * out + k]}));
      }
    }
  }
  return error / static_cast<double>(count) / greatest;
}

}  // namespace

TEST_CASE("integer arithmetic: rounds halves up, to the ends of its range") {
  using A = deploy::integer::Arithmetic;
  constexpr std::int32_t half = 1 << 30, most = std::numeric_limits<std::int32_t>::max();  // a multiplier of a quarter
  CHECK(A::siena_requantize(2, half) == 1);                                                // 0.5
  CHECK(A::siena_requantize(-2, half) == 0);                                               // -0.5
  CHECK(A::siena_requantize(6, half) == 2);                                                // 1.5
  CHECK(A::siena_requantize(-6, half) == -1);                                              // -1.5
  CHECK(A::siena_requantize(5, half) == 1);
  CHECK(A::siena_requantize(most, most) == (1 << 30) - 1);
  CHECK(A::siena_requantize(-most - 1, most) == -(1 << 30) + 1);
  CHECK(A::siena_requantize(most, 0) == 0);
  CHECK(A::siena_blend(3, 5, -2, 4, 8, 4) == 0);   // 15 / 16
  CHECK(A::siena_blend(3, -5, 0, 0, 8, 4) == -1);  // -7 / 16
  CHECK(A::siena_clamp(-129, -128, 127) == -128);
  CHECK(A::siena_clamp(128, -128, 127) == 127);
}

TEST_CASE("quantize: every operation of random networks is within a step of the same one on real numbers") {
  int compared = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    test::RandomNetwork random(seed);
    const Network network = seed % 3 == 0 ? random.make_1d() : random.make();
    if (test::has<GroupNorm>(network)) continue;
    const std::vector<Tensor> batches{random.batch(network, 4), random.batch(network, 3)};
    require_steps(network, batches);
    require_steps(network, batches, {.calibration = {.method = deploy::Calibration::percentile, .percentile = 99}});
    ++compared;
  }
  CHECK(compared > 20);
}

TEST_CASE("quantize: the networks of the benchmarks stay close to what they compute in floats") {
  for (const auto& [name, network] : test::deployed_networks()) {
    INFO(name);
    const std::vector<Tensor> batches{test::RandomNetwork(3).batch(network, 4)};
    CHECK(error_of(network, batches) < 0.05);
  }
}

TEST_CASE("quantize: what is held by a ReLU begins at -128") {
  const Network network(
      {6, 6, 2}, [](const Flow& x) { return x | Conv2d{.out = 4, .kernel = 3} | Relu{}; }, 1);
  const std::vector<Tensor> batches{test::RandomNetwork(5).batch(network, 8)};
  const IntegerNetwork integers = deploy::quantize(network, batches);
  REQUIRE(integers.operations.size() == 1);
  CHECK(integers.values[1].zero_point == -128);
  CHECK(integers.operations[0].low == -128);
  CHECK(integers.values[0].zero_point > -128);
}

TEST_CASE("quantize: channels of zeros have a multiplier of 0 and make exact zeros") {
  Network network(
      {5, 5, 1}, [](const Flow& x) { return x | Conv2d{.out = 3, .kernel = 3, .bias = true}; }, 1);
  for (std::int64_t r = 0; r < 9; ++r) network.parameter(0).value.row(r)[1] = 0;
  network.parameter(1).value.row(0)[1] = 0;
  for (std::int64_t r = 0; r < 9; ++r) network.parameter(0).value.row(r)[2] = 1e-12f;  // dwarfed by its bias
  network.parameter(1).value.row(0)[2] = 0.5f;
  const std::vector<Tensor> batches{test::RandomNetwork(5).batch(network, 8)};
  const IntegerNetwork integers = deploy::quantize(network, batches);
  const auto& convolution = std::get<deploy::integer::Convolution>(integers.operations[0].what);
  CHECK(convolution.multiplier[1] == 0);
  CHECK(convolution.multiplier[2] > 0);
  const std::vector<std::int8_t> input(25, 100);
  const auto output = deploy::dequantize_output(integers, deploy::simulate(integers, input));
  for (std::size_t pixel = 0; pixel < 9; ++pixel) {
    CHECK(output[pixel * 3 + 1] == 0);
    CHECK_THAT(output[pixel * 3 + 2], WithinAbs(0.5, integers.values[1].scale));
  }
}

TEST_CASE("quantize: a value that is always 0 is exact") {
  Network network(
      {4, 4, 1}, [](const Flow& x) { return x | Conv2d{.out = 2, .kernel = 3, .bias = true} | Relu{}; }, 1);
  network.parameter(0).value.fill(0);
  network.parameter(1).value.fill(-1);
  const std::vector<Tensor> batches{test::RandomNetwork(5).batch(network, 2)};
  const IntegerNetwork integers = deploy::quantize(network, batches);
  for (const float y : deploy::dequantize_output(integers, deploy::simulate(integers, std::vector<std::int8_t>(16, 7)))) {
    CHECK(y == 0);
  }
}

TEST_CASE("quantize: what a concat alone reads has its scale and is copied") {
  const auto build = [](const Flow& x) {
    const Flow a = x | Conv2d{.out = 3, .kernel = 1} | Relu{}, b = x | Conv2d{.out = 2, .kernel = 1}, c = b | Relu{};
    return concat({a, b, c});
  };
  const Network network({4, 4, 2}, build, 1);
  const std::vector<Tensor> batches{test::RandomNetwork(5).batch(network, 8)};
  const IntegerNetwork integers = deploy::quantize(network, batches);
  const auto& concat = std::get<deploy::integer::Concat>(integers.operations.back().what);
  REQUIRE(concat.parts.size() == 3);
  CHECK(concat.parts[0].copies());
  CHECK_FALSE(concat.parts[1].copies());  // another reads it, too
  CHECK(concat.parts[2].copies());
  require_steps(network, batches);
}

TEST_CASE("calibrate: outliers are left out by percentile and by squared error") {
  const Network network(
      {100000}, [](const Flow& x) { return x | Relu{}; }, 1);
  Tensor batch(Shape{1, 100000});
  for (int i = 0; i < 100000; ++i) batch.row(0)[i] = static_cast<float>(i % 100) / 100;
  batch.row(0)[0] = 8;
  const std::vector<Tensor> batches{std::move(batch)};
  const deploy::LoweredNetwork lowered = deploy::lower(network);
  const auto high = [&](const deploy::CalibrationOptions& options) {
    return deploy::calibrate(lowered, batches, options)[0].high;
  };
  CHECK(high({}) == 8);
  CHECK(high({.method = deploy::Calibration::percentile, .percentile = 99}) < 1.1);
  CHECK(high({.method = deploy::Calibration::percentile, .percentile = 100}) == 8);
  const double nearest = high({.method = deploy::Calibration::mean_squared_error});
  CHECK(nearest < 7.9);  // one of 8 costs less than coarser steps for all others
  CHECK(nearest > 5);
}

TEST_CASE("quantize: equalised channels lose less") {
  const auto build = [](const Flow& x) {
    return x | Conv2d{.out = 8, .kernel = 3, .bias = true} | Relu{} | Conv2d{.out = 8, .kernel = 3, .groups = 8} | Relu{} |
           Conv2d{.out = 4, .kernel = 1} | GlobalAvgPool{};
  };
  Network network({8, 8, 2}, build, 1);
  for (const int p : {0, 1}) {  // channels of very different sizes, evened out by the layer behind
    Tensor& value = network.parameter(p).value;
    for (std::int64_t r = 0; r < value.rows(); ++r)
      for (int c = 0; c < 8; ++c) value.row(r)[c] *= static_cast<float>(std::pow(3, -c));
  }
  for (std::int64_t r = 0; r < 9; ++r)
    for (int c = 0; c < 8; ++c) network.parameter(2).value.row(r)[c] *= static_cast<float>(std::pow(3, c));
  const std::vector<Tensor> batches{test::RandomNetwork(5).batch(network, 16)};
  const double plain = error_of(network, batches), equalized = error_of(network, batches, {.equalize = true});
  CHECK(equalized < plain / 2);
  require_steps(network, batches);
}

TEST_CASE("quantize: a dead channel is not equalised, however little it makes") {
  Network network({6, 6, 2}, [](const Flow& x) {
    return x | Conv2d{.out = 3, .kernel = 3} | Relu{} | Conv2d{.out = 4, .kernel = 3} | GlobalAvgPool{};
  });
  for (std::int64_t r = 0; r < network.parameter(0).value.rows(); ++r) network.parameter(0).value.row(r)[1] *= 1e-42f;
  network.parameter(1).value.row(0)[1] = 0;
  const std::vector<Tensor> batches{test::RandomNetwork(5).batch(network, 4)};
  CHECK_NOTHROW(deploy::quantize(network, batches, {.equalize = true}));
}

TEST_CASE("quantize: weights on levels of few bits stay there, equalised or not") {
  Network network({8, 8, 2}, [](const Flow& x) {
    return x | Conv2d{.out = 8, .kernel = 3} | Relu{} | Conv2d{.out = 8, .weight_bits = 2} | GlobalAvgPool{};
  });
  for (std::int64_t r = 0; r < network.parameter(0).value.rows(); ++r)
    for (int c = 0; c < 8; ++c) network.parameter(0).value.row(r)[c] *= static_cast<float>(std::pow(3, -c));
  const std::vector<Tensor> batches{test::RandomNetwork(5).batch(network, 16)};
  const auto few = [&](const deploy::QuantizeOptions& options) {
    return std::get<deploy::integer::Convolution>(deploy::quantize(network, batches, options).operations[1].what).weights;
  };
  CHECK(few({.equalize = true}) == few({}));
}

TEST_CASE("quantize: a table says what values of few bits can be") {
  const Network network({8, 8, 2}, [](const Flow& x) {
    return x | Conv2d{.out = 8, .kernel = 3} | HardSwish{} | FakeQuantize{.scale = 1, .bits = 2} | Conv2d{.out = 2};
  });
  const auto integers = deploy::quantize(network, std::vector{test::RandomNetwork(5).batch(network, 16)});
  const deploy::IntegerOperation& operation = integers.operations[1];
  CHECK((operation.low == -128 && operation.high == 127));
  for (const int q : std::get<deploy::integer::Table>(operation.what).of) CHECK((q >= -2 && q <= 1));
}

TEST_CASE("quantize: refuses what it cannot do, by name") {
  const Network plain(
      {4, 4, 2}, [](const Flow& x) { return x | Conv2d{.out = 2, .kernel = 3}; }, 1);
  const std::vector<Tensor> batches{test::RandomNetwork(5).batch(plain, 2)};
  CHECK_THROWS_WITH(deploy::quantize(plain, std::vector<Tensor>{}),
                    ContainsSubstring("expected samples to calibrate with, got none"));
  Tensor bad = batches[0];
  bad.row(3)[1] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(deploy::quantize(plain, std::vector<Tensor>{bad}), ContainsSubstring("finite numbers in 'input'"));
  CHECK_THROWS_AS(deploy::quantize(plain, std::vector<Tensor>{Tensor(Shape{2, 5, 4, 2})}), ShapeError);
  CHECK_THROWS_AS(deploy::quantize(plain, std::vector<Tensor>{batches[0], Tensor()}), ShapeError);
  CHECK_THROWS_AS(deploy::quantize(plain, std::vector<Tensor>{Tensor()}, {.equalize = true}), ShapeError);
  CHECK_THROWS_WITH(deploy::calibrate(deploy::lower(plain), batches, {.percentile = 20}), ContainsSubstring("above 50"));

  Network diverged(
      {4}, [](const Flow& x) { return x | FakeQuantize{.scale = 0.05} | Linear{.out = 2} | FakeQuantize{.scale = 0.1}; });
  for (const float number : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    diverged.parameter(0).value.row(0)[1] = number;
    CHECK_THROWS_WITH(deploy::quantize(diverged), ContainsSubstring("quantize: 'linear_1': expected finite numbers in"));
  }

  const Network normed(
      {4, 4, 2}, [](const Flow& x) { return x | Conv2d{.out = 2, .kernel = 3} | GroupNorm{.groups = 1}; }, 1);
  CHECK_THROWS_WITH(deploy::quantize(normed, batches), ContainsSubstring("group_norm") && ContainsSubstring("each sample"));

  Network nan = plain;
  nan.parameter(0).value.row(0)[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(deploy::quantize(nan, batches), DataError);
}

TEST_CASE("an empty network of integers is refused by all that take one") {
  const deploy::IntegerNetwork none;
  const std::string refusal = "IntegerNetwork: expected a network that `quantize` made, got an empty one";
  CHECK_THROWS_WITH(deploy::simulate(none, std::vector<std::int8_t>{}), refusal);
  CHECK_THROWS_WITH(deploy::BatchSimulator(none).run(Tensor(Shape{1, 2})), refusal);
  CHECK_THROWS_WITH(deploy::as_network(none), refusal);
  CHECK_THROWS_WITH(deploy::c_text(none), refusal);
}

TEST_CASE("quantize: sums that may not fit into 32 bits are refused with the layer") {
  const auto build = [](const Flow& x) { return x | Linear{.out = 1, .bias = false}; };
  Network network({70000}, build, 1);
  network.parameter(0).value.fill(1);
  Tensor batch(Shape{1, 70000});
  batch.row(0)[0] = 1, batch.row(0)[1] = -1;
  CHECK_THROWS_WITH(deploy::quantize(network, std::vector<Tensor>{std::move(batch)}),
                    ContainsSubstring("'linear_1': expected sums below 2^"));
}

TEST_CASE("BatchSimulator: makes the bits of the plain loops") {
  const auto require_equal = [](const Network& network, const Tensor& batch) {
    const std::vector<Tensor> batches{batch};
    const IntegerNetwork integers = deploy::quantize(network, batches);
    std::vector<float> inputs, outputs;
    batch.copy_to(inputs);
    deploy::BatchSimulator(integers).run(batch).copy_to(outputs);
    const auto in = static_cast<std::size_t>(network.input_shape().elements()), out = outputs.size() / batch.shape()[0];
    for (std::size_t n = 0; n < static_cast<std::size_t>(batch.shape()[0]); ++n) {
      const auto sample = deploy::quantize_input(integers, std::span(inputs).subspan(n * in, in));
      const auto expected = deploy::dequantize_output(integers, deploy::simulate(integers, sample));
      REQUIRE(std::equal(expected.begin(), expected.end(), outputs.begin() + static_cast<std::ptrdiff_t>(n * out)));
    }
  };
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    test::RandomNetwork random(seed);
    const Network network = seed % 3 == 0 ? random.make_1d() : random.make();
    if (test::has<GroupNorm>(network)) continue;
    require_equal(network, random.batch(network, 5));
    require_equal(test::with_chance_bits(network, seed), random.batch(network, 5));
  }
  for (const auto& [name, network] : test::deployed_networks()) {
    INFO(name);
    require_equal(network, test::RandomNetwork(4).batch(network, 3));
  }
  // Sums beyond what floats hold: 1,000 inputs of weights that are all as large.
  Network large(
      {1000}, [](const Flow& x) { return x | Linear{.out = 3}; }, 1);
  large.parameter(0).value.fill(0.5f);
  require_equal(large, test::RandomNetwork(4).batch(large, 3));
}

TEST_CASE("BatchSimulator: averages of so many pixels that floats do not hold their sums") {
  IntegerNetwork network{.values = {{"input", {300, 300, 1}, 1, -128}, {"pool", {1}, 1, 0}}, .operations = {}, .output = 1};
  const auto geometry =
      kernels::pool_geometry({.in_height = 300, .in_width = 300, .in_channels = 1, .kernel_height = 300, .kernel_width = 300});
  Tensor batch(Shape{1, 300, 300, 1}, 255.0f);
  for (std::int64_t r = 0; r < batch.rows(); r += 3) batch.row(r)[0] = 252;
  deploy::integer::AveragePool pool{.geometry = geometry, .multiplier = std::vector<std::int32_t>(90000, 0), .shift = 0};
  pool.multiplier.back() = 15114;  // 22,860,000 * 15114 / 2^32 is just below 80.5; of a sum in floats, 22,875,964, it is above
  network.operations.push_back({.name = "pool", .what = std::move(pool), .inputs = {0}, .output = 1});
  std::vector<float> numbers, outputs;
  batch.copy_to(numbers);
  deploy::BatchSimulator(network).run(batch).copy_to(outputs);
  CHECK(outputs == deploy::dequantize_output(network, deploy::simulate(network, deploy::quantize_input(network, numbers))));
}
