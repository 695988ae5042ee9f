// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/distill.hpp"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "siena/core/parallel.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/train/loop.hpp"
#include "support/catch.hpp"
#include "support/gradients.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {

Network passes_on(std::int64_t features, std::vector<float> weights) {
  Network network(Shape{features}, [&](const Flow& x) { return x | Linear{.out = static_cast<int>(features), .bias = false}; });
  network.parameter(0).value.assign(weights);
  return network;
}

data::Splits taught_images() {
  return data::synthetic_images({.classes = 4, .height = 12, .width = 12, .channels = 1, .train = 96, .validation = 32});
}
Network pupil(std::uint64_t seed, int width) {
  return Network(
      Shape{12, 12, 1},
      [&](const Flow& x) {
        return x | Conv2d{.out = width, .kernel = 3, .stride = 2} | BatchNorm{} | Relu{} | Dropout{0.1} | GlobalAvgPool{} |
               Linear{.out = 4};
      },
      seed);
}
std::vector<float> learnt(const Network& network) {
  std::vector<float> values, all;
  for (int p = 0; p < network.parameter_count(); ++p) {
    network.parameter(p).value.copy_to(values);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

}  // namespace

TEST_CASE("a teacher's softened probabilities are part of the loss") {
  Network student = passes_on(2, {1, 0, 0, 1});
  const Objective objective = distill(classification(), passes_on(2, {0, 1, 1, 0}), {.weight = 0.25, .temperature = 2});
  const data::Batch batch{.inputs = Tensor({2, 2}, {2, 0, 0, 6}), .labels = {0, no_class}};
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  // Of two classes, with a difference of logits d for the student and -d for the teacher, halved by the temperature.
  const auto divergence = [&](double d) {
    const double p = sigmoid(-d / 2), q = sigmoid(d / 2);
    return p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q));
  };
  Tape tape;
  StepContext step{.network = student, .tape = tape, .batch = batch};
  const Loss loss = objective.loss(step);
  const double task = std::log(1 + std::exp(-2.0));
  CHECK(loss.task_value() == Approx(0.75 * task + 0.25 * 4 * (divergence(2) + divergence(-6)) / 2));
  CHECK(loss.samples(batch) == 1);

  Tape inference(false);  // judged is the task alone
  StepContext judged{.network = student, .tape = inference, .batch = batch, .mode = Mode::inference};
  CHECK(objective.loss(judged).task_value() == Approx(task));
}

TEST_CASE("the teacher itself is as near as can be") {
  Network student = passes_on(3, {1, 2, 3, -1, 0, 1, 2, 2, -2});
  const Objective objective = distill(classification(), student, {.weight = 1, .temperature = 3});
  const data::Batch batch{.inputs = Tensor({2, 3}, {1, -2, 3, 0, 1, 0}), .labels = {0, 1}};
  Tape tape;
  StepContext step{.network = student, .tape = tape, .batch = batch};
  const Loss loss = objective.loss(step);
  CHECK(std::abs(loss.task_value()) < 1e-5);
  tape.backward(loss.task);
  for (const float gradient : student.parameter(0).grad.storage()) CHECK(std::abs(gradient) < 1e-5f);
}

TEST_CASE("without classes outputs are taught as numbers") {
  Network student = passes_on(2, {1, 0, 0, 1});
  const Objective objective = distill(regression(), passes_on(2, {0, 0, 0, 0}), {.weight = 0.5});
  const data::Batch batch{.inputs = Tensor({1, 2}, {1, 3}), .labels = {}, .targets = Tensor({1, 2}, {1, 1})};
  Tape tape;
  StepContext step{.network = student, .tape = tape, .batch = batch};
  CHECK(objective.loss(step).task_value() == Approx(0.5 * (4.0 / 2) + 0.5 * (10.0 / 2)));
}

TEST_CASE("a pupil learns from its teacher, to the same bits with any number of threads and after any break") {
  const data::Splits data = taught_images();
  Network teacher = pupil(1, 16);
  fit(teacher, data, {.epochs = 6, .batch = 16, .optimizer = Adam{.lr = 0.01}});
  const auto before = learnt(teacher);
  const Objective objective = distill(classification(), teacher, {.weight = 0.9});
  FitOptions options{.epochs = 4, .batch = 16, .optimizer = Adam{.lr = 0.01}, .objective = objective};
  Network whole = pupil(2, 4);
  const History history = fit(whole, data, options);
  CHECK(history.epochs.back().train.loss < history.epochs.front().train.loss);
  CHECK(learnt(teacher) == before);
  Network alone = pupil(2, 4);
  options.objective = classification();
  fit(alone, data, options);
  CHECK(learnt(alone) != learnt(whole));

  options.objective = objective;
  set_threads(3);
  Network parallel = pupil(2, 4);
  fit(parallel, data, options);
  set_threads(0);
  CHECK(learnt(parallel) == learnt(whole));

  const test::TemporaryFolder folder("siena_distill");
  int asked = 0;
  options.checkpoint = {.folder = folder.path, .resume = true, .stop = [&asked] { return asked++ == 2; }};
  Network broken = pupil(2, 4);
  REQUIRE_THROWS_AS(fit(broken, data, options), Interrupted);
  Network resumed = pupil(2, 4);
  fit(resumed, data, options);
  CHECK(learnt(resumed) == learnt(whole));

  options.objective = distill(classification(), pupil(7, 16), {.weight = 0.9});
  Network other = pupil(2, 4);
  REQUIRE_THROWS_WITH(fit(other, data, options), ContainsSubstring("expected a checkpoint of a training with objective"));
}

TEST_CASE("teachers that cannot teach are refused before training") {
  const data::Splits data = taught_images();
  Network network = pupil(2, 4);
  const auto run = [&](Network teacher, const DistillOptions& options) {
    fit(network, data, {.epochs = 1, .objective = distill(classification(), std::move(teacher), options)});
  };
  REQUIRE_THROWS_WITH(
      run(passes_on(3, std::vector<float>(9)), {}),
      ContainsSubstring("expected a teacher that takes 12x12x1 and gives 4") && ContainsSubstring("from 3 to 3"));
  REQUIRE_THROWS_WITH(run(Network(), {}), ContainsSubstring("a teacher with layers, got an empty network"));
  REQUIRE_THROWS_WITH(run(pupil(1, 4), {.weight = 0}), ContainsSubstring("a weight above 0 up to 1"));
  REQUIRE_THROWS_WITH(run(pupil(1, 4), {.temperature = -1}), ContainsSubstring("got 0.5 and -1"));
}
