// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/ops/structure.hpp"

#include <vector>

#include "support/gradients.hpp"

using namespace siena;

TEST_CASE("add: gradients") {
  const DTensor a = random_tensor<double>({2, 3, 5}, 1), b = random_tensor<double>({2, 3, 5}, 2);
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::add(in[0], in[1]); }, {a, b}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::add(in[0], in[0]); }, {a}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::add(ops::add(in[0], in[1]), ops::add(in[1], in[1])); }, {a, b}));
  CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return ops::add(t.reference(a), in[0]); }, {b}));
}

TEST_CASE("scale: values and gradients") {
  DTape tape(false);
  const DVar y = ops::scale(tape.constant(DTensor({1, 2}, {3, -4})), -0.5);
  CHECK(y.value()(0, 0) == -1.5);
  CHECK(y.value()(0, 1) == 2);
  const DTensor a = random_tensor<double>({2, 3, 5}, 1);
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::scale(in[0], 2.5); }, {a}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::add(ops::scale(in[0], 2.5), ops::scale(in[0], -1)); }, {a}));
}

TEST_CASE("multiply: values and gradients, with one value a channel, too") {
  const DTensor a = random_tensor<double>({2, 3, 5}, 1), b = random_tensor<double>({2, 3, 5}, 2);
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::multiply(in[0], in[1]); }, {a, b}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::multiply(in[0], in[0]); }, {a}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::add(ops::multiply(in[0], in[1]), in[0]); }, {a, b}));
  CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return ops::multiply(t.reference(a), in[0]); }, {b}));

  for (const Shape& shape : {Shape{2, 3, 2, 5}, Shape{3, 4, 9}, Shape{1, 1, 1, 8}}) {
    for (const Shape& few : {Shape{shape[0], shape[-1]}, Shape{shape[0], 1, 1, shape[-1]}}) {
      CAPTURE(shape.to_string(), few.to_string());
      const DTensor x = random_tensor<double>(shape, 1), factors = random_tensor<double>(few, 2);
      DTape tape(false);
      const DTensor y = ops::multiply(tape.reference(x), tape.reference(factors)).value();
      REQUIRE(y.shape() == shape);
      const std::int64_t last = y.rows() - 1;
      CHECK(y.row(last)[3] == x.row(last)[3] * factors.row(shape[0] - 1)[3]);
      CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::multiply(in[0], in[1]); }, {x, factors}));
      CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return ops::multiply(in[0], t.reference(factors)); }, {x}));
      CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return ops::multiply(t.reference(x), in[0]); }, {factors}));
      CHECK_GRADIENTS(gradcheck(
          [](DTape&, DVars in) {
            const DVar scaled = ops::multiply(in[0], in[1]);
            return ops::add(ops::multiply(scaled, in[1]), ops::multiply(in[0], in[1]));
          },
          {x, factors}));
    }
  }
}

TEST_CASE("concat: values and gradients") {
  const DTensor a = random_tensor<double>({2, 3, 5}, 1), b = random_tensor<double>({2, 3, 8}, 2),
                c = random_tensor<double>({2, 3, 3}, 3);
  const auto join = [](auto... vars) { return ops::concat(std::vector{vars...}); };
  DTape tape(false);
  const DTensor y = join(tape.reference(a), tape.reference(b), tape.reference(c)).value();
  REQUIRE(y.shape() == Shape{2, 3, 16});
  CHECK(y(1, 2, 4) == a(1, 2, 4));
  CHECK(y(1, 2, 5) == b(1, 2, 0));
  CHECK(y(0, 1, 15) == c(0, 1, 2));

  CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return join(in[0], in[1], in[2]); }, {a, b, c}));
  CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return join(in[0], in[1], in[0]); }, {a, c}));
  CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return join(t.reference(a), in[0], t.reference(c)); }, {b}));
  CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return join(in[0]); }, {c}));
}

TEST_CASE("flatten: values and gradients") {
  DTape tape(false);
  const DVar y = ops::flatten(tape.constant(DTensor({2, 2, 1, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})));
  REQUIRE(y.shape() == Shape{2, 6});
  CHECK(y.value()(0, 5) == 6);
  CHECK(y.value()(1, 3) == 10);
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::flatten(in[0]); }, {random_tensor<double>({2, 3, 2, 5}, 1)}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::add(ops::flatten(in[0]), ops::flatten(in[0])); },
                            {random_tensor<double>({1, 2, 2, 9}, 1)}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::flatten(in[0]); }, {random_tensor<double>({4, 3}, 1)}));
}

TEST_CASE("sum: value and gradients") {
  DTape tape(false);
  CHECK(*ops::sum(tape.constant(DTensor({2, 3}, {1, 2, 3, 4, 5, 6.5}))).value().data() == Approx(21.5));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::sum(in[0]); }, {random_tensor<double>({3, 2, 9}, 1)}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::add(ops::sum(in[0]), ops::sum(in[0])); },
                            {random_tensor<double>({3, 2}, 1)}));
}

TEST_CASE("structure: shapes that do not fit") {
  DTape tape;
  const DVar a = tape.constant(DTensor({1, 2, 3, 4})), b = tape.constant(DTensor({1, 3, 2, 4})),
             c = tape.constant(DTensor({6, 4}));
  CHECK_THROWS_WITH(ops::add(a, b), "add: expected equal shapes, got 1x2x3x4 and 1x3x2x4");
  CHECK_THROWS_WITH(ops::multiply(a, b),
                    "multiply: expected equal shapes, or one value a channel as the second, got 1x2x3x4 and 1x3x2x4");
  CHECK_THROWS_AS(ops::multiply(tape.constant(DTensor({2, 2, 3, 4})), tape.constant(DTensor({1, 4}))), ShapeError);
  CHECK_THROWS_AS(ops::multiply(tape.constant(DTensor({1, 4})), a), ShapeError);
  const std::vector transposed{a, b}, flat{a, c};
  CHECK_THROWS_WITH(ops::concat(transposed), "concat: expected shapes that differ in channels only, got 1x2x3x4 and 1x3x2x4");
  CHECK_THROWS_AS(ops::concat(flat), ShapeError);
  CHECK_THROWS_AS(ops::concat(std::vector<DVar>()), ShapeError);
}
