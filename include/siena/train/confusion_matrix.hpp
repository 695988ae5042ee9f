// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/no_class.hpp"
#include "siena/core/tensor.hpp"
#include "siena/train/hit_counts.hpp"

namespace siena {

/// How often each class was taken for which.
class ConfusionMatrix {
 public:
  /// `names` of the classes, for `to_string`; none: their numbers.
  explicit ConfusionMatrix(std::int64_t classes, std::vector<std::string> names = {})
      : classes_(classes),
        counts_(static_cast<std::size_t>(std::max<std::int64_t>(classes * classes, 0))),
        names_(std::move(names)) {
    require<ArgumentError>(classes >= 1 && classes <= 1 << 14, "ConfusionMatrix: expected 1 to {} classes, got {}", 1 << 14,
                           classes);
    require<ArgumentError>(names_.empty() || static_cast<std::int64_t>(names_.size()) == classes,
                           "ConfusionMatrix: expected a name for each of {} classes or none at all, got {}", classes,
                           names_.size());
    for (std::int64_t c = 0; names_.size() < static_cast<std::size_t>(classes); ++c) names_.push_back(std::to_string(c));
  }

  /// Rows of `outputs` (N x classes) with their labels; samples of no class are left out. The first of equal outputs counts.
  void add(const Tensor& outputs, std::span<const std::int32_t> labels) {
    require<ShapeError>(outputs.rows() == static_cast<std::int64_t>(labels.size()) && outputs.columns() == classes_,
                        "ConfusionMatrix: expected outputs of {}x{}, got {}", labels.size(), classes_, outputs.shape());
    for (std::int64_t r = 0; r < outputs.rows(); ++r) {
      const auto row = outputs.row(r);
      const std::int64_t label = labels[static_cast<std::size_t>(r)];
      require<DataError>(label >= no_class && label < classes_, "ConfusionMatrix: expected labels from -1 to {}, got {}",
                         classes_ - 1, label);
      if (label == no_class) continue;
      std::size_t largest = 0;
      for (std::size_t c = 1; c < row.size(); ++c) largest = row[c] > row[largest] ? c : largest;
      ++counts_[static_cast<std::size_t>(label * classes_) + largest];
    }
  }

  std::int64_t classes() const { return classes_; }
  const std::vector<std::string>& names() const { return names_; }
  /// Samples of class `truth` that were taken for class `answer`.
  std::int64_t count(std::int64_t truth, std::int64_t answer) const {
    require<ArgumentError>(truth >= 0 && truth < classes_ && answer >= 0 && answer < classes_,
                           "ConfusionMatrix: expected classes from 0 to {}, got {} and {}", classes_ - 1, truth, answer);
    return counts_[static_cast<std::size_t>(truth * classes_ + answer)];
  }
  std::int64_t samples() const {
    std::int64_t sum = 0;
    for (const std::int64_t count : counts_) sum += count;
    return sum;
  }
  /// Fraction of all samples that were taken for what they are; NaN without samples.
  double accuracy() const {
    std::int64_t right = 0;
    for (std::int64_t c = 0; c < classes_; ++c) right += count(c, c);
    return static_cast<double>(right) / static_cast<double>(samples());
  }
  /// How well a class was found: its precision, recall and F1.
  HitCounts of(std::int64_t c) const {
    HitCounts counts{.hits = count(c, c)};
    for (std::int64_t other = 0; other < classes_; ++other) {
      if (other == c) continue;
      counts.misses += count(c, other);
      counts.false_alarms += count(other, c);
    }
    return counts;
  }
  /// The means over the classes.
  HitAverages macro() const {
    std::vector<HitCounts> each;
    for (std::int64_t c = 0; c < classes_; ++c) each.push_back(of(c));
    return macro_average(each);
  }

  /// A row a class, a column an answer, and at the end how well the class was found; the last row has the means.
  std::string to_string() const {
    std::size_t width = 7;
    for (const auto& name : names_) width = std::max(width, name.size() + 1);
    const auto right = [&](const std::string& cell) { return std::string(width - std::min(width, cell.size()), ' ') + cell; };
    std::string text = right("");
    for (const auto& name : names_) text += right(name);
    text += detail::hit_heading();
    for (std::int64_t truth = 0; truth < classes_; ++truth) {
      text += right(names_[static_cast<std::size_t>(truth)]);
      for (std::int64_t answer = 0; answer < classes_; ++answer) text += right(std::to_string(count(truth, answer)));
      text += detail::hit_columns(of(truth).precision(), of(truth).recall(), of(truth).f1());
    }
    const HitAverages mean = macro();
    text += right("mean") + std::string(width * static_cast<std::size_t>(classes_), ' ');
    return text + detail::hit_columns(mean.precision, mean.recall, mean.f1);
  }

 private:
  std::int64_t classes_;
  std::vector<std::int64_t> counts_;  // truth x answer
  std::vector<std::string> names_;
};

}  // namespace siena
