// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/elementwise.hpp"

#include "kernels/rows_check.hpp"
#include "siena/kernels/reference_layers.hpp"

using namespace siena;
using namespace siena::test;
using kernels::Write;
using simd::native;

namespace {
/// By what the slope of a function is known.
enum class Known { by_output, by_input };

/// One function of one span: kernel(x, y) against y = f(x); its backward(v, dy, dx, mode) against dx = dy * slope(v), where
/// v = x for functions whose slope is known by the input, otherwise v = y.
template <class T, class Forward, class Backward, class F, class Slope>
void check_function(Forward forward, Backward backward, F f, Slope slope, double range, double tolerance,
                    Known known = Known::by_output) {
  for (auto [rows, columns] : row_sizes()) {
    for (Write mode : {Write::overwrite, Write::accumulate}) {
      INFO(rows << " rows of " << columns << ", accumulate " << (mode == Write::accumulate));
      auto run = [=, rows = rows, columns = columns](T poison, bool reference) {
        Random random(1);
        const auto x = random_rows<T>(random, rows, columns, poison, -range, range),
                   dy = random_rows<T>(random, rows, columns, poison);
        auto y = unwritten_rows<T>(rows, columns);
        auto dx = mode == Write::accumulate ? random_rows<T>(random, rows, columns, poison) : y;
        if (reference) {
          kernels::reference::map<T>(rows, columns, x, y, f);
          kernels::reference::map_backward<T>(rows, columns, known == Known::by_input ? x : y, dy, dx, mode, slope);
        } else {
          forward(std::span<const T>(x), std::span<T>(y));
          backward(std::span<const T>(known == Known::by_input ? x : y), std::span<const T>(dy), std::span<T>(dx), mode);
        }
        return Results<T>{{"y", y, columns}, {"dx", dx, columns}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); }, tolerance);
    }
  }
}
}  // namespace

TEMPLATE_TEST_CASE("relu, sigmoid and tanh, forward and backward", "[kernels][elementwise]", float, double) {
  using T = TestType;
  check_function<T>([](auto x, auto y) { kernels::relu_forward<native, T>(x, y); },
                    [](auto... a) { kernels::relu_backward<native, T>(a...); }, [](double v) { return v > 0 ? v : 0; },
                    [](double v) { return v > 0 ? 1.0 : 0.0; }, 3, rounding<T>());
  for (double range : {2.0, 600.0}) {
    check_function<T>([](auto x, auto y) { kernels::sigmoid_forward<native, T>(x, y); },
                      [](auto... a) { kernels::sigmoid_backward<native, T>(a...); },
                      [](double v) { return 1 / (1 + std::exp(-v)); }, [](double v) { return v * (1 - v); }, range,
                      rounding<T>());
    check_function<T>([](auto x, auto y) { kernels::tanh_forward<native, T>(x, y); },
                      [](auto... a) { kernels::tanh_backward<native, T>(a...); }, [](double v) { return std::tanh(v); },
                      [](double v) { return 1 - v * v; }, range, rounding<T>());
  }
}

TEMPLATE_TEST_CASE("clip, hard swish and leaky relu, forward and backward", "[kernels][elementwise]", float, double) {
  using T = TestType;
  const auto clipped = [](double v, double low, double high) { return std::min(std::max(v, low), high); };
  for (const auto& line : {kernels::ClippedLine<T>{.low = 0, .high = 6}, kernels::ClippedLine<T>{T(1) / 6, 3, 0, 1},
                           kernels::ClippedLine<T>{T(-0.5), T(0.25), T(-1.5), T(0.75)}}) {
    const double low = static_cast<double>(line.low), high = static_cast<double>(line.high);
    check_function<T>(
        [=](auto x, auto y) { kernels::clip_forward<native, T>(line, x, y); },
        [=](auto... a) { kernels::clip_backward<native, T>(line, a...); },
        [=](double v) { return clipped(static_cast<double>(line.scale) * (v + static_cast<double>(line.shift)), low, high); },
        [=](double v) { return v > low && v < high ? static_cast<double>(line.scale) : 0.0; }, 9, rounding<T>());
  }
  check_function<T>([](auto x, auto y) { kernels::hard_swish_forward<native, T>(x, y); },
                    [](auto... a) { kernels::hard_swish_backward<native, T>(a...); },
                    [=](double v) { return v * clipped(v / 6 + 0.5, 0, 1); },
                    [](double v) { return v <= -3  ? 0
                                          : v >= 3 ? 1
                                                   : v / 3 + 0.5; }, 6, rounding<T>(), Known::by_input);
  check_function<T>([](auto x, auto y) { kernels::leaky_relu_forward<native, T>(0.125, x, y); },
                    [](auto... a) { kernels::leaky_relu_backward<native, T>(0.125, a...); },
                    [](double v) { return v > 0 ? v : 0.125 * v; }, [](double v) { return v > 0 ? 1 : 0.125; }, 3,
                    rounding<T>());
}

