// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "siena/core/error.hpp"

namespace siena {

namespace detail {
/// Solves the equations of the rows and columns in `set` of a symmetric positive definite n x n matrix, by Cholesky.
inline std::vector<double> solve_among(const std::vector<std::size_t>& set, const std::vector<double>& matrix,
                                       const std::vector<double>& target) {
  const std::size_t n = target.size(), size = set.size();
  std::vector<double> lower(size * size), x(size);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = matrix[set[i] * n + set[j]];
      for (std::size_t k = 0; k < j; ++k) sum -= lower[i * size + k] * lower[j * size + k];
      lower[i * size + j] = i == j ? std::sqrt(std::max(sum, 1e-300)) : sum / lower[j * size + j];
    }
  }
  for (std::size_t i = 0; i < size; ++i) {
    double sum = target[set[i]];
    for (std::size_t k = 0; k < i; ++k) sum -= lower[i * size + k] * x[k];
    x[i] = sum / lower[i * size + i];
  }
  for (std::size_t i = size; i-- > 0;) {
    double sum = x[i];
    for (std::size_t k = i + 1; k < size; ++k) sum -= lower[k * size + i] * x[k];
    x[i] = sum / lower[i * size + i];
  }
  return x;
}
}  // namespace detail

/// The x >= 0 for which x'Ax/2 - b'x is least; A is symmetric positive definite, n x n by rows. The active-set method of Lawson
/// and Hanson (Solving Least Squares Problems, 1974, chapter 23): exact, always the same bits, made for a few dozen unknowns at
/// most.
inline std::vector<double> nonnegative_minimum(const std::vector<double>& matrix, const std::vector<double>& target) {
  const std::size_t n = target.size();
  require<ArgumentError>(matrix.size() == n * n, "nonnegative_minimum: expected a matrix of {} x {} numbers, got {}", n, n,
                         matrix.size());
  double tolerance = 0;
  for (const double b : target) tolerance = std::max(tolerance, 1e-13 * std::abs(b));
  std::vector<double> x(n, 0.0);
  std::vector<bool> barred(n, false);  // rounding alone would let it in
  std::vector<std::size_t> set;        // of the unknowns above 0
  for (std::size_t round = 0; round < 10 * n; ++round) {
    std::size_t next = n;
    double steepest = tolerance;
    for (std::size_t j = 0; j < n; ++j) {
      if (barred[j] || std::find(set.begin(), set.end(), j) != set.end()) continue;
      double slope = target[j];
      for (const std::size_t k : set) slope -= matrix[j * n + k] * x[k];
      if (slope > steepest) next = j, steepest = slope;
    }
    if (next == n) break;
    set.push_back(next);
    while (!set.empty()) {
      const std::vector<double> wanted = detail::solve_among(set, matrix, target);
      double reach = 1;  // how far towards it everything stays above 0
      std::size_t blocking = set.size();
      for (std::size_t i = 0; i < set.size(); ++i) {
        if (wanted[i] > 0) continue;
        const double part = x[set[i]] / (x[set[i]] - wanted[i]);
        if (blocking == set.size() || part < reach) reach = part, blocking = i;
      }
      for (std::size_t i = 0; i < set.size(); ++i) {
        x[set[i]] = blocking == set.size() ? wanted[i] : x[set[i]] + reach * (wanted[i] - x[set[i]]);
      }
      if (blocking == set.size()) {
        std::fill(barred.begin(), barred.end(), false);
        break;
      }
      const std::size_t leaves = set[blocking];
      barred[leaves] = leaves == next;
      x[leaves] = 0;
      set.erase(set.begin() + static_cast<std::ptrdiff_t>(blocking));
    }
  }
  return x;
}

}  // namespace siena
