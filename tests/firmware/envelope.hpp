// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace siena::firmware {

/// The linear function of rows of numbers that lies nowhere below the values beside them and, summed up by weights above 0, the
/// least above: the linear program min w'X b with X b >= y, by a primal-dual interior point method (Nocedal and Wright,
/// Numerical Optimization, 14.2). The first number of each row is 1.
class Envelope {
 public:
  using Row = std::vector<double>;

  Envelope(std::vector<Row> rows, Row values, Row weights)
      : x_(std::move(rows)), y_(std::move(values)), weights_(std::move(weights)), n_(x_.empty() ? 0 : x_[0].size()) {}

  /// In hundredths, above all values still.
  Row fit() {
    if (x_.empty()) return {};
    begin();
    for (int step = 0; step < 80 && dot(slack_, dual_) > 1e-3 * double(x_.size()); ++step) improve();
    for (double& number : b_) number = std::round(number * 100) / 100;
    double below = 0;
    for (std::size_t i = 0; i < x_.size(); ++i) below = std::max(below, y_[i] - dot(x_[i], b_));
    b_[0] += std::ceil(below * 100) / 100;
    return b_;
  }

 private:
  static double dot(const Row& a, const Row& b) {
    double sum = 0;
    for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
    return sum;
  }
  /// A solution that lies above all, and the weights as multipliers, which keep the program's dual constraint X' m = X' w.
  void begin() {
    const double most = *std::max_element(y_.begin(), y_.end());
    b_.assign(n_, 0), b_[0] = most + 10;
    dual_ = weights_;
    set_slack();
  }
  void set_slack() {
    slack_.clear();
    for (std::size_t i = 0; i < x_.size(); ++i) slack_.push_back(dot(x_[i], b_) - y_[i]);
  }
  /// A Newton step towards a tenth of the gap.
  void improve() {
    const double aim = 0.1 * dot(slack_, dual_) / double(x_.size());
    std::vector<Row> matrix(n_, Row(n_ + 1, 0));
    for (std::size_t i = 0; i < x_.size(); ++i) {
      const double weight = dual_[i] / slack_[i], right = aim / slack_[i] - weights_[i];
      for (std::size_t r = 0; r < n_; ++r) {
        if (x_[i][r] == 0) continue;
        for (std::size_t c = 0; c < n_; ++c) matrix[r][c] += weight * x_[i][r] * x_[i][c];
        matrix[r][n_] += right * x_[i][r];
      }
    }
    double trace = 0;
    for (std::size_t r = 0; r < n_; ++r) trace += matrix[r][r];
    for (std::size_t r = 0; r < n_; ++r) matrix[r][r] += 1e-9 * trace / double(n_) + 1e-12;
    const Row move = solve(std::move(matrix));
    Row slacks, duals;
    double length = 1;
    for (std::size_t i = 0; i < x_.size(); ++i) {
      slacks.push_back(dot(x_[i], move));
      duals.push_back(aim / slack_[i] - dual_[i] - dual_[i] / slack_[i] * slacks[i]);
      if (slacks[i] < 0) length = std::min(length, -0.95 * slack_[i] / slacks[i]);
      if (duals[i] < 0) length = std::min(length, -0.95 * dual_[i] / duals[i]);
    }
    for (std::size_t k = 0; k < n_; ++k) b_[k] += length * move[k];
    for (std::size_t i = 0; i < x_.size(); ++i) dual_[i] += length * duals[i];
    set_slack();
  }
  /// Of a symmetric positive definite matrix with its right side as the last column.
  Row solve(std::vector<Row> a) const {
    for (std::size_t k = 0; k < n_; ++k) {
      for (std::size_t r = k + 1; r < n_; ++r) {
        const double factor = a[r][k] / a[k][k];
        for (std::size_t c = k; c <= n_; ++c) a[r][c] -= factor * a[k][c];
      }
    }
    Row solution(n_);
    for (std::size_t k = n_; k-- > 0;) {
      double sum = a[k][n_];
      for (std::size_t c = k + 1; c < n_; ++c) sum -= a[k][c] * solution[c];
      solution[k] = sum / a[k][k];
    }
    return solution;
  }

  std::vector<Row> x_;
  Row y_, weights_;
  std::size_t n_;
  Row b_, slack_, dual_;
};

}  // namespace siena::firmware
