// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The pictures of a sweep, from the reports of its runs.

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <siena/deploy/chart.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sweep/results.hpp"

namespace siena::examples {

inline std::string metric_label(const Result& result) { return result.metric == "auc" ? "AUC" : result.metric; }

/// The points of a picture, in a series for each role, and for the searches of each setting of bits.
class PointsByRole {
 public:
  explicit PointsByRole(const std::vector<Result>& results) {
    std::vector<RunBits> bits;  // in the order of the tables
    for (const Result& result : results) {
      const Run& run = result.record.run;
      with_bits_ = with_bits_ || !run.bits.empty();
      if (run.role == Run::Role::search && std::find(bits.begin(), bits.end(), run.bits) == bits.end())
        bits.push_back(run.bits);
    }
    for (std::size_t i = 0; i < bits.size(); ++i)
      series_.push_back({Run::Role::search, bits[i], {.name = "searched" + suffix(bits[i]), .look = i == 0 ? 0 : i + 2}});
    series_.push_back({Run::Role::uniform, {}, {.name = "uniform scaling", .look = 1}});
    series_.push_back({Run::Role::baseline, {}, {.name = "baseline network", .look = 2}});
  }
  void add(const Result& result, double x, double y, std::string tip) {
    const Run& run = result.record.run;
    const auto of = std::find_if(series_.begin(), series_.end(), [&](const Of& s) {
      return s.role == run.role && (run.role != Run::Role::search || s.bits == run.bits);
    });
    of->series.x.push_back(x), of->series.y.push_back(y);
    of->series.labels.push_back(label(run));
    of->series.tips.push_back(std::move(tip));
  }
  /// What was searched comes last, to be drawn on top.
  std::vector<deploy::Series> take() {
    std::vector<deploy::Series> all;
    for (std::size_t i = series_.size(); i-- > 0;) {
      series_[i].series.draw = deploy::Series::Draw::points;
      if (!series_[i].series.x.empty()) all.push_back(std::move(series_[i].series));
    }
    return all;
  }

 private:
  struct Of {
    Run::Role role;
    RunBits bits;
    deploy::Series series;
  };
  std::string suffix(const RunBits& bits) const { return with_bits_ ? ", bits " + bits.to_string() : std::string(); }
  /// One of the seeds is enough.
  std::string label(const Run& run) {
    std::string text;
    if (run.role == Run::Role::search)
      text = run.memory + " / " + run.latency + (with_bits_ ? " / " + run.bits.to_string() : "");
    else if (run.role == Run::Role::baseline && !run.bits.empty())
      text = "bits " + run.bits.to_string();
    return named_.insert(text).second ? text : "";
  }

  std::vector<Of> series_;
  std::set<std::string> named_;
  bool with_bits_ = false;
};

/// Every result against one cost: searches and the front of those that kept their bounds, uniform scaling, the baseline
/// network. Nothing where no result has both numbers.
inline std::optional<deploy::Picture> pareto_picture(const Comparison& comparison, const CostColumn& cost) {
  using deploy::Series;
  const Result& first = comparison.results[0];
  const double scale = first.metric == "accuracy" ? 100 : 1;
  PointsByRole points(comparison.results);
  bool any = false;
  const auto x_of = [&](const Result& result) { return result.cost(cost) / cost.in.size; };
  const auto y_of = [&](const Result& result) { return scale * result.value(); };
  const auto add = [&](const Result& result) {
    const double x = x_of(result), y = y_of(result);
    any = any || !std::isnan(x + y);
    points.add(
        result, x, y,
        format("{}: {}, {} {}", result.record.run, metric_text(result.metric, result.value()), amount_text(x), cost.label));
  };
  const std::vector<const Result*> best = front(comparison.results, cost);
  for (const Result* result : best) add(*result);  // their labels first
  for (const Result& result : comparison.results)
    if (std::find(best.begin(), best.end(), &result) == best.end()) add(result);
  if (!any) return std::nullopt;

  Series steps{.name = "front of the searched", .look = 0};
  for (std::size_t i = 0; i < best.size(); ++i) {
    if (i > 0) steps.x.push_back(x_of(*best[i])), steps.y.push_back(y_of(*best[i - 1]));
    steps.x.push_back(x_of(*best[i])), steps.y.push_back(y_of(*best[i]));
  }
  deploy::Chart chart{.title = format("{} against {}", metric_label(first), cost.label),
                      .x = {.label = cost.label},
                      .y = {.label = "test " + metric_label(first) + (scale == 100 ? " (%)" : "")},
                      .height = 340};
  chart.series = points.take();
  const auto searched = std::find_if(chart.series.begin(), chart.series.end(),
                                     [](const Series& series) { return series.name.starts_with("searched"); });
  if (best.size() > 1) chart.series.insert(searched, std::move(steps));
  return draw(chart);
}

}  // namespace siena::examples
