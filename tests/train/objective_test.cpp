// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/objective.hpp"

#include <cmath>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

namespace {

// Outputs are the inputs.
Network identity(std::int64_t features) {
  Network network(Shape{features}, [&](Flow x) { return x | Linear{.out = static_cast<int>(features)}; });
  Parameter& weight = network.parameter(0);
  weight.value.fill(0);
  for (std::int64_t i = 0; i < features; ++i) weight.value(i, i) = 1;
  return network;
}

Loss loss_of(const Objective& objective, Network& network, Tape& tape, const data::Batch& batch, Mode mode) {
  StepContext context{.network = network, .tape = tape, .batch = batch, .mode = mode};
  return objective.loss(context);
}

}  // namespace

TEST_CASE("classification is the cross entropy with the labels") {
  Network network = identity(2);
  const data::Batch batch{.inputs = Tensor({2, 2}, {1, 0, 0, 2}), .labels = {0, 0}};
  const double first = std::log(1 + std::exp(-1.0)), second = std::log(1 + std::exp(2.0));
  Tape tape;
  const Loss loss = loss_of(classification(), network, tape, batch, Mode::training);
  CHECK(loss.task_value() == Approx((first + second) / 2));
  CHECK(loss.correct(batch) == 1);
  CHECK(loss.penalty.value() == 0);

  tape.clear();
  const Loss smooth = loss_of(classification(0.2), network, tape, batch, Mode::training);
  const double other_first = first + 1, other_second = second - 2;  // -log of the other class's probability
  CHECK(smooth.task_value() == Approx((0.9 * (first + second) + 0.1 * (other_first + other_second)) / 2));

  Tape inference(false);
  CHECK(loss_of(classification(0.2), network, inference, batch, Mode::inference).task_value() == Approx((first + second) / 2));
}

TEST_CASE("reconstruction compares the outputs with the inputs") {
  Network network = identity(3);
  network.parameter(1).value.fill(0.5f);  // the bias
  const data::Batch batch{.inputs = Tensor({2, 3}, {1, 2, 3, 4, 5, 6}), .labels = {0, 1}};
  Tape tape;
  const Loss loss = loss_of(reconstruction(), network, tape, batch, Mode::training);
  CHECK(loss.task_value() == Approx(0.25));
  CHECK(loss.correct(batch) == -1);  // labels are there, but no classes
}

TEST_CASE("objectives say what is missing") {
  Network network = identity(2);
  const data::Batch batch{.inputs = Tensor({2, 2}), .labels = {}};
  Tape tape;
  REQUIRE_THROWS_WITH(loss_of(classification(), network, tape, batch, Mode::training),
                      ContainsSubstring("classification: expected labelled samples") && ContainsSubstring("reconstruction()"));
  REQUIRE_THROWS_WITH(Loss{}.task_value(), ContainsSubstring("expected a task loss of one number, got none"));
  REQUIRE_THROWS_WITH(classification(1), ContainsSubstring("a smoothing in [0, 1), got 1"));
}
