// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/ops/mask.hpp"

#include <cmath>
#include <vector>

#include "siena/autograd/ops/structure.hpp"
#include "support/gradients.hpp"

using namespace siena;

namespace {

std::vector<double> values(const DTensor& tensor) {
  std::vector<double> copy;
  tensor.copy_to(copy);
  return copy;
}

// The gradient `weights` for a mask: sum of mask * weights.
DVar weigh(const DVar& mask, const std::vector<double>& weights) {
  const DVar w =
      mask.tape().constant(DTensor({static_cast<std::int64_t>(weights.size()), 1}, std::span<const double>(weights)));
  return ops::sum(ops::mask_input_channels(w, mask));
}

}  // namespace

TEST_CASE("binarize: on above the threshold, and the largest always") {
  CHECK(values(ops::binary_mask(DTensor({4}, {0.6, 0.5, 0.4, 0.7}), 0.5)) == std::vector<double>{1, 0, 0, 1});
  CHECK(values(ops::binary_mask(DTensor({4}, {0.1, 0.3, 0.2, 0.0}), 0.5)) == std::vector<double>{0, 1, 0, 0});
  CHECK(values(ops::binary_mask(DTensor({3}, {-5, -6, -5}), 0.5)) == std::vector<double>{1, 0, 0});
}

TEST_CASE("binarize: the gradient goes straight through") {
  DTape tape;
  const DVar alpha = tape.variable(DTensor({3}, {0.9, 0.2, 0.1}));
  const DVar mask = ops::binarize(alpha, 0.5);
  tape.backward(ops::add(weigh(mask, {2, -3, 5}), weigh(mask, {1, 1, 1})));
  CHECK(values(tape.grad(alpha)) == std::vector<double>{3, -2, 6});
}

TEST_CASE("binarize_measured: moments and slopes") {
  DTensor mean({2}), variance({2}), steps({1});
  const ops::MaskMoments<double> moments{.mean = &mean, .variance = &variance, .steps = &steps, .decay = 0.5, .batch = 4};
  DTape tape;
  const auto step = [&](const std::vector<double>& gradient) {
    tape.clear();
    const DVar alpha = tape.variable(DTensor({2}, {0.9, 0.1}));
    const DVar mask = ops::binarize_measured(alpha, 0.5, moments);
    CHECK(values(mask.value()) == std::vector<double>{1, 0});
    tape.backward(weigh(mask, gradient));
    return values(tape.grad(alpha));
  };
  // The moments of a single step are the gradient, and no variance yet.
  const auto first = step({2, -3});
  CHECK(first[0] == Approx(2 - 0.5 * 4).margin(1e-12));
  CHECK(first[1] == Approx(-3 + 0.5 * 9));
  // Weights 1/3 and 2/3: means 4/3 and -1/3, variances 2/9 and 32/9; of single samples four times as much.
  const auto second = step({1, 1});
  CHECK(mean(0) == Approx(4.0 / 3));
  CHECK(variance(0) == Approx(4 * 2.0 / 9));
  CHECK(mean(1) == Approx(-1.0 / 3));
  CHECK(variance(1) == Approx(4 * 32.0 / 9));
  CHECK(steps(0) == 2);
  const double fisher[] = {4 * 2.0 / 9 + 16.0 / 9, 4 * 32.0 / 9 + 1.0 / 9};
  CHECK(second[0] == Approx(4.0 / 3 - fisher[0] / 2).margin(1e-12));
  CHECK(second[1] == Approx(-1.0 / 3 + fisher[1] / 2));
  CHECK(ops::secant_slope(moments, 0, true) == Approx(second[0]).margin(1e-12));
  CHECK(ops::secant_slope(moments, 0, false) == Approx(4.0 / 3 + fisher[0] / 2));

  // The tangent, on demand; the moments go on.
  auto tangent = moments;
  tangent.secant = false;
  tape.clear();
  const DVar alpha = tape.variable(DTensor({2}, {0.9, 0.1}));
  tape.backward(weigh(ops::binarize_measured(alpha, 0.5, tangent), {5, 6}));
  CHECK(values(tape.grad(alpha)) == std::vector<double>{5, 6});
  CHECK(steps(0) == 3);
}

