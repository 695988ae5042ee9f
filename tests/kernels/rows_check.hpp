// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/parallel.hpp"
#include "siena/core/random.hpp"
#include "siena/core/shape.hpp"
#include "support/catch.hpp"

namespace siena::test {

/// Puts the number of threads back at the end of a scope.
struct ThreadsRestored {
  ~ThreadsRestored() { set_threads(0); }
};

/// Random rows whose padding holds a poison.
template <class T>
std::vector<T> random_rows(Random& random, std::int64_t rows, std::int64_t columns, T poison, double low = -1,
                           double high = 1) {
  std::vector<T> values(static_cast<std::size_t>(rows * padded(columns)), poison);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      values[static_cast<std::size_t>(r * padded(columns) + c)] = static_cast<T>(random.uniform(low, high));
    }
  }
  return values;
}

/// Rows that a kernel must write whole: anything it leaves alone stays NaN.
template <class T>
std::vector<T> unwritten_rows(std::int64_t rows, std::int64_t columns) {
  return std::vector<T>(static_cast<std::size_t>(rows * padded(columns)), std::numeric_limits<T>::quiet_NaN());
}

/// What a kernel wrote.
template <class T>
struct Result {
  std::string name;
  std::vector<T> values;
  std::int64_t columns;

  bool logical(std::size_t i) const { return static_cast<std::int64_t>(i) % padded(columns) < columns; }
};
template <class T>
using Results = std::vector<Result<T>>;

/// Runs a kernel and its reference, both Results<T>(T poison): the logical elements agree within
/// `tolerance` * (1 + |value|), the padding of results is finite, the bits are the same with 1, 2 and 3
/// threads, and a NaN in the padding of inputs changes nothing.
template <class T, class Kernel, class Reference>
void check_kernel(Kernel&& kernel, Reference&& reference, double tolerance) {
  ThreadsRestored restored;
  const Results<T> expected = reference(T(0));
  set_threads(1);
  const Results<T> got = kernel(T(7));
  const Results<T> poisoned = kernel(std::numeric_limits<T>::quiet_NaN());
  REQUIRE(got.size() == expected.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    INFO(got[k].name << " of " << got[k].columns << " columns");
    REQUIRE(got[k].values.size() == expected[k].values.size());
    double worst = 0;
    bool finite = true, untouched = true;
    for (std::size_t i = 0; i < got[k].values.size(); ++i) {
      const T value = got[k].values[i];
      if (!got[k].logical(i)) {
        finite = finite && std::isfinite(value);
        continue;
      }
      const double wanted = static_cast<double>(expected[k].values[i]);
      const double error = std::abs(static_cast<double>(value) - wanted) / (1 + std::abs(wanted));
      worst = error <= worst ? worst : error;  // also takes a NaN
      untouched = untouched && std::memcmp(&value, &poisoned[k].values[i], sizeof(T)) == 0;
    }
    INFO("worst error " << worst << ", tolerance " << tolerance);
    CHECK(worst <= tolerance);
    CHECK(finite);
    CHECK(untouched);
  }
  for (int count : {2, 3}) {
    set_threads(count);
    const Results<T> parallel = kernel(T(7));
    for (std::size_t k = 0; k < got.size(); ++k) {
      INFO(got[k].name << " with " << count << " threads");
      CHECK(std::memcmp(got[k].values.data(), parallel[k].values.data(), got[k].values.size() * sizeof(T)) == 0);
    }
  }
}

/// Rounding of T, some of it for every one of `terms` that are added up.
template <class T>
double rounding(std::int64_t terms = 1) {
  return 8 * static_cast<double>(std::numeric_limits<T>::epsilon()) * std::sqrt(static_cast<double>(terms));
}

/// Odd sizes, one task and several.
inline const std::vector<std::pair<std::int64_t, std::int64_t>>& row_sizes() {
  static const std::vector<std::pair<std::int64_t, std::int64_t>> sizes = {{1, 1},  {2, 3},     {3, 7},    {40, 8},  {13, 9},
                                                                           {7, 16}, {39, 17},   {5, 24},   {40, 33}, {9, 64},
                                                                           {6, 72}, {2100, 13}, {2100, 8}, {300, 65}};
  return sizes;
}

}  // namespace siena::test
