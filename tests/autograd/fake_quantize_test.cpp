// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/ops/fake_quantize.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "siena/autograd/ops/structure.hpp"
#include "support/gradients.hpp"

using namespace siena;

namespace {
/// d(sum of weights * y) / d x of one of these.
template <class Make>
DTensor slopes_of(const DTensor& x, Make&& make) {
  DTape tape;
  const DVar in = tape.variable(x), y = make(tape, in);
  const DVar output = tape.result(DTensor(Shape{1}), y);
  tape.record(output, [=](DTape& t) {
    const auto slot = t.accumulating_slot(y);
    for (double& g : slot.storage()) g += 1;
  });
  tape.backward(output);
  return tape.grad(in);
}
}  // namespace

TEST_CASE("fake quantize: gradients pass straight through, and not beyond the ends") {
  const kernels::Levels<double> levels{.step = 0.1, .zero = 1, .low = -4, .high = 3};  // from -0.5 to 0.2
  const DTensor x({2, 3}, {-0.54, -0.56, -0.1, 0.03, 0.24, 0.26});
  const DTensor dx = slopes_of(x, [&](DTape&, const DVar& in) { return ops::fake_quantize(in, levels); });
  for (const auto& [r, c, slope] : {std::tuple{0, 0, 1.0}, {0, 1, 0.0}, {0, 2, 1.0}, {1, 0, 1.0}, {1, 1, 1.0}, {1, 2, 0.0}})
    CHECK(dx(r, c) == slope);
  const DTensor twice = slopes_of(
      x, [&](DTape&, const DVar& in) { return ops::add(ops::fake_quantize(in, levels), ops::fake_quantize(in, levels)); });
  CHECK(twice(0, 0) == 2);
  CHECK(twice(0, 1) == 0);
}

TEST_CASE("fake quantize: a learned step has its true slope where the ends hold, and that of rounding in between") {
  const kernels::Levels<double> levels{.low = -8, .high = 7};
  const auto slope = [&](const DTensor& x, double step) {
    return *slopes_of(DTensor(Shape{1}, step), [&](DTape& t, const DVar& s) {
              return ops::fake_quantize(t.reference(x), s, ops::LearnedLevels<double>{levels});
            }).data();
  };
  const double scale = 1 / std::sqrt(4 * 15.0);  // features, levels
  // Beyond both ends y is step * -8 and step * 7, whose differences a gradient check could take.
  CHECK(slope(DTensor({2, 4}, {-3, -2, -4, -9, 5, 6, 7, 8}), 0.2) == Approx(4 * (7 - 8) * scale));
  // q - x / step.
  CHECK(slope(DTensor({1, 4}, {0.05, 0.15, -0.31, 0.6}), 0.2) == Approx((0 - 0.25 + 1 - 0.75 - 2 + 1.55 + 3 - 3) * scale));
  CHECK(std::isfinite(slope(DTensor({1, 4}, {1, 2, 3, 4}), -1)));  // counts as the smallest step
}

