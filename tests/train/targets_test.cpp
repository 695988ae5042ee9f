// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Trainings by what is no class, from the loader to the metrics.

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "siena/data/balanced_weights.hpp"
#include "siena/train/distill.hpp"
#include "siena/train/loop.hpp"
#include "siena/train/multi_label_report.hpp"
#include "siena/train/regression_report.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {

enum class Told { numbers, labels, votes, classes };

// Points of the plane, and what is told of them: the numbers 2x - y and y + 1; on which side of both axes they lie; the votes
// of ten people for the sides of one axis; or the side itself, of a quarter of the points alone.
data::Dataset points(Told told, std::int64_t size, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values, targets;
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < size; ++i) {
    const auto x = static_cast<float>(random.normal()), y = static_cast<float>(random.normal());
    values.insert(values.end(), {x, y});
    const float votes = std::round(10 / (1 + std::exp(-3 * x))) / 10;
    if (told == Told::numbers) targets.insert(targets.end(), {2 * x - y, y + 1});
    if (told == Told::labels) targets.insert(targets.end(), {x > 0 ? 1.0f : 0.0f, y > 0 ? 1.0f : 0.0f});
    if (told == Told::votes) targets.insert(targets.end(), {1 - votes, votes});
    if (told == Told::classes) labels.push_back(i % 4 == 0 ? (x > 0 ? 1 : 0) : no_class);
  }
  return data::Dataset::from_floats(std::move(values),
                                    {.shape = {2}, .labels = std::move(labels), .targets = std::move(targets)});
}

Network two_outputs(std::uint64_t seed = 0) {
  return Network(
      Shape{2}, [](const Flow& x) { return x | Linear{.out = 2}; }, seed);
}

FitOptions quick(Objective objective) {
  return {.epochs = 20, .batch = 32, .optimizer = Adam{.lr = 0.05}, .keep_best = true, .objective = std::move(objective)};
}

std::vector<float> weights_of(const Network& network) {
  std::vector<float> values;
  network.parameter(0).value.copy_to(values);
  return values;
}

}  // namespace

TEST_CASE("numbers are learnt, and judged by how far off they are") {
  Network network = two_outputs();
  const auto train = points(Told::numbers, 256, 1), test = points(Told::numbers, 100, 2);
  const History history = fit(network, train, test, quick(regression()));
  CHECK_FALSE(history.epochs.back().validation.has_accuracy());
  int lowest = 0;
  for (int e = 0; e < 20; ++e)
    if (history.epochs[e].validation.loss < history.epochs[lowest].validation.loss) lowest = e;
  CHECK(history.best == lowest);  // by loss: there is no accuracy
  const Metrics metrics = evaluate(network, test, 256, regression());
  CHECK(metrics.loss == history.epochs[lowest].validation.loss);

  const RegressionReport report = regression_report(network, test);
  CHECK(report.samples == 100);
  CHECK(report.mean.r2 > 0.99);
  CHECK((std::pow(report.outputs[0].rmse, 2) + std::pow(report.outputs[1].rmse, 2)) / 2 == Approx(metrics.loss));
}

TEST_CASE("errors of numbers, by hand") {
  Network network = two_outputs();
  network.parameter(0).value.fill(0);
  network.parameter(1).value.assign(std::vector<float>{1, 5});  // whatever comes in
  const auto dataset = data::Dataset::from_floats({0, 0, 0, 0, 0, 0}, {.shape = {2}, .targets = {0, 5, 2, 5, 4, 5}});
  const RegressionReport report = regression_report(network, dataset);
  CHECK(report.outputs[0].mae == Approx(5.0 / 3));
  CHECK(report.outputs[0].rmse == Approx(std::sqrt(11.0 / 3)));
  CHECK(report.outputs[0].r2 == Approx(1 - 11.0 / 8));
  CHECK(report.outputs[1].r2 == 1);  // never changes, and is right
  CHECK(report.mean.mae == Approx(5.0 / 6));
  CHECK(report.to_string() ==
        "          output         MAE        RMSE        R2\n"
        "               0       1.667       1.915   -0.3750\n"
        "               1           0           0    1.0000\n"
        "            mean      0.8333      0.9574    0.3125\n");
}

