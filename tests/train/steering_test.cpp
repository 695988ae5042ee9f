// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// What steers a training besides optimizer and schedule: clipped gradients, averaged weights, files of the best.
#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "siena/core/parallel.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/train/loop.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {

const data::Splits& steered_images() {
  static const data::Splits splits = data::synthetic_images(
      {.classes = 3, .height = 8, .width = 8, .channels = 2, .train = 96, .validation = 48, .test = 8, .noise = 0.02});
  return splits;
}
Network steered_net() {
  return Network({8, 8, 2}, [](const Flow& x) {
    return x | Conv2d{.out = 5, .kernel = 3} | BatchNorm{} | Relu{} | GlobalAvgPool{} | Linear{.out = 3};
  });
}
State state_of(const Network& network) {
  State state;
  network.save(state, "network.");
  return state;
}
std::string bytes_of(const State& state) { return siena::detail::state_bytes(state); }
std::string bytes_of(const Network& network) { return bytes_of(state_of(network)); }

std::set<std::string> names_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

}  // namespace

TEST_CASE("long gradients are shortened by one factor, short ones stay") {
  Parameter a("a", Tensor({2, 3})), b("b", Tensor({1}));
  a.grad = Tensor({2, 3}, {1, 2, 0, 0, 0, 2});
  b.grad = Tensor({1}, {4});
  std::vector<Parameter*> both{&a, &b};
  CHECK(gradient_norm(both) == 5);
  CHECK(clip_gradients(both, 5) == 5);
  CHECK(b.grad(0) == 4);
  CHECK(clip_gradients(both, 2.5) == 5);
  CHECK(a.grad(0, 1) == 1);
  CHECK(a.grad(1, 2) == 1);
  CHECK(b.grad(0) == 2);
  CHECK(gradient_norm(both) == 2.5);
  b.grad(0) = INFINITY;
  REQUIRE_THROWS_WITH(clip_gradients(both, 1), ContainsSubstring("expected finite gradients, got a length of inf"));
}

TEST_CASE("clip bounds what a step of a training does, at any number of threads") {
  FitOptions options{
      .epochs = 1, .batch = 32, .optimizer = Sgd{.lr = 1, .momentum = 0}, .schedule = ConstantLr{}, .clip = 1e-3};
  std::vector<double> lengths;
  options.objective.after_step = [&](StepContext& step) {
    lengths.push_back(gradient_norm(step.network.parameters(Role::weight)));
  };
  Network network = steered_net(), again = steered_net(), free = steered_net();
  fit(network, steered_images(), options);
  REQUIRE(lengths.size() == 3);
  for (const double length : lengths) CHECK(length == Approx(1e-3).epsilon(1e-4));
  set_threads(1);
  fit(again, steered_images(), options);
  set_threads(0);
  CHECK(bytes_of(again) == bytes_of(network));
  options.clip = 1e9;  // longer than any
  fit(again = steered_net(), steered_images(), options);
  options.clip = 0;
  fit(free, steered_images(), options);
  CHECK(bytes_of(again) == bytes_of(free));
  options.clip = -1;
  REQUIRE_THROWS_WITH(fit(network, steered_images(), options), ContainsSubstring("a clip of 0 or more and an ema in [0, 1)"));
}

TEST_CASE("an average follows weights and running statistics by its formula") {
  Network network = steered_net();
  WeightAverage average(network, 0.5);
  const int alpha = network.add_parameter(Parameter("alpha", Tensor({1}, {1.0f}), Role::architecture, false));
  Tensor& mean = network.buffer(0);
  Parameter& weight = *network.parameters(Role::weight)[0];
  const double start = weight.value(0, 0, 0, 0), statistic = mean(0);
  double expected = start, expected_mean = statistic;
  for (int n = 1; n <= 8; ++n) {
    weight.value(0, 0, 0, 0) = static_cast<float>(start + n);
    mean(0) = static_cast<float>(statistic - n);
    average.update();
    const double keep = std::min(0.5, (1.0 + n) / (10.0 + n));
    expected = keep * expected + (1 - keep) * (start + n);
    expected_mean = keep * expected_mean + (1 - keep) * (statistic - n);
  }
  network.parameter(alpha).value(0) = 7;
  average.exchange();
  CHECK(weight.value(0, 0, 0, 0) == Approx(expected));
  CHECK(mean(0) == Approx(expected_mean));
  CHECK(network.parameter(alpha).value(0) == 7);  // what is searched is not averaged
  average.exchange();
  CHECK(weight.value(0, 0, 0, 0) == Approx(start + 8));
  average.put();
  CHECK(weight.value(0, 0, 0, 0) == Approx(expected));
}

