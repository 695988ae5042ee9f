// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/dropout.hpp"

#include <algorithm>

#include "kernels/rows_check.hpp"

using namespace siena;
using namespace siena::test;
using kernels::Write;
using simd::native;

TEMPLATE_TEST_CASE("dropout keeps what the stream says, forward and backward", "[kernels][dropout]", float, double) {
  using T = TestType;
  for (auto [rows, channels] : row_sizes()) {
    for (std::uint64_t offset : {0u, 7u}) {
      INFO(rows << " rows of " << channels << ", offset " << offset);
      const Random stream(3, 4);
      const double probability = 0.3;
      auto run = [=, rows = rows, channels = channels](T poison, bool reference) {
        Random random(8);
        const auto x = random_rows<T>(random, rows, channels, poison);
        auto y = unwritten_rows<T>(rows, channels), dx = y, in_place = x, twice = x;
        if (reference) {
          for (std::int64_t e = 0; e < rows * channels; ++e) {
            const std::uint64_t number = offset + static_cast<std::uint64_t>(e);
            const auto bits = static_cast<std::uint32_t>(stream.at(number / 2) >> (number % 2 * 32));
            const auto i = static_cast<std::size_t>(e / channels * padded(channels) + e % channels);
            y[i] =
                bits < static_cast<std::uint32_t>(probability * 0x1p32) ? T(0) : x[i] * static_cast<T>(1 / (1 - probability));
            dx[i] = in_place[i] = y[i];
            twice[i] = x[i] + y[i];
          }
        } else {
          kernels::dropout_forward<native, T>(rows, channels, x, y, probability, stream, offset);
          kernels::dropout_backward<native, T>(rows, channels, x, dx, probability, stream, offset, Write::overwrite);
          kernels::dropout_backward<native, T>(rows, channels, x, twice, probability, stream, offset, Write::accumulate);
          kernels::dropout_forward<native, T>(rows, channels, in_place, in_place, probability, stream, offset);
          // Accumulating leaves the padding of the gradient alone.
          for (std::size_t i = 0; i < twice.size(); ++i) {
            if (static_cast<std::int64_t>(i) % padded(channels) >= channels) twice[i] = 0;
          }
        }
        return Results<T>{
            {"y", y, channels}, {"dx", dx, channels}, {"in place", in_place, channels}, {"twice", twice, channels}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); }, rounding<T>());
    }
  }
}

TEST_CASE("dropout drops as often as it says and keeps the mean", "[kernels][dropout]") {
  const std::vector<float> x(100'000, 1.0f);
  std::vector<float> y(x.size());
  for (double probability : {0.0, 0.1, 0.5, 0.9}) {
    kernels::dropout_forward<native, float>(100, 1000, x, y, probability, Random(1));
    const auto dropped = static_cast<double>(std::count(y.begin(), y.end(), 0.0f)) / 1e5;
    REQUIRE(std::abs(dropped - probability) < 0.006);
    for (float value : y) REQUIRE((value == 0 || std::abs(value * (1 - probability) - 1) < 1e-6));
  }
  std::vector<float> other(x.size());
  kernels::dropout_forward<native, float>(100, 1000, x, y, 0.5, Random(1).split(0));
  kernels::dropout_forward<native, float>(100, 1000, x, other, 0.5, Random(1).split(1));
  REQUIRE(y != other);
}

TEST_CASE("a probability of dropout is below one", "[kernels][dropout]") {
  std::vector<float> x(8), y(8);
  for (double probability : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
    REQUIRE_THROWS_AS((kernels::dropout_forward<native, float>(1, 8, x, y, probability, Random(1))), ArgumentError);
  }
  REQUIRE_THROWS_WITH((kernels::dropout_forward<native, float>(1, 8, x, y, 1.0, Random(1))),
                      ContainsSubstring("expected a probability in [0, 1), got 1"));
}
