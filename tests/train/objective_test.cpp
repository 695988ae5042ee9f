// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/objective.hpp"

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
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
  const Loss smooth = loss_of(classification({.label_smoothing = 0.2}), network, tape, batch, Mode::training);
  const double other_first = first + 1, other_second = second - 2;  // -log of the other class's probability
  CHECK(smooth.task_value() == Approx((0.9 * (first + second) + 0.1 * (other_first + other_second)) / 2));

  Tape inference(false);
  CHECK(loss_of(classification({.label_smoothing = 0.2}), network, inference, batch, Mode::inference).task_value() ==
        Approx((first + second) / 2));
}

TEST_CASE("samples of no class are left out of the loss and the accuracy") {
  Network network = identity(2);
  const data::Batch batch{.inputs = Tensor({3, 2}, {1, 0, 9, 0, 0, 2}), .labels = {0, no_class, 0}};
  const double first = std::log(1 + std::exp(-1.0)), second = std::log(1 + std::exp(2.0));
  for (const ClassificationOptions& options : {ClassificationOptions{}, ClassificationOptions{.class_weights = {1, 1}}}) {
    Tape tape;
    const Loss loss = loss_of(classification(options), network, tape, batch, Mode::training);
    CHECK(loss.task_value() == Approx((first + second) / 2));
    CHECK(loss.correct(batch) == 1);
    CHECK(loss.samples(batch) == 2);
  }
  const data::Batch none{.inputs = Tensor({2, 2}, {1, 0, 9, 0}), .labels = {no_class, no_class}};
  for (const ClassificationOptions& options : {ClassificationOptions{}, ClassificationOptions{.class_weights = {1, 1}}}) {
    Tape tape;
    const Loss loss = loss_of(classification(options), network, tape, none, Mode::training);
    CHECK(loss.task_value() == 0);
    CHECK(loss.samples(none) == 0);
  }
}

TEST_CASE("classes count by their weights, in training and when judged") {
  Network network = identity(2);
  const data::Batch batch{.inputs = Tensor({2, 2}, {1, 0, 0, 2}), .labels = {0, 1}};
  const double first = std::log(1 + std::exp(-1.0)), second = std::log(1 + std::exp(-2.0));
  for (const Mode mode : {Mode::training, Mode::inference}) {
    Tape tape(mode == Mode::training);
    const Loss loss = loss_of(classification({.class_weights = {3, 0.5}}), network, tape, batch, mode);
    CHECK(loss.task_value() == Approx((3 * first + 0.5 * second) / 2));
    CHECK(loss.correct(batch) == 2);
  }
  Tape tape;  // smoothed: the part of the other class counts by the weight of that class
  const auto smooth = classification({.label_smoothing = 0.2, .class_weights = {3, 0.5}});
  CHECK(loss_of(smooth, network, tape, batch, Mode::training).task_value() ==
        Approx((3 * 0.9 * first + 0.5 * 0.1 * (first + 1) + 3 * 0.1 * (second + 2) + 0.5 * 0.9 * second) / 2));
}

TEST_CASE("targets of a classification are probabilities of classes") {
  Network network = identity(2);
  data::Batch batch{.inputs = Tensor({2, 2}, {1, 0, 0, 2}), .labels = {}, .targets = Tensor({2, 2}, {0.75f, 0.25f, 1, 0})};
  const double first = std::log(1 + std::exp(-1.0)), second = std::log(1 + std::exp(2.0));
  Tape tape;
  const Loss loss = loss_of(classification(), network, tape, batch, Mode::training);
  CHECK(loss.task_value() == Approx((first + 0.25 + second) / 2));
  CHECK(loss.correct(batch) == 1);  // by the largest target
  CHECK(loss.samples(batch) == 2);
  batch.labels = {0, no_class};  // labels, where there are any, say what is right and what counts
  tape.clear();
  const Loss labelled = loss_of(classification(), network, tape, batch, Mode::training);
  CHECK(labelled.task_value() == Approx(first + 0.25));
  CHECK(labelled.correct(batch) == 1);
  CHECK(labelled.samples(batch) == 1);
}