TEST_CASE("fake quantize: one of several numbers of levels, and what the steps between them are worth") {
  const ops::LevelChoices<double> choices{.each = {{{.levels = {.low = 0, .high = 3}, .share = 0.5 / 3},
                                                    {.levels = {.low = 0, .high = 15}, .share = 0.75 / 15},
                                                    {.levels = {.low = 0, .high = 255}, .share = 1.0 / 255}}},
                                          .count = 3};
  const DTensor x = positive_tensor<double>({3, 7}, 4), weights = random_tensor<double>({3, 7}, 5);
  for (const int taken : {0, 1, 2}) {
    DTape tape;
    const DVar in = tape.variable(x), range = tape.variable(DTensor(Shape{1}, 2.0));
    const DVar on = tape.variable(DTensor(Shape{2}, {taken > 0 ? 1.0 : 0.0, taken > 1 ? 1.0 : 0.0}));
    const DVar y = ops::fake_quantize(in, on, range, choices);
    const DVar alone_in = tape.variable(x), alone_range = tape.variable(DTensor(Shape{1}, 2.0));
    const DVar alone = ops::fake_quantize(alone_in, alone_range, choices.each[static_cast<std::size_t>(taken)]);
    for (std::int64_t r = 0; r < 3; ++r)
      for (std::size_t c = 0; c < 7; ++c) CHECK(y.value().row(r)[c] == alone.value().row(r)[c]);
    const DVar both = ops::add(ops::multiply(y, tape.reference(weights)), ops::multiply(alone, tape.reference(weights)));
    tape.backward(ops::sum(both));
    CHECK(*tape.grad(range).data() == *tape.grad(alone_range).data());
    std::array<double, 3> at{};  // the loss with each number of levels
    for (std::int64_t r = 0; r < 3; ++r) {
      for (std::size_t c = 0; c < 7; ++c) {
        CHECK(tape.grad(in).row(r)[c] == tape.grad(alone_in).row(r)[c]);
        for (std::size_t k = 0; k < 3; ++k) {
          const auto levels = choices.each[k].at(2.0);
          at[k] += weights.row(r)[c] * levels.step *
                   std::clamp(std::floor(x.row(r)[c] / levels.step + 0.5), levels.low, levels.high);
        }
      }
    }
    for (std::size_t k = 0; k < 2; ++k) CHECK(tape.grad(on).row(0)[k] == Approx(at[k + 1] - at[k]));
    for (const double padding : tape.grad(on).storage().subspan(2)) CHECK(padding == 0);
  }
}

TEST_CASE("fake quantize: gradients in double where nothing rounds") {
  // On levels that hold every input the function is piecewise flat: differences are those of the ends alone.
  const DTensor x = random_tensor<double>({3, 5}, 1);
  const kernels::Levels<double> below{.step = 1e3, .low = 1, .high = 2};
  CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return ops::fake_quantize(in[0], below); }, {x}));
  // A learned step, all values beyond the ends, times what the slope is divided by.
  const kernels::Levels<double> levels{.low = -1, .high = 1};
  DTensor far = x;
  for (double& v : far.storage()) v *= 100;
  DTape tape;
  const DVar step = tape.variable(DTensor(Shape{1}, 0.5));
  const DVar y = ops::fake_quantize(tape.reference(far), step, ops::LearnedLevels<double>{levels});
  for (std::int64_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 5; ++c) CHECK(y.value().row(r)[c] == (far.row(r)[c] > 0 ? 0.5 : -0.5));
}

TEST_CASE("fake quantize: weights as whole numbers of a step, zeros as zeros") {
  const DTensor w({3, 2}, {0.5, 0, -1, 0, 0.3, 0});
  DTape tape;
  const DVar in = tape.variable(w),
             y = ops::fake_quantize_weights<double>(in, std::vector{2, 2});  // -1, 0 and 1 times the step
  CHECK(y.value()(0, 0) == Approx(0.9766 * 1.34 / 1.8));
  CHECK(y.value()(1, 0) == -y.value()(0, 0));
  CHECK(y.value()(2, 0) == 0);
  for (int r = 0; r < 3; ++r) CHECK(y.value()(r, 1) == 0);
  const DTensor dw = slopes_of(w, [](DTape&, const DVar& v) {
    return ops::fake_quantize_weights<double>(v, std::vector{2, 2});
  });
  for (int r = 0; r < 3; ++r) CHECK((dw(r, 0) == 1 && dw(r, 1) == 1));
  for (int bits = 2; bits <= 8; ++bits) {  // whole numbers of a step, of which the largest occurs
    const DTensor random = random_tensor<double>({17, 5}, static_cast<std::uint64_t>(bits));
    DTape another;
    const DVar coarse = ops::fake_quantize_weights<double>(another.variable(random), std::vector(5, bits));
    const int greatest = (1 << (bits - 1)) - 1;
    for (std::int64_t c = 0; c < 5; ++c) {
      double most = 0, largest = 0;
      for (std::int64_t r = 0; r < 17; ++r) most = std::max(most, std::abs(coarse.value().row(r)[c]));
      for (std::int64_t r = 0; r < 17; ++r) largest = std::max(largest, std::abs(random.row(r)[c]));
      const double step = most / greatest;
      CHECK(most <= largest * (1 + 1e-12));
      if (bits == 8) CHECK(most == Approx(largest));
      for (std::int64_t r = 0; r < 17; ++r) {
        const double v = coarse.value().row(r)[c], weight = random.row(r)[c];
        CHECK(std::abs(v / step - std::round(v / step)) < 1e-9);
        CHECK(std::abs(v - std::clamp(weight, -most, most)) <= step / 2 * (1 + 1e-9));
      }
    }
  }
}

