// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/kernels/fake_quantize.hpp"

#include <vector>

#include "kernels/rows_check.hpp"
#include "siena/kernels/reference_layers.hpp"

using namespace siena;
using namespace siena::test;
using kernels::Levels;
using kernels::Write;
using simd::native;

namespace {
/// Steps that are powers of two leave nothing to rounding.
template <class T>
std::vector<Levels<T>> some_levels() {
  return {{T(0.25), -128, -128, 127}, {T(0.0625), 3, -128, 127}, {T(0.5), -1, -2, 1}, {T(0.125), 0, -8, 7}};
}
template <class T>
double level(const Levels<T>& levels, double x) {
  return std::floor(x / static_cast<double>(levels.step) + 0.5) + static_cast<double>(levels.zero);
}
}  // namespace

TEMPLATE_TEST_CASE("fake quantize, forward and backward", "[kernels][fake_quantize]", float, double) {
  using T = TestType;
  for (const Levels<T>& levels : some_levels<T>()) {
    const double step = levels.step, zero = levels.zero, low = levels.low, high = levels.high;
    for (auto [rows, columns] : row_sizes()) {
      for (Write mode : {Write::overwrite, Write::accumulate}) {
        INFO(rows << " rows of " << columns << ", accumulate " << (mode == Write::accumulate));
        auto run = [&, rows = rows, columns = columns](T poison, bool reference) {
          Random random(1);
          const auto x = random_rows<T>(random, rows, columns, poison, -40, 40),
                     dy = random_rows<T>(random, rows, columns, poison);
          auto y = unwritten_rows<T>(rows, columns);
          auto dx = mode == Write::accumulate ? random_rows<T>(random, rows, columns, poison) : y;
          if (reference) {
            kernels::reference::map<T>(rows, columns, x, y,
                                       [&](double v) { return step * (std::clamp(level(levels, v), low, high) - zero); });
            kernels::reference::map_backward<T>(rows, columns, x, dy, dx, mode, [&](double v) {
              return level(levels, v) == std::clamp(level(levels, v), low, high) ? 1.0 : 0.0;
            });
          } else {
            kernels::fake_quantize_forward<native, T>(levels, x, y);
            kernels::fake_quantize_backward<native, T>(levels, x, dy, dx, mode);
          }
          return Results<T>{{"y", y, columns}, {"dx", dx, columns}};
        };
        // What padding holds is rounded, too: a NaN stays one.
        check_kernel<T>([&](T poison) { return run(std::isnan(poison) ? T(1) : poison, false); },
                        [&](T poison) { return run(poison, true); }, rounding<T>());
      }
    }
  }
}

TEMPLATE_TEST_CASE("fake quantize: halves go up, ends hold, and what is no number stays none", "[kernels][fake_quantize]",
                   float, double) {
  using T = TestType;
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> x{T(-0.75), T(-0.25), T(0.25), T(0.75), -5, 5, T(1.2), nan};
  const std::vector<T> expected{T(-0.5), 0, T(0.5), 1, -1, T(0.5), T(0.5), nan};
  std::vector<T> y(8), dx(8);
  const std::vector<T> dy(8, T(1));
  const Levels<T> four{T(0.5), 0, -2, 1};
  kernels::fake_quantize_forward<native, T>(four, x, y);
  CHECK(std::vector<T>(y.begin(), y.begin() + 3) == std::vector<T>(expected.begin(), expected.begin() + 3));
  CHECK(y[3] == T(0.5));  // 1 is beyond the last level
  CHECK(std::vector<T>(y.begin() + 4, y.begin() + 7) == std::vector<T>(expected.begin() + 4, expected.begin() + 7));
  CHECK(std::isnan(y[7]));
  kernels::fake_quantize_backward<native, T>(four, x, dy, dx, Write::overwrite);
  CHECK(std::vector<T>(dx.begin(), dx.begin() + 7) == std::vector<T>{1, 1, 1, 0, 0, 0, 0});
}

