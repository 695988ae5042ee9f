// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/softmax.hpp"

#include "kernels/rows_check.hpp"
#include "siena/kernels/reference_layers.hpp"

using namespace siena;
using namespace siena::test;
using kernels::Write;
using simd::native;

namespace {
std::vector<std::int32_t> random_labels(Random& random, std::int64_t rows, std::int64_t classes) {
  std::vector<std::int32_t> labels(static_cast<std::size_t>(rows));
  for (auto& label : labels) label = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(classes)));
  return labels;
}
}  // namespace

TEMPLATE_TEST_CASE("softmax and cross entropy", "[kernels][softmax]", float, double) {
  using T = TestType;
  for (auto [rows, classes] : row_sizes()) {
    for (double smoothing : {0.0, 0.1}) {
      const Write mode = smoothing > 0 ? Write::accumulate : Write::overwrite;
      INFO(rows << " rows of " << classes << ", smoothing " << smoothing);
      auto run = [=, rows = rows, classes = classes](T poison, bool reference) {
        Random random(1);
        const auto x = random_rows<T>(random, rows, classes, poison, -5, 5);
        auto labels = random_labels(random, rows, classes);
        for (std::size_t r = 1; smoothing > 0 && r < labels.size(); r += 3) labels[r] = no_class;
        auto y = unwritten_rows<T>(rows, classes), p = y;
        auto dlogits = mode == Write::accumulate ? random_rows<T>(random, rows, classes, T(0)) : y;
        std::vector<T> loss(8);
        if (reference) {
          kernels::reference::softmax_forward<T>(rows, classes, x, y);
          p = y;
          loss[0] = static_cast<T>(kernels::reference::cross_entropy_forward<T>(rows, classes, x, labels, smoothing));
          kernels::reference::cross_entropy_backward<T>(rows, classes, p, labels, 3.0, smoothing, dlogits, mode);
        } else {
          kernels::softmax_forward<native, T>(rows, classes, x, y);
          loss[0] = static_cast<T>(kernels::cross_entropy_forward<native, T>(rows, classes, x, labels, p, smoothing));
          kernels::cross_entropy_backward<native, T>(rows, classes, p, labels, 3.0, smoothing, dlogits, mode);
        }
        return Results<T>{{"y", y, classes}, {"p", p, classes}, {"loss", loss, 1}, {"dlogits", dlogits, classes}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); },
                      rounding<T>(64));
    }
  }
}

TEMPLATE_TEST_CASE("cross entropy with rows of targets", "[kernels][softmax]", float, double) {
  using T = TestType;
  for (auto [rows, classes] : row_sizes()) {
    const Write mode = rows % 2 == 0 ? Write::accumulate : Write::overwrite;
    INFO(rows << " rows of " << classes);
    auto run = [=, rows = rows, classes = classes](T poison, bool reference) {
      Random random(4);
      const auto x = random_rows<T>(random, rows, classes, poison, -5, 5);
      auto t = random_rows<T>(random, rows, classes, poison, 0, 2.0 / static_cast<double>(classes));
      for (std::int64_t c = 0; c < classes; ++c) t[static_cast<std::size_t>(rows / 2 * padded(classes) + c)] = 0;
      auto p = unwritten_rows<T>(rows, classes);
      auto dlogits = mode == Write::accumulate ? random_rows<T>(random, rows, classes, T(0)) : p;
      std::vector<T> loss(8);
      if (reference) {
        kernels::reference::softmax_forward<T>(rows, classes, x, p);
        loss[0] = static_cast<T>(kernels::reference::soft_cross_entropy_forward<T>(rows, classes, x, t));
        kernels::reference::soft_cross_entropy_backward<T>(rows, classes, p, t, 3.0, dlogits, mode);
      } else {
        loss[0] = static_cast<T>(kernels::soft_cross_entropy_forward<native, T>(rows, classes, x, t, p));
        kernels::soft_cross_entropy_backward<native, T>(rows, classes, p, t, 3.0, dlogits, mode);
      }
      return Results<T>{{"p", p, classes}, {"loss", loss, 1}, {"dlogits", dlogits, classes}};
    };
    check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); }, rounding<T>(64));
  }
}

TEMPLATE_TEST_CASE("cross entropy of extreme logits", "[kernels][softmax]", float, double) {
  using T = TestType;
  const std::vector<T> x = {T(3e4), T(-3e4), 0, 0, 0, 0, 0, 0, T(-3e4), T(-3e4), 0, 0, 0, 0, 0, 0};
  std::vector<T> p(16);
  const std::vector<std::int32_t> wrong = {1, 1}, right = {0, 0};
  REQUIRE(std::abs(kernels::cross_entropy_forward<native, T>(2, 2, x, wrong, p) - (6e4 + std::log(2.0)) / 2) < 1e-2);
  REQUIRE(p[0] == 1);
  REQUIRE(p[1] == 0);
  REQUIRE(std::abs(p[8] - T(0.5)) < T(1e-6));
  REQUIRE(std::abs(kernels::cross_entropy_forward<native, T>(2, 2, x, right, p) - std::log(2.0) / 2) < 1e-6);
}

