// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/best_epoch.hpp"

#include <optional>
#include <vector>

#include "siena/core/state.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

Metrics result(double accuracy, double loss = 1) { return {.loss = loss, .accuracy = accuracy, .samples = 100}; }

// Which epochs are kept, one after the other.
std::vector<bool> kept(const std::vector<Metrics>& results, std::optional<double> price = {}) {
  BestEpoch best;
  std::vector<bool> all;
  for (int i = 0; i < static_cast<int>(results.size()); ++i) all.push_back(best.offer(i + 1, results[i], price));
  return all;
}

}  // namespace

TEST_CASE("best epoch: the last that samples cannot tell from the best") {
  // Standard error of 0.9 and 100 samples: 0.03.
  CHECK(kept({result(0.5), result(0.9), result(0.86), result(0.88), result(0.87), result(0.86)}) ==
        std::vector<bool>{true, true, false, true, true, false});
  // What is kept does not sink step by step: it is the highest that counts.
  CHECK(kept({result(0.9), result(0.875), result(0.85)}) == std::vector<bool>{true, true, false});
  // All right: as good as one wrong.
  CHECK(kept({result(1), result(0.99), result(0.98)}) == std::vector<bool>{true, true, false});
}

TEST_CASE("best epoch: the lowest loss where there are no classes, or with costs beside it") {
  const auto loss = [](double x) { return Metrics{.loss = x, .samples = 100}; };
  CHECK(kept({loss(3), loss(1), loss(1.001), loss(1), loss(0.9)}) == std::vector<bool>{true, true, false, false, true});
  CHECK(kept({result(0.5, 3), result(0.9, 4), result(0.4, 2)}, 0.5) == std::vector<bool>{true, false, true});
  BestEpoch best;
  CHECK(best.offer(1, result(0.5, 1.0), 1.0));
  CHECK(best.offer(2, result(0.5, 1.5), 0.25));
  CHECK_FALSE(best.offer(3, result(0.5, 0.5), 1.25));
}

TEST_CASE("best epoch: patience waits for what is better, not for what is as good") {
  BestEpoch best;
  CHECK(best.kept() == 0);
  CHECK(best.highest() == 0);
  for (int epoch = 1; epoch <= 4; ++epoch) CHECK(best.offer(epoch, result(epoch == 2 ? 0.9 : 0.89)));
  CHECK(best.kept() == 4);
  CHECK(best.highest() == 2);
}

TEST_CASE("best epoch: is saved whole") {
  BestEpoch best;
  best.offer(1, result(0.8));
  best.offer(2, result(0.9));
  best.offer(3, result(0.89));
  State state;
  best.save(state, "x.");
  BestEpoch same;
  same.offer(1, result(0.99));
  same.load(state, "x.");
  CHECK(same.kept() == 3);
  CHECK(same.highest() == 2);
  for (const double accuracy : {0.86, 0.88, 0.9, 0.95}) {
    BestEpoch a = best, b = same;
    CHECK(a.offer(4, result(accuracy)) == b.offer(4, result(accuracy)));
    CHECK(a.highest() == b.highest());
  }
}
