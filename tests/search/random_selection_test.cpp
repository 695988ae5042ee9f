// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/search/random_selection.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

#include "search/small.hpp"
#include "siena/constraints/bound.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/model_size.hpp"
#include "support/catch.hpp"
#include "support/random_network.hpp"

using namespace siena;

TEST_CASE("random_selection: keeps the bounds, and nothing fits any more") {
  test::Small small;
  const auto bounds = subject_to(AtMost{Params{}, 150});
  std::set<std::int64_t> widths;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Selection found = random_selection({small.network, small.space, bounds}, seed);
    REQUIRE(small.feasible(bounds, found));
    REQUIRE_FALSE(small.fits_another(bounds, found));
    REQUIRE(found == random_selection({small.network, small.space, bounds}, seed));
    const std::vector<bool> kept = small.keep(found, small.a);
    widths.insert(std::count(kept.begin(), kept.end(), true));
  }
  CHECK(widths == std::set<std::int64_t>{3, 4, 5});  // 27 A + A B + 4 B weights: beside 8, some or 1 of the other layer
}

TEST_CASE("random_selection: everything where that fits, and an error where nothing does") {
  test::Small small;
  CHECK(random_selection({small.network, small.space, {}}, 1) == small.all());
  const auto least = subject_to(AtMost{Params{}, 32});
  CHECK(small.cost(random_selection({small.network, small.space, least}, 1)) == 32);
  const auto none = subject_to(AtMost{Params{}, 31});
  CHECK_THROWS_AS(random_selection({small.network, small.space, none}, 1), ConstraintError);
}

TEST_CASE("random_selection: shares are of what each layer has") {
  Network network({4, 4, 3}, [](const Flow& x) {
    const Flow wide = (x | Searchable{Conv2d{.out = 96}, Channels{}}).named("wide") | Relu{};
    const Flow thin = (wide | Searchable{Conv2d{.out = 12}, Channels{}}).named("thin") | Relu{};
    return thin | GlobalAvgPool{} | Linear{.out = 2};
  });
  const SearchSpace space = SearchSpace::install(network);
  const auto bounds = subject_to(AtMost{Params{}, 400});
  double wide = 0, thin = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Architecture<double> found = describe(network, space, random_selection({network, space, bounds}, seed));
    wide += found.layers[0].out_channels / 96, thin += found.layers[2].out_channels / 12;
  }
  CHECK(wide / thin == Approx(1).epsilon(0.3));
}

TEST_CASE("random_selection: along every axis, of any network") {
  std::set<std::vector<int>> alternatives;
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    CAPTURE(seed);
    test::RandomNetwork random(100 + seed % 4, seed % 2 == 0, seed % 3 == 0);
    Network network = random.make();
    const SearchSpace space = SearchSpace::install(network);
    const double whole = total(ModelSize{}, describe(network, space, space.full())),
                 least = total(ModelSize{}, describe(network, space, space.smallest()));
    const auto bounds = subject_to(AtMost{ModelSize{}, std::midpoint(least, std::max(least, whole))}, AtMost{Macs{}, 1e9});
    const Problem problem{network, space, bounds};
    const Selection found = random_selection(problem, seed);
    REQUIRE(bounds.feasible(problem.describe(found)));
    for_each_move(network, space, found, Direction::back, [&](const Move& move) {
      CHECK((move.size == 0 || !bounds.feasible(problem.describe(move.to))));
      return false;
    });
    if (seed % 4 == 0) {
      std::vector<int> taken;
      for (const std::vector<int>& choice : found["choices"]) taken.insert(taken.end(), choice.begin(), choice.end());
      alternatives.insert(taken);
    }
  }
  CHECK(alternatives.size() > 1);
}
