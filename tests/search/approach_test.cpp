// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/search/approach.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "search/small.hpp"
#include "siena/constraints/bound.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/data/synthetic.hpp"
#include "siena/search/search.hpp"
#include "siena/train/events.hpp"
#include "support/catch.hpp"

using namespace siena;

TEST_CASE("approach: violations fall by the same factor in every step, down to the limits") {
  const Approach approach({3.0, -0.5, 0.0});
  CHECK(approach.allowed(0)[0] == Approx(3));
  CHECK(approach.allowed(0.5)[0] == Approx(1));
  CHECK(approach.allowed(0.75)[0] == Approx(std::sqrt(2.0) - 1));
  CHECK(approach.allowed(1)[0] == 0);
  CHECK(approach.allowed(0.5)[1] == 0);  // held at the start
  CHECK(approach.allowed(0)[2] == 0);
}

TEST_CASE("approach: drops what is worth least, and no more than is asked for") {
  test::Small small;
  small.set_importance("a", {8, 7, 6, 5, 4, 3, 2, 1});
  const ConstraintSet bounds = subject_to(AtMost{Params{}, 78});  // a quarter of 312
  const Problem problem{small.network, small.space, bounds};
  const Approach approach(problem.violations(small.all()));
  CHECK(approach.drop(problem, small.all(), 0) == small.all());
  const Selection half = approach.drop(problem, small.all(), 0.5);
  CHECK(small.cost(half) <= 156);
  CHECK(small.cost(half) > 156 - 35);  // one channel less would have been too little
  const std::vector<bool> a = small.keep(half, small.a);
  CHECK(std::is_sorted(a.begin(), a.end(), std::greater<>()));  // the last ones went
  CHECK(small.feasible(bounds, approach.drop(problem, half, 1)));
}

TEST_CASE("approach: a search comes to a far bound step by step, however weak its formulation") {
  const data::Splits images =
      data::synthetic_images({.classes = 4, .height = 8, .width = 8, .train = 320, .validation = 64, .test = 8, .noise = 0.02});
  struct Costs {
    std::vector<double>& all;
    void on_epoch(const EpochEvent& event) { all.push_back(event.bounds.at(0).value); }
  };
  const auto costs = [&](double lead) {
    std::vector<double> all;
    (void)search(Network({8, 8, 3},
                         [](const Flow& x) {
                           const Searchable conv{Conv2d{.out = 16, .kernel = 3}, Channels{}};
                           return x | conv | BatchNorm{} | Relu{} | conv | BatchNorm{} | Relu{} | GlobalAvgPool{} |
                                  Linear{.out = 4};
                         }),
                 images, subject_to(AtMost{Params{}, 280}), Duccio{.kappa = 1e-9},
                 {.warmup = 0, .epochs = 10, .batch = 32, .settle = 0.5, .lead = lead, .seed = 1}, Costs{all});
    return all;
  };
  const std::vector<double> alone = costs(1), nearer = costs(0.2);
  REQUIRE(nearer.size() == 10);
  const double whole = 27 * 16 + 9 * 256 + 64;
  CHECK(alone[3] == whole);  // nothing has moved when masks settle
  CHECK(nearer[0] == whole);
  // After epoch e, a tenth of the search each, the way is (e / 5 - 0.2) / 0.8 done; the last step is a little earlier.
  for (int e = 2; e <= 4; ++e) {
    const double part = (e / 5.0 - 0.02 - 0.2) / 0.8;
    CHECK(nearer[static_cast<std::size_t>(e - 1)] <= 280 * std::pow(whole / 280, 1 - part) * 1.0001);
    CHECK(nearer[static_cast<std::size_t>(e - 1)] > 280);
  }
  CHECK(nearer[9] <= 280);
  CHECK(alone[9] <= 280);
}
