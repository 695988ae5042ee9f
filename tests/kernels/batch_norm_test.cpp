// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/batch_norm.hpp"

#include "kernels/rows_check.hpp"
#include "siena/kernels/reference_layers.hpp"

using namespace siena;
using namespace siena::test;
using kernels::Write;

TEMPLATE_TEST_CASE("channel statistics", "[kernels][batch_norm]", float, double) {
  using T = TestType;
  for (auto [rows, channels] : row_sizes()) {
    INFO(rows << " rows of " << channels);
    auto run = [rows = rows, channels = channels](T poison, auto statistics) {
      Random random(1);
      const auto x = random_rows<T>(random, rows, channels, poison, -1, 3);
      auto mean = unwritten_rows<T>(1, channels), variance = mean;
      statistics(rows, channels, std::span<const T>(x), std::span<T>(mean), std::span<T>(variance));
      return Results<T>{{"mean", mean, channels}, {"variance", variance, channels}};
    };
    check_kernel<T>(
        [&](T poison) { return run(poison, [](auto... a) { kernels::channel_statistics<simd::native, T>(a...); }); },
        [&](T poison) { return run(poison, [](auto... a) { kernels::reference::channel_statistics<T>(a...); }); },
        rounding<T>(4));
  }
}

TEST_CASE("a mean far from zero costs the variance no digits", "[kernels][batch_norm]") {
  for (std::int64_t channels : {1, 5, 16, 40}) {
    const std::int64_t rows = 20'000;
    Random random(4);
    std::vector<float> x(static_cast<std::size_t>(rows * padded(channels)));
    for (float& value : x) value = static_cast<float>(1e4 + 1e-2 * random.normal());
    std::vector<float> mean(static_cast<std::size_t>(padded(channels))), variance = mean, true_mean = mean,
                                                                         true_variance = mean;
    kernels::channel_statistics<simd::native, float>(rows, channels, x, mean, variance);
    kernels::reference::channel_statistics<float>(rows, channels, x, true_mean, true_variance);  // in double
    for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
      REQUIRE(std::abs(mean[c] - true_mean[c]) <= 1e-3f);
      REQUIRE(std::abs(variance[c] - true_variance[c]) < 1e-3f * true_variance[c]);
      REQUIRE(std::abs(variance[c] - 1e-4f) < 5e-2f * 1e-4f);
    }
  }
}

TEST_CASE("variance of a constant is zero, and one outlier spoils nothing", "[kernels][batch_norm]") {
  std::vector<float> x(5000 * 8, 0.1f), mean(8), variance(8, -1.0f);
  kernels::channel_statistics<simd::native, float>(5000, 8, x, mean, variance);
  for (std::size_t c = 0; c < 8; ++c) {
    REQUIRE(mean[c] == 0.1f);
    REQUIRE(variance[c] >= 0);
    REQUIRE(variance[c] < 1e-12f);
  }
  x[0] = 1e4f;
  std::vector<float> true_mean(8), true_variance(8);
  kernels::channel_statistics<simd::native, float>(5000, 8, x, mean, variance);
  kernels::reference::channel_statistics<float>(5000, 8, x, true_mean, true_variance);
  REQUIRE(std::abs(variance[0] - true_variance[0]) < 1e-3f * true_variance[0]);
}

