// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/shape.hpp"

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

TEST_CASE("padded rounds up to a whole number of vectors", "[core][shape]") {
  REQUIRE(padded(0) == 0);
  REQUIRE(padded(1) == 8);
  REQUIRE(padded(7) == 8);
  REQUIRE(padded(8) == 8);
  REQUIRE(padded(9) == 16);
  static_assert(padded(33) == 40);
}

TEST_CASE("a shape is rows of columns", "[core][shape]") {
  const Shape shape{2, 3, 4, 5};
  REQUIRE(shape.rank() == 4);
  REQUIRE(shape.rows() == 24);
  REQUIRE(shape.columns() == 5);
  REQUIRE(shape.elements() == 120);
  REQUIRE(shape[0] == 2);
  REQUIRE(shape[3] == 5);
  REQUIRE(shape[-1] == 5);
  REQUIRE(shape[-4] == 2);
  REQUIRE(shape.to_string() == "2x3x4x5");
  REQUIRE(format("{}", shape) == "2x3x4x5");
  REQUIRE(shape.sizes().size() == 4);
}

TEST_CASE("vectors, empty shapes and sizes of zero", "[core][shape]") {
  const Shape vector{7};
  REQUIRE(vector.rows() == 1);
  REQUIRE(vector.columns() == 7);
  REQUIRE(vector.elements() == 7);

  const Shape empty;
  REQUIRE(empty.rank() == 0);
  REQUIRE(empty.rows() == 0);
  REQUIRE(empty.columns() == 0);
  REQUIRE(empty.elements() == 0);
  REQUIRE(empty.to_string() == "(empty)");

  const Shape none{0, 4};
  REQUIRE(none.elements() == 0);
  REQUIRE(none.rows() == 0);
}

TEST_CASE("batch adds the outermost dimension and sample takes it away", "[core][shape]") {
  const Shape image{32, 32, 3};
  REQUIRE(image.batch(10) == Shape{10, 32, 32, 3});
  REQUIRE(image.batch(10).sample() == image);
  REQUIRE(Shape{4}.sample() == Shape{});
  REQUIRE(Shape{}.sample() == Shape{});
  REQUIRE(image != Shape{32, 3, 32});
  REQUIRE(Shape{1, 2} != Shape{1, 2, 0});
}

TEST_CASE("a shape refuses what cannot be a shape", "[core][shape]") {
  REQUIRE_THROWS_AS((Shape{1, -2}), ShapeError);
  REQUIRE_THROWS_WITH((Shape{1, -2}), ContainsSubstring("got -2 in dimension 1"));
  REQUIRE_THROWS_WITH((Shape{1, 1, 1, 1, 1, 1}), ContainsSubstring("at most 5 dimensions, got 6"));
  REQUIRE_THROWS_WITH((Shape{1, 1, 1, 1, 1}.batch(2)), ContainsSubstring("got 6"));
}

TEST_CASE("a shape refuses more elements than a machine can hold", "[core][shape]") {
  const std::int64_t most = std::int64_t{1} << 48, large = std::numeric_limits<std::int64_t>::max();
  CHECK(Shape{most}.elements() == most);
  CHECK(Shape{1 << 24, 1 << 24}.elements() == most);
  CHECK(Shape{0, 1 << 24}.elements() == 0);
  const auto refused = [](std::initializer_list<std::int64_t> sizes, const std::string& shown) {
    CHECK_THROWS_AS(Shape(sizes), ShapeError);
    CHECK_THROWS_WITH(Shape(sizes), ContainsSubstring("Shape: expected at most 2^48 elements, got " + shown));
  };
  refused({most + 1}, "281474976710657");
  refused({large}, "9223372036854775807");
  refused({large, large}, "9223372036854775807x9223372036854775807");
  refused({std::int64_t{1} << 31, std::int64_t{1} << 31}, "2147483648x2147483648");
  refused({std::int64_t{1} << 32, std::int64_t{1} << 32, 1}, "4294967296x4294967296x1");  // 2^64: 0 where it wraps
  refused({most, 1}, "281474976710656x1");  // eight elements a row, with the padding
  refused({0, large, 2}, "0x9223372036854775807x2");
  CHECK_THROWS_AS((Shape{1 << 24, 1 << 24}.batch(2)), ShapeError);
}
