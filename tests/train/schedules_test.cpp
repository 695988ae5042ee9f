// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/schedules.hpp"

#include <cmath>
#include <span>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

namespace {
double factor(const AnySchedule& schedule, double epoch, double epochs) {
  return schedule.factor({.epoch = epoch, .epochs = epochs});
}
}  // namespace

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

TEST_CASE("a plateau of the validation result lowers the rate") {
  const PlateauLr plateau{.patience = 2, .gamma = 0.5, .floor = 0.2};
  std::vector<EpochEvent> epochs;
  std::vector<double> factors;
  for (const double accuracy : {0.5, 0.6, 0.6, 0.55, 0.6, 0.61, 0.3, 0.3, 0.3, 0.3}) {
    epochs.push_back({.epoch = static_cast<int>(epochs.size()) + 1, .validation = {.loss = 1, .accuracy = accuracy}});
    factors.push_back(plateau.factor({.epoch = static_cast<double>(epochs.size()), .epochs = 20, .before = epochs}));
  }
  CHECK(factors == std::vector<double>{1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2});
  // Where there are no classes the loss counts, and epochs of the warm-up are not waited for.
  epochs.clear();
  for (const double loss : {2.0, 3.0, 3.0, 1.0, 1.5, 1.0})
    epochs.push_back({.epoch = static_cast<int>(epochs.size()) + 1, .validation = {.loss = loss}});
  const PlateauLr slow{.patience = 2, .gamma = 0.5, .warmup = 2};
  CHECK(slow.factor({.epoch = 4, .epochs = 9, .before = std::span(epochs).first(4)}) == 1);
  CHECK(slow.factor({.epoch = 6, .epochs = 9, .before = epochs}) == 0.5);
  CHECK(slow.factor({.epoch = 1, .epochs = 9}) == 0.5);
}

TEST_CASE("a schedule says every option of itself") {
  CHECK(AnySchedule(ConstantLr{.warmup = 2}).to_string() == "constant, warm-up 2 epochs");
  CHECK(AnySchedule(StepLr{}).to_string() == "times 0.1 every 30 epochs");
  CHECK(AnySchedule(CosineLr{.floor = 0.1, .warmup = 0.5}).to_string() == "cosine to 0.1, warm-up 0.5 epochs");
  CHECK(AnySchedule(PlateauLr{.patience = 3}).to_string() ==
        "times 0.1 after 3 epochs without a better validation result, down to 0.001");
  CHECK(AnySchedule(PlateauLr{}).needs_validation());
  CHECK_FALSE(AnySchedule(CosineLr{}).needs_validation());
}

TEST_CASE("parts of a schedule follow each other as the whole does") {
  const CosineLr whole{.floor = 0.1, .warmup = 0.5};
  const PartOf second{.whole = whole, .begin = 10, .epochs = 50};
  for (const double epoch : {0.0, 2.5, 15.0})
    CHECK(second.factor({.epoch = epoch, .epochs = 15}) == whole.factor({.epoch = 10 + epoch, .epochs = 50}));
  CHECK(AnySchedule(second).to_string() == "cosine to 0.1, warm-up 0.5 epochs, from epoch 10 of 50");
  REQUIRE_THROWS_WITH(AnySchedule(PartOf{.whole = PlateauLr{}, .epochs = 5}).check(),
                      ContainsSubstring("PartOf: expected a schedule that goes by epochs, got one that looks at results"));
  REQUIRE_THROWS_WITH(AnySchedule(PartOf{.begin = 6, .epochs = 5}).check(),
                      ContainsSubstring("expected a begin from 0 to the 5 epochs of all, got 6"));
}

TEST_CASE("schedules out of range are refused") {
  REQUIRE_THROWS_WITH(AnySchedule(StepLr{.every = 0}).check(), ContainsSubstring("StepLr: expected every > 0"));
  REQUIRE_THROWS_WITH(AnySchedule(MilestoneLr{.gamma = 0}).check(),
                      ContainsSubstring("MilestoneLr: expected gamma > 0, got 0"));
  REQUIRE_THROWS_WITH(AnySchedule(ExponentialLr{.gamma = -1}).check(),
                      ContainsSubstring("ExponentialLr: expected gamma > 0, got -1"));
  REQUIRE_THROWS_WITH(AnySchedule(CosineLr{.floor = 2}).check(),
                      ContainsSubstring("CosineLr: expected a floor from 0 to 1, got 2"));
  REQUIRE_THROWS_WITH(AnySchedule(ConstantLr{.warmup = -1}).check(),
                      ContainsSubstring("a warm-up of 0 epochs or more, got -1"));
  REQUIRE_THROWS_WITH(AnySchedule(PiecewiseLr{.pieces = {{5, 1}, {3, 1}}}).check(),
                      ContainsSubstring("from epoch 3 after one from epoch 5"));
  REQUIRE_THROWS_WITH(AnySchedule(PlateauLr{.gamma = 1}).check(),
                      ContainsSubstring("gamma in (0, 1) and a floor from 0 to 1, got 5, 1 and 0.001"));
  REQUIRE_NOTHROW(AnySchedule(CosineLr{.floor = 0.01, .warmup = 3}).check());
}