TEST_CASE("rows are shared out evenly, and all of them", "[kernels][batch_norm]") {
  using namespace siena::kernels;
  for (const std::int64_t channels : {1, 8, 40, 64, 256, 1500, 20'000}) {
    for (const std::int64_t rows : {0, 1, 7, 100, 288, 1152, 4608, 73'728}) {
      CAPTURE(channels, rows);
      const RowFold fold(channels);
      const std::int64_t grain = fold.rows_per_task(rows);
      CHECK(grain > 0);
      CHECK(grain % fold.copies == 0);
      CHECK(even_tasks(grain * fold.stride) <= 2);  // near enough to what a task is to be
    }
  }
  CHECK(even_tasks(0) == 1);
  CHECK(even_tasks(2 * task_elements) == 2);
  CHECK(even_tasks(2 * task_elements + 1) == 8);
  CHECK(even_tasks(9 * task_elements) == 16);
  CHECK(even_tasks(17 * task_elements) == 32);
  const std::int64_t grain =
      RowFold(256).rows_per_task(288);  // 3x3 pixels of 32 images: not 5 tasks, which two threads wait for
  CHECK((288 + grain - 1) / grain == 8);
}

TEST_CASE("statistics of nothing are an error", "[kernels][batch_norm]") {
  std::vector<float> x, mean(8), variance(8);
  REQUIRE_THROWS_AS((kernels::channel_statistics<simd::native, float>(0, 8, x, mean, variance)), ShapeError);
  REQUIRE_THROWS_WITH((kernels::channel_statistics<simd::native, float>(0, 8, x, mean, variance)),
                      ContainsSubstring("expected at least one row, got 0"));
}

TEMPLATE_TEST_CASE("affine with every ending", "[kernels][batch_norm]", float, double) {
  using T = TestType;
  for (auto [rows, channels] : row_sizes()) {
    for (int ending = 0; ending < 8; ++ending) {
      const bool relu = ending & 1, residual = ending & 2, in_place = ending & 4;
      INFO(rows << " rows of " << channels << ", relu " << relu << ", residual " << residual << ", in place " << in_place);
      auto run = [=, rows = rows, channels = channels](T poison, auto affine) {
        Random random(2);
        auto x = random_rows<T>(random, rows, channels, poison);
        const auto scale = random_rows<T>(random, 1, channels, poison), shift = random_rows<T>(random, 1, channels, poison);
        const auto skip = random_rows<T>(random, rows, channels, poison);
        auto y = in_place ? x : unwritten_rows<T>(rows, channels);
        const std::span<const T> input = in_place ? std::span<const T>(y) : std::span<const T>(x);
        affine(rows, channels, input, std::span<const T>(scale), std::span<const T>(shift),
               residual ? std::span<const T>(skip) : std::span<const T>(), relu, std::span<T>(y));
        return Results<T>{{"y", y, channels}};
      };
      check_kernel<T>([&](T poison) { return run(poison, [](auto... a) { kernels::affine<simd::native, T>(a...); }); },
                      [&](T poison) { return run(poison, [](auto... a) { kernels::reference::affine<T>(a...); }); },
                      rounding<T>());
    }
  }
}

TEMPLATE_TEST_CASE("both halves of the backward pass", "[kernels][batch_norm]", float, double) {
  using T = TestType;
  for (auto [rows, channels] : row_sizes()) {
    for (int ending = 0; ending < 16; ++ending) {
      const bool relu = ending & 1, residual = ending & 2;
      const Write mode = ending & 4 ? Write::accumulate : Write::overwrite;
      const Write residual_mode = ending & 8 ? Write::accumulate : Write::overwrite;
      if (!residual && residual_mode == Write::accumulate) continue;
      INFO(rows << " rows of " << channels << ", relu " << relu << ", residual " << residual);
      auto run = [=, rows = rows, channels = channels](T poison, auto sums, auto data) {
        Random random(3);
        auto rows_of = [&, n = rows, c = channels](T p) { return random_rows<T>(random, n, c, p); };
        const auto dz = rows_of(poison), z = rows_of(poison), x = rows_of(poison);
        const auto mean = random_rows<T>(random, 1, channels, poison), gamma = random_rows<T>(random, 1, channels, poison);
        const auto inv_std = random_rows<T>(random, 1, channels, poison, 0.5, 2);
        const std::span<const T> mask = relu ? std::span<const T>(z) : std::span<const T>();
        auto sum = unwritten_rows<T>(1, channels), sum_xhat = sum;
        sums(rows, channels, std::span<const T>(dz), mask, std::span<const T>(x), std::span<const T>(mean),
             std::span<const T>(inv_std), std::span<T>(sum), std::span<T>(sum_xhat));
        const auto before = rows_of(poison);
        auto dx = mode == Write::accumulate ? before : unwritten_rows<T>(rows, channels);
        auto dresidual = residual_mode == Write::accumulate ? before : unwritten_rows<T>(rows, channels);
        data(rows, channels, std::span<const T>(dz), mask, std::span<const T>(x), std::span<const T>(mean),
             std::span<const T>(inv_std), std::span<const T>(gamma), std::span<const T>(sum), std::span<const T>(sum_xhat),
             std::span<T>(dx), mode, residual ? std::span<T>(dresidual) : std::span<T>(), residual_mode);
        Results<T> results{{"sum_dy", sum, channels}, {"sum_dy_xhat", sum_xhat, channels}, {"dx", dx, channels}};
        if (residual) results.push_back({"dresidual", dresidual, channels});
        return results;
      };
      check_kernel<T>(
          [&](T poison) {
            return run(
                poison,
                [](auto n, auto c, auto dz, auto z, auto... a) {
                  kernels::batch_norm_backward_sums<simd::native, T>(n, c, dz, {.z = z}, a...);
                },
                [](auto n, auto c, auto dz, auto z, auto... a) {
                  kernels::batch_norm_backward_data<simd::native, T>(n, c, dz, {.z = z}, a...);
                });
          },
          [&](T poison) {
            return run(
                poison, [](auto... a) { kernels::reference::batch_norm_backward_sums<T>(a...); },
                [](auto... a) { kernels::reference::batch_norm_backward_data<T>(a...); });
          },
          rounding<T>(rows));
    }
  }
}

TEMPLATE_TEST_CASE("a ReLU's gate is the same worked out from its input", "[kernels][batch_norm]", float, double) {
  using T = TestType;
  for (auto [rows, channels] : row_sizes()) {
    INFO(rows << " rows of " << channels);
    Random random(4);
    const auto dz = random_rows<T>(random, rows, channels, T(7e20)), x = random_rows<T>(random, rows, channels, T(7e20));
    const auto scale = random_rows<T>(random, 1, channels, T(7)), shift = random_rows<T>(random, 1, channels, T(7));
    const auto mean = random_rows<T>(random, 1, channels, T(7)), inv_std = random_rows<T>(random, 1, channels, T(7), 0.5, 2);
    auto z = unwritten_rows<T>(rows, channels);
    const std::span<const T> no_residual, dz_rows(dz), x_rows(x), means(mean), inverses(inv_std), scales(scale), shifts(shift);
    kernels::affine<simd::native, T>(rows, channels, x_rows, scales, shifts, no_residual, true, std::span(z));
    const auto run = [&, rows = rows, channels = channels](const kernels::ReluGate<T>& gate) {
      auto sum = unwritten_rows<T>(1, channels), sum_xhat = sum, dx = unwritten_rows<T>(rows, channels);
      kernels::batch_norm_backward_sums<simd::native, T>(rows, channels, dz_rows, gate, x_rows, means, inverses, std::span(sum),
                                                         std::span(sum_xhat));
      kernels::batch_norm_backward_data<simd::native, T>(rows, channels, dz_rows, gate, x_rows, means, inverses, scales,
                                                         std::span<const T>(sum), std::span<const T>(sum_xhat), std::span(dx),
                                                         Write::overwrite, std::span<T>(), Write::overwrite);
      std::vector<T> logical;
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(dx.size()); ++i) {
        if (i % padded(channels) < channels) logical.push_back(dx[i]);
      }
      for (std::int64_t c = 0; c < channels; ++c) logical.insert(logical.end(), {sum[c], sum_xhat[c]});
      return logical;
    };
    CHECK(run({.z = z}) == run({.scale = scales, .shift = shifts}));
  }
}
