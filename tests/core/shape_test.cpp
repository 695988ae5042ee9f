// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/shape.hpp"

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
