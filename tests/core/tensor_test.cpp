// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/tensor.hpp"

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

TEST_CASE("rows of a tensor are padded and aligned", "[core][tensor]") {
  Tensor tensor(Shape{2, 3, 5});
  REQUIRE(tensor.rows() == 6);
  REQUIRE(tensor.columns() == 5);
  REQUIRE(tensor.stride() == 8);
  REQUIRE(tensor.elements() == 30);
  REQUIRE(tensor.storage().size() == 48);
  REQUIRE(reinterpret_cast<std::uintptr_t>(tensor.data()) % 64 == 0);
  REQUIRE(tensor.row(2).size() == 5);
  REQUIRE(tensor.row(2).data() == tensor.data() + 16);
  bool zero = true;
  for (float value : tensor.storage()) zero = zero && value == 0;
  REQUIRE(zero);
}

TEST_CASE("elements are found by their indices", "[core][tensor]") {
  BasicTensor<double> tensor(Shape{2, 3, 4}, 1.5);
  REQUIRE(tensor(1, 2, 3) == 1.5);
  tensor(1, 2, 3) = 7;
  REQUIRE(tensor.row(5)[3] == 7);
  REQUIRE(tensor.data()[5 * 8 + 3] == 7);
  REQUIRE(tensor(0, 3) == 1.5);  // the leading dimension left out
  tensor(0, 1) = -1;
  REQUIRE(tensor(0, 0, 1) == -1);
  REQUIRE(std::as_const(tensor)(0, 0, 1) == -1);
}

TEST_CASE("values go in and out row by row, without padding", "[core][tensor]") {
  Tensor tensor(Shape{2, 3}, {1, 2, 3, 4, 5, 6});
  REQUIRE(tensor(0, 2) == 3);
  REQUIRE(tensor(1, 0) == 4);
  std::vector<float> values;
  tensor.copy_to(values);
  REQUIRE(values == std::vector<float>{1, 2, 3, 4, 5, 6});
  REQUIRE(tensor.data()[8] == 4);
  REQUIRE_THROWS_AS(tensor.assign(std::vector<float>{1, 2}), ShapeError);
  REQUIRE_THROWS_WITH(tensor.assign(std::vector<float>{1, 2}), ContainsSubstring("expected 6 values for shape 2x3, got 2"));
}

TEST_CASE("copies are deep and moves are free", "[core][tensor]") {
  Tensor a(Shape{3}, {1, 2, 3});
  Tensor b = a;
  b(0) = 9;
  REQUIRE(a(0) == 1);
  const float* memory = a.data();
  Tensor c = std::move(a);
  REQUIRE(c.data() == memory);
  REQUIRE(c.shape() == Shape{3});
  b = c;
  REQUIRE(b(0) == 1);
  REQUIRE(b.data() != c.data());
}

TEST_CASE("a tensor takes another shape only if its rows stay", "[core][tensor]") {
  Tensor tensor(Shape{4, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  const float* memory = tensor.data();
  Tensor other = std::move(tensor).reshaped(Shape{2, 2, 3});
  REQUIRE(other.data() == memory);
  REQUIRE(other(1, 1, 2) == 12);
  REQUIRE_THROWS_WITH(std::move(other).reshaped(Shape{2, 6}), ContainsSubstring("expected a shape of 4 rows of 3, got 2x6"));
  REQUIRE(other(1, 1, 2) == 12);  // untouched by the failure
}

TEST_CASE("finite looks at logical elements only", "[core][tensor]") {
  Tensor tensor(Shape{2, 3}, 1.0f);
  tensor.data()[5] = std::numeric_limits<float>::quiet_NaN();  // padding
  REQUIRE(tensor.finite());
  tensor(1, 2) = std::numeric_limits<float>::infinity();
  REQUIRE_FALSE(tensor.finite());
}

TEST_CASE("an empty tensor", "[core][tensor]") {
  Tensor tensor;
  REQUIRE(tensor.empty());
  REQUIRE(tensor.storage().empty());
  REQUIRE(tensor.shape() == Shape{});
  REQUIRE(Tensor(Shape{0, 5}).empty());
  REQUIRE_FALSE(Tensor(Shape{1}).empty());
  REQUIRE(Tensor(Shape{0, 5}).finite());
}

TEST_CASE("a tensor for which there is no memory is refused by its shape", "[core][tensor]") {
  const Shape shape{1 << 24, 1 << 24};  // a petabyte
  CHECK_THROWS_AS(Tensor(shape), ShapeError);
  CHECK_THROWS_WITH(Tensor::uninitialized(shape), ContainsSubstring("expected memory for the 281474976710656 elements"));
}
