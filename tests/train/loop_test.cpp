// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/loop.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/parallel.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/train/best_epoch.hpp"
#include "siena/train/observers.hpp"
#include "support/catch.hpp"

using namespace siena;

static_assert(Stateful<Trainer>);

namespace {

// Two classes on either side of the line x + y = 0, with a gap between them.
data::Dataset two_sides(std::int64_t size, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values;
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < size; ++i) {
    const double along = 2 * random.normal(), away = 0.3 + std::abs(random.normal());
    const double side = i % 2 == 0 ? -1 : 1;
    values.push_back(static_cast<float>(along + side * away));
    values.push_back(static_cast<float>(-along + side * away));
    labels.push_back(static_cast<std::int32_t>(i % 2));
  }
  return data::Dataset::from_floats(std::move(values), {.shape = {2}, .labels = std::move(labels), .name = "two sides"});
}

Network linear_model(std::uint64_t seed = 0) {
  return Network(
      Shape{2}, [](Flow x) { return x | Linear{.out = 2}; }, seed);
}

data::Splits small_images(std::int64_t train = 256) {
  return data::synthetic_images(
      {.classes = 4, .height = 12, .width = 12, .channels = 1, .train = train, .validation = 64, .test = 64, .noise = 0.02});
}
Network small_net() {
  return Network(Shape{12, 12, 1}, [](Flow x) {
    x = x | Conv2d{.out = 8, .kernel = 3} | BatchNorm{} | Relu{};
    x = x | Conv2d{.out = 12, .kernel = 3, .stride = 2} | BatchNorm{} | Relu{};
    return x | GlobalAvgPool{} | Linear{.out = 4};
  });
}

std::vector<float> all_values(const Network& network) {
  std::vector<float> values;
  State state;
  network.save(state);
  for (const auto& [name, value] : state.values()) {
    std::vector<float> elements;
    std::get<Tensor>(value).copy_to(elements);
    values.insert(values.end(), elements.begin(), elements.end());
  }
  return values;
}

struct Diary {
  std::vector<std::string> entries = {};
  void on_phase(const PhaseEvent& e) { entries.push_back(format("{} of {}", e.phase, e.epochs)); }
  void on_step(const StepEvent& e) {
    entries.push_back(format("{} {}/{} {}/{} {}", e.phase, e.epoch, e.epochs, e.step, e.steps, e.bounds.size()));
    CHECK(std::isfinite(e.loss));
    CHECK(e.seconds_left >= 0);
    CHECK((e.seconds_left == 0) == (e.epoch == e.epochs && e.step == e.steps));
  }
  void on_epoch(const EpochEvent& e) { entries.push_back(format("epoch {}/{}", e.epoch, e.epochs)); }
  void on_phase_end(const PhaseEvent& e) { entries.push_back("end of " + e.phase); }
};

}  // namespace

TEST_CASE("a linear model learns what is linear") {
  Network network = linear_model();
  const data::Dataset train = two_sides(200, 1), test = two_sides(101, 2);
  const History history = fit(network, train, test, {.epochs = 20, .batch = 16, .optimizer = Sgd{.lr = 0.5}});
  REQUIRE(history.epochs.size() == 20);
  CHECK(history.epochs.front().train.loss > history.epochs.back().train.loss);
  CHECK(history.epochs.back().train.samples == 200);
  CHECK(history.epochs.back().validation.samples == 101);
  CHECK(history.epochs.back().validation.accuracy == 1);
  CHECK(evaluate(network, test).accuracy == 1);
}

TEST_CASE("a small convolutional network beats chance by far") {
  Network network = small_net();
  const data::Splits data = small_images();
  fit(network, data, {.epochs = 8, .batch = 32, .optimizer = Adam{.lr = 0.02}});
  CHECK(evaluate(network, data.test).accuracy > 0.6);  // chance is 0.25
}

TEST_CASE("an autoencoder learns to reconstruct") {
  const data::Dataset train = two_sides(128, 3);
  Network network(Shape{2}, [](Flow x) { return x | Linear{.out = 4} | Linear{.out = 2}; });
  const double before = evaluate(network, train, 256, reconstruction()).loss;
  const History history =
      fit(network, train, {}, {.epochs = 20, .batch = 32, .optimizer = Adam{.lr = 0.02}, .objective = reconstruction()});
  const Metrics after = evaluate(network, train, 256, reconstruction());
  CHECK(after.loss < 0.1 * before);
  CHECK_FALSE(after.has_accuracy());
  CHECK_FALSE(history.epochs.back().has_validation);
  CHECK(history.best == -1);
}

