// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/roc.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "siena/core/random.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

// Pairs counted one by one.
double pair_auc(const std::vector<double>& scores, const std::vector<std::int32_t>& labels) {
  double won = 0, pairs = 0;
  for (std::size_t p = 0; p < scores.size(); ++p) {
    for (std::size_t n = 0; n < scores.size(); ++n) {
      if (labels[p] != 1 || labels[n] != 0) continue;
      won += scores[p] > scores[n] ? 1 : scores[p] == scores[n] ? 0.5 : 0;
      ++pairs;
    }
  }
  return won / pairs;
}

// The curve point by point, one for every threshold, integrated by many thin slices.
double sliced_partial_auc(const std::vector<double>& scores, const std::vector<std::int32_t>& labels, double max_fpr) {
  std::vector<double> fpr{0}, tpr{0};
  const std::set<double, std::greater<>> thresholds(scores.begin(), scores.end());
  const double positives = static_cast<double>(std::count(labels.begin(), labels.end(), 1));
  const double negatives = static_cast<double>(labels.size()) - positives;
  for (const double threshold : thresholds) {
    double x = 0, y = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (scores[i] >= threshold) ++(labels[i] == 1 ? y : x);
    }
    fpr.push_back(x / negatives);
    tpr.push_back(y / positives);
  }
  const auto height = [&](double at) {  // away from the vertical pieces
    std::size_t k = 1;
    while (fpr[k] < at) ++k;
    return tpr[k - 1] + (tpr[k] - tpr[k - 1]) * (at - fpr[k - 1]) / (fpr[k] - fpr[k - 1]);
  };
  const int slices = 20000;
  double area = 0;
  for (int s = 0; s < slices; ++s) area += height(max_fpr * (s + 0.5) / slices) * max_fpr / slices;
  return 0.5 * (1 + (area - max_fpr * max_fpr / 2) / (max_fpr - max_fpr * max_fpr / 2));
}

}  // namespace

TEST_CASE("the area under the curve counts pairs, ties as half of one") {
  Random random(6);
  for (int turn = 0; turn < 200; ++turn) {
    const auto size = 2 + random.below(60);
    const std::uint64_t values = 2 + random.below(turn % 2 == 0 ? 5 : 1000);  // few: many ties
    std::vector<double> scores;
    std::vector<std::int32_t> labels;
    for (std::uint64_t i = 0; i < size; ++i) {
      labels.push_back(i < 2 ? static_cast<std::int32_t>(i) : random.chance(0.3) ? 1 : 0);
      scores.push_back(static_cast<double>(random.below(values)) + (labels.back() == 1 ? 1 : 0));
    }
    REQUIRE(roc_auc(scores, labels) == Approx(pair_auc(scores, labels)).margin(1e-12));
    if (turn < 40) {
      for (const double max_fpr : {0.1, 0.35, 0.99}) {
        REQUIRE(roc_auc(scores, labels, max_fpr) == Approx(sliced_partial_auc(scores, labels, max_fpr)).margin(2e-4));
      }
    }
  }
}

TEST_CASE("known areas") {
  // The example of scikit-learn's documentation: 0.75.
  REQUIRE(roc_auc(std::vector<double>{0.1, 0.4, 0.35, 0.8}, std::vector<std::int32_t>{0, 0, 1, 1}) == 0.75);
  const std::vector<std::int32_t> labels{0, 0, 0, 1, 1};
  for (const double max_fpr : {0.1, 0.5, 1.0}) {
    REQUIRE(roc_auc(std::vector<double>{1, 2, 3, 4, 5}, labels, max_fpr) == Approx(1));
    REQUIRE(roc_auc(std::vector<double>{7, 7, 7, 7, 7}, labels, max_fpr) == Approx(0.5));
  }
  REQUIRE(roc_auc(std::vector<double>{5, 4, 3, 2, 1}, labels) == 0);
  // The one false positive comes first: nothing below a rate of 1/3, so (1 + (0 - 0.005) / 0.095) / 2.
  REQUIRE(roc_auc(std::vector<double>{9, 2, 3, 4, 5}, labels, 0.1) == Approx(0.5 * (1 - 0.005 / 0.095)));
  const double infinity = std::numeric_limits<double>::infinity();
  REQUIRE(roc_auc(std::vector<double>{-infinity, 0, 0, 1, infinity}, labels) == 1);

  REQUIRE_THROWS_WITH(roc_auc(std::vector<double>{1, 2}, std::vector<std::int32_t>{1, 1}), ContainsSubstring("got 2 and 0"));
  REQUIRE_THROWS_AS(roc_auc({}, {}), DataError);
  REQUIRE_THROWS_AS(roc_auc(std::vector<double>{1, std::nan("")}, std::vector<std::int32_t>{1, 0}), DataError);
  REQUIRE_THROWS_AS(roc_auc(std::vector<double>{1, 2}, std::vector<std::int32_t>{1, 2}), DataError);
  REQUIRE_THROWS_AS(roc_auc(std::vector<double>{1, 2}, std::vector<std::int32_t>{1}), ShapeError);
  REQUIRE_THROWS_AS(roc_auc(std::vector<double>{1, 2}, std::vector<std::int32_t>{1, 0}, 0), ArgumentError);
}

TEST_CASE("machines are scored one by one, and count the same") {
  std::vector<data::Recording> recordings;
  std::vector<double> scores;
  const auto add = [&](const char* machine, bool anomaly, double score) {
    recordings.push_back({.machine = machine, .anomaly = anomaly});
    scores.push_back(score);
  };
  add("02", false, 100);
  add("01", true, 2);
  add("01", false, 1);
  add("02", true, 100);
  add("02", false, 99);
  const AnomalyReport report = score_machines(scores, recordings);
  REQUIRE(report.machines.size() == 2);
  REQUIRE(report.machines[0].machine == "01");
  REQUIRE(report.machines[0].auc == 1);
  REQUIRE(report.machines[0].pauc == 1);
  REQUIRE(report.machines[1].auc == 0.75);
  REQUIRE(report.machines[1].normal == 2);
  REQUIRE(report.auc == 0.875);
  REQUIRE(report.pauc == Approx((1 + roc_auc(std::vector<double>{100, 100, 99}, std::vector<std::int32_t>{0, 1, 0}, 0.1)) / 2));
  REQUIRE(report.to_string().find("mean                        0.8750") != std::string::npos);
  add("03", true, 1);
  REQUIRE_THROWS_WITH(score_machines(scores, recordings), ContainsSubstring("machine '03', got 0 and 1"));
  scores.pop_back();
  REQUIRE_THROWS_AS(score_machines(scores, recordings), ShapeError);
  REQUIRE_THROWS_AS(score_machines({}, {}), DataError);
}

TEST_CASE("what is of no class has no part in the curve") {
  const std::vector<double> scores{0.1, 0.9, 0.4, 0.35, 0.8}, few{0.1, 0.4, 0.35, 0.8};
  REQUIRE(roc_auc(scores, std::vector<std::int32_t>{0, no_class, 0, 1, 1}) ==
          roc_auc(few, std::vector<std::int32_t>{0, 0, 1, 1}));
  REQUIRE_THROWS_WITH(roc_auc(few, std::vector<std::int32_t>{0, 2, 1, 1}), ContainsSubstring("0 or 1, or -1 (no class)"));
}