TEST_CASE("reports refuse what they cannot judge, and name what can") {
  Network network = two_outputs(), three(Shape{2}, [](const Flow&x) { return x | Linear{.out = 3}; });
  const auto numbers = points(Told::numbers, 4, 1), classes = points(Told::classes, 4, 1);
  for (const auto& report : {std::function([&] { regression_report(network, classes); }),
                             std::function([&] { multi_label_report(network, classes); })})
    CHECK_THROWS_WITH(report(), ContainsSubstring("expected samples with targets, got none in 'dataset'; its samples have "
                                                  "labels: classification() learns those, confusion() judges them"));
  CHECK_THROWS_WITH(regression_report(three, numbers),
                    ContainsSubstring("regression_report: expected a network with 2 outputs, one a target of 'dataset', got "
                                      "outputs of 3"));
  CHECK_THROWS_WITH(
      multi_label_report(network, data::Dataset::from_floats({0, 0, 1, 1}, {.shape = {2}, .targets = {0, 1, 1, 4.06f}})),
      ContainsSubstring("multi_label_report: expected targets from 0 to 1, a number a label, got 4.06 for sample 1"));
  CHECK_THROWS_WITH(regression_report(network, numbers.take(0)), ContainsSubstring("expected samples, got none"));
  CHECK_THROWS_WITH(confusion(network, numbers),
                    "confusion: expected samples with labels, got none in 'dataset'; for targets "
                    "see regression_report and multi_label_report");
  CHECK_THROWS_WITH(top_k_accuracy(network, numbers), ContainsSubstring("top_k_accuracy: expected samples with labels"));
  CHECK_THROWS_WITH(evaluate(network, numbers), ContainsSubstring("for numbers give regression() as the objective, for several "
                                                                  "labels at once multi_label(), to evaluate() too"));
}

TEST_CASE("several labels are learnt, each by itself") {
  Network network = two_outputs();
  const auto train = points(Told::labels, 256, 1), test = points(Told::labels, 100, 2);
  fit(network, train, test, quick(multi_label()));
  const MultiLabelReport report = multi_label_report(network, test);
  CHECK(report.macro().f1 > 0.9);
  CHECK(report.all_right > 0.85);
  const MultiLabelReport strict = multi_label_report(network, test, 0.999);
  CHECK(strict.micro().recall < report.micro().recall);
}

TEST_CASE("several labels, judged by hand") {
  Network network = two_outputs();
  network.parameter(0).value.assign(std::vector<float>{1, 0, 0, 1});  // outputs are inputs
  const auto dataset =
      data::Dataset::from_floats({1, 1, 1, -1, -1, 1, -1, -1}, {.shape = {2}, .targets = {1, 1, 0, 0, 1, 0, 0, 0}})
          .described({.classes = {"a", "b"}});
  const MultiLabelReport report = multi_label_report(network, dataset);
  CHECK(report.names == std::vector<std::string>{"a", "b"});
  CHECK(report.labels[0] == HitCounts{.hits = 1, .misses = 1, .false_alarms = 1});
  CHECK(report.labels[1] == HitCounts{.hits = 1, .misses = 0, .false_alarms = 1});
  CHECK(report.all_right == 0.5);
  CHECK(report.macro().f1 == Approx((0.5 + 2.0 / 3) / 2));
  CHECK(report.micro().f1 == Approx(4.0 / 7));
  CHECK(report.to_string() ==
        "           label  precision  recall      F1\n"
        "               a      50.0%   50.0%   50.0%\n"
        "               b      50.0%  100.0%   66.7%\n"
        "           macro      50.0%   75.0%   58.3%\n"
        "           micro      50.0%   66.7%   57.1%\n"
        "every label right: 50.0 % of 4 samples\n");
}