TEMPLATE_TEST_CASE("tanh and sigmoid keep their relative precision", "[kernels][elementwise]", float, double) {
  using T = TestType;
  std::vector<T> x, y;
  for (double magnitude = 1e-6; magnitude < 20; magnitude *= 1.3) {
    x.push_back(static_cast<T>(magnitude));
    x.push_back(static_cast<T>(-magnitude));
  }
  while (x.size() % 8) x.push_back(0);
  y.resize(x.size());
  const double tolerance = 16 * static_cast<double>(std::numeric_limits<T>::epsilon());
  kernels::tanh_forward<native, T>(x, y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double wanted = std::tanh(static_cast<double>(x[i]));
    REQUIRE(std::abs(static_cast<double>(y[i]) - wanted) <= tolerance * std::abs(wanted));
  }
  kernels::sigmoid_forward<native, T>(x, y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double wanted = 1 / (1 + std::exp(-static_cast<double>(x[i])));
    REQUIRE(std::abs(static_cast<double>(y[i]) - wanted) <= tolerance * wanted);
  }
}

TEST_CASE("activations with an edge let a NaN through", "[kernels][elementwise]") {
  std::vector<float> x(24, -4.0f), y(24);
  x[3] = x[20] = std::numeric_limits<float>::quiet_NaN();
  const auto check = [&](float elsewhere) {
    CHECK(std::isnan(y[3]));
    CHECK(std::isnan(y[20]));
    CHECK(y[4] == elsewhere);
  };
  kernels::relu_forward<native, float>(x, y);
  check(0);
  kernels::clip_forward<native, float>({.low = -1, .high = 6}, x, y);
  check(-1);
  kernels::hard_swish_forward<native, float>(x, y);
  check(0);
  kernels::leaky_relu_forward<native, float>(0.5f, x, y);
  check(-2);
}

TEMPLATE_TEST_CASE("prelu and bias, per channel", "[kernels][elementwise]", float, double) {
  using T = TestType;
  for (auto [rows, channels] : row_sizes()) {
    for (Write mode : {Write::overwrite, Write::accumulate}) {
      INFO(rows << " rows of " << channels);
      auto run = [=, rows = rows, channels = channels](T poison, bool reference) {
        Random random(1);
        const auto x = random_rows<T>(random, rows, channels, poison), dy = random_rows<T>(random, rows, channels, poison);
        const auto slope = random_rows<T>(random, 1, channels, poison);
        auto dslope = random_rows<T>(random, 1, channels, T(0)), dbias = dslope;
        auto y = unwritten_rows<T>(rows, channels);
        auto dx = mode == Write::accumulate ? random_rows<T>(random, rows, channels, poison) : y;
        if (reference) {
          kernels::reference::prelu_forward<T>(rows, channels, x, slope, y);
          kernels::reference::prelu_backward<T>(rows, channels, x, slope, dy, dx, mode, dslope);
          kernels::reference::column_sums<T>(rows, channels, dy, dbias);
        } else {
          kernels::prelu_forward<native, T>(rows, channels, x, slope, y);
          kernels::prelu_backward<native, T>(rows, channels, x, slope, dy, dx, mode, dslope);
          kernels::column_sums<native, T>(rows, channels, dy, dbias);
        }
        return Results<T>{{"y", y, channels}, {"dx", dx, channels}, {"dslope", dslope, channels}, {"dbias", dbias, channels}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); },
                      rounding<T>(rows));
    }
  }
}

