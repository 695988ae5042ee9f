// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

TEST_CASE("the stream is the same on every platform", "[core][random]") {
  // Computed with arbitrary-precision integers from the definition in the header.
  const Random zero, one(1), other(42, 7);
  REQUIRE(zero.at(0) == 0x871b275e2c983e04u);
  REQUIRE(zero.at(1) == 0x3af8798e18f8977eu);
  REQUIRE(zero.at(1'000'000) == 0xf264b98502f816b8u);
  REQUIRE(one.at(0) == 0xecc8e6bf7e83d865u);
  REQUIRE(one.at(2) == 0x5226e66ab1d81927u);
  REQUIRE(other.at(0) == 0x78e5dd24071b6efau);
  REQUIRE(other.at(1'000'000) == 0xb4ca66271a76d832u);
  REQUIRE(Random(42).split(3).at(0) == 0x15dda54ff8b657dau);
  REQUIRE(Random(42).split(3).at(1) == 0x3a62799149382d22u);
  REQUIRE(one.uniform_at(0) == 0.924940511466516);
}

TEST_CASE("next walks the stream and seek goes anywhere", "[core][random]") {
  Random random(5);
  const auto first = random.next();
  const auto second = random.next();
  REQUIRE(first == random.at(0));
  REQUIRE(second == random.at(1));
  REQUIRE(random.counter() == 2);
  random.seek(0);
  REQUIRE(random.next() == first);
  random.seek(1);
  REQUIRE(random.uniform() == random.uniform_at(1));
}

TEST_CASE("uniform numbers are uniform", "[core][random]") {
  Random random(11);
  const int n = 100'000;
  std::array<int, 20> histogram{};
  double sum = 0, squares = 0, products = 0, previous = 0.5;
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform();
    REQUIRE((u >= 0 && u < 1));
    ++histogram[static_cast<std::size_t>(u * 20)];
    sum += u;
    squares += u * u;
    products += (u - 0.5) * (previous - 0.5);
    previous = u;
  }
  REQUIRE(std::abs(sum / n - 0.5) < 0.004);
  REQUIRE(std::abs(squares / n - 1.0 / 3) < 0.004);
  REQUIRE(std::abs(products / n) < 0.0013);  // neighbours are not correlated: 5 sigma
  double chi_squared = 0;
  for (int count : histogram) chi_squared += (count - n / 20.0) * (count - n / 20.0) / (n / 20.0);
  REQUIRE(chi_squared < 50);  // 19 degrees of freedom: p < 2e-4
}

TEST_CASE("every bit of the stream is fair", "[core][random]") {
  const Random random(3, 1);
  const int n = 20'000;
  std::array<int, 64> ones{};
  for (int i = 0; i < n; ++i) {
    const auto bits = random.at(static_cast<std::uint64_t>(i));
    for (int b = 0; b < 64; ++b) ones[static_cast<std::size_t>(b)] += static_cast<int>((bits >> b) & 1);
  }
  for (int count : ones) REQUIRE(std::abs(count - n / 2) < 350);  // 5 sigma
}

TEST_CASE("split streams and seeds differ", "[core][random]") {
  const Random root(1);
  std::vector<std::uint64_t> values;
  for (std::uint64_t s = 0; s < 100; ++s) {
    values.push_back(root.split(s).at(0));
    values.push_back(root.split(s).split(s).at(0));
    values.push_back(Random(s + 100).at(0));
    values.push_back(Random(1, s).at(0));
  }
  std::sort(values.begin(), values.end());
  REQUIRE(std::adjacent_find(values.begin(), values.end()) == values.end());

  // Splitting does not depend on what was drawn, and draws nothing.
  Random drawn(1);
  drawn.next();
  REQUIRE(drawn.split(4).at(0) == root.split(4).at(0));
  REQUIRE(drawn.counter() == 1);
  // Two children are not shifted copies of each other.
  const Random a = root.split(0), b = root.split(1);
  for (std::uint64_t i = 0; i < 64; ++i) {
    for (std::uint64_t j = 0; j < 64; ++j) REQUIRE(a.at(i) != b.at(j));
  }
}

TEST_CASE("below, ranges and chance", "[core][random]") {
  Random random(9);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) {
    const auto k = random.below(7);
    REQUIRE(k < 7);
    ++counts[k];
  }
  for (int count : counts) REQUIRE(std::abs(count - 10'000) < 500);
  REQUIRE(random.below(1) == 0);
  for (int i = 0; i < 1000; ++i) {
    const double x = random.uniform(-3, 5);
    REQUIRE((x >= -3 && x < 5));
  }
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) hits += random.chance(0.3);
  REQUIRE(std::abs(hits - 3000) < 250);
  REQUIRE_FALSE(random.chance(0));
  REQUIRE(random.chance(1));
}

TEST_CASE("normal numbers have the moments of the normal distribution", "[core][random]") {
  Random random(21);
  const int n = 100'000;
  double sum = 0, squares = 0, fourth = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  REQUIRE(std::abs(sum / n) < 0.016);
  REQUIRE(std::abs(squares / n - 1) < 0.025);
  REQUIRE(std::abs(fourth / n - 3) < 0.2);
  REQUIRE(random.counter() == 2u * n);  // two draws a value
}

TEST_CASE("shuffle permutes, and as the seed says", "[core][random]") {
  std::vector<int> a(100), b(100);
  std::iota(a.begin(), a.end(), 0);
  std::iota(b.begin(), b.end(), 0);
  Random r1(2), r2(2), r3(3);
  shuffle(a, r1);
  shuffle(b, r2);
  REQUIRE(a == b);
  shuffle(b, r3);
  REQUIRE(a != b);
  std::sort(a.begin(), a.end());
  for (int i = 0; i < 100; ++i) REQUIRE(a[static_cast<std::size_t>(i)] == i);

  // All six orders of three come about equally often.
  std::array<int, 27> seen{};
  Random random(8);
  for (int i = 0; i < 6000; ++i) {
    std::vector<int> c{0, 1, 2};
    shuffle(c, random);
    ++seen[static_cast<std::size_t>(c[0] * 9 + c[1] * 3 + c[2])];
  }
  int orders = 0;
  for (int count : seen) {
    if (count == 0) continue;
    ++orders;
    REQUIRE(std::abs(count - 1000) < 160);
  }
  REQUIRE(orders == 6);
}
