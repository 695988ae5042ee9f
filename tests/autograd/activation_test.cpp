// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/ops/activation.hpp"

#include <cmath>
#include <vector>

#include "siena/autograd/ops/structure.hpp"
#include "support/gradients.hpp"

using namespace siena;

TEST_CASE("activations: gradients") {
  const Shape shape = GENERATE(Shape{2, 3, 2, 5}, Shape{3, 17}, Shape{1, 8});
  CAPTURE(shape.to_string());
  const DTensor x = random_tensor<double>(shape, 1);
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::relu(in[0]); }, {x}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::sigmoid(in[0]); }, {x}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::tanh(in[0]); }, {x}));
  CHECK_GRADIENTS(
      gradcheck([](DTape&, DVars in) { return ops::prelu(in[0], in[1]); }, {x, random_tensor<double>({shape[-1]}, 2)}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::dropout(in[0], 0.4, Random(3)); }, {x}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::clip(in[0], {.scale = 2, .low = -0.7, .high = 0.9}); }, {x}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::leaky_relu(in[0], 0.1); }, {x}));
  DTensor wide = x;  // reaches beyond the edges at -3 and 3
  for (double& element : wide.storage()) element *= 5;
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::hard_sigmoid(in[0]); }, {wide}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::hard_swish(in[0]); }, {wide}));
}

TEST_CASE("activations: gradients that add to others") {
  const DTensor x = random_tensor<double>({3, 5}, 1);
  CHECK_GRADIENTS(gradcheck(
      [](DTape&, DVars in) {
        DVar y = ops::add(ops::relu(in[0]), ops::sigmoid(in[0]));
        y = ops::add(y, ops::add(ops::tanh(in[0]), ops::dropout(in[0], 0.5, Random(7))));
        y = ops::add(y, ops::add(ops::hard_swish(in[0]), ops::hard_sigmoid(in[0])));
        y = ops::add(y, ops::add(ops::leaky_relu(in[0], 0.2), ops::clip(in[0], {.low = -0.5, .high = 0.5})));
        return ops::add(ops::prelu(in[0], in[1]), ops::prelu(y, in[1]));
      },
      {x, random_tensor<double>({5}, 2)}));
}

TEST_CASE("prelu: gradients of one side alone") {
  const DTensor x = random_tensor<double>({4, 3}, 1), slope = random_tensor<double>({3}, 2);
  CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return ops::prelu(in[0], t.reference(slope)); }, {x}));
  CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return ops::prelu(t.reference(x), in[0]); }, {slope}));
}

TEST_CASE("activations: large arguments stay finite") {
  DTape tape(false);
  const DVar x = tape.constant(DTensor({1, 4}, {-1000, 1000, -40, 40}));
  CHECK(ops::sigmoid(x).value()(0, 0) == 0);
  CHECK(ops::sigmoid(x).value()(0, 1) == 1);
  CHECK(ops::sigmoid(x).value()(0, 2) == Approx(std::exp(-40.0)));
  CHECK(ops::tanh(x).value()(0, 0) == -1);
  CHECK(ops::tanh(x).value()(0, 1) == 1);
}

TEST_CASE("hard sigmoid and hard swish: values") {
  DTape tape(false);
  const DVar x = tape.constant(DTensor({1, 5}, {-4, -3, 0, 1.5, 5}));
  std::vector<double> hard, swish;
  ops::hard_sigmoid(x).value().copy_to(hard);
  ops::hard_swish(x).value().copy_to(swish);
  CHECK(hard == std::vector<double>{0, 0, 0.5, 0.75, 1});
  CHECK(swish == std::vector<double>{0, 0, 0, 1.125, 5});
}

TEST_CASE("relu: the derivative at 0 is 0") {
  DTape tape;
  const DVar x = tape.variable(DTensor({1, 3}, {0, 1, -1}));
  tape.backward(ops::sum(ops::relu(x)));
  std::vector<double> grad;
  tape.grad(x).copy_to(grad);
  CHECK(grad == std::vector<double>{0, 1, 0});
}

TEST_CASE("dropout: keeps its share and scales it up") {
  DTape tape(false);
  const DVar x = tape.constant(DTensor({100, 100}, 1.0));
  const DTensor y = ops::dropout(x, 0.25, Random(1)).value();
  int kept = 0;
  for (std::int64_t r = 0; r < 100; ++r) {
    for (double element : y.row(r)) {
      REQUIRE((element == 0 || element == Approx(1 / 0.75)));
      kept += element != 0;
    }
  }
  CHECK(kept > 7300);
  CHECK(kept < 7700);
  const DTensor other = ops::dropout(x, 0.25, Random(2)).value();
  bool differs = false;
  for (std::int64_t c = 0; c < 100; ++c) differs |= other(0, c) != y(0, c);
  CHECK(differs);
}
