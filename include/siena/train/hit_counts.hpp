// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/train/metrics.hpp"

namespace siena {

/// How well one class is found: what was right, what was overlooked, and what was taken for it and is not.
struct HitCounts {
  std::int64_t hits = 0, misses = 0, false_alarms = 0;

  /// Of what was taken for the class, the fraction that is of it; NaN where nothing was.
  double precision() const { return ratio(hits, hits + false_alarms); }
  /// Of what is of the class, the fraction that was found; NaN where nothing is.
  double recall() const { return ratio(hits, hits + misses); }
  /// Harmonic mean of precision and recall; NaN where nothing is of the class nor was taken for it.
  double f1() const { return ratio(2 * hits, 2 * hits + misses + false_alarms); }
  /// Whether anything is of the class or was taken for it.
  bool seen() const { return hits + misses + false_alarms > 0; }

  bool operator==(const HitCounts&) const = default;

 private:
  static double ratio(std::int64_t part, std::int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : Metrics::none;
  }
};

/// Of several classes, in one number each.
struct HitAverages {
  double precision = Metrics::none, recall = Metrics::none, f1 = Metrics::none;
};

/// Means over the classes that were seen, each counting the same however rare it is. What a class has not (no precision where
/// nothing was taken for it) counts as 0, as in scikit-learn.
inline HitAverages macro_average(const std::vector<HitCounts>& classes) {
  const auto or_zero = [](double value) { return value == value ? value : 0; };
  double precision = 0, recall = 0, f1 = 0, seen = 0;
  for (const HitCounts& one : classes) {
    if (!one.seen()) continue;
    precision += or_zero(one.precision());
    recall += or_zero(one.recall());
    f1 += or_zero(one.f1());
    ++seen;
  }
  return {precision / seen, recall / seen, f1 / seen};
}

/// Of all decisions together, so that frequent classes count for more.
inline HitAverages micro_average(const std::vector<HitCounts>& classes) {
  HitCounts all;
  for (const HitCounts& one : classes) {
    all.hits += one.hits;
    all.misses += one.misses;
    all.false_alarms += one.false_alarms;
  }
  return {all.precision(), all.recall(), all.f1()};
}

namespace detail {
/// The last columns of a table of classes.
inline std::string hit_heading() { return format("{:>11}{:>8}{:>8}\n", "precision", "recall", "F1"); }
inline std::string hit_columns(double precision, double recall, double f1) {
  const auto text = [](double value) { return value == value ? format("{:.1f}%", 100 * value) : std::string("-"); };
  return format("{:>11}{:>8}{:>8}\n", text(precision), text(recall), text(f1));
}
}  // namespace detail

}  // namespace siena
