// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/predictions.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "siena/data/synthetic_benchmarks.hpp"
#include "siena/train/roc.hpp"
#include "support/catch.hpp"

using namespace siena;

TEST_CASE("the label is among the k largest, the first of equals being the larger") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor outputs({4, 4}, {1, 2, 3, 4, 4, 4, 4, 4, 0, nan, 2, 1, nan, nan, nan, nan});
  const auto count = [&](std::vector<std::int32_t> labels, std::int64_t k) { return count_top_k(outputs, labels, k); };
  REQUIRE(count({3, 0, 2, -1}, 1) == 3);
  REQUIRE(count({2, 1, 3, -1}, 1) == 0);
  REQUIRE(count({2, 1, 3, -1}, 2) == 3);
  REQUIRE(count({0, 3, 1, 0}, 4) == 2);
  for (std::int32_t label = 0; label < 4; ++label) {
    REQUIRE(count_top_k(Tensor({1, 4}, {3, 1, 4, 1}), std::vector{label}, 1) ==
            count_correct(Tensor({1, 4}, {3, 1, 4, 1}), std::vector{label}));
  }
  REQUIRE_THROWS_AS(count({1, 1, 1, 1}, 0), ArgumentError);
  REQUIRE_THROWS_AS(count({1}, 1), ShapeError);
}

TEST_CASE("a confusion matrix says what was taken for what") {
  ConfusionMatrix matrix(3, {"cat", "dog", "salamander"});
  matrix.add(Tensor({5, 3}, {1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 5, 5, 0}), std::vector<std::int32_t>{0, 0, 1, -1, 2});
  REQUIRE(matrix.samples() == 4);
  REQUIRE(matrix.count(0, 0) == 1);
  REQUIRE(matrix.count(0, 1) == 1);
  REQUIRE(matrix.count(1, 1) == 1);
  REQUIRE(matrix.count(2, 0) == 1);
  REQUIRE(matrix.accuracy() == 0.5);
  REQUIRE(matrix.of(0) == HitCounts{.hits = 1, .misses = 1, .false_alarms = 1});
  REQUIRE(matrix.of(1).recall() == 1);
  REQUIRE(matrix.of(1).precision() == 0.5);
  REQUIRE(matrix.of(1).f1() == Approx(2.0 / 3));
  REQUIRE(std::isnan(matrix.of(2).precision()));
  REQUIRE(matrix.of(2).f1() == 0);
  // As scikit-learn's precision_recall_fscore_support(average="macro", zero_division=0).
  REQUIRE(matrix.macro().precision == Approx(1.0 / 3));
  REQUIRE(matrix.macro().recall == Approx(0.5));
  REQUIRE(matrix.macro().f1 == Approx((0.5 + 2.0 / 3) / 3));
  REQUIRE(matrix.to_string() ==
          "                   cat        dog salamander  precision  recall      F1\n"
          "        cat          1          1          0      50.0%   50.0%   50.0%\n"
          "        dog          0          1          0      50.0%  100.0%   66.7%\n"
          " salamander          1          0          0          -    0.0%    0.0%\n"
          "       mean                                       33.3%   50.0%   38.9%\n");
  REQUIRE_THROWS_AS(matrix.count(3, 0), ArgumentError);
  REQUIRE_THROWS_AS(matrix.add(Tensor({1, 2}, {1, 2}), std::vector<std::int32_t>{0}), ShapeError);
  REQUIRE_THROWS_AS(matrix.add(Tensor({1, 3}, {1, 2, 3}), std::vector<std::int32_t>{3}), DataError);
  REQUIRE_THROWS_AS(ConfusionMatrix(0), ArgumentError);
  REQUIRE_THROWS_AS(ConfusionMatrix(2, {"one"}), ArgumentError);
}

