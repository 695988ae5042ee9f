// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/ops/batch_norm.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include "siena/autograd/ops/structure.hpp"
#include "support/gradients.hpp"

using namespace siena;

namespace {

struct What {
  bool training = true, relu = false, residual = false;
};

// Inputs: x, gamma, beta and, if there is one, the residual.
GradcheckReport check(const What& what, const Shape& shape) {
  const Shape channels{shape[-1]};
  DTensor mean = random_tensor<double>(channels, 5), variance = positive_tensor<double>(channels, 6);
  std::vector<DTensor> inputs{random_tensor<double>(shape, 1), positive_tensor<double>(channels, 2),
                              random_tensor<double>(channels, 3)};
  if (what.residual) inputs.push_back(random_tensor<double>(shape, 4));
  return gradcheck(
      [&](DTape&, DVars in) {
        return ops::batch_norm<double>(
            in[0], in[1], in[2], mean, variance,
            {.training = what.training, .relu = what.relu, .residual = what.residual ? in[3] : DVar{}});
      },
      std::move(inputs), {.step = 1e-6, .tolerance = 1e-6});
}

}  // namespace

TEST_CASE("batch_norm: gradients") {
  const bool training = GENERATE(true, false), relu = GENERATE(true, false), residual = GENERATE(true, false);
  CAPTURE(training, relu, residual);
  CHECK_GRADIENTS(check({training, relu, residual}, {2, 3, 2, 5}));
  CHECK_GRADIENTS(check({training, relu, residual}, {7, 9}));
}

TEST_CASE("batch_norm: gradients where x is its own residual") {
  const bool training = GENERATE(true, false), relu = GENERATE(true, false);
  CAPTURE(training, relu);
  DTensor mean({3}), variance({3}, 1.0);
  CHECK_GRADIENTS(gradcheck(
      [&](DTape&, DVars in) {
        return ops::batch_norm<double>(in[0], in[1], in[2], mean, variance,
                                       {.training = training, .relu = relu, .residual = in[0]});
      },
      {random_tensor<double>({6, 3}, 1), positive_tensor<double>({3}, 2), random_tensor<double>({3}, 3)},
      {.step = 1e-6, .tolerance = 1e-6}));
}

TEST_CASE("batch_norm: gradients where x is used again before and after") {
  DTensor mean({3}), variance({3}, 1.0);
  CHECK_GRADIENTS(gradcheck(
      [&](DTape&, DVars in) {
        const DVar twice = ops::add(in[0], in[0]);
        const DVar y = ops::batch_norm<double>(in[0], in[1], in[2], mean, variance, {.residual = twice});
        return ops::add(y, in[0]);
      },
      {random_tensor<double>({6, 3}, 1), positive_tensor<double>({3}, 2), random_tensor<double>({3}, 3)}));
}

TEST_CASE("batch_norm: gradients where only the residual, or only the scale, wants one") {
  DTensor mean({3}), variance({3}, 1.0);
  const DTensor x = random_tensor<double>({6, 3}, 1), gamma = positive_tensor<double>({3}, 2),
                beta = random_tensor<double>({3}, 3);
  CHECK_GRADIENTS(gradcheck(
      [&](DTape& t, DVars in) {
        return ops::batch_norm<double>(t.reference(x), t.reference(gamma), t.reference(beta), mean, variance,
                                       {.relu = true, .residual = in[0]});
      },
      {random_tensor<double>({6, 3}, 4)}, {.step = 1e-6, .tolerance = 1e-6}));
  CHECK_GRADIENTS(gradcheck(
      [&](DTape& t, DVars in) {
        return ops::batch_norm<double>(t.reference(x), in[0], t.reference(beta), mean, variance, {.relu = true});
      },
      {gamma}, {.step = 1e-6, .tolerance = 1e-6}));
}

TEST_CASE("batch_norm: running statistics") {
  // Channel 0 holds 1, 2, 3, 4, 5 (mean 3, unbiased variance 2.5, biased 2), channel 1 holds 7.
  const DTensor x({5, 2}, {1, 7, 2, 7, 3, 7, 4, 7, 5, 7});
  DTensor mean({2}, 1.0), variance({2}, 1.0);
  DTape tape(false);
  const DVar gamma = tape.constant(DTensor({2}, 2.0)), beta = tape.constant(DTensor({2}, {0.0, 5.0}));
  const auto run = [&](bool training) {
    return ops::batch_norm<double>(tape.reference(x), gamma, beta, mean, variance,
                                   {.epsilon = 1e-3, .momentum = 0.25, .training = training});
  };
  const DVar y = run(true);
  CHECK(y.value()(0, 0) == Approx(2 * (1 - 3) / std::sqrt(2 + 1e-3)));
  CHECK(y.value()(4, 1) == Approx(5));
  CHECK(mean(0) == Approx(1 + 0.25 * 2));
  CHECK(mean(1) == Approx(1 + 0.25 * 6));
  CHECK(variance(0) == Approx(1 + 0.25 * 1.5));
  CHECK(variance(1) == Approx(0.75));

  const DVar z = run(false);
  CHECK(z.value()(0, 0) == Approx(2 * (1 - 1.5) / std::sqrt(1.375 + 1e-3)));
  CHECK(mean(0) == Approx(1.5));
  CHECK(variance(0) == Approx(1.375));
}