TEMPLATE_TEST_CASE("fake quantize: columns of few bits, and what a change of bits does", "[kernels][fake_quantize]", float,
                   double) {
  using T = TestType;
  for (auto [rows, columns] : row_sizes()) {
    INFO(rows << " rows of " << columns);
    for (const std::vector<int>& widths : {std::vector{8}, std::vector{4}, std::vector{2, 8, 3, 5}}) {
      std::vector<int> bits;
      for (std::int64_t c = 0; c < columns; ++c) bits.push_back(widths[static_cast<std::size_t>(c) % widths.size()]);
      auto run = [&, rows = rows, columns = columns](T poison, bool reference) {
        Random random(1);
        auto w = random_rows<T>(random, rows, columns, poison);
        for (std::int64_t r = 0; r < rows; ++r) w[static_cast<std::size_t>(r * padded(columns))] = 0;  // a column of zeros
        const auto dy = random_rows<T>(random, rows, columns, poison);
        const std::vector<int> eight(bits.size(), 8), six(bits.size(), 6);
        auto y = unwritten_rows<T>(rows, columns);
        std::vector<T> steps(static_cast<std::size_t>(padded(columns))), dots = steps, next = steps, of_rows(w.size());
        if (reference) {
          auto fine = y, finer = y;
          const auto quantize = [&](const std::vector<int>& each, std::vector<T>& to) {
            for (std::int64_t c = 0; c < columns; ++c) {
              T largest = 0, sum = 0, squares = 0;
              for (std::int64_t r = 0; r < rows; ++r) {
                const T size = std::abs(w[r * padded(columns) + c]);
                largest = std::max(largest, size), sum += size, squares += size * size;
              }
              const T most = static_cast<T>((1 << (each[c] - 1)) - 1);
              T step = largest / most;
              const std::array<T, 6> least{T(0.9766), T(0.5194), T(0.2821), T(0.1544), T(0.0842), T(0.0458)};
              if (each[c] < 8 && sum > 0) step = std::min(step, least[static_cast<std::size_t>(each[c] - 2)] * squares / sum);
              steps[c] = step;
              for (std::int64_t r = 0; r < rows; ++r) {
                const auto i = static_cast<std::size_t>(r * padded(columns) + c);
                to[i] = step == 0 ? 0 : step * std::clamp(std::floor(w[i] / step + T(0.5)), -most, most);
              }
            }
          };
          quantize(six, fine), quantize(eight, finer), quantize(bits, y);
          for (std::int64_t c = 0; c < columns; ++c) {
            double to_six = 0, to_eight = 0;
            for (std::int64_t r = 0; r < rows; ++r) {
              const auto i = static_cast<std::size_t>(r * padded(columns) + c);
              to_six += static_cast<double>(fine[i] - y[i]) * static_cast<double>(dy[i]);
              to_eight += static_cast<double>(finer[i] - fine[i]) * static_cast<double>(dy[i]);
              of_rows[static_cast<std::size_t>(r * padded(columns))] += y[i] * dy[i] / static_cast<T>(columns);
            }
            dots[c] = static_cast<T>(to_six / static_cast<double>(rows));
            next[c] = static_cast<T>(to_eight / static_cast<double>(rows));
          }
        } else {
          const auto sizes = kernels::column_sizes<native, T>(rows, columns, w);
          const std::array<kernels::ColumnLevels<T>, 3> levels{kernels::column_levels<T>(sizes, bits),
                                                               kernels::column_levels<T>(sizes, six),
                                                               kernels::column_levels<T>(sizes, eight)};
          kernels::fake_quantize_columns<native, T>(rows, columns, w, levels[0], y);
          const auto sums = kernels::level_change_dots<2, native, T>(rows, columns, w, levels, dy);
          for (std::int64_t c = 0; c < columns; ++c) {
            const auto at = static_cast<std::size_t>(c), behind = at + static_cast<std::size_t>(padded(columns));
            steps[c] = levels[0].steps[c];
            dots[c] = static_cast<T>(sums[at] / static_cast<double>(rows));
            next[c] = static_cast<T>(sums[behind] / static_cast<double>(rows));
          }
          std::vector<T> each(static_cast<std::size_t>(rows)), same = each;
          kernels::level_row_dots<native, T>(rows, columns, w, levels[0], dy, each);
          kernels::row_dots<native, T>(rows, columns, y, dy, same);
          CHECK(each == same);  // to the bit
          for (std::int64_t r = 0; r < rows; ++r)
            of_rows[static_cast<std::size_t>(r * padded(columns))] =
                each[static_cast<std::size_t>(r)] / static_cast<T>(columns);
        }
        return Results<T>{{"steps", steps, columns},
                          {"y", y, columns},
                          {"dots", dots, columns},
                          {"next", next, columns},
                          {"rows", of_rows, 1}};
      };
      check_kernel<T>([&](T poison) { return run(poison, false); }, [&](T poison) { return run(poison, true); }, rounding<T>());
    }
  }
}

