// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/update.hpp"

#include "kernels/rows_check.hpp"

using namespace siena;
using namespace siena::test;
using simd::native;

TEMPLATE_TEST_CASE("SGD over several steps", "[kernels][update]", float, double) {
  using T = TestType;
  for (auto [rows, columns] : row_sizes()) {
    for (const kernels::SgdStep& step : {kernels::SgdStep{.lr = 0.1},
                                         {.lr = 0.1, .weight_decay = 0.05},
                                         {.lr = 0.1, .momentum = 0.9},
                                         {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.05, .nesterov = true}}) {
      INFO(rows << " rows of " << columns << ", momentum " << step.momentum);
      auto run = [=, rows = rows, columns = columns](T poison, bool reference) {
        Random random(1);
        auto value = random_rows<T>(random, rows, columns, poison);
        std::vector<T> velocity(step.momentum > 0 || reference ? value.size() : 0);
        for (int k = 0; k < 4; ++k) {
          const auto grad = random_rows<T>(random, rows, columns, poison);
          if (!reference) {
            kernels::sgd_update<native, T>(value, grad, velocity, step);
            continue;
          }
          for (std::size_t i = 0; i < value.size(); ++i) {
            double g = static_cast<double>(grad[i]) + step.weight_decay * static_cast<double>(value[i]);
            const double v = step.momentum * static_cast<double>(velocity[i]) + g;
            velocity[i] = static_cast<T>(v);
            g = step.nesterov ? g + step.momentum * v : v;
            value[i] = static_cast<T>(static_cast<double>(value[i]) - step.lr * g);
          }
        }
        return Results<T>{{"value", value, columns}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); },
                      rounding<T>(4));
    }
  }
}

TEMPLATE_TEST_CASE("Adam and AdamW over several steps", "[kernels][update]", float, double) {
  using T = TestType;
  for (auto [rows, columns] : row_sizes()) {
    for (kernels::AdamStep step :
         {kernels::AdamStep{.lr = 0.01},
          {.lr = 0.01, .weight_decay = 0.1},
          {.lr = 0.01, .beta1 = 0.8, .beta2 = 0.99, .eps = 1e-3, .weight_decay = 0.1, .decoupled = true}}) {
      INFO(rows << " rows of " << columns << ", decay " << step.weight_decay);
      auto run = [=, rows = rows, columns = columns](T poison, bool reference) {
        Random random(1);
        auto value = random_rows<T>(random, rows, columns, poison);
        std::vector<T> m(value.size()), v(value.size());
        auto o = step;
        for (o.step = 1; o.step <= 4; ++o.step) {
          const auto grad = random_rows<T>(random, rows, columns, poison, 0.1, 1);
          if (!reference) {
            kernels::adam_update<native, T>(value, grad, m, v, o);
            continue;
          }
          for (std::size_t i = 0; i < value.size(); ++i) {
            auto w = static_cast<double>(value[i]), g = static_cast<double>(grad[i]);
            if (o.decoupled) {
              w -= o.lr * o.weight_decay * w;
            } else {
              g += o.weight_decay * w;
            }
            m[i] = static_cast<T>(o.beta1 * static_cast<double>(m[i]) + (1 - o.beta1) * g);
            v[i] = static_cast<T>(o.beta2 * static_cast<double>(v[i]) + (1 - o.beta2) * g * g);
            const double mean = static_cast<double>(m[i]) / (1 - std::pow(o.beta1, o.step));
            const double square = static_cast<double>(v[i]) / (1 - std::pow(o.beta2, o.step));
            value[i] = static_cast<T>(w - o.lr * mean / (std::sqrt(square) + o.eps));
          }
        }
        return Results<T>{{"value", value, columns}, {"m", m, columns}, {"v", v, columns}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); },
                      rounding<T>(4));
    }
  }
}

TEST_CASE("the first steps by hand", "[kernels][update]") {
  std::vector<double> value(8, 1.0), velocity(8), m(8), v(8);
  const std::vector<double> grad(8, 0.5);
  const kernels::SgdStep sgd{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true};
  kernels::sgd_update<native, double>(value, grad, velocity, sgd);
  REQUIRE(std::abs(velocity[0] - 0.6) < 1e-15);  // the first velocity is the gradient, undamped
  REQUIRE(std::abs(value[0] - (1 - 0.1 * (0.6 + 0.9 * 0.6))) < 1e-15);
  value.assign(8, 1.0);
  kernels::adam_update<native, double>(value, grad, m, v, {.lr = 0.01, .eps = 0});
  REQUIRE(std::abs(value[0] - 0.99) < 1e-12);  // the first step of Adam has length lr
  kernels::adam_update<native, double>(value, std::vector<double>(8), m, v,
                                       {.lr = 0.0, .weight_decay = 1, .decoupled = true, .step = 2});
  REQUIRE(std::abs(value[0] - 0.99) < 1e-12);  // the decay of AdamW is scaled by lr
}

TEST_CASE("errors of updates", "[kernels][update]") {
  std::vector<float> value(8), grad(8), none;
  REQUIRE_THROWS_AS((kernels::sgd_update<native, float>(value, grad, none, {.momentum = 0.9})), ShapeError);
  REQUIRE_THROWS_WITH((kernels::adam_update<native, float>(value, grad, value, grad, {.step = 0})),
                      ContainsSubstring("expected a step of 1 or more, got 0"));
}