TEST_CASE("regression and several labels look at targets alone") {
  Network network = identity(2);
  const data::Batch batch{
      .inputs = Tensor({2, 2}, {1, 0, 0, 2}), .labels = {no_class, 0}, .targets = Tensor({2, 2}, {1, 1, 0, 0})};
  Tape tape;
  const Loss squares = loss_of(regression(), network, tape, batch, Mode::training);
  CHECK(squares.task_value() == Approx(5.0 / 4));
  CHECK(squares.correct(batch) == -1);
  CHECK(squares.samples(batch) == 2);
  tape.clear();
  const Loss labels = loss_of(multi_label(), network, tape, batch, Mode::training);
  CHECK(labels.task_value() ==
        Approx((std::log(1 + std::exp(-1.0)) + std::log(2.0) + std::log(2.0) + std::log(1 + std::exp(2.0))) / 4));
  CHECK(labels.correct(batch) == -1);
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
  REQUIRE_THROWS_WITH(classification({.label_smoothing = 1}), ContainsSubstring("a smoothing in [0, 1), got 1"));
}

TEST_CASE("objectives refuse data that they cannot use, before training") {
  const Network network = identity(2);
  const auto with = [](std::vector<std::int32_t> labels, std::vector<float> targets, std::int64_t classes = 0) {
    return data::Dataset::from_floats(
        {1, 2, 3, 4},
        {.shape = {2}, .labels = std::move(labels), .targets = std::move(targets), .classes = classes, .name = "odd"});
  };
  const auto refusal = [&](const Objective& objective, const data::Dataset& dataset) -> std::string {
    try {
      objective.check(network, dataset);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  };
  CHECK(refusal(classification(), with({0, -1}, {})) == "none");
  CHECK(refusal(classification(), with({}, {1, 0, 0.5f, 0.5f})) == "none");
  CHECK(refusal(regression(), with({}, {7, -3, 1, 2})) == "none");
  CHECK(refusal(multi_label(), with({-1, -1}, {1, 1, 0, 0})) == "none");

  CHECK_THAT(refusal(classification(), with({}, {})),
             ContainsSubstring("expected labelled samples, got none with a label in 'odd'"));
  CHECK_THAT(refusal(classification(), with({-1, -1}, {})), ContainsSubstring("expected labelled samples"));
  CHECK_THAT(refusal(classification(), with({0, 1}, {}, 3)), ContainsSubstring("each of the 3 classes of 'odd', got 2"));
  CHECK_THAT(refusal(classification(), with({}, {1, 0, 0, 0, 1, 0})),
             ContainsSubstring("each of the 3 classes of 'odd', got 2"));
  CHECK_THAT(refusal(classification(), with({}, {1, 1, 0, 1})),
             ContainsSubstring("add up to 1, got a sum of 2 (smallest 0) for sample 0 of 'odd'; for numbers give"));
  CHECK_THAT(refusal(classification(), with({}, {2, -1, 0, 1})), ContainsSubstring("(smallest -1)"));
  CHECK_THAT(refusal(classification({.class_weights = {1, 2, 3}}), with({0, 1}, {})),
             ContainsSubstring("a weight for each of 2 classes, got 3"));
  CHECK_THAT(refusal(regression(), with({0, 1}, {})),
             ContainsSubstring("regression: expected samples with targets, got none in 'odd'"));
  CHECK_THAT(refusal(regression(), with({}, {1, 2})), ContainsSubstring("expected a network with 1 outputs"));
  CHECK_THAT(refusal(multi_label(), with({}, {1, 0, 2, 0})),
             ContainsSubstring("targets from 0 to 1, a number a label, got 2 for sample 1"));
  REQUIRE_THROWS_WITH(classification({.class_weights = {1, -1}}),
                      ContainsSubstring("weights of 0 or more, got -1 for class 1"));
}
