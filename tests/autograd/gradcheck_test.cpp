// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/gradcheck.hpp"

#include <limits>
#include <utility>

#include "support/catch.hpp"
#include "support/gradients.hpp"

using namespace siena;

namespace {

// y = x^2, whose gradient of element `at` is multiplied by `factor`.
DVar square(const DVar& x, std::int64_t at = 0, double factor = 1) {
  DTensor y(x.shape());
  for (std::int64_t r = 0; r < y.rows(); ++r) {
    for (std::int64_t c = 0; c < y.columns(); ++c) y.row(r)[c] = x.value().row(r)[c] * x.value().row(r)[c];
  }
  const DVar output = x.tape().result(std::move(y), x);
  x.tape().record(output, [=](DTape& t) {
    const auto slot = t.accumulating_slot(x);
    const DTensor& dy = t.grad(output);
    for (std::int64_t r = 0; r < dy.rows(); ++r) {
      for (std::int64_t c = 0; c < dy.columns(); ++c) {
        const double wrong = r * dy.columns() + c == at ? factor : 1;
        slot.grad->row(r)[c] += wrong * 2 * t.value(x).row(r)[c] * dy.row(r)[c];
      }
    }
  });
  return output;
}

}  // namespace

TEST_CASE("gradcheck: passes what is right") {
  const auto report = gradcheck([](DTape&, DVars in) { return square(in[0]); }, {random_tensor<double>({2, 3, 5}, 1)});
  CHECK(report);
  CHECK(report.error < 1e-8);
  CHECK_THAT(report.message, ContainsSubstring("30 elements agree"));
}

TEST_CASE("gradcheck: names the worst element") {
  const auto report = gradcheck([](DTape&, DVars in) { return square(in[1], 13, 1.5); },
                                {random_tensor<double>({2}, 2), random_tensor<double>({2, 2, 4}, 1)});
  CHECK_FALSE(report.passed);
  CHECK(report.error > 1e-3);
  CHECK_THAT(report.message, ContainsSubstring("input 1, element [1, 1, 1] of shape 2x2x4: expected a gradient of"));
  CHECK_THAT(report.message, ContainsSubstring("1 of 18 elements are off"));
}

TEST_CASE("gradcheck: a gradient that is missing, of another sign, or not a number") {
  const DTensor x = random_tensor<double>({1, 3}, 1);
  CHECK_FALSE(gradcheck([](DTape& tape, DVars in) { return square(tape.constant(in[0].value())); }, {x}));
  CHECK_FALSE(gradcheck([](DTape&, DVars in) { return square(in[0], 2, -1); }, {x}));
  const auto report =
      gradcheck([](DTape&, DVars in) { return square(in[0], 1, std::numeric_limits<double>::quiet_NaN()); }, {x});
  CHECK_FALSE(report.passed);
  CHECK_THAT(report.message, ContainsSubstring("element [0, 1]"));
}

TEST_CASE("gradcheck: an input that plays no part") {
  CHECK_GRADIENTS(gradcheck([](DTape&, DVars in) { return square(in[1]); },
                            {random_tensor<double>({2}, 1), random_tensor<double>({2}, 2)}));
}

TEST_CASE("gradcheck: functions that are none") {
  double drift = 0;
  const auto report =
      gradcheck([&](DTape& tape, DVars in) { return tape.result(DTensor(Shape{1}, {in[0].value()(0) + ++drift}), in[0]); },
                {random_tensor<double>({1}, 1)});
  CHECK_FALSE(report.passed);
  CHECK_THAT(report.message, ContainsSubstring("expected the same result for the same inputs"));
}

TEST_CASE("gradcheck: a penalty of scalars, alone and beside a value") {
  const auto penalty = [](DTape& tape, const DVar& x) {
    const Scalar s = tape.scalar(x);
    return s * s * 3.0 + exp(s);
  };
  CHECK_GRADIENTS(gradcheck([&](DTape& tape, DVars in) { return std::pair(DVar{}, penalty(tape, in[0])); },
                            {random_tensor<double>({1}, 1)}));
  CHECK_GRADIENTS(gradcheck([&](DTape& tape, DVars in) { return std::pair(square(in[0]), penalty(tape, square(in[0]))); },
                            {random_tensor<double>({1}, 1)}));
}

TEST_CASE("gradcheck: options out of range") {
  const auto f = [](DTape&, DVars in) { return in[0]; };
  CHECK_THROWS_AS(gradcheck(f, {DTensor({1})}, {.step = 0, .tolerance = 1e-6}), ArgumentError);
}
