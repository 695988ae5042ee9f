// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/constraints/nonnegative.hpp"

#include <cmath>

#include "siena/core/random.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

// A = B'B + diagonal, for rows of B that point anywhere.
std::vector<double> positive_definite(Random& random, std::size_t n, double diagonal) {
  std::vector<double> b(n * n), a(n * n);
  for (double& x : b) x = random.uniform() * 2 - 1;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      a[i * n + j] = i == j ? diagonal : 0;
      for (std::size_t k = 0; k < n; ++k) a[i * n + j] += b[k * n + i] * b[k * n + j];
    }
  }
  return a;
}
double objective(const std::vector<double>& a, const std::vector<double>& b, const std::vector<double>& x) {
  double sum = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    sum -= b[i] * x[i];
    for (std::size_t j = 0; j < b.size(); ++j) sum += 0.5 * x[i] * a[i * b.size() + j] * x[j];
  }
  return sum;
}
// The best of all subsets of unknowns that are above 0.
double least_by_trying(const std::vector<double>& a, const std::vector<double>& b) {
  double least = 0;
  for (unsigned subset = 1; subset < 1U << b.size(); ++subset) {
    std::vector<std::size_t> set;
    for (std::size_t i = 0; i < b.size(); ++i) {
      if (subset >> i & 1U) set.push_back(i);
    }
    const auto part = detail::solve_among(set, a, b);
    std::vector<double> x(b.size(), 0.0);
    bool allowed = true;
    for (std::size_t i = 0; i < set.size(); ++i) x[set[i]] = part[i], allowed &= part[i] >= 0;
    if (allowed) least = std::min(least, objective(a, b, x));
  }
  return least;
}

}  // namespace

TEST_CASE("nonnegative minimum: by hand", "[constraints]") {
  const std::vector<double> identity{1, 0, 0, 1};
  REQUIRE(nonnegative_minimum(identity, std::vector<double>{3, -2}) == std::vector<double>{3, 0});
  REQUIRE(nonnegative_minimum(identity, std::vector<double>{-3, 0}) == std::vector<double>{0, 0});
  // Both at first, then the first one alone would be better off below 0.
  const auto x = nonnegative_minimum(std::vector<double>{1, 0.9, 0.9, 1}, std::vector<double>{1, 1.5});
  REQUIRE(x == std::vector<double>{0, 1.5});
  REQUIRE(nonnegative_minimum({}, {}).empty());
  REQUIRE_THROWS_AS(nonnegative_minimum(identity, std::vector<double>{1}), ArgumentError);
}

TEST_CASE("nonnegative minimum: as good as the best of all subsets", "[constraints]") {
  Random random(3);
  for (int round = 0; round < 300; ++round) {
    const std::size_t n = 1 + static_cast<std::size_t>(round % 6);
    const auto a = positive_definite(random, n, round % 3 == 0 ? 1e-9 : 0.1);
    std::vector<double> b(n);
    for (double& target : b) target = random.uniform() * 2 - 1;
    const auto x = nonnegative_minimum(a, b);
    for (const double entry : x) REQUIRE(entry >= 0);
    REQUIRE(objective(a, b, x) == Approx(least_by_trying(a, b)).epsilon(1e-6).margin(1e-12));
  }
}

TEST_CASE("nonnegative minimum: many unknowns, alike and opposed", "[constraints]") {
  Random random(5);
  const std::size_t n = 40;
  auto a = positive_definite(random, n, 1e-6);
  std::vector<double> b(n);
  for (double& target : b) target = random.uniform() * 2 - 1;
  const auto x = nonnegative_minimum(a, b);
  for (std::size_t i = 0; i < n; ++i) {  // no way to improve: the slope is 0 where x is above 0, and downwards nowhere
    double slope = b[i];
    for (std::size_t j = 0; j < n; ++j) slope -= a[i * n + j] * x[j];
    REQUIRE(slope < 1e-6);
    if (x[i] > 0) REQUIRE(slope == Approx(0).margin(1e-6));
  }
  const double soft = 1 + 1e-9;
  const auto twins = nonnegative_minimum(std::vector<double>{soft, 1, 1, soft}, std::vector<double>{2, 2});
  REQUIRE(twins[0] + twins[1] == Approx(2));
  const auto opposed = nonnegative_minimum(std::vector<double>{soft, -1, -1, soft}, std::vector<double>{1, 2});
  REQUIRE(opposed[0] - opposed[1] == Approx(-0.5).epsilon(1e-5));  // half way between -2 and 1
}
