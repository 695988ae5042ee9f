// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/autograd/ops/group_norm.hpp"

#include <cmath>
#include <cstdint>

#include "siena/autograd/ops/structure.hpp"
#include "support/gradients.hpp"

using namespace siena;

namespace {
/// In plain loops over samples, groups and their elements.
template <class T>
BasicTensor<T> by_hand(const BasicTensor<T>& x, const BasicTensor<T>& gamma, const BasicTensor<T>& beta, std::int64_t groups,
                       double epsilon) {
  BasicTensor<T> y(x.shape());
  const std::int64_t batch = x.shape()[0], rows = x.rows() / batch, each = x.columns() / groups;
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t g = 0; g < groups; ++g) {
      double mean = 0, variance = 0;
      const auto over_group = [&](auto&& body) {
        for (std::int64_t r = n * rows; r < (n + 1) * rows; ++r) {
          for (std::int64_t c = g * each; c < (g + 1) * each; ++c) body(r, static_cast<std::size_t>(c));
        }
      };
      const auto count = static_cast<double>(rows * each);
      over_group([&](std::int64_t r, std::size_t c) { mean += static_cast<double>(x.row(r)[c]) / count; });
      over_group(
          [&](std::int64_t r, std::size_t c) { variance += std::pow(static_cast<double>(x.row(r)[c]) - mean, 2) / count; });
      over_group([&](std::int64_t r, std::size_t c) {
        const double normal = (static_cast<double>(x.row(r)[c]) - mean) / std::sqrt(variance + epsilon);
        y.row(r)[c] = static_cast<T>(normal * static_cast<double>(gamma.data()[c]) + static_cast<double>(beta.data()[c]));
      });
    }
  }
  return y;
}

template <class T>
double error_of(const Shape& shape, std::int64_t groups) {
  const Shape channels{shape[-1]};
  const BasicTensor<T> x = random_tensor<T>(shape, 1), gamma = positive_tensor<T>(channels, 2),
                       beta = random_tensor<T>(channels, 3);
  BasicTape<T> tape(false);
  const BasicTensor<T> y =
      ops::group_norm<T>(tape.reference(x), tape.reference(gamma), tape.reference(beta), {.groups = groups}).value();
  const BasicTensor<T> expected = by_hand(x, gamma, beta, groups, 1e-5);
  double worst = 0;
  for (std::int64_t r = 0; r < x.rows(); ++r) {
    for (std::size_t c = 0; c < static_cast<std::size_t>(x.columns()); ++c)
      worst = std::max(worst, static_cast<double>(std::abs(y.row(r)[c] - expected.row(r)[c])));
  }
  return worst;
}
}  // namespace

TEST_CASE("group_norm: values, of odd sizes") {
  for (const auto& [shape, groups] : {std::pair<Shape, std::int64_t>{{3, 5, 4, 6}, 1},
                                      {{3, 5, 4, 6}, 3},
                                      {{2, 40, 33}, 11},
                                      {{2, 7, 9}, 9},
                                      {{4, 20}, 5},
                                      {{1, 64, 64, 16}, 4}}) {
    INFO(shape.to_string() << " in " << groups << " groups");
    CHECK(error_of<double>(shape, groups) < 1e-12);
    CHECK(error_of<float>(shape, groups) < 2e-5);
  }
}

TEST_CASE("group_norm: gradients") {
  for (const std::int64_t groups : {1, 2, 3, 6}) {
    CAPTURE(groups);
    const auto norm = [&](const DVar& x, const DVar& gamma, const DVar& beta) {
      return ops::group_norm<double>(x, gamma, beta, {.groups = groups, .epsilon = 1e-3});
    };
    const DTensor x = random_tensor<double>({2, 3, 2, 6}, 1), gamma = random_tensor<double>({6}, 2),
                  beta = random_tensor<double>({6}, 3);
    CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return norm(in[0], in[1], in[2]); }, {x, gamma, beta},
                              {.step = 1e-6, .tolerance = 1e-6}));
    CHECK_GRADIENTS(gradcheck([&](DTape&, DVars in) { return ops::add(norm(in[0], in[1], in[2]), in[0]); }, {x, gamma, beta},
                              {.step = 1e-6, .tolerance = 1e-6}));
    CHECK_GRADIENTS(gradcheck([&](DTape& t, DVars in) { return norm(t.reference(x), in[0], t.reference(beta)); }, {gamma},
                              {.step = 1e-6, .tolerance = 1e-6}));
  }
}
