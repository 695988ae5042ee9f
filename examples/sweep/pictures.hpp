// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The pictures of a sweep, from the reports of its runs.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <siena/deploy/chart.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sweep/results.hpp"

namespace siena::examples {

inline std::string metric_label(const Result& result) { return result.metric == "auc" ? "AUC" : result.metric; }

/// Every result against one cost: searches and the front of those that kept their bounds, uniform scaling, the baseline
/// network. Nothing where no result has both numbers.
inline std::optional<deploy::Picture> pareto_picture(const Comparison& comparison, const CostColumn& cost) {
  using deploy::Series;
  const Result& first = comparison.results[0];
  const double scale = first.metric == "accuracy" ? 100 : 1;
  std::array<Series, 3> points{{{.name = "searched"}, {.name = "uniform scaling"}, {.name = "baseline network"}}};
  std::vector<std::pair<std::string, std::string>> named;
  bool any = false;
  const auto add = [&](const Result& result) {
    const Run& run = result.record.run;
    Series& series = points[static_cast<std::size_t>(run.role)];
    series.x.push_back(result.cost(cost) / cost.in.size), series.y.push_back(scale * result.value());
    any = any || !std::isnan(series.x.back() + series.y.back());
    const bool name_it = run.role == Run::Role::search &&  // one of the seeds of a pair of bounds is enough
                         std::find(named.begin(), named.end(), std::pair(run.memory, run.latency)) == named.end();
    if (name_it) named.push_back({run.memory, run.latency});
    series.labels.push_back(name_it ? run.memory + " / " + run.latency : "");
    series.tips.push_back(
        format("{}: {}, {} {}", run, metric_text(result.metric, result.value()), amount_text(series.x.back()), cost.label));
  };
  const std::vector<const Result*> best = front(comparison.results, cost);
  for (const Result* result : best) add(*result);  // their labels first
  for (const Result& result : comparison.results)
    if (std::find(best.begin(), best.end(), &result) == best.end()) add(result);
  if (!any) return std::nullopt;

  Series steps{.name = "front of the searched", .look = 0};
  for (std::size_t i = 0; i < best.size(); ++i) {
    if (i > 0) steps.x.push_back(points[0].x[i]), steps.y.push_back(points[0].y[i - 1]);
    steps.x.push_back(points[0].x[i]), steps.y.push_back(points[0].y[i]);
  }
  deploy::Chart chart{.title = format("{} against {}", metric_label(first), cost.label),
                      .x = {.label = cost.label},
                      .y = {.label = "test " + metric_label(first) + (scale == 100 ? " (%)" : "")},
                      .height = 340};
  for (std::size_t i = points.size(); i-- > 0;) {  // what was searched is drawn last, on top
    if (i == 0 && best.size() > 1) chart.series.push_back(std::move(steps));
    points[i].draw = Series::Draw::points, points[i].look = i;
    if (!points[i].x.empty()) chart.series.push_back(std::move(points[i]));
  }
  return draw(chart);
}

}  // namespace siena::examples