TEST_CASE("cross entropy takes its logits for p too", "[kernels][softmax]") {
  Random random(2);
  auto x = random_rows<float>(random, 9, 12, 0.0f);
  const auto labels = random_labels(random, 9, 12);
  std::vector<float> p(x.size());
  const double loss = kernels::cross_entropy_forward<native, float>(9, 12, x, labels, p, 0.1);
  REQUIRE(kernels::cross_entropy_forward<native, float>(9, 12, x, labels, x, 0.1) == loss);
  REQUIRE(x == p);
}

TEST_CASE("the gradient of cross entropy is its slope", "[kernels][softmax]") {
  const std::int64_t rows = 3, classes = 5;
  Random random(3);
  auto x = random_rows<double>(random, rows, classes, 0.0);
  const auto labels = random_labels(random, rows, classes);
  std::vector<double> p(x.size()), dx(x.size()), scratch(x.size());
  kernels::cross_entropy_forward<native, double>(rows, classes, x, labels, p, 0.2);
  kernels::cross_entropy_backward<native, double>(rows, classes, p, labels, 1.0, 0.2, dx, Write::overwrite);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (static_cast<std::int64_t>(i) % 8 >= classes) continue;
    const double h = 1e-5, before = x[i];
    x[i] = before + h;
    const double up = kernels::cross_entropy_forward<native, double>(rows, classes, x, labels, scratch, 0.2);
    x[i] = before - h;
    const double down = kernels::cross_entropy_forward<native, double>(rows, classes, x, labels, scratch, 0.2);
    x[i] = before;
    REQUIRE(std::abs((up - down) / (2 * h) - dx[i]) < 1e-9);
  }
}

TEST_CASE("rows of no class are as if they were not there", "[kernels][softmax]") {
  Random random(5);
  const auto x = random_rows<float>(random, 5, 3, 0.0f);
  const std::vector<float> kept(x.begin() + 8, x.begin() + 32);  // rows 1 to 3
  std::vector<float> p(x.size()), few(kept.size()), dx(x.size(), 9.0f), dkept(kept.size());
  const std::vector<std::int32_t> labels = {-1, 2, 0, 1, -1}, of_class = {2, 0, 1};
  REQUIRE(kernels::cross_entropy_forward<native, float>(5, 3, x, labels, p) ==
          kernels::cross_entropy_forward<native, float>(3, 3, kept, of_class, few));
  kernels::cross_entropy_backward<native, float>(5, 3, p, labels, 1.0, 0, dx, Write::overwrite);
  kernels::cross_entropy_backward<native, float>(3, 3, few, of_class, 1.0, 0, dkept, Write::overwrite);
  REQUIRE(std::vector<float>(dx.begin() + 8, dx.begin() + 32) == dkept);
  REQUIRE(std::vector<float>(dx.begin(), dx.begin() + 8) == std::vector<float>(8));
  REQUIRE(std::vector<float>(dx.begin() + 32, dx.end()) == std::vector<float>(8));

  const std::vector<std::int32_t> none(5, no_class);
  REQUIRE(kernels::cross_entropy_forward<native, float>(5, 3, x, none, p) == 0);
  kernels::cross_entropy_backward<native, float>(5, 3, p, none, 1.0, 0, dx, Write::overwrite);
  REQUIRE(dx == std::vector<float>(dx.size()));
}

TEST_CASE("argmax takes the first of equal ones", "[kernels][softmax]") {
  std::vector<float> x = {1, 3, 3, -1, 9, 9, 9, 9, -5, -6, -5, -7, 9, 9, 9, 9};
  std::vector<std::int32_t> best(2);
  kernels::argmax<native, float>(2, 4, x, best);
  REQUIRE(best[0] == 1);
  REQUIRE(best[1] == 0);
}

TEST_CASE("labels and options are checked", "[kernels][softmax]") {
  std::vector<float> x(16), p(16);
  std::vector<std::int32_t> labels = {0, 3}, negative = {-2, 0}, one = {0};
  auto loss = [&](const std::vector<std::int32_t>& l, double smoothing) {
    return kernels::cross_entropy_forward<native, float>(2, 3, x, l, p, smoothing);
  };
  REQUIRE_THROWS_AS(loss(labels, 0), DataError);
  REQUIRE_THROWS_WITH(loss(labels, 0), ContainsSubstring("expected labels from -1 (no class) to 2, got 3 in row 1"));
  REQUIRE_THROWS_WITH(loss(negative, 0), ContainsSubstring("got -2 in row 0"));
  REQUIRE_THROWS_AS(loss(one, 0), ShapeError);
  REQUIRE_THROWS_WITH(loss(one, 0), ContainsSubstring("expected 2 labels, one a row, got 1"));
  REQUIRE_THROWS_AS(loss({0, 1}, 1.5), ArgumentError);
  REQUIRE_THROWS_AS((kernels::softmax_forward<native, float>(2, 0, x, p)), ShapeError);
  REQUIRE_THROWS_AS((kernels::argmax<native, float>(2, 3, x, one)), ShapeError);
}
