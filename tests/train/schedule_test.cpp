// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/schedule.hpp"

#include <cmath>

#include "support/catch.hpp"

using namespace siena;

TEST_CASE("schedules at known points") {
  CHECK(factor(ConstantLr{}, 7.3, 10) == 1);

  CHECK(factor(StepLr{.every = 7, .gamma = 0.1}, 6.99, 30) == Approx(1));
  CHECK(factor(StepLr{.every = 7, .gamma = 0.1}, 7, 30) == Approx(0.1));
  CHECK(factor(StepLr{.every = 7, .gamma = 0.1}, 21.5, 30) == Approx(0.001));

  const MilestoneLr milestones{.at = {12, 24}, .gamma = 0.2};
  CHECK(factor(milestones, 11.9, 36) == Approx(1));
  CHECK(factor(milestones, 12, 36) == Approx(0.2));
  CHECK(factor(milestones, 35, 36) == Approx(0.04));

  const PiecewiseLr pieces{.pieces = {{50, 0.5}, {100, 0.25}, {150, 0.1}}};
  CHECK(factor(pieces, 49.9, 200) == 1);
  CHECK(factor(pieces, 50, 200) == 0.5);
  CHECK(factor(pieces, 149, 200) == 0.25);
  CHECK(factor(pieces, 199, 200) == 0.1);

  CHECK(factor(ExponentialLr{.gamma = 0.99}, 0, 500) == 1);
  CHECK(factor(ExponentialLr{.gamma = 0.99}, 2, 500) == Approx(0.9801));

  CHECK(factor(CosineLr{}, 0, 10) == Approx(1));
  CHECK(factor(CosineLr{}, 2.5, 10) == Approx(0.5 + std::sqrt(0.125)));
  CHECK(factor(CosineLr{}, 5, 10) == Approx(0.5));
  CHECK(factor(CosineLr{}, 10, 10) == Approx(0).margin(1e-12));
  CHECK(factor(CosineLr{.floor = 0.1}, 10, 10) == Approx(0.1));
  CHECK(factor(CosineLr{.floor = 0.1}, 5, 10) == Approx(0.55));
}

TEST_CASE("a warm-up rises linearly to the schedule") {
  CHECK(factor(ConstantLr{.warmup = 4}, 0, 10) == 0);
  CHECK(factor(ConstantLr{.warmup = 4}, 1, 10) == Approx(0.25));
  CHECK(factor(ConstantLr{.warmup = 4}, 4, 10) == 1);
  CHECK(factor(ConstantLr{.warmup = 4}, 9, 10) == 1);
  CHECK(factor(StepLr{.every = 1, .gamma = 0.5, .warmup = 2}, 1, 10) == Approx(0.25));
  // The cosine begins where the warm-up ends.
  CHECK(factor(CosineLr{.warmup = 2}, 1, 10) == Approx(0.5));
  CHECK(factor(CosineLr{.warmup = 2}, 2, 10) == Approx(1));
  CHECK(factor(CosineLr{.warmup = 2}, 6, 10) == Approx(0.5));
  CHECK(factor(CosineLr{.warmup = 2}, 10, 10) == Approx(0).margin(1e-12));
  CHECK(factor(CosineLr{.warmup = 12}, 6, 10) == Approx(0.5));  // longer than the phase
}

TEST_CASE("schedules out of range are refused") {
  REQUIRE_THROWS_WITH(check(StepLr{.every = 0}), ContainsSubstring("StepLr: expected every > 0"));
  REQUIRE_THROWS_WITH(check(MilestoneLr{.gamma = 0}), ContainsSubstring("MilestoneLr: expected gamma > 0, got 0"));
  REQUIRE_THROWS_WITH(check(ExponentialLr{.gamma = -1}), ContainsSubstring("ExponentialLr: expected gamma > 0, got -1"));
  REQUIRE_THROWS_WITH(check(CosineLr{.floor = 2}), ContainsSubstring("CosineLr: expected a floor from 0 to 1, got 2"));
  REQUIRE_THROWS_WITH(check(ConstantLr{.warmup = -1}), ContainsSubstring("a warm-up of 0 epochs or more, got -1"));
  REQUIRE_THROWS_WITH(check(PiecewiseLr{.pieces = {{5, 1}, {3, 1}}}), ContainsSubstring("from epoch 3 after one from epoch 5"));
  REQUIRE_NOTHROW(check(CosineLr{.floor = 0.01, .warmup = 3}));
}