TEMPLATE_TEST_CASE("fake quantize: the slope of the step, and what a change of levels does", "[kernels][fake_quantize]", float,
                   double) {
  using T = TestType;
  ThreadsRestored restored;
  for (const Levels<T>& levels : some_levels<T>()) {
    for (auto [rows, columns] : row_sizes()) {
      INFO(rows << " rows of " << columns);
      Random random(1);
      const T nan = std::numeric_limits<T>::quiet_NaN();
      const auto x = random_rows<T>(random, rows, columns, nan, -40, 40), dy = random_rows<T>(random, rows, columns, nan);
      double expected = 0, size = 1;
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < columns; ++c) {
          const auto i = static_cast<std::size_t>(r * padded(columns) + c);
          const double q = level(levels, static_cast<double>(x[i]));
          const double held = std::clamp<double>(q, levels.low, levels.high);
          const double slope = (held - static_cast<double>(levels.zero)) - (q == held ? x[i] / double(levels.step) : 0);
          expected += static_cast<double>(dy[i]) * slope, size += std::abs(static_cast<double>(dy[i]) * slope);
        }
      }
      set_threads(1);
      std::vector<T> passed(x.size());
      const auto step_slope = [&, rows = rows, columns = columns](std::span<T> dx = {}) {
        return kernels::level_slopes<0, native, T>(levels, {}, rows, columns, x, dy, dx).step;
      };
      const double got = step_slope();
      CHECK(std::abs(got - expected) < rounding<T>() * size);
      for (int threads : {2, 3}) {
        set_threads(threads);
        CHECK(step_slope(passed) == got);
      }
      for (const Levels<T>& other : some_levels<T>()) {
        double change = 0, most = 1;
        for (std::int64_t r = 0; r < rows; ++r) {
          for (std::int64_t c = 0; c < columns; ++c) {
            const auto i = static_cast<std::size_t>(r * padded(columns) + c);
            const auto on = [&](const Levels<T>& its) {
              const double held = std::clamp<double>(level(its, static_cast<double>(x[i])), its.low, its.high);
              return static_cast<double>(its.step) * (held - static_cast<double>(its.zero));
            };
            const double term = (on(other) - on(levels)) * static_cast<double>(dy[i]);
            change += term, most += std::abs(term);
          }
        }
        set_threads(1);
        const auto slopes = kernels::level_slopes<2, native, T>(levels, {other, levels}, rows, columns, x, dy);
        CHECK(std::abs(slopes.changes[0] - change) < rounding<T>() * most);
        CHECK(std::abs(slopes.changes[1]) < rounding<T>() * most);
        CHECK(slopes.step == got);
        set_threads(3);
        const auto again = kernels::level_slopes<2, native, T>(levels, {other, levels}, rows, columns, x, dy);
        CHECK((again.step == slopes.step && again.changes[0] == slopes.changes[0] && again.changes[1] == slopes.changes[1]));
        CHECK(kernels::level_slopes<1, native, T>(levels, {other}, rows, columns, x, dy).changes[0] == slopes.changes[0]);
        for (Write mode : {Write::overwrite, Write::accumulate}) {  // the gradient of x, in the same pass and by itself
          std::vector<T> expected_dx(dy), dx(dy);
          kernels::fake_quantize_backward<native, T>(levels, x, dy, expected_dx, mode);
          CHECK(kernels::level_slopes<2, native, T>(levels, {other, levels}, rows, columns, x, dx, dx, mode).step == got);
          const auto one_value = [](T a, T b) { return a == b || (std::isnan(a) && std::isnan(b)); };
          CHECK(std::equal(dx.begin(), dx.end(), expected_dx.begin(), one_value));
        }
      }
    }
  }
}
