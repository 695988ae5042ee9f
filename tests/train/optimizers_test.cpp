// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/optimizers.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "siena/core/parallel.hpp"
#include "siena/core/random.hpp"
#include "support/catch.hpp"

using namespace siena;

static_assert(Stateful<Optimizer>);

namespace {

// The weight after each of three steps by these gradients, from 1 on.
std::vector<double> run(const AnyOptimizer& options, bool decays = true) {
  Parameter parameter("w", Tensor({3}, {1.0f, 1.0f, 1.0f}), Role::weight, decays);
  Optimizer optimizer(options, {&parameter});
  std::vector<double> values;
  for (const float gradient : {0.5f, -1.0f, 0.25f}) {
    parameter.grad.fill(gradient);
    optimizer.step(1);
    values.push_back(static_cast<double>(parameter.value(2)));
  }
  return values;
}

void require_close(const std::vector<double>& values, const std::vector<double>& expected) {
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == Approx(expected[i]).margin(2e-7));
}

}  // namespace

TEST_CASE("Sgd follows its formula") {
  require_close(run(Sgd{.lr = 0.1, .momentum = 0, .weight_decay = 0.01}), {0.949, 1.048051, 1.022002949});
  require_close(run(Sgd{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01}), {0.949, 1.002151, 1.023984749});
  require_close(run(Sgd{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true}),
                {0.9031, 1.05007411, 1.04366845819});
}

TEST_CASE("Adam follows its formula") {
  require_close(run(Adam{.lr = 0.1}), {0.9, 0.9366103542, 0.9502794203});
  require_close(run(Adam{.lr = 0.1, .weight_decay = 0.1}), {0.9, 0.9252635194, 0.9247305743});
  require_close(run(AdamW{.lr = 0.1, .weight_decay = 0.1}), {0.89, 0.9177103542, 0.9222023168});
}

TEST_CASE("weight decay leaves alone what does not decay") {
  require_close(run(Sgd{.momentum = 0.9, .weight_decay = 0.5}, false), run(Sgd{.momentum = 0.9}));
  require_close(run(Adam{.weight_decay = 0.5}, false), run(Adam{}));
  require_close(run(AdamW{.weight_decay = 0.5}, false), run(Adam{}));
  CHECK(run(AdamW{.weight_decay = 0.5})[2] < run(Adam{})[2] - 1e-4);
}

TEST_CASE("the learning rate follows its factor") {
  Parameter parameter("w", Tensor({1}, {0.0f}));
  parameter.grad.fill(1);
  Optimizer optimizer(Sgd{.lr = 0.5, .momentum = 0}, {&parameter});
  CHECK(optimizer.lr() == 0.5);
  optimizer.step(0.5);
  CHECK(optimizer.lr() == 0.25);
  CHECK(optimizer.base_lr() == 0.5);
  CHECK(parameter.value(0) == -0.25f);
  optimizer.step(0);
  CHECK(parameter.value(0) == -0.25f);
}

TEST_CASE("every element of every parameter moves") {
  Random random(3);
  Parameter a("a", Tensor({5, 13})), b("b", Tensor({1, 2, 3, 4, 17}));
  for (Parameter* parameter : {&a, &b}) {
    for (float& element : parameter->grad.storage()) element = static_cast<float>(random.normal());
  }
  Optimizer optimizer(Sgd{.lr = 1, .momentum = 0.5}, {&a, &b});
  optimizer.step();
  optimizer.step();
  for (const Parameter* parameter : {&a, &b}) {
    for (std::int64_t r = 0; r < parameter->value.rows(); ++r) {
      for (std::size_t c = 0; c < parameter->value.row(r).size(); ++c) {
        REQUIRE(parameter->value.row(r)[c] == Approx(-2.5 * parameter->grad.row(r)[c]).margin(1e-6));
      }
    }
  }
}

TEST_CASE("parameters move together as each would alone, at any number of threads") {
  const auto options = GENERATE(AnyOptimizer(Sgd{.weight_decay = 0.1}), AnyOptimizer(AdamW{}));
  const int count = GENERATE(1, 3);
  std::vector<Parameter> together, alone;  // tasks end within parameters, and parameters within tasks
  Random random(8);
  for (const std::int64_t columns : {3, 40'000, 1, 17, 100'003, 8, 16'384, 5}) {
    Tensor value({columns}), grad({columns});
    for (Tensor* tensor : {&value, &grad}) {
      for (float& element : tensor->storage()) element = static_cast<float>(random.normal());
    }
    together.emplace_back("w", value, Role::weight, columns % 2 == 0);
    together.back().grad = grad;
  }
  alone = together;
  std::vector<Parameter*> all;
  for (Parameter& parameter : together) all.push_back(&parameter);
  set_threads(count);
  Optimizer optimizer(options, all);
  for (int i = 0; i < 3; ++i) optimizer.step();
  set_threads(0);
  for (std::size_t p = 0; p < alone.size(); ++p) {
    Optimizer one(options, {&alone[p]});
    for (int i = 0; i < 3; ++i) one.step();
    CAPTURE(count, p);
    CHECK(std::ranges::equal(together[p].value.storage(), alone[p].value.storage()));
  }
}

TEST_CASE("a saved optimizer goes on to the same bits") {
  const auto options = GENERATE(AnyOptimizer(Sgd{.nesterov = true}), AnyOptimizer(AdamW{}));
  Parameter parameter("w", Tensor({9}, 1.0f));
  parameter.grad.fill(0.3f);
  Optimizer optimizer(options, {&parameter});
  optimizer.step();
  State state;
  optimizer.save(state, "optimizer.");
  Parameter copy = parameter;
  Optimizer resumed(options, {&copy});
  resumed.load(state, "optimizer.");
  CHECK(resumed.steps() == 1);
  for (int i = 0; i < 3; ++i) {
    optimizer.step();
    resumed.step();
  }
  CHECK(std::equal(parameter.value.row(0).begin(), parameter.value.row(0).end(), copy.value.row(0).begin()));
}

TEST_CASE("a state of other parameters is refused") {
  Parameter small("w", Tensor({2})), large("w", Tensor({3})), other("v", Tensor({2}));
  State state;
  Optimizer(Adam{}, {&small}).save(state);
  Optimizer wrong_shape(Adam{}, {&large}), wrong_name(Adam{}, {&other});
  REQUIRE_THROWS_WITH(wrong_shape.load(state), ContainsSubstring("'w.first_moment' of shape 3, got 2"));
  REQUIRE_THROWS_WITH(wrong_name.load(state), ContainsSubstring("v.first_moment"));
}

TEST_CASE("optimizer options out of range are refused") {
  const auto message = [](const AnyOptimizer& options) {
    try {
      Optimizer(options, {});
    } catch (const ArgumentError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message(Sgd{.lr = 0}) == "Sgd: expected a learning rate above 0, got 0");
  CHECK(message(Adam{.lr = NAN}) == "Adam: expected a learning rate above 0, got nan");
  CHECK(message(Sgd{.momentum = 1}) == "Sgd: expected a momentum in [0, 1), got 1");
  CHECK(message(Sgd{.momentum = 0, .nesterov = true}) == "Sgd: expected a momentum above 0 for Nesterov's look-ahead, got 0");
  CHECK(message(Adam{.weight_decay = -1}) == "Adam: expected a weight decay of 0 or more, got -1");
  CHECK(message(Adam{.beta2 = 1}) == "Adam: expected beta1 and beta2 in [0, 1), got 0.9 and 1");
  CHECK(message(Adam{.epsilon = 0}) == "Adam: expected an epsilon above 0, got 0");
  CHECK(message(Adam{}).empty());
}
