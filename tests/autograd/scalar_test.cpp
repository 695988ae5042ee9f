// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/scalar.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

namespace {

// A formula written once, of every operation.
template <class N>
N everything(const N& x, const N& y) {
  using std::abs, std::exp, std::log, std::pow, std::sqrt;
  N z = (x + y) * (x - 2) / (y * y + 1.5) - -x + 3 * y;
  z += exp(x * 0.3) - log(y);
  z -= sqrt(x * y);
  z *= pow(x, 1.7) + abs(y - x);
  z /= 1 + max_of(x, y) + min_of(2.5, y) + positive_part(x - y);
  return z;
}

double slope(double (*f)(const double&, const double&), double x, double y, bool first) {
  const double h = 1e-6;
  return first ? (f(x + h, y) - f(x - h, y)) / (2 * h) : (f(x, y + h) - f(x, y - h)) / (2 * h);
}

}  // namespace

TEST_CASE("scalar: gradients of every operation agree with finite differences", "[scalar]") {
  for (const auto& [x, y] : {std::pair{1.3, 0.7}, {0.4, 2.1}, {3.0, 2.9}}) {
    ScalarTape tape;
    const Scalar a = tape.leaf(x), b = tape.leaf(y);
    const Scalar z = everything(a, b);
    REQUIRE(z.value() == Approx(everything(x, y)).epsilon(1e-14));
    tape.backward(z);
    REQUIRE(tape.gradient(a) == Approx(slope(everything<double>, x, y, true)).epsilon(1e-7));
    REQUIRE(tape.gradient(b) == Approx(slope(everything<double>, x, y, false)).epsilon(1e-7));
  }
}

TEST_CASE("scalar: a value used twice is visited once, and depth costs no stack", "[scalar]") {
  ScalarTape tape;
  const Scalar x = tape.leaf(1);
  Scalar y = x;
  for (int i = 0; i < 50; ++i) y = y + y;  // 2^50 paths
  tape.backward(y);
  REQUIRE(tape.gradient(x) == std::pow(2.0, 50));
  REQUIRE(tape.size() == 51);

  tape.clear();
  Scalar sum = tape.leaf(0);
  const Scalar step = tape.leaf(0.5);
  for (int i = 0; i < 1'000'000; ++i) sum += step;
  tape.backward(sum);
  REQUIRE(tape.gradient(step) == 1e6);
}

TEST_CASE("scalar: backward adds to gradients, with its seed", "[scalar]") {
  ScalarTape tape;
  const Scalar x = tape.leaf(2), y = x * x, z = y * 3.0;
  tape.backward(z);
  REQUIRE(tape.gradient(x) == 12);
  REQUIRE(tape.gradient(y) == 3);
  tape.backward(y, 0.5);  // what the first call left at y is not sent back again
  REQUIRE(tape.gradient(x) == 14);
  tape.backward(Scalar(7));
  REQUIRE(tape.gradient(x) == 14);
  tape.zero_gradients();
  REQUIRE(tape.gradient(x) == 0);
  REQUIRE(tape.gradient(Scalar(7)) == 0);
}

TEST_CASE("scalar: constants leave no record", "[scalar]") {
  ScalarTape tape;
  const Scalar constant = Scalar(3) * 2 + max_of(Scalar(1), 4) - exp(Scalar(0));
  REQUIRE(constant.is_constant());
  REQUIRE(constant.value() == 9);
  const Scalar x = tape.leaf(5);
  REQUIRE(tape.size() == 1);
  Scalar y = (x + 0.0) * 1.0 / 1.0 - 0.0;
  REQUIRE(tape.size() == 1);
  y = 1.0 * (0.0 + y);
  REQUIRE(tape.size() == 1);
  y = y * constant;
  REQUIRE(tape.size() == 2);
  tape.backward(y);
  REQUIRE(tape.gradient(x) == 9);
}

TEST_CASE("scalar: comparisons go by value", "[scalar]") {
  ScalarTape tape;
  const Scalar x = tape.leaf(2);
  REQUIRE(x < 3);
  REQUIRE(x >= 2.0);
  REQUIRE(1 < x);
  REQUIRE(x == 2);
  REQUIRE(x != tape.leaf(2.5));
  REQUIRE_FALSE(Scalar(std::numeric_limits<double>::quiet_NaN()) < x);
  REQUIRE(tape.size() == 2);
}

TEST_CASE("scalar: a cleared tape reuses its memory", "[scalar]") {
  ScalarTape tape;
  const auto step = [&] {
    tape.clear();
    Scalar x = tape.leaf(1.5), y = 0;
    for (int i = 0; i < 100; ++i) y += x * double(i);
    tape.backward(y);
    return tape.gradient(x);
  };
  REQUIRE(step() == 4950);
  const auto capacity = tape.capacity();
  for (int i = 0; i < 10; ++i) REQUIRE(step() == 4950);
  REQUIRE(tape.capacity() == capacity);
}

TEST_CASE("scalar: an infinite slope that nothing asks for stays out", "[scalar]") {
  ScalarTape tape;
  const Scalar x = tape.leaf(0);
  tape.backward(sqrt(x) * 0.0 + x);
  REQUIRE(tape.gradient(x) == 1);
}

