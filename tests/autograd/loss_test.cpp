// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/ops/loss.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include "siena/autograd/ops/structure.hpp"
#include "support/gradients.hpp"

using namespace siena;

TEST_CASE("cross_entropy: value") {
  // softmax(0, ln 3) = (1/4, 3/4)
  const DTensor logits({2, 2}, {0, std::log(3.0), 500, 500 + std::log(3.0)});
  const std::vector<std::int32_t> labels{0, 1};
  DTape tape(false);
  const DVar x = tape.reference(logits);
  CHECK(*ops::cross_entropy(x, labels).value().data() == Approx(0.5 * (std::log(4.0) + std::log(4.0 / 3))));
  // With smoothing 0.2 the targets are (0.9, 0.1) and (0.1, 0.9).
  const double first = 0.9 * std::log(4.0) + 0.1 * std::log(4.0 / 3), second = 0.1 * std::log(4.0) + 0.9 * std::log(4.0 / 3);
  CHECK(*ops::cross_entropy(x, labels, 0.2).value().data() == Approx(0.5 * (first + second)));
}

TEST_CASE("cross_entropy: gradients") {
  const std::vector<std::int32_t> labels{3, 0, 10};
  const double smoothing = GENERATE(0.0, 0.1);
  CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return ops::cross_entropy(in[0], labels, smoothing); },
                            {random_tensor<double>({3, 11}, 1)}));
  CHECK_GRADIENTS(gradcheck(
      [&](DTape&, DVars in) {
        return ops::add(ops::cross_entropy(in[0], labels, smoothing), ops::cross_entropy(in[0], labels));
      },
      {random_tensor<double>({3, 16}, 1)}));
}

TEST_CASE("cross_entropy: labels that do not fit") {
  DTape tape;
  const DVar x = tape.constant(DTensor({2, 4}));
  const std::vector<std::int32_t> few{1}, large{0, 4}, negative{-2, 0};
  CHECK_THROWS_WITH(ops::cross_entropy(x, few), "cross_entropy: expected 2 labels for logits of 2x4, got 1");
  CHECK_THROWS_WITH(ops::cross_entropy(x, large), "cross_entropy: expected labels from -1 (no class) to 3, got 4 in row 1");
  CHECK_THROWS_AS(ops::cross_entropy(x, negative), DataError);
}

TEST_CASE("cross_entropy: samples of no class are left out") {
  const DTensor logits({3, 2}, {0, std::log(3.0), 7, -7, 0, std::log(3.0)});
  DTape tape(false);
  const std::vector<std::int32_t> labels{0, no_class, 1};
  CHECK(*ops::cross_entropy(tape.reference(logits), labels).value().data() ==
        Approx(0.5 * (std::log(4.0) + std::log(4.0 / 3))));
  CHECK_GRADIENTS(
      gradcheck([&](DTape&, DVars in) { return ops::cross_entropy(in[0], labels, 0.1); }, {random_tensor<double>({3, 11}, 1)}));
}

TEST_CASE("soft_cross_entropy: value, gradients, shapes") {
  const DTensor logits({2, 2}, {0, std::log(3.0), 500, 500 + std::log(3.0)});
  DTape tape(false);
  const DVar x = tape.reference(logits);
  const double first = std::log(4.0), second = std::log(4.0 / 3);
  CHECK(*ops::soft_cross_entropy(x, tape.constant(DTensor({2, 2}, {0.3, 0.7, 1, 0}))).value().data() ==
        Approx((0.3 * first + 0.7 * second + first) / 2));
  CHECK(*ops::soft_cross_entropy(x, tape.constant(DTensor({2, 2}, {0, 2, 0, 0}))).value().data() == Approx(second));

  DTensor targets = random_tensor<double>({3, 11}, 2);
  for (double& target : targets.storage()) target *= target;  // weights, that do not add up to 1
  CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return ops::soft_cross_entropy(in[0], t.reference(targets)); },
                            {random_tensor<double>({3, 11}, 1)}));
  CHECK_GRADIENTS(gradcheck(
      [&](DTape& t, DVars in) {
        const DVar loss = ops::soft_cross_entropy(in[0], t.reference(targets));
        return ops::add(loss, ops::soft_cross_entropy(in[0], t.reference(targets)));
      },
      {random_tensor<double>({3, 11}, 1)}));
  CHECK_THROWS_WITH(ops::soft_cross_entropy(x, tape.constant(DTensor({2, 3}))),
                    "soft_cross_entropy: expected targets of shape 2x2, got 2x3");
}

TEST_CASE("binary_cross_entropy: value, gradients, shapes") {
  DTape tape(false);
  const DVar x = tape.constant(DTensor({1, 2}, {0, std::log(3.0)}));  // probabilities 1/2 and 3/4
  CHECK(*ops::binary_cross_entropy(x, tape.constant(DTensor({1, 2}, {1, 0.5}))).value().data() ==
        Approx((std::log(2.0) + 0.5 * (std::log(4.0 / 3) + std::log(4.0))) / 2));
  DTensor targets = random_tensor<double>({3, 11}, 2);
  for (double& target : targets.storage()) target = target > 0 ? 1 : 0;
  CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return ops::binary_cross_entropy(in[0], t.reference(targets)); },
                            {random_tensor<double>({3, 11}, 1)}));
  CHECK_GRADIENTS(gradcheck(
      [&](DTape& t, DVars in) {
        const DVar loss = ops::binary_cross_entropy(in[0], t.reference(targets));
        return ops::add(loss, ops::binary_cross_entropy(in[0], t.reference(targets)));
      },
      {random_tensor<double>({3, 11}, 1)}));
  CHECK_THROWS_WITH(ops::binary_cross_entropy(x, tape.constant(DTensor({2, 2}))),
                    "binary_cross_entropy: expected targets of shape 1x2, got 2x2");
}

TEST_CASE("mean_squared_error: value, gradients, shapes") {
  DTape tape(false);
  const DVar a = tape.constant(DTensor({2, 2}, {1, 2, 3, 4})), b = tape.constant(DTensor({2, 2}, {1, 0, 3, 1}));
  CHECK(*ops::mean_squared_error(a, b).value().data() == Approx((4.0 + 9.0) / 4));
  const DTensor target = random_tensor<double>({3, 11}, 2);
  CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return ops::mean_squared_error(in[0], t.reference(target)); },
                            {random_tensor<double>({3, 11}, 1)}));
  CHECK_GRADIENTS(gradcheck(
      [&](DTape& t, DVars in) {
        const DVar loss = ops::mean_squared_error(in[0], t.reference(target));
        return ops::add(loss, ops::mean_squared_error(in[0], t.reference(target)));
      },
      {random_tensor<double>({3, 11}, 1)}));
  CHECK_THROWS_WITH(ops::mean_squared_error(a, tape.constant(DTensor({4, 1}))),
                    "mean_squared_error: expected targets of shape 2x2, got 4x1");
}
