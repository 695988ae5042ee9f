// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/reductions.hpp"

#include "kernels/rows_check.hpp"

using namespace siena;
using namespace siena::test;
using kernels::Write;
using simd::native;

TEMPLATE_TEST_CASE("sums of all elements", "[kernels][reductions]", float, double) {
  using T = TestType;
  for (auto [rows, columns] : row_sizes()) {
    INFO(rows << " rows of " << columns);
    auto run = [rows = rows, columns = columns](T poison, bool reference) {
      Random random(9);
      const auto a = random_rows<T>(random, rows, columns, poison), b = random_rows<T>(random, rows, columns, poison);
      std::vector<double> sums(8);  // as many as padding makes of four
      if (reference) {
        for (std::int64_t i = 0; i < static_cast<std::int64_t>(a.size()); ++i) {
          if (i % padded(columns) >= columns) continue;
          const auto x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
          sums[0] += x, sums[1] += x * x, sums[2] += x * y;
          sums[3] += (x - y) * (x - y) / static_cast<double>(rows * columns);
        }
      } else {
        sums[0] = kernels::sum<native, T>(rows, columns, a);
        sums[1] = kernels::squared_sum<native, T>(rows, columns, a);
        sums[2] = kernels::dot<native, T>(rows, columns, a, b);
        sums[3] = kernels::mse_forward<native, T>(rows, columns, a, b);
      }
      return Results<double>{{"sums", sums, 4}};
    };
    check_kernel<double>([&](double poison) { return run(static_cast<T>(poison), false); },
                         [&](double poison) { return run(static_cast<T>(poison), true); }, 1e-12);
  }
}

TEMPLATE_TEST_CASE("gradient of the mean squared error", "[kernels][reductions]", float, double) {
  using T = TestType;
  for (auto [rows, columns] : row_sizes()) {
    for (Write mode : {Write::overwrite, Write::accumulate}) {
      auto run = [=, rows = rows, columns = columns](T poison, bool reference) {
        Random random(9);
        const auto p = random_rows<T>(random, rows, columns, poison), t = random_rows<T>(random, rows, columns, poison);
        auto dp = mode == Write::accumulate ? random_rows<T>(random, rows, columns, T(0)) : unwritten_rows<T>(rows, columns);
        if (reference) {
          for (std::size_t i = 0; i < dp.size(); ++i) {
            const double slope =
                2.5 * 2 * (static_cast<double>(p[i]) - static_cast<double>(t[i])) / static_cast<double>(rows * columns);
            dp[i] = static_cast<T>(slope + (mode == Write::accumulate ? static_cast<double>(dp[i]) : 0));
          }
        } else {
          kernels::mse_backward<native, T>(rows, columns, p, t, 2.5, dp, mode);
        }
        return Results<T>{{"dp", dp, columns}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); }, rounding<T>());
    }
  }
}

TEMPLATE_TEST_CASE("what is not finite is found wherever it is", "[kernels][reductions]", float, double) {
  using T = TestType;
  using Limits = std::numeric_limits<T>;
  for (std::int64_t columns : {1, 7, 8, 13}) {
    const std::int64_t rows = 5;
    std::vector<T> x(static_cast<std::size_t>(rows * padded(columns)), Limits::max());
    REQUIRE(kernels::all_finite<native, T>(x));
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (T bad : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}) {
        x[i] = bad;
        const bool padding = static_cast<std::int64_t>(i) % padded(columns) >= columns;
        REQUIRE_FALSE(kernels::all_finite<native, T>(x));
        REQUIRE(kernels::all_finite<native, T>(rows, columns, x) == padding);
      }
      x[i] = Limits::denorm_min();
    }
  }
  REQUIRE(kernels::all_finite<native, T>(std::span<const T>()));
}

TEST_CASE("errors of the mean squared error", "[kernels][reductions]") {
  std::vector<float> nothing;
  REQUIRE_THROWS_WITH((kernels::mse_forward<native, float>(0, 3, nothing, nothing)),
                      ContainsSubstring("expected at least one element, got 0 rows of 3"));
}

TEMPLATE_TEST_CASE("products of rows, row by row", "[kernels][reductions]", float, double) {
  using T = TestType;
  for (const std::int64_t columns : {1, 7, 8, 15, 16, 17, 33}) {
    const std::int64_t rows = 5, stride = padded(columns);
    std::vector<T> a(static_cast<std::size_t>(rows * stride), T(7e20)), b = a, out(static_cast<std::size_t>(rows));
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        a[r * stride + c] = static_cast<T>(r + c);
        b[r * stride + c] = static_cast<T>(c - 2 * r);
      }
    }
    kernels::row_dots<native, T>(rows, columns, a, b, std::span(out));
    for (std::int64_t r = 0; r < rows; ++r) {
      T expected = 0;  // whole numbers: exact in any order
      for (std::int64_t c = 0; c < columns; ++c) expected += static_cast<T>((r + c) * (c - 2 * r));
      CHECK(out[r] == expected);
    }
  }
}