TEMPLATE_TEST_CASE("arithmetic over whole storages", "[kernels][elementwise]", float, double) {
  using T = TestType;
  for (auto [rows, columns] : row_sizes()) {
    INFO(rows << " rows of " << columns);
    auto run = [rows = rows, columns = columns](T poison, bool reference) {
      Random random(5);
      const auto a = random_rows<T>(random, rows, columns, poison), b = random_rows<T>(random, rows, columns, poison);
      auto sum = unwritten_rows<T>(rows, columns), scaled = sum, product = sum, added = a, combined = a, products = a;
      if (reference) {
        for (std::size_t i = 0; i < a.size(); ++i) {
          sum[i] = a[i] + b[i], scaled[i] = T(0.75) * a[i], product[i] = a[i] * b[i];
          added[i] += b[i], combined[i] += T(-1.5) * b[i], products[i] += a[i] * b[i];
        }
      } else {
        kernels::add<native, T>(a, b, sum);
        kernels::scale<native, T>(0.75, a, scaled);
        kernels::multiply<native, T>(a, b, product);
        kernels::add_to<native, T>(b, added);
        kernels::axpy<native, T>(-1.5, b, combined);
        kernels::multiply<native, T>(a, b, products, Write::accumulate);
      }
      return Results<T>{{"add", sum, columns},      {"scale", scaled, columns},  {"multiply", product, columns},
                        {"add_to", added, columns}, {"axpy", combined, columns}, {"multiply, adding", products, columns}};
    };
    check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); }, rounding<T>());
  }
}

TEMPLATE_TEST_CASE("concatenation and slices", "[kernels][elementwise]", float, double) {
  using T = TestType;
  for (std::int64_t rows : {1, 5, 2000}) {
    for (auto [left, right] : {std::pair<std::int64_t, std::int64_t>{3, 4}, {8, 8}, {5, 19}, {17, 2}, {1, 1}, {12, 4}}) {
      const std::int64_t columns = left + right;
      INFO(rows << " rows of " << left << " + " << right);
      auto run = [=, left = left, right = right](T poison, bool reference) {
        Random random(6);
        const auto a = random_rows<T>(random, rows, left, poison), b = random_rows<T>(random, rows, right, poison);
        auto joined = unwritten_rows<T>(rows, columns), slice = unwritten_rows<T>(rows, right);
        auto accumulated = random_rows<T>(random, rows, columns, T(1));
        const std::int64_t as = padded(left), bs = padded(right), js = padded(columns);
        if (reference) {
          for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t c = 0; c < left; ++c) joined[r * js + c] = a[r * as + c];
            for (std::int64_t c = 0; c < right; ++c) joined[r * js + left + c] = slice[r * bs + c] = b[r * bs + c];
            for (std::int64_t c = 0; c < right; ++c) accumulated[r * js + left + c] += b[r * bs + c];
          }
        } else {
          kernels::copy_columns<native, T>(rows, a, as, 0, joined, js, 0, left, Write::overwrite);
          kernels::copy_columns<native, T>(rows, b, bs, 0, joined, js, left, right, Write::overwrite);
          kernels::copy_columns<native, T>(rows, joined, js, left, slice, bs, 0, right, Write::overwrite);
          kernels::copy_columns<native, T>(rows, b, bs, 0, accumulated, js, left, right, Write::accumulate);
        }
        return Results<T>{{"joined", joined, columns}, {"slice", slice, right}, {"accumulated", accumulated, columns}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); }, 0);
    }
  }
}

TEMPLATE_TEST_CASE("flattening packs the channels of all positions", "[kernels][elementwise]", float, double) {
  using T = TestType;
  for (auto [batch, positions, channels] :
       {std::array<std::int64_t, 3>{1, 1, 1}, {2, 5, 3}, {3, 4, 8}, {40, 16, 33}, {7, 9, 10}}) {
    const std::int64_t columns = positions * channels;
    INFO(batch << " images of " << positions << " x " << channels);
    auto run = [=, batch = batch, positions = positions, channels = channels](T poison, bool reference) {
      Random random(7);
      const auto x = random_rows<T>(random, batch * positions, channels, poison);
      auto y = unwritten_rows<T>(batch, columns);
      auto back = unwritten_rows<T>(batch * positions, channels), twice = x;
      if (reference) {
        for (std::int64_t n = 0; n < batch * positions; ++n) {
          for (std::int64_t c = 0; c < channels; ++c) {
            const auto from = n * padded(channels) + c;
            y[n / positions * padded(columns) + n % positions * channels + c] = back[from] = x[from];
            twice[from] = 2 * x[from];
          }
        }
      } else {
        kernels::flatten_forward<native, T>(batch, positions, channels, x, y);
        kernels::flatten_backward<native, T>(batch, positions, channels, y, back, Write::overwrite);
        kernels::flatten_backward<native, T>(batch, positions, channels, y, twice, Write::accumulate);
      }
      Results<T> results{{"y", y, columns}, {"back", back, channels}, {"twice", twice, channels}};
      return results;
    };
    check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); }, 0);
  }
}