TEST_CASE("soft labels are learnt as the probabilities that they are") {
  Network network = two_outputs();
  const auto train = points(Told::votes, 256, 1), test = points(Told::votes, 100, 2);
  const History history = fit(network, train, test, quick(classification()));
  CHECK(history.epochs.back().validation.accuracy > 0.9);
  for_each_prediction(network, test, [&](const data::Batch& batch, const Tensor& outputs) {
    for (std::int64_t r = 0; r < batch.size(); ++r)
      CHECK(std::abs(1 / (1 + std::exp(outputs(r, 0) - outputs(r, 1))) - batch.targets(r, 1)) < 0.1f);
  });
}

TEST_CASE("samples of no class change nothing but what a batch is") {
  const auto all = points(Told::classes, 64, 3);
  std::vector<std::int64_t> of_a_class;
  for (std::int64_t i = 0; i < all.size(); ++i)
    if (all.label(i) != no_class) of_a_class.push_back(i);
  const auto few = all.subset(of_a_class);
  FitOptions options{.epochs = 5, .batch = 64, .schedule = ConstantLr{}};
  Network with = two_outputs(), without = two_outputs();
  const History one = fit(with, all, all, options), other = fit(without, few, few, options);
  for (std::size_t i = 0; i < 4; ++i) CHECK(weights_of(with)[i] == Approx(weights_of(without)[i]).epsilon(1e-4));
  CHECK(one.epochs.back().validation.samples == 16);
  CHECK(one.epochs.back().train.samples == 16);
  CHECK(one.epochs.back().validation.loss == Approx(other.epochs.back().validation.loss).epsilon(1e-4));
  CHECK(one.epochs.back().validation.accuracy == other.epochs.back().validation.accuracy);
}

TEST_CASE("weights of classes move a border toward the frequent class") {
  Random random(5);
  std::vector<float> values;
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 400; ++i) {
    labels.push_back(i % 20 == 0 ? 1 : 0);  // overlapping: one sample in twenty is of class 1
    values.insert(values.end(), {static_cast<float>(random.normal() + labels.back()), 0});
  }
  const auto dataset = data::Dataset::from_floats(values, {.shape = {2}, .labels = labels});
  const auto recall_of_rare = [&](const ClassificationOptions& options) {
    Network network = two_outputs();
    FitOptions fitting = quick(classification(options));
    fitting.keep_best = false;
    fit(network, dataset, dataset, fitting);
    return confusion(network, dataset).of(1).recall();
  };
  CHECK(recall_of_rare({}) < 0.2);
  CHECK(recall_of_rare({.class_weights = data::balanced_weights(dataset)}) > 0.5);
}

TEST_CASE("what an objective cannot use is refused before training") {
  Network network = two_outputs();
  const auto numbers = points(Told::numbers, 32, 1), classes = points(Told::classes, 32, 1);
  const auto before = weights_of(network);
  REQUIRE_THROWS_WITH(fit(network, numbers, classes, quick(regression())),
                      ContainsSubstring("regression: expected samples with"));
  REQUIRE_THROWS_WITH(fit(network, numbers, classes, quick(classification())), ContainsSubstring("add up to 1"));
  CHECK(weights_of(network) == before);
  REQUIRE_THROWS_AS(evaluate(network, classes, 8, multi_label()), DataError);
}

TEST_CASE("a training goes on with the objective that it began with") {
  const test::TemporaryFolder folder("siena_objective");
  const auto dataset = points(Told::classes, 32, 1);
  const auto run = [&](const Objective& objective, bool resume) {
    Network network = two_outputs();
    fit(network, dataset, {}, {.epochs = 2, .objective = objective, .checkpoint = {.folder = folder.path, .resume = resume}});
  };
  run(classification({.label_smoothing = 0.1}), false);
  run(classification({.label_smoothing = 0.1}), true);
  REQUIRE_THROWS_WITH(run(classification({.label_smoothing = 0.2}), true), ContainsSubstring("label smoothing 0.2"));
  REQUIRE_THROWS_WITH(run(classification({.label_smoothing = 0.1, .class_weights = {1, 2}}), true),
                      ContainsSubstring("weights of classes 1 2"));
}