TEST_CASE("binarize_measured: before the first step, and without recording") {
  DTensor mean({1}), variance({1}), steps({1});
  const ops::MaskMoments<double> moments{.mean = &mean, .variance = &variance, .steps = &steps};
  CHECK(ops::secant_slope(moments, 0, true) == 0);
  DTape tape(false);
  (void)ops::binarize_measured(tape.variable(DTensor({1}, {0.7})), 0.5, moments);
  CHECK(steps(0) == 0);
}

TEST_CASE("chain_mask: on up to the first that is not above the threshold") {
  CHECK(values(ops::chain_mask(DTensor({5}, {0.6, 0.9, 0.5, 1, 1}), 0.5)) == std::vector<double>{1, 1, 0, 0, 0});
  CHECK(values(ops::chain_mask(DTensor({2}, {0.1, 1}), 0.5)) == std::vector<double>{0, 0});
  CHECK(values(ops::chain_mask(DTensor({2}, {0.7, 0.6}), 0.5)) == std::vector<double>{1, 1});
  DTape tape;
  const DVar alpha = tape.variable(DTensor({3}, {0.9, 0.2, 0.8}));
  tape.backward(weigh(ops::binarize(alpha, ops::chain_mask(alpha.value(), 0.5)), {2, -3, 5}));
  CHECK(values(tape.grad(alpha)) == std::vector<double>{2, -3, 5});
}

TEST_CASE("mask_rows: values and gradients") {
  const auto place = [](std::int64_t row) { return row % 4 - 1; };
  DTape tape(false);
  const DVar masked =
      ops::mask_rows(tape.constant(DTensor({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8})), tape.constant(DTensor({3}, {0, 1, 0.5})), place);
  CHECK(values(masked.value()) == std::vector<double>{1, 2, 0, 0, 5, 6, 3.5, 4});
  CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return ops::mask_rows(in[0], in[1], place); },
                            {random_tensor<double>({3, 2, 2, 11}, 1), random_tensor<double>({3}, 2)}));
}

TEST_CASE("mask_input_channels: values and gradients") {
  DTape tape(false);
  const DVar masked = ops::mask_input_channels(tape.constant(DTensor({2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})),
                                               tape.constant(DTensor({2}, {1, 0})));
  CHECK(values(masked.value()) == std::vector<double>{1, 2, 0, 0, 5, 6, 0, 0});
  const auto apply = [](DTape&, DVars in) { return ops::mask_input_channels(in[0], in[1]); };
  CHECK_GRADIENTS(gradcheck(apply, {random_tensor<double>({3, 2, 5, 11}, 1), random_tensor<double>({5}, 2)}));
  CHECK_GRADIENTS(gradcheck(apply, {random_tensor<double>({6, 3}, 1), random_tensor<double>({6}, 2)}));
  CHECK_GRADIENTS(
      gradcheck([](DTape&, DVars in) { return ops::mask_input_channels(ops::mask_input_channels(in[0], in[1]), in[1]); },
                {random_tensor<double>({6, 3}, 1), random_tensor<double>({3}, 2)}));
}

TEST_CASE("join_masks: values and gradients") {
  const auto join = [](DTape& tape, const DVar& a, const DVar& b) {
    const std::vector segments{ops::MaskSegment<double>{a, 2, 1, 3}, ops::MaskSegment<double>{DVar{}, 2, 1, 1},
                               ops::MaskSegment<double>{b, 3, 1, 1}, ops::MaskSegment<double>{a, 2, 2, 2}};
    return ops::join_masks<double>(tape, segments);
  };
  const DTensor a({2}, {1, 0.5}), b({3}, {2, 3, 4});
  DTape tape(false);
  CHECK(values(join(tape, tape.reference(a), tape.reference(b)).value()) ==
        std::vector<double>{1, 0.5, 1, 0.5, 1, 0.5, 1, 1, 2, 3, 4, 1, 1, 0.5, 0.5, 1, 1, 0.5, 0.5});
  CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return join(t, in[0], in[1]); }, {a, b}));
  CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return join(t, t.reference(a), in[0]); }, {b}));
}

TEST_CASE("join_masks: no masks at all") {
  DTape tape;
  const std::vector segments{ops::MaskSegment<double>{DVar{}, 3, 1, 2}};
  const DVar joined = ops::join_masks<double>(tape, segments);
  CHECK_FALSE(joined.needs_grad());
  CHECK(values(joined.value()) == std::vector<double>(6, 1.0));
}