TEST_CASE("fake quantize: biases as whole numbers of steps, halves up, whatever weights are all 0") {
  const DTensor w({1, 3}, {1, 127, 0}), bias(Shape{3}, {0.3, -0.875, 0.3});
  const std::vector<int> bits{4, 8, 8};  // 1 / 7 and 1 from one weight to the next
  const auto rounded = [&](DTape& tape, const DVar& v) {
    return ops::fake_quantize_bias<double>(v, tape.reference(w), bits, 1.75);
  };
  DTape tape;
  const DTensor& got = rounded(tape, tape.variable(bias)).value();
  CHECK(got(0) == Approx(0.25));
  CHECK(got(1) == 0);
  CHECK(got(2) == 0.3);
  const DTensor slopes = slopes_of(bias, rounded);
  for (int c = 0; c < 3; ++c) CHECK(slopes(c) == 1);
}

TEST_CASE("fake quantize: few bits of normal weights err as little as any step allows") {
  constexpr std::int64_t count = 4096;
  Random random(1);
  DTensor w({count, 1});
  for (std::int64_t r = 0; r < count; ++r) w.row(r)[0] = 0.3 * random.normal();
  for (int bits = 2; bits <= 7; ++bits) {
    const int greatest = (1 << (bits - 1)) - 1;
    const auto error = [&](const auto& on_level) {
      double sum = 0;
      for (std::int64_t r = 0; r < count; ++r) sum += std::pow(w.row(r)[0] - on_level(r), 2);
      return sum;
    };
    double least = HUGE_VAL;
    for (double step = 0.001; step < 0.6; step *= 1.01) {
      least = std::min(least, error([&](std::int64_t r) {
                         return step * std::clamp<double>(std::floor(w.row(r)[0] / step + 0.5), -greatest, greatest);
                       }));
    }
    DTape tape;
    const DVar coarse = ops::fake_quantize_weights<double>(tape.variable(w), std::vector{bits});
    CHECK(error([&](std::int64_t r) { return coarse.value().row(r)[0]; }) < 1.02 * least);
  }
}

TEST_CASE("fake quantize: each column of weights has bits of its own, and masked rows change nothing") {
  const DTensor w = random_tensor<double>({12, 3}, 7);
  DTensor longer({24, 3});
  for (std::int64_t r = 0; r < 12; ++r) std::copy_n(w.row(r).begin(), 3, longer.row(2 * r).begin());
  DTape tape;
  const std::vector<int> bits{2, 8, 4};
  const DTensor& all = ops::fake_quantize_weights<double>(tape.variable(w), bits).value();
  const DTensor& padded = ops::fake_quantize_weights<double>(tape.variable(longer), bits).value();
  for (std::int64_t c = 0; c < 3; ++c) {
    const DTensor& alone = ops::fake_quantize_weights<double>(tape.variable(w), std::vector(3, bits[c])).value();
    for (std::int64_t r = 0; r < 12; ++r) {
      CHECK(all.row(r)[c] == alone.row(r)[c]);
      CHECK(all.row(r)[c] == padded.row(2 * r)[c]);
      CHECK(padded.row(2 * r + 1)[c] == 0);
    }
  }
}