TEST_CASE("scalar: maximum, minimum and positive part send the gradient one way", "[scalar]") {
  ScalarTape tape;
  const Scalar a = tape.leaf(1), b = tape.leaf(1), c = tape.leaf(-2);
  tape.backward(max_of(a, b) + min_of(a, b) * 10 + positive_part(c) + positive_part(a) * 100 + max_of(0.0, c) + min_of(c, 0.0));
  REQUIRE(tape.gradient(a) == 111);
  REQUIRE(tape.gradient(b) == 0);
  REQUIRE(tape.gradient(c) == 1);
  tape.zero_gradients();
  tape.backward(positive_part(a - b));  // at 0 there is nothing to push
  REQUIRE(tape.gradient(a) == 0);
  REQUIRE(max_of(2, 3.5) == 3.5);
  REQUIRE(positive_part(-1) == 0);
}

TEST_CASE("scalar: tiles are counted exactly, with the slope of the secant", "[scalar]") {
  for (const double tile : {2.0, 4.0, 16.0, 512.0}) {
    for (int n = 0; n < 2000; ++n) {
      const int up = (n + int(tile) - 1) / int(tile), down = n / int(tile);
      REQUIRE(ceil_div(double(n), tile) == up);
      REQUIRE(floor_div(double(n), tile) == down);
      // Sums of shares come out a hair beside the whole number.
      REQUIRE(ceil_div(n * (1 + 4e-16), tile) == up);
      REQUIRE(floor_div(n * (1 - 4e-16), tile) == down);
    }
  }
  REQUIRE(ceil_div(8.25, 4) == 3);
  REQUIRE(ceil_div(1e9 + 1, 512) == 1953126);
  REQUIRE(ceil_div(32, 8) == 4);
  REQUIRE(std::signbit(ceil_div(0.0, 4)) == false);

  ScalarTape tape;
  const Scalar x = tape.leaf(17);
  REQUIRE(ceil_div(x, 4).value() == 5);
  tape.backward(ceil_div(x, 4));
  REQUIRE(tape.gradient(x) == 0.25);
  tape.backward(floor_div(x, 8) + with_slope(x, 100, 2));
  REQUIRE(tape.gradient(x) == 0.25 + 0.125 + 2);
}

TEST_CASE("scalar: interpolation goes through its points and on beyond them", "[scalar]") {
  const std::vector<double> xs{1, 2, 4}, ys{10, 20, 0};
  REQUIRE(interpolate(xs, ys, 1.0) == 10);
  REQUIRE(interpolate(xs, ys, 1.5) == 15);
  REQUIRE(interpolate(xs, ys, 2) == 20);
  REQUIRE(interpolate(xs, ys, 3) == 10);
  REQUIRE(interpolate(xs, ys, 5) == -10);
  REQUIRE(interpolate(xs, ys, 0) == 0);
  REQUIRE(interpolate(std::vector{3.0}, std::vector{7.0}, 100) == 7);
  ScalarTape tape;
  const Scalar x = tape.leaf(3);
  tape.backward(interpolate(xs, ys, x));
  REQUIRE(tape.gradient(x) == -10);
  REQUIRE_THROWS_WITH(interpolate(xs, std::vector{1.0}, 1), ContainsSubstring("as many abscissae as ordinates"));
  REQUIRE_THROWS_WITH(interpolate(std::vector{1.0, 1.0}, std::vector{1.0, 2.0}, 1), ContainsSubstring("increasing"));
}

TEST_CASE("scalar: interpolation on a grid is exact for bilinear functions, in value and slope", "[scalar]") {
  const std::vector<double> xs{1, 2, 5}, ys{0, 4, 6, 7};
  const auto f = [](double x, double y) { return 3 + 2 * x - y + 0.5 * x * y; };
  std::vector<double> zs;
  for (const double x : xs) {
    for (const double y : ys) zs.push_back(f(x, y));
  }
  for (const double x : {0.0, 1.0, 1.7, 2.0, 4.0, 5.0, 6.0}) {
    for (const double y : {-1.0, 0.0, 3.0, 6.0, 6.5, 9.0}) {
      REQUIRE(interpolate(xs, ys, zs, x, y) == Approx(f(x, y)));
      ScalarTape tape;
      const Scalar at_x = tape.leaf(x), at_y = tape.leaf(y);
      const Scalar z = interpolate(xs, ys, zs, at_x, at_y);
      REQUIRE(z.value() == interpolate(xs, ys, zs, x, y));
      tape.backward(z);
      REQUIRE(tape.gradient(at_x) == Approx(2 + 0.5 * y).margin(1e-12));
      REQUIRE(tape.gradient(at_y) == Approx(-1 + 0.5 * x).margin(1e-12));
    }
  }
  zs[5] = 0.1 + 0.2;  // the very bits on a point
  REQUIRE(interpolate(xs, ys, zs, 2, 4) == 0.1 + 0.2);
  ScalarTape tape;
  REQUIRE(interpolate(xs, ys, zs, tape.leaf(2), 4).value() == 0.1 + 0.2);
  REQUIRE(interpolate(std::vector{3.0}, ys, std::vector{1.0, 3.0, 5.0, 7.0}, tape.leaf(100), 2).value() == 2);
  REQUIRE_THROWS_WITH(interpolate(xs, ys, std::vector{1.0}, 1, 1), ContainsSubstring("grid of 3 x 4, got 1"));
  REQUIRE_THROWS_WITH(interpolate(std::vector{2.0, 1.0}, std::vector{1.0}, std::vector{1.0, 2.0}, 1, 1),
                      ContainsSubstring("increasing"));
}
