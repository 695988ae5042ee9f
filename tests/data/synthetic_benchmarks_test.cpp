// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/synthetic_benchmarks.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "siena/core/parallel.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::data;

namespace {

double distance_of(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += (double{a[k]} - double{b[k]}) * (double{a[k]} - double{b[k]});
  return sum;
}

// The share of `test` whose nearest neighbour in `train` is of its class.
double neighbour_accuracy(const Dataset& train, const Dataset& test) {
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < test.size(); ++i) {
    std::pair<double, std::int32_t> nearest{std::numeric_limits<double>::infinity(), -1};
    for (std::int64_t j = 0; j < train.size(); ++j) {
      nearest = std::min(nearest, {distance_of(test.floats(i), train.floats(j)), train.label(j)});
    }
    right += nearest.second == test.label(i) ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(test.size());
}

}  // namespace

TEST_CASE("synthetic keywords have the shape of MFCCs and can be told apart") {
  const SyntheticSizes sizes{.train = 600, .validation = 24, .test = 120, .seed = 2};
  const Splits data = synthetic_keywords(sizes);
  REQUIRE(data.shape() == Shape{49, 10, 1});
  REQUIRE(data.classes() == 12);
  REQUIRE(data.validation.size() == 24);
  REQUIRE(data.test.label(11) == 11);
  REQUIRE(data.test.normalization().mean == measure(data.train).mean);
  REQUIRE(data.test.preparation().classes == mlperf_keywords());
  const double accuracy = neighbour_accuracy(data.train, data.test);
  REQUIRE(accuracy > 0.5);
  REQUIRE(accuracy < 0.99);  // and not for nothing
  set_threads(1);
  const Splits again = synthetic_keywords(sizes);
  set_threads(0);
  REQUIRE(distance_of(again.train.floats(599), data.train.floats(599)) == 0);
  REQUIRE(distance_of(data.test.floats(0), data.train.floats(0)) > 0);
  REQUIRE_THROWS_AS(synthetic_keywords({.train = 0}), ArgumentError);
  REQUIRE_THROWS_AS(synthetic_keywords({.train = std::int64_t{1} << 62}), DataError);
}

TEST_CASE("synthetic machines have the shape of ToyCar, and their anomalies stand out") {
  const SyntheticMachinesOptions options{.machines = 2, .train = 12, .validation = 2, .normal = 6, .anomalies = 5, .seed = 1};
  const MonitoredMachines data = synthetic_machines(options);
  REQUIRE(data.shape() == Shape{640});
  REQUIRE(data.train.size() == 2 * 12 * 20);
  REQUIRE(data.validation.size() == 2 * 2 * 20);
  REQUIRE(data.test.size() == 2 * 11 * 20);
  REQUIRE(data.recordings.size() == 22);
  std::vector<double> scores(static_cast<std::size_t>(data.test.size()));
  for (const Recording& recording : data.recordings) {
    for (std::int64_t w = 0; w < recording.windows; ++w) {
      REQUIRE(data.test.label(recording.first + w) == (recording.anomaly ? 1 : 0));
    }
    // Consecutive windows share four of five frames.
    const auto first = data.test.floats(recording.first), second = data.test.floats(recording.first + 1);
    REQUIRE(std::equal(first.begin() + 128, first.end(), second.begin()));
    double nearest = std::numeric_limits<double>::infinity();
    for (std::int64_t j = 0; j < data.train.size(); j += 7) {
      nearest = std::min(nearest, distance_of(first, data.train.floats(j)));
    }
    for (std::int64_t w = 0; w < recording.windows; ++w) scores[static_cast<std::size_t>(recording.first + w)] = nearest;
  }
  const auto means = mean_by_recording(scores, data.recordings);
  double pairs = 0, won = 0;
  for (std::size_t a = 0; a < means.size(); ++a) {
    for (std::size_t b = 0; b < means.size(); ++b) {
      if (!data.recordings[a].anomaly || data.recordings[b].anomaly) continue;
      ++pairs;
      won += means[a] > means[b] ? 1 : 0;
    }
  }
  REQUIRE(won / pairs > 0.8);
  REQUIRE(distance_of(synthetic_machines(options).test.floats(3), data.test.floats(3)) == 0);
  REQUIRE_THROWS_AS(synthetic_machines({.machines = 0}), ArgumentError);
  REQUIRE_THROWS_AS(synthetic_machines({.anomalies = 0}), ArgumentError);
  REQUIRE_THROWS_AS(synthetic_machines({.train = std::int64_t{1} << 62}), ArgumentError);
}

TEST_CASE("synthetic images of the other benchmarks") {
  const Splits people = synthetic_wake_words({.train = 4, .validation = 2, .test = 2});
  REQUIRE(people.shape() == Shape{96, 96, 3});
  REQUIRE(people.classes() == 2);
  REQUIRE(people.test.preparation().classes == std::vector<std::string>{"nobody", "person"});
  REQUIRE(people.test.preparation().colours == Colours::rgb);
  const Splits many = synthetic_tiny_imagenet({.train = 201, .validation = 1, .test = 3});
  REQUIRE(many.shape() == Shape{64, 64, 3});
  REQUIRE(many.classes() == 200);
  REQUIRE(many.train.label(200) == 0);
  std::set<std::pair<std::int64_t, std::int64_t>> pairs;
  for (std::int64_t c = 0; c < siena::data::detail::most_classes; ++c) {
    const auto pair = siena::data::detail::kinds_of_class(c);
    REQUIRE((pair.first >= 0 && pair.first < pair.second && pair.second < 24));
    pairs.insert(pair);
  }
  REQUIRE(pairs.size() == 276);
}