TEST_CASE("evaluate is the mean over all samples, whatever the batch") {
  Network network = linear_model();
  const data::Dataset data = two_sides(37, 4);
  const std::vector<float> before = all_values(network);
  const Metrics whole = evaluate(network, data, 37), parts = evaluate(network, data, 8), single = evaluate(network, data, 1);
  CHECK(whole.samples == 37);
  CHECK(parts.samples == 37);
  CHECK(parts.loss == Approx(whole.loss).epsilon(1e-6));
  CHECK(single.loss == Approx(whole.loss).epsilon(1e-6));
  CHECK(parts.accuracy == whole.accuracy);
  CHECK(single.accuracy == whole.accuracy);
  CHECK(all_values(network) == before);
  CHECK(evaluate(network, {}).samples == 0);
}

TEST_CASE("observers hear of everything in order") {
  Network network = linear_model();
  Diary diary;
  FitOptions options{.epochs = 2, .batch = 16, .phase = "warm-up"};
  options.at_epoch_end = [&](EpochEvent& event) {
    diary.entries.push_back(format("hook {}", event.epoch));
    CHECK(event.has_validation);
    event.bounds = {{.name = "memory", .unit = "B", .value = 1, .limit = 2}};
  };
  const History history = fit(network, two_sides(40, 1), two_sides(10, 2), options, std::ref(diary));
  CHECK(diary.entries == std::vector<std::string>{"warm-up of 2", "warm-up 1/2 1/3 0", "warm-up 1/2 2/3 0", "warm-up 1/2 3/3 0",
                                                  "hook 1", "epoch 1/2", "warm-up 2/2 1/3 1", "warm-up 2/2 2/3 1",
                                                  "warm-up 2/2 3/3 1", "hook 2", "epoch 2/2", "end of warm-up"});
  REQUIRE(history.epochs.size() == 2);
  CHECK(history.epochs[1].bounds.at(0).name == "memory");
  CHECK(history.seconds > 0);
}

TEST_CASE("the learning rate follows the schedule from step to step") {
  Network network = linear_model();
  const data::Dataset data = two_sides(64, 1);
  const History history = fit(
      network, data, {}, {.epochs = 4, .batch = 16, .optimizer = Sgd{.lr = 0.1}, .schedule = StepLr{.every = 2, .gamma = 0.1}});
  std::vector<double> rates;
  for (const EpochEvent& epoch : history.epochs) rates.push_back(epoch.lr);
  CHECK(rates[0] == Approx(0.1));
  CHECK(rates[1] == Approx(0.1));
  CHECK(rates[2] == Approx(0.01));
  CHECK(rates[3] == Approx(0.01));
}

TEST_CASE("a last batch of one sample is left out") {
  Network network = linear_model();
  std::vector<std::int64_t> sizes;
  FitOptions options{.epochs = 1, .batch = 16};
  options.objective.loss = [&, base = classification().loss](StepContext& step) {
    if (step.mode == Mode::training) sizes.push_back(step.batch.size());
    return base(step);
  };
  fit(network, two_sides(35, 1), {}, options);
  CHECK(sizes == std::vector<std::int64_t>{16, 16, 3});
  sizes.clear();
  fit(network, two_sides(33, 1), {}, options);
  CHECK(sizes == std::vector<std::int64_t>{16, 16});
  sizes.clear();
  options.batch = 1;
  fit(network, two_sides(3, 1), {}, options);
  CHECK(sizes == std::vector<std::int64_t>{1, 1, 1});
}

TEST_CASE("an objective sees its place, adds a penalty and has the last word on a step") {
  Network network = linear_model();
  const int alpha = network.add_parameter(Parameter("alpha", Tensor({1}, {1.0f}), Role::architecture, false));
  std::vector<double> epochs, values;
  std::vector<std::uint64_t> draws;
  FitOptions options{
      .epochs = 2, .batch = 16, .schedule = ConstantLr{}, .architecture = Sgd{.lr = 0.25, .momentum = 0}, .seed = 7};
  options.objective.loss = [&, base = classification().loss](StepContext& step) {
    Loss loss = base(step);
    if (step.mode == Mode::inference) return loss;
    epochs.push_back(step.epoch);
    draws.push_back(step.random.next());
    CHECK(step.epochs == 2);
    CHECK(step.step == static_cast<std::int64_t>(epochs.size()) - 1);
    loss.penalty = 2.0 * step.tape.scalar(step.tape.parameter(step.network.parameter(alpha)));  // slope 2
    return loss;
  };
  options.objective.after_step = [&](StepContext& step) {
    CHECK(step.network.parameter(alpha).grad(0) == 2);
    values.push_back(static_cast<double>(step.network.parameter(alpha).value(0)));
    step.network.parameter(alpha).value(0) += 0.25f;
  };
  const History history = fit(network, two_sides(32, 1), two_sides(8, 2), options);
  CHECK(epochs == std::vector<double>{0, 0.5, 1, 1.5});
  CHECK(values == std::vector<double>{0.5, 0.25, 0, -0.25});  // 0.25 * 2 down, 0.25 up again
  CHECK(network.parameter(alpha).value(0) == 0);
  CHECK(network.parameter(alpha).grad(0) == 0);
  CHECK(history.epochs[0].penalty == Approx((2.0 + 1.5) / 2));
  CHECK(draws == std::vector<std::uint64_t>{Random(7).split(0).next(), Random(7).split(1).next(), Random(7).split(2).next(),
                                            Random(7).split(3).next()});
}