TEST_CASE("the averaged network is validated, kept and left behind, and the training does not see it") {
  FitOptions options{.epochs = 3, .batch = 32, .optimizer = Sgd{.lr = 0.1}, .seed = 4, .ema = 0.9};
  std::vector<double> losses;
  Network averaged = steered_net(), plain = steered_net();
  options.at_epoch_end = [&](EpochEvent&) { losses.push_back(evaluate(averaged, steered_images().validation).loss); };
  const History history = fit(averaged, steered_images(), options);
  REQUIRE(losses.size() == 3);
  for (std::size_t e = 0; e < 3; ++e) CHECK(losses[e] == history.epochs[e].validation.loss);
  CHECK(evaluate(averaged, steered_images().validation).loss == losses.back());
  options.ema = 0;
  options.at_epoch_end = {};
  const History without = fit(plain, steered_images(), options);
  CHECK(bytes_of(plain) != bytes_of(averaged));
  for (std::size_t e = 0; e < 3; ++e) CHECK(without.epochs[e].train.loss == history.epochs[e].train.loss);  // the same steps
}

TEST_CASE("averages, clips and plateaus go on after a break to the same bits") {
  FitOptions options{.epochs = 5,
                     .batch = 32,
                     .optimizer = Sgd{.lr = 0.1},
                     .schedule = PlateauLr{.patience = 1, .gamma = 0.5},
                     .seed = 4,
                     .keep_best = true,
                     .clip = 0.5,
                     .ema = 0.8};
  Network straight = steered_net(), resumed = steered_net();
  const History expected = fit(straight, steered_images(), options);
  CHECK(expected.epochs.back().lr < 0.1);  // a plateau came
  const test::TemporaryFolder folder("siena_steering");
  options.checkpoint = {.folder = folder.path, .resume = true};
  for (int breaks = 0; breaks < 4; ++breaks) {
    int asked = 0;
    options.checkpoint.stop = [&] { return ++asked == 2; };
    resumed = steered_net();
    REQUIRE_THROWS_AS(fit(resumed, steered_images(), options), Interrupted);
  }
  options.checkpoint.stop = {};
  resumed = steered_net();
  const History history = fit(resumed, steered_images(), options);
  CHECK(bytes_of(resumed) == bytes_of(straight));
  for (std::size_t e = 0; e < 5; ++e) CHECK(history.epochs[e].lr == expected.epochs[e].lr);
  fit(resumed = steered_net(), steered_images(), options);  // of a training that is done
  CHECK(bytes_of(resumed) == bytes_of(straight));
  options.ema = 0.7;
  REQUIRE_THROWS_WITH(fit(resumed, steered_images(), options),
                      ContainsSubstring("a training with average of weights '0.7', got one with '0.8'"));
}

TEST_CASE("a schedule that goes by validation results is refused without them") {
  Network network = steered_net();
  REQUIRE_THROWS_WITH(
      fit(network, steered_images().train, data::Dataset(), {.schedule = PlateauLr{}}),
      ContainsSubstring("expected validation samples for the schedule (times 0.1 after 5 epochs without a better validation "
                        "result, down to 0.001) to go by, got none"));
  CHECK_THROWS_WITH(fit(network, steered_images().train, data::Dataset(), {.keep_best = true}),
                    ContainsSubstring("expected validation samples for keep_best to go by, got none; hold some out"));
  CHECK_THROWS_WITH(fit(network, steered_images().train, data::Dataset(), {.keep_best = true, .patience = 3}),
                    ContainsSubstring("expected validation samples for keep_best and patience to go by, got none"));
}

TEST_CASE("best, last and every n-th epoch are kept in files, each with its network") {
  const bool averages = GENERATE(false, true);
  const test::TemporaryFolder folder("siena_kept_files");
  FitOptions options{.epochs = 5,
                     .batch = 32,
                     .optimizer = Sgd{.lr = 0.1},
                     .keep_best = true,
                     .ema = averages ? 0.9 : 0,
                     .checkpoint = {.folder = folder.path, .every = 2}};
  Network network = steered_net();
  std::vector<std::string> after;
  options.at_epoch_end = [&](EpochEvent&) { after.push_back(bytes_of(network)); };
  const History history = fit(network, steered_images(), options);
  CHECK(names_in(folder.path) == std::set<std::string>{"training.best.checkpoint", "training.checkpoint",
                                                       "training.epoch-2.checkpoint", "training.epoch-4.checkpoint"});
  const auto kept = [&](const char* name) {
    Network loaded = steered_net();
    loaded.load(load_checkpoint(folder.path / name), "network.");
    return bytes_of(loaded);
  };
  CHECK(kept("training.best.checkpoint") == bytes_of(network));
  CHECK(kept("training.best.checkpoint") == after[static_cast<std::size_t>(history.best)]);
  CHECK(kept("training.epoch-2.checkpoint") == after[1]);
  CHECK(kept("training.epoch-4.checkpoint") == after[3]);
  CHECK((kept("training.checkpoint") == after[4]) == !averages);  // that one goes on training
  CHECK(history.epochs[static_cast<std::size_t>(history.best)].best);
}
