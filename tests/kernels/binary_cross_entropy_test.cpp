// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/binary_cross_entropy.hpp"

#include <cmath>
#include <vector>

#include "kernels/rows_check.hpp"
#include "siena/kernels/reference_layers.hpp"

using namespace siena;
using namespace siena::test;
using kernels::Write;
using simd::native;

TEMPLATE_TEST_CASE("binary cross entropy", "[kernels]", float, double) {
  using T = TestType;
  for (auto [rows, columns] : row_sizes()) {
    const Write mode = rows % 2 == 0 ? Write::accumulate : Write::overwrite;
    INFO(rows << " rows of " << columns);
    auto run = [=, rows = rows, columns = columns](T poison, bool reference) {
      Random random(6);
      const auto x = random_rows<T>(random, rows, columns, poison, -8, 8),
                 t = random_rows<T>(random, rows, columns, poison, 0, 1);
      auto dx = mode == Write::accumulate ? random_rows<T>(random, rows, columns, T(0)) : unwritten_rows<T>(rows, columns);
      std::vector<T> loss(8);
      if (reference) {
        loss[0] = static_cast<T>(kernels::reference::binary_cross_entropy_forward<T>(rows, columns, x, t));
        kernels::reference::binary_cross_entropy_backward<T>(rows, columns, x, t, 3.0, dx, mode);
      } else {
        loss[0] = static_cast<T>(kernels::binary_cross_entropy_forward<native, T>(rows, columns, x, t));
        kernels::binary_cross_entropy_backward<native, T>(rows, columns, x, t, 3.0, dx, mode);
      }
      return Results<T>{{"loss", loss, 1}, {"dx", dx, columns}};
    };
    check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); }, rounding<T>(8));
  }
}

TEMPLATE_TEST_CASE("binary cross entropy of extreme logits", "[kernels]", float, double) {
  using T = TestType;
  const std::vector<T> x = {T(3e4), T(-3e4), 0, 0, 0, 0, 0, 0}, right = {1, 0, 0, 0, 0, 0, 0, 0},
                       wrong = {0, 1, 0, 0, 0, 0, 0, 0};
  std::vector<T> dx(8);
  REQUIRE(kernels::binary_cross_entropy_forward<native, T>(1, 2, x, right) == 0);
  REQUIRE(std::abs(kernels::binary_cross_entropy_forward<native, T>(1, 2, x, wrong) - 3e4) < 1e-2);
  kernels::binary_cross_entropy_backward<native, T>(1, 2, x, wrong, 1.0, dx, Write::overwrite);
  REQUIRE(dx == std::vector<T>{T(0.5), T(-0.5), 0, 0, 0, 0, 0, 0});
  REQUIRE_THROWS_AS((kernels::binary_cross_entropy_forward<native, T>(1, 0, x, right)), ShapeError);
}
