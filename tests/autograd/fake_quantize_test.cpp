// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/ops/fake_quantize.hpp"

#include <cmath>

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
              return ops::fake_quantize(t.reference(x), s, levels);
            }).data();
  };
  const double scale = 1 / std::sqrt(4 * 15.0);  // features, levels
  // Beyond both ends y is step * -8 and step * 7, whose differences a gradient check could take.
  CHECK(slope(DTensor({2, 4}, {-3, -2, -4, -9, 5, 6, 7, 8}), 0.2) == Approx(4 * (7 - 8) * scale));
  // q - x / step.
  CHECK(slope(DTensor({1, 4}, {0.05, 0.15, -0.31, 0.6}), 0.2) == Approx((0 - 0.25 + 1 - 0.75 - 2 + 1.55 + 3 - 3) * scale));
  CHECK(std::isfinite(slope(DTensor({1, 4}, {1, 2, 3, 4}), -1)));  // counts as the smallest step
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
  const DVar y = ops::fake_quantize(tape.reference(far), step, levels);
  for (std::int64_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 5; ++c) CHECK(y.value().row(r)[c] == (far.row(r)[c] > 0 ? 0.5 : -0.5));
}

TEST_CASE("fake quantize: weights keep their largest, zeros and what is between them") {
  const DTensor w({3, 2}, {0.5, 0, -1, 0, 0.3, 0});
  DTape tape;
  const DVar in = tape.variable(w), y = ops::fake_quantize_weights(in, 2);  // -1, 0 and 1 times the step
  CHECK(y.value()(0, 0) == 1);
  CHECK(y.value()(1, 0) == -1);
  CHECK(y.value()(2, 0) == 0);
  for (int r = 0; r < 3; ++r) CHECK(y.value()(r, 1) == 0);
  const DTensor dw = slopes_of(w, [](DTape&, const DVar& v) { return ops::fake_quantize_weights(v, 2); });
  for (int r = 0; r < 3; ++r) CHECK((dw(r, 0) == 1 && dw(r, 1) == 1));
  for (int bits = 2; bits <= 8; ++bits) {  // whole numbers, at most one step from end to end, the same done twice
    const DTensor random = random_tensor<double>({17, 5}, static_cast<std::uint64_t>(bits));
    DTape another;
    const DVar once = ops::fake_quantize_weights(another.variable(random), bits);
    const DVar again = ops::fake_quantize_weights(once, bits);
    for (std::int64_t c = 0; c < 5; ++c) {
      double most = 0;
      for (std::int64_t r = 0; r < 17; ++r) most = std::max(most, std::abs(random.row(r)[c]));
      const double step = most / ((1 << (bits - 1)) - 1);
      for (std::int64_t r = 0; r < 17; ++r) {
        const double v = once.value().row(r)[c];
        CHECK(std::abs(v / step - std::round(v / step)) < 1e-9);
        CHECK(std::abs(v - random.row(r)[c]) <= step / 2 * (1 + 1e-9));
        CHECK(again.value().row(r)[c] == Approx(v).epsilon(1e-12));
      }
    }
  }
}
