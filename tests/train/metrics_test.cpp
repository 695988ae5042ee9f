// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/metrics.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

TEST_CASE("the largest output is the answer") {
  const Tensor outputs({4, 3}, {1, 2, 3, -1, -2, -3, 0, 5, 5, 2, 2, 2});
  CHECK(count_correct(outputs, std::vector<std::int32_t>{2, 0, 1, 0}) == 4);  // the first of equals
  CHECK(count_correct(outputs, std::vector<std::int32_t>{2, 1, 2, -1}) == 1);
  const float nan = std::numeric_limits<float>::quiet_NaN();  // a network that has gone astray is right nowhere, not at class 0
  CHECK(count_correct(Tensor({3, 3}, {nan, nan, nan, nan, 1, 2, 1, nan, 2}), std::vector<std::int32_t>{0, 0, 2}) == 1);
  REQUIRE_THROWS_WITH(count_correct(outputs, std::vector<std::int32_t>{1}), ContainsSubstring("expected 4 labels"));
}

TEST_CASE("the right answer may be the largest target") {
  const Tensor outputs({3, 2}, {1, 2, 3, -1, 0, 5});
  CHECK(count_correct(outputs, Tensor({3, 2}, {0.4f, 0.6f, 0.1f, 0.9f, 0.5f, 0.5f})) == 1);
}

TEST_CASE("padding is no answer") {
  Tensor outputs({1, 3}, {1, 2, 3});
  outputs.storage()[5] = 100;
  CHECK(count_correct(outputs, std::vector<std::int32_t>{2}) == 1);
}

TEST_CASE("accuracies are read in percent, what is none has no unit") {
  CHECK(metric_text("accuracy", 0.8125) == "81.25 %");
  CHECK(metric_text("auc", 0.75) == "0.7500");
  CHECK(metric_text("auc", Metrics::none) == "-");
}

TEST_CASE("running metrics count samples, not batches") {
  RunningMetrics running;
  CHECK(running.mean().samples == 0);
  CHECK_FALSE(running.mean().has_accuracy());
  running.add(2.0, 3, 3);
  running.add(5.0, 0, 1);
  CHECK(running.mean().loss == Approx(2.75));
  CHECK(running.mean().accuracy == Approx(0.75));
  CHECK(running.mean().samples == 4);

  running.add(0.0, 0, 0);  // a batch of samples of no class
  CHECK(running.mean().loss == Approx(2.75));
  CHECK(running.mean().accuracy == Approx(0.75));

  RunningMetrics without;
  without.add(1.0, -1, 4);
  CHECK(without.mean().loss == 1);
  CHECK_FALSE(without.mean().has_accuracy());
}

TEST_CASE("the standard error of an accuracy is never 0, for it is never known") {
  const auto error = [](double accuracy, std::int64_t samples) {
    return Metrics{.accuracy = accuracy, .samples = samples}.standard_error();
  };
  CHECK(error(0.5, 96) == Approx(0.05));
  CHECK(error(0.8, 10000) == Approx(0.004).epsilon(1e-3));
  CHECK(error(1, 96) == Approx(std::sqrt(0.98 * 0.02 / 100)));
  CHECK(error(0, 96) == Approx(error(1, 96)));
}