TEST_CASE("gradients may be changed before the update") {
  Network network = linear_model();
  const std::vector<float> start = all_values(network);
  FitOptions options{.epochs = 1, .batch = 16, .optimizer = Sgd{.lr = 0.5}};
  int called = 0;
  options.objective.before_update = [&](StepContext& step) {
    called += step.network.parameter(0).grad.finite() && step.network.parameter(0).grad(0, 0) != 0 ? 1 : 0;
    step.network.zero_grad();
  };
  fit(network, two_sides(32, 1), two_sides(8, 2), options);
  CHECK(called == 2);
  CHECK(all_values(network) == start);
}

TEST_CASE("architecture parameters stay as they are without an optimizer of their own") {
  Network network = linear_model();
  const int alpha = network.add_parameter(Parameter("alpha", Tensor({1}, {1.0f}), Role::architecture));
  FitOptions options{.epochs = 1, .batch = 16};
  options.objective.loss = [&, base = classification().loss](StepContext& step) {
    Loss loss = base(step);
    loss.penalty = step.tape.scalar(step.tape.parameter(step.network.parameter(alpha)));
    return loss;
  };
  fit(network, two_sides(32, 1), {}, options);
  CHECK(network.parameter(alpha).value(0) == 1);
}

TEST_CASE("a loss that is not finite ends the training with an error") {
  Network network = linear_model();
  network.parameter(0).value(1, 1) = std::numeric_limits<float>::quiet_NaN();
  REQUIRE_THROWS_WITH(
      fit(network, two_sides(40, 1), {}, {.batch = 16, .optimizer = Sgd{.lr = 0.2}, .phase = "warm-up"}),
      ContainsSubstring("warm-up: expected a finite loss, got nan (penalty 0) in epoch 1, step 1 of 3; lower the "
                        "learning rate (now 0.19"));
  Network sound = linear_model();
  FitOptions options{.batch = 16};
  options.objective.loss = [base = classification().loss](StepContext& step) {
    Loss loss = base(step);
    if (step.step == 4) loss.penalty = std::numeric_limits<double>::infinity();
    return loss;
  };
  REQUIRE_THROWS_WITH(fit(sound, two_sides(40, 1), {}, options), ContainsSubstring("(penalty inf) in epoch 2, step 2 of 3"));
  REQUIRE_THROWS_AS(fit(sound, two_sides(40, 1), {}, options), DataError);

  Network diverges = linear_model();
  REQUIRE_THROWS_AS(fit(diverges, two_sides(40, 1), {}, {.epochs = 60, .batch = 16, .optimizer = Sgd{.lr = 1e38}}), DataError);
}

TEST_CASE("keep_best puts the best epoch back") {
  Network network = linear_model();
  const data::Dataset train = two_sides(64, 1), validation = two_sides(64, 2);
  std::vector<std::vector<float>> after_epoch;
  FitOptions options{.epochs = 6, .batch = 16, .optimizer = Sgd{.lr = 0.2}, .schedule = ConstantLr{}, .keep_best = true};
  options.objective.after_step = [](StepContext& step) {  // ruin it from the fourth epoch on
    if (step.epoch >= 3) step.network.parameter(0).value.fill(0);
  };
  options.at_epoch_end = [&](EpochEvent&) { after_epoch.push_back(all_values(network)); };
  const History history = fit(network, train, validation, options);
  REQUIRE(history.best >= 0);
  REQUIRE(history.best < 3);
  CHECK(all_values(network) == after_epoch[static_cast<std::size_t>(history.best)]);
  CHECK(all_values(network) != after_epoch.back());
  BestEpoch best;
  for (const EpochEvent& epoch : history.epochs) best.offer(epoch.epoch, epoch.validation);
  CHECK(history.best == best.kept() - 1);
  const Metrics now = evaluate(network, validation);
  CHECK(now.accuracy == history.epochs[static_cast<std::size_t>(history.best)].validation.accuracy);
  for (const EpochEvent& epoch : history.epochs) CHECK(epoch.validation.accuracy <= now.accuracy + now.standard_error());
}

