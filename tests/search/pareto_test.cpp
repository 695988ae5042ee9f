// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/search/pareto.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "siena/core/random.hpp"
#include "support/catch.hpp"

using namespace siena;

TEST_CASE("the front of four networks") {
  const std::vector<ParetoPoint> points{{{100}, 0.9}, {{50}, 0.8}, {{60}, 0.7}, {{20}, 0.5}};
  CHECK(pareto_front(points) == std::vector<std::size_t>{3, 1, 0});  // by rising cost; 60 for 0.7 is beaten by 50 for 0.8
}

TEST_CASE("equal points are all on the front, or none is") {
  const std::vector<ParetoPoint> points{{{2, 3}, 0.5}, {{2, 3}, 0.5}, {{4, 4}, 0.4}, {{4, 4}, 0.4}};
  CHECK(pareto_front(points) == std::vector<std::size_t>{0, 1});
  const std::vector<ParetoPoint> same_cost{{{2}, 0.5}, {{2}, 0.6}};
  CHECK(pareto_front(same_cost) == std::vector<std::size_t>{1});
  const std::vector<ParetoPoint> same_value{{{3}, 0.5}, {{2}, 0.5}};
  CHECK(pareto_front(same_value) == std::vector<std::size_t>{1});
}

TEST_CASE("fronts of nothing, of one point, and without costs") {
  CHECK(pareto_front({}).empty());
  const std::vector<ParetoPoint> one{{{1, 2, 3}, -1}};
  CHECK(pareto_front(one) == std::vector<std::size_t>{0});
  const std::vector<ParetoPoint> free{{{}, 1}, {{}, 3}, {{}, 2}, {{}, 3}};
  CHECK(pareto_front(free) == std::vector<std::size_t>{1, 3});
}

TEST_CASE("random fronts are what their definition says") {
  Random random(7);
  for (int turn = 0; turn < 300; ++turn) {
    const std::size_t count = 1 + random.below(40), costs = random.below(4);
    std::vector<ParetoPoint> points(count);
    for (ParetoPoint& point : points) {  // few different numbers: many ties
      for (std::size_t i = 0; i < costs; ++i) point.costs.push_back(static_cast<double>(random.below(6)));
      point.value = static_cast<double>(random.below(6));
    }
    const std::vector<std::size_t> front = pareto_front(points);
    for (std::size_t i = 0; i < count; ++i) {
      bool beaten = false;
      for (const ParetoPoint& other : points) {
        bool no_worse = other.value >= points[i].value, different = other.value != points[i].value;
        for (std::size_t c = 0; c < costs; ++c) {
          no_worse = no_worse && other.costs[c] <= points[i].costs[c];
          different = different || other.costs[c] != points[i].costs[c];
        }
        beaten = beaten || (no_worse && different);
      }
      REQUIRE(beaten == (std::count(front.begin(), front.end(), i) == 0));
    }
    REQUIRE(std::is_sorted(front.begin(), front.end(),
                           [&](std::size_t a, std::size_t b) { return points[a].costs < points[b].costs; }));
  }
}

TEST_CASE("points that cannot be compared are refused") {
  const std::vector<ParetoPoint> ragged{{{1, 2}, 1}, {{1}, 1}};
  CHECK_THROWS_WITH(pareto_front(ragged), ContainsSubstring("expected 2 costs") && ContainsSubstring("got 1 at point 1"));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<ParetoPoint> missing{{{1}, 1}, {{nan}, 1}}, unmeasured{{{1}, nan}};
  CHECK_THROWS_WITH(pareto_front(missing), ContainsSubstring("got NaN in point 1"));
  CHECK_THROWS_WITH(pareto_front(unmeasured), ContainsSubstring("got NaN in point 0"));
}
