// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/tensor.hpp"

namespace siena {

/// How well a network does on a number of samples: means over all of them.
struct Metrics {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  double loss = none;
  double accuracy = none;    ///< fraction whose largest output is the right class; NaN where there are no classes
  std::int64_t samples = 0;  ///< those of no class left out, where classes are asked for

  bool has_accuracy() const { return accuracy == accuracy; }
  /// The higher the better: the accuracy, or the loss with its sign turned where there are no classes.
  double worth() const { return has_accuracy() ? accuracy : -loss; }
  /// Of the accuracy, as if two more were right and two wrong (Agresti and Coull 1998): not 0 where all are right.
  double standard_error() const {
    const double n = static_cast<double>(samples), p = (accuracy * n + 2) / (n + 4);
    return std::sqrt(p * (1 - p) / (n + 4));
  }
};

/// How people read a metric of this name: an accuracy as "81.25 %", an AUC, which has no unit, as "0.8125". "-": not measured.
inline std::string metric_text(std::string_view metric, double value) {
  if (value != value) return "-";
  return metric == "accuracy" ? format("{:.2f} %", 100 * value) : format("{:.4f}", value);
}

/// How many rows of `outputs` (N x classes) have their label among their `k` largest elements; of equal ones the first counts
/// as the larger. An output that is not a number is never among them, nor is a row of no class.
inline std::int64_t count_top_k(const Tensor& outputs, std::span<const std::int32_t> labels, std::int64_t k) {
  require<ShapeError>(outputs.rows() == static_cast<std::int64_t>(labels.size()),
                      "count_top_k: expected {} labels for outputs of {}, got {}", outputs.rows(), outputs.shape(),
                      labels.size());
  require<ArgumentError>(k >= 1, "count_top_k: expected a k of 1 or more, got {}", k);
  std::int64_t found = 0;
  for (std::int64_t r = 0; r < outputs.rows(); ++r) {
    const auto row = outputs.row(r);
    const auto label = static_cast<std::size_t>(labels[static_cast<std::size_t>(r)]);
    if (label >= row.size() || row[label] != row[label]) continue;
    std::int64_t larger = 0;
    for (std::size_t c = 0; c < row.size(); ++c) {
      larger += row[c] > row[label] || (row[c] == row[label] && c < label) ? 1 : 0;
    }
    found += larger < k ? 1 : 0;
  }
  return found;
}

/// How many rows of `outputs` (N x classes) have their largest element at the label; the first one counts where several are
/// largest. A row of no class is never among them, nor one whose output at the label is not a number.
inline std::int64_t count_correct(const Tensor& outputs, std::span<const std::int32_t> labels) {
  require<ShapeError>(outputs.rows() == static_cast<std::int64_t>(labels.size()),
                      "count_correct: expected {} labels for outputs of {}, got {}", outputs.rows(), outputs.shape(),
                      labels.size());
  return count_top_k(outputs, labels, 1);
}

/// The same for rows of targets (N x classes): the right class of a row is that of its largest target.
inline std::int64_t count_correct(const Tensor& outputs, const Tensor& targets) {
  std::vector<std::int32_t> labels;
  for (std::int64_t r = 0; r < targets.rows(); ++r) {
    const auto row = targets.row(r);
    labels.push_back(static_cast<std::int32_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return count_correct(outputs, labels);
}

/// Gathers Metrics batch by batch: each sample that counts does so once, whatever batch it came in.
class RunningMetrics {
 public:
  /// A batch with its mean loss over so many samples; `correct` is negative where there are no classes.
  void add(double mean_loss, std::int64_t correct, std::int64_t samples) {
    loss_ += mean_loss * static_cast<double>(samples);
    samples_ += samples;
    if (correct >= 0) {
      correct_ += correct;
      judged_ += samples;
    }
  }
  Metrics mean() const {
    Metrics metrics{.samples = samples_};
    if (samples_ > 0) metrics.loss = loss_ / static_cast<double>(samples_);
    if (judged_ > 0) metrics.accuracy = static_cast<double>(correct_) / static_cast<double>(judged_);
    return metrics;
  }

 private:
  double loss_ = 0;
  std::int64_t samples_ = 0, correct_ = 0, judged_ = 0;
};

}  // namespace siena