TEST_CASE("patience and the hook end a phase early") {
  Network network = linear_model();
  const data::Dataset data = two_sides(32, 1);
  std::size_t validations = 0;
  FitOptions options{.epochs = 50, .batch = 16, .patience = 2};
  options.objective.loss = [&, base = classification().loss](StepContext& step) {
    if (step.mode == Mode::training) return base(step);
    const std::vector<float> losses{3, 2, 1, 1.5f, 1, 0};
    return Loss{.task = step.tape.constant(Tensor({1}, {losses.at(std::min<std::size_t>(validations++, 5))}))};
  };
  const History patient = fit(network, data, data, options);
  CHECK(patient.best == 2);
  CHECK(patient.epochs.size() == 5);
  CHECK(patient.epochs.back().stop);

  options.patience = 0;
  options.at_epoch_end = [](EpochEvent& event) { event.stop = event.epoch == 4; };
  CHECK(fit(network, data, data, options).epochs.size() == 4);
}

TEST_CASE("one seed gives the same bits at any number of threads") {
  const data::Splits data = small_images(96);
  const auto run = [&](int thread_count, int prefetch, std::uint64_t seed) {
    set_threads(thread_count);
    Network network = small_net();
    FitOptions options{
        .epochs = 2, .batch = 32, .augment = {.crop_padding = 1, .flip = true}, .seed = seed, .prefetch = prefetch};
    fit(network, data, options);
    set_threads(0);
    return all_values(network);
  };
  const auto once = run(1, 2, 5);
  CHECK(once == run(2, 0, 5));
  CHECK(once == run(3, 2, 5));
  CHECK(once != run(1, 2, 6));
}

TEST_CASE("a training that was stopped goes on to the same bits") {
  const data::Splits data = small_images(96);
  const FitOptions options{.epochs = 4, .batch = 32, .optimizer = Sgd{.lr = 0.05}, .keep_best = true};
  Network whole = small_net();
  const History history = fit(whole, data, options);

  Network first = small_net();
  State state;
  {
    Trainer trainer(first, data.train, data.validation, options);
    trainer.run_epoch();
    trainer.run_epoch();
    CHECK(trainer.epochs_done() == 2);
    first.save(state, "network.");
    trainer.save(state, "trainer.");
  }
  Network second(small_net());
  second.load(state, "network.");
  Trainer trainer(second, data.train, data.validation, options);
  trainer.load(state, "trainer.");
  CHECK(trainer.run_epoch().epoch == 3);
  CHECK(trainer.run_epoch().epoch == 4);
  CHECK(trainer.done());
  trainer.finish();
  CHECK(trainer.history().epochs.size() == 4);
  CHECK(trainer.history().epochs.back().train.loss == history.epochs.back().train.loss);
  CHECK(all_values(second) == all_values(whole));
}

TEST_CASE("fit says what is wrong with its arguments") {
  Network network = linear_model();
  const data::Dataset data = two_sides(20, 1);
  REQUIRE_THROWS_WITH(fit(network, {}, data), ContainsSubstring("training: expected samples to train on, got none"));
  REQUIRE_THROWS_WITH(fit(network, data, {}, {.keep_best = true}),
                      ContainsSubstring("expected validation samples for keep_best"));
  REQUIRE_THROWS_WITH(fit(network, data, {}, {.batch = 0}), ContainsSubstring("a batch of at least 1"));
  REQUIRE_THROWS_WITH(fit(network, data, {}, {.optimizer = Adam{.lr = -1}}),
                      ContainsSubstring("a learning rate above 0, got -1"));
  REQUIRE_THROWS_WITH(fit(network, data, {}, {.schedule = CosineLr{.floor = -1}}), ContainsSubstring("CosineLr"));
  REQUIRE_THROWS_WITH(fit(network, data, {}, {.objective = {}}),
                      ContainsSubstring("expected an objective with a loss, got none"));
  Network other(Shape{3}, [](Flow x) { return x | Linear{.out = 2}; });
  REQUIRE_THROWS_WITH(fit(other, data, {}), ContainsSubstring("expected samples of 3 for this network, got 2 in 'two sides'"));
  Network empty;
  REQUIRE_THROWS_WITH(fit(empty, data, {}), ContainsSubstring("expected a network with layers"));
}
