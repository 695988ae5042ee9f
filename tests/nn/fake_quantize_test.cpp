// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/nn/layers/fake_quantize.hpp"

#include <cmath>
#include <cstdint>
#include <set>
#include <string>

#include "siena/core/parallel.hpp"
#include "siena/nn/network.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

using namespace siena;

namespace {
/// The gradients of a network whose output's sum is the loss, one after the other.
std::vector<float> gradients(Network network, const Tensor& x, int threads) {
  set_threads(threads);
  Tape tape;
  const Var y = network.forward(tape.reference(x), Mode::training);
  const Var loss = tape.result(Tensor(Shape{1}), y);
  tape.record(loss, [=](Tape& t) { t.accumulating_slot(y).grad->fill(1); });
  tape.backward(loss);
  set_threads(0);
  std::vector<float> all;
  for (const Parameter* parameter : network.parameters()) {
    std::vector<float> numbers;
    parameter->grad.copy_to(numbers);
    all.insert(all.end(), numbers.begin(), numbers.end());
  }
  return all;
}
Network coarse(bool learned) {
  return {{6, 6, 3}, [&](Flow x) {
            const FakeQuantize levels{.scale = 0.05, .zero_point = -128, .learned = learned};
            x = x | FakeQuantize{.scale = 0.01} | Conv2d{.out = 5, .kernel = 3, .weight_bits = 8} | Relu{} | levels;
            x = x | Conv2d{.out = 5, .kernel = 3, .groups = Conv2d::depthwise, .weight_bits = 4} | Relu{} | levels;
            return x | Flatten{} | Linear{.out = 2, .weight_bits = 2};
          }};
}
}  // namespace

TEST_CASE("fake quantize layer: levels, ends and their errors") {
  Network network({4}, [](Flow x) { return x | FakeQuantize{.scale = 0.5, .zero_point = 1, .bits = 2}; });
  const Tensor y = network.predict(Tensor({1, 4}, {-9, -0.74f, 0.26f, 9}));  // q: -2 to 1
  CHECK(y(0, 0) == -1.5f);
  CHECK(y(0, 1) == -0.5f);
  CHECK(y(0, 2) == 0);
  CHECK(y(0, 3) == 0);
  CHECK(network.parameter_count() == 0);
  const auto build = [](const FakeQuantize& layer) { return Network({4}, [&](Flow x) { return x | layer; }); };
  CHECK_THROWS_WITH(build({.bits = 9}), "fake_quantize_1: expected 2 to 8 bits, got 9");
  CHECK_THROWS_WITH(build({.scale = 0}), "fake_quantize_1: expected a finite scale above 0, got 0");
  CHECK_THROWS_WITH(build({.scale = NAN}), "fake_quantize_1: expected a finite scale above 0, got nan");
  CHECK_THROWS_WITH(build({.zero_point = 8, .bits = 4}), "fake_quantize_1: expected a zero point from -8 to 7, got 8");
  const auto bits = [](int count) { return Network({4}, [&](Flow x) { return x | Linear{.out = 1, .weight_bits = count}; }); };
  CHECK_THROWS_WITH(bits(1), "linear_1: expected weights of 2 to 8 bits, or 0 for floats, got 1");
  CHECK_THROWS_WITH(bits(16), "linear_1: expected weights of 2 to 8 bits, or 0 for floats, got 16");
}

TEST_CASE("fake quantize layer: weights of few bits, in the network's function alone") {
  Network network({8}, [](Flow x) { return x | Linear{.out = 3, .bias = false, .weight_bits = 3}; });
  const Tensor before = network.parameter(0).value;
  Tensor each({8, 8});
  for (std::int64_t i = 0; i < 8; ++i) each.row(i)[static_cast<std::size_t>(i)] = 1;
  const Tensor used = network.predict(each);  // the weights
  for (std::size_t o = 0; o < 3; ++o) {
    std::set<float> levels;
    for (std::int64_t i = 0; i < 8; ++i) levels.insert(std::abs(used.row(i)[o]));
    CHECK(levels.size() <= 4);  // 0, 1, 2 and 3 steps
  }
  std::vector<float> was, is;
  before.copy_to(was), network.parameter(0).value.copy_to(is);
  CHECK(was == is);
}

TEST_CASE("fake quantize layer: the same gradients to the bit on any number of threads") {
  for (const bool learned : {false, true}) {
    const Tensor x = random_tensor<float>({16, 6, 6, 3}, 1);
    const std::vector<float> one = gradients(coarse(learned), x, 1);
    CHECK(one.size() == (learned ? 2u : 0u) + 3 * 9 * 5 + 5 + 9 * 5 + 5 + 180 * 2 + 2);
    CHECK(one == gradients(coarse(learned), x, 2));
    CHECK(one == gradients(coarse(learned), x, 3));
  }
}

TEST_CASE("fake quantize layer: behind it a bias of few bits is a whole number of products") {
  const auto output = [](auto&& before, int bits) {
    Network network({2, 2, 1}, [&](Flow x) { return before(x) | Linear{.out = 1, .weight_bits = bits}; });
    for (Parameter* parameter : network.parameters()) {
      if (parameter->name == "linear_1.weight") parameter->value.fill(1);
      if (parameter->name == "linear_1.bias") parameter->value.fill(0.3f);
    }
    return network.predict(Tensor({1, 2, 2, 1}))(0, 0);
  };
  const FakeQuantize half{.scale = 0.5}, learned{.scale = 0.125, .learned = true};
  const auto whole = [](double step) { return static_cast<float>(step * std::round(0.3 / step)); };
  const auto near = [](float a, float b) { return std::abs(a - b) < 1e-6f; };
  // Weights of 1 have a step of 0.9766 with 2 bits and of 1 / 7 with 4.
  CHECK(near(output([&](Flow x) { return x | half | Flatten{}; }, 2), whole(0.5 * 0.9766)));
  CHECK(near(output([&](Flow x) { return x | half | MaxPool{.kernel = 2} | Flatten{}; }, 2), whole(0.5 * 0.9766)));
  CHECK(near(output([&](Flow x) { return x | half | Flatten{}; }, 4), whole(0.5 / 7)));
  CHECK(near(output([&](Flow x) { return x | learned | Flatten{}; }, 2), whole(0.125 * 0.9766)));
  // As it is where weights are floats, and where nothing says the levels of the input.
  CHECK(output([&](Flow x) { return x | half | Flatten{}; }, 0) == 0.3f);
  CHECK(output([](Flow x) { return x | Flatten{}; }, 2) == 0.3f);
  CHECK(output([&](Flow x) { return x | half | Tanh{} | Flatten{}; }, 2) == 0.3f);
}
