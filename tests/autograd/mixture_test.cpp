// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/ops/mixture.hpp"

#include <cmath>
#include <vector>

#include "support/gradients.hpp"

using namespace siena;

namespace {

DTensor vector_of(const std::vector<double>& values) {
  DTensor tensor(Shape{static_cast<std::int64_t>(values.size())});
  tensor.assign(values);
  return tensor;
}
DVar mixed(const DVar& weights, auto... inputs) { return ops::weighted_sum(weights, std::vector<DVar>{inputs...}); }

}  // namespace

TEST_CASE("softmax_at: values and gradients at any temperature, with noise and without") {
  const DTensor alpha = vector_of({0.3, -1.2, 2, 0.5});
  const std::vector<double> noise{0.1, 0.7, -0.4, 0};
  for (const double temperature : {0.1, 1.0, 4.0}) {
    DTape tape(false);
    const DVar p = ops::softmax_at<double>(tape.reference(alpha), noise, temperature);
    double sum = 0;
    for (const double x : p.value().row(0)) sum += x;
    CHECK(sum == Approx(1));
    CHECK(p.value().data()[0] / p.value().data()[3] == Approx(std::exp((0.3 + 0.1 - 0.5) / temperature)));
    CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return ops::softmax_at<double>(in[0], noise, temperature); }, {alpha}));
    CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return ops::softmax_at<double>(in[0], {}, temperature); }, {alpha}));
  }
  DTape tape(false);  // what was decided stays decided
  const DVar p = ops::softmax_at<double>(tape.constant(vector_of({-1e4, 0, -1e4})), {}, 1);
  CHECK(p.value().data()[0] == 0);
  CHECK(p.value().data()[1] == 1);
}

TEST_CASE("one_hot: the first of the largest, straight-through") {
  DTape tape;
  const DVar p = tape.variable(vector_of({0.2, 0.4, 0.4}));
  const DVar hot = ops::one_hot(p);
  CHECK(std::vector<double>(hot.value().row(0).begin(), hot.value().row(0).end()) == std::vector<double>{0, 1, 0});
  const DVar weights = tape.constant(vector_of({3, 5, 7}));
  DVar sum = mixed(weights, ops::element(hot, 0), ops::element(hot, 1), ops::element(hot, 2));
  CHECK(*sum.value().data() == 5);
  tape.backward(sum);
  const auto gradient = tape.grad(p).row(0);
  CHECK(std::vector<double>(gradient.begin(), gradient.end()) == std::vector<double>{3, 5, 7});
}

TEST_CASE("element: gradients") {
  const DTensor x = random_tensor<double>({5}, 1);
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return ops::element(in[0], 3); }, {x}));
}

TEST_CASE("weighted_sum: values and gradients") {
  const DTensor w = vector_of({0.2, 0.5, 0.3}), a = random_tensor<double>({2, 3, 5}, 1),
                b = random_tensor<double>({2, 3, 5}, 2), c = random_tensor<double>({2, 3, 5}, 3);
  DTape tape(false);
  const DTensor y = mixed(tape.reference(w), tape.reference(a), tape.reference(b), tape.reference(c)).value();
  CHECK(y(1, 2, 4) == Approx(0.2 * a(1, 2, 4) + 0.5 * b(1, 2, 4) + 0.3 * c(1, 2, 4)));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return mixed(in[0], in[1], in[2], in[3]); }, {w, a, b, c}));
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return mixed(in[0], in[1], in[1], in[2]); }, {w, a, b}));
  CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return mixed(t.reference(w), in[0], t.reference(b), in[1]); }, {a, c}));
  CHECK_THROWS_AS(mixed(tape.reference(w), tape.reference(a), tape.constant(DTensor({2, 3, 4})), tape.reference(c)),
                  ShapeError);
}

TEST_CASE("weighted_sum: what has weight 0 need not be there") {
  const DTensor a = random_tensor<double>({2, 5}, 1);
  const DTensor hot = vector_of({0, 1}), some = vector_of({0, 0.5});
  // One of weight 1 is handed on: the very same elements, and the gradients are those of the sum.
  DTape tape;
  const DVar x = tape.variable(a), w = tape.variable(hot);
  const DVar y = mixed(w, DVar{}, x);
  CHECK(y.value().data() == x.value().data());
  CHECK(y.id() != x.id());
  DVar loss = ops::weighted_sum(tape.constant(vector_of({1, 1})), std::vector{y, x});  // x read twice
  tape.backward(ops::element(loss, 0));
  CHECK(tape.grad(x).data()[0] == 2);
  CHECK(tape.grad(w).data()[0] == 0);
  CHECK(tape.grad(w).data()[1] == Approx(a.data()[0]));
  CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return mixed(t.reference(hot), DVar{}, in[0]); }, {a}));
  CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return mixed(t.reference(some), DVar{}, in[0]); }, {a}));
  DTape inference(false);
  const DVar only = inference.reference(a);
  CHECK(mixed(inference.reference(hot), DVar{}, only).id() == only.id());
}
