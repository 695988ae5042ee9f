// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/balanced_weights.hpp"

#include <cstdint>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

TEST_CASE("rare classes weigh more, and the mean over the samples is 1") {
  const auto weights = [](std::vector<std::int32_t> labels, std::int64_t classes = 0) {
    const std::vector<float> values(labels.size());
    return data::balanced_weights(
        data::Dataset::from_floats(values, {.shape = {1}, .labels = std::move(labels), .classes = classes, .name = "odd"}));
  };
  REQUIRE(weights({0, 1, 1, 1, no_class, 0, 1, 1, 1}) == std::vector<double>{2.0, 8.0 / 12});
  REQUIRE(weights({0, 1, 2}) == std::vector<double>{1, 1, 1});
  REQUIRE_THROWS_WITH(weights({0, 2}), ContainsSubstring("got none of class 1 of 3 in 'odd'"));
  REQUIRE_THROWS_WITH(weights({-1, -1}, 2), ContainsSubstring("expected samples with a class, got none in 'odd'"));
}