TEST_CASE("names are of classes or of targets, not of both") {
  using Names = std::vector<std::string>;
  const auto named = [](std::vector<std::int32_t> labels, std::vector<float> targets, Names names) {
    const std::int64_t classes = labels.empty() ? 0 : 3;
    return data::Dataset::from_floats({1, 2, 3}, {.shape = {1}, .labels = labels, .targets = targets, .classes = classes})
        .described({.classes = names});
  };
  const std::vector<float> speeds{1, 2, 3}, pairs{1, 2, 3, 4, 5, 6};
  REQUIRE(target_names(named({0, 1, 2}, speeds, {"still", "walking", "running"})) == Names{"0"});
  REQUIRE(target_names(named({0, 1, 2}, pairs, {"speed", "height"})) == Names{"speed", "height"});
  REQUIRE(target_names(named({}, pairs, {"speed", "height"})) == Names{"speed", "height"});
  REQUIRE(target_names(named({}, pairs, {})) == Names{"0", "1"});

  Network network({1}, [](const Flow& x) { return x | Linear{.out = 3}; });
  REQUIRE(confusion(network, named({0, 1, 2}, speeds, {"still", "walking", "running"})).names()[2] == "running");
  REQUIRE(confusion(network, named({0, 1, 2}, pairs, {"speed", "height"})).names() == Names{"0", "1", "2"});
}

TEST_CASE("predictions of a network, judged") {
  // A network that gives its three inputs back, first to last.
  Network network({3}, [](const Flow& x) { return x | Linear{.out = 3, .bias = false}; });
  const auto set_weights = [&](const Tensor& weights) {
    State state;
    state.put("linear_1.weight", weights);
    network.load(state);
  };
  set_weights(Tensor({3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1}));

  std::vector<float> values;
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 600; ++i) {  // more than a batch
    for (int c = 0; c < 3; ++c) values.push_back(c == i % 3 ? 1.0f : c == (i + 1) % 3 ? 0.5f : 0.0f);
    labels.push_back((i + i % 2) % 3);  // right for the even ones, second best for the others
  }
  const auto dataset = data::Dataset::from_floats(values, {.shape = {3}, .labels = labels});
  REQUIRE(top_k_accuracy(network, dataset, 1) == 0.5);
  REQUIRE(top_k_accuracy(network, dataset, 2) == 1);
  const ConfusionMatrix matrix = confusion(network, dataset);
  REQUIRE(matrix.samples() == 600);
  REQUIRE(matrix.accuracy() == 0.5);
  REQUIRE(matrix.count(1, 0) == 100);
  REQUIRE(confusion(network, dataset.described({.classes = {"a", "b", "c"}})).names()[2] == "c");
  for (const double error : reconstruction_errors(network, dataset)) REQUIRE(error == 0);

  set_weights(Tensor({3, 3}, {1, 2, 0, 0, 1, 0, 0, 0, 1}));  // output 1 grows by twice input 0
  const auto errors = reconstruction_errors(network, dataset);
  REQUIRE(errors.size() == 600);
  REQUIRE(errors[0] == Approx(4.0 / 3));
  REQUIRE(errors[1] == 0);
  REQUIRE(errors[2] == Approx(1.0 / 3));
  Network narrow({3}, [](const Flow& x) { return x | Linear{.out = 2}; });
  REQUIRE_THROWS_AS(reconstruction_errors(narrow, dataset), ShapeError);
}

TEST_CASE("machines are judged by what a network cannot reconstruct") {
  const auto machines = data::synthetic_machines({.machines = 2, .train = 2, .validation = 1, .normal = 2, .anomalies = 2});
  Network network({640}, [](const Flow& x) { return x | Linear{.out = 2} | Linear{.out = 640}; });
  const std::vector<double> errors = reconstruction_errors(network, machines.test);
  const AnomalyReport report = score_machines(data::mean_by_recording(errors, machines.recordings), machines.recordings);
  REQUIRE(errors.size() == 160);
  REQUIRE(report.machines.size() == 2);
  REQUIRE(report.machines[1].machine == "02");
  REQUIRE((report.auc >= 0 && report.auc <= 1));
}
