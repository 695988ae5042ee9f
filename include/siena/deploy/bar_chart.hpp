// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/deploy/chart.hpp"
#include "siena/deploy/chart_axis.hpp"
#include "siena/deploy/svg.hpp"

namespace siena::deploy {

/// Bars side by side for each category, from left to right, so that names of any length can be read.
struct BarChart {
  struct Bars {
    std::string name = {};            ///< in the legend; "": not there
    std::vector<double> values = {};  ///< one for each category, from 0 on; NaN or infinite: no bar
  };
  std::string title = {};
  std::vector<std::string> categories = {};  ///< from top to bottom
  std::vector<Bars> series = {};
  std::string label = {};  ///< of the axis of values
  double width = 660;      ///< in pixels; as high as there are bars
};

namespace detail {
inline void check(const BarChart& chart) {
  require<DataError>(!chart.categories.empty() && !chart.series.empty(),
                     "bar chart '{}': expected bars to draw, got {} categories and {} series", chart.title,
                     chart.categories.size(), chart.series.size());
  require<ArgumentError>(chart.width >= 200 && chart.width < 1e5, "bar chart '{}': expected at least 200 pixels, got {}",
                         chart.title, chart.width);
  for (const BarChart::Bars& bars : chart.series) {
    require<ArgumentError>(bars.values.size() == chart.categories.size(),
                           "bar chart '{}': expected a value for each of the {} categories in '{}', got {}", chart.title,
                           chart.categories.size(), bars.name, bars.values.size());
    for (const double value : bars.values) {
      require<DataError>(!(value < 0), "bar chart '{}': expected values from 0 on in '{}', got {:.3g}", chart.title, bars.name,
                         value);
    }
  }
}
}  // namespace detail

/// Draws bars with their values behind them. Throws DataError where there is nothing to draw or a value is negative,
/// ArgumentError where values and categories do not go together.
inline Picture draw(const BarChart& chart) {
  detail::check(chart);
  constexpr double bar = 11, gap = 8;
  const Axis axis{.label = chart.label, .low = 0};
  detail::Range range(axis);
  for (const auto& bars : chart.series)
    for (const double value : bars.values) range.add(value);
  const detail::Scale scale(axis, 0, range.empty() || range.high() == 0 ? 1 : range.high());

  Svg svg;
  std::vector<detail::LegendEntry> legend;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    if (!chart.series[i].name.empty()) legend.push_back({.name = chart.series[i].name, .look = look(i)});
  }
  const double top = detail::draw_head(svg, chart.title, legend, chart.width) + 4;
  double names = 0;
  for (const std::string& category : chart.categories) names = std::max(names, detail::text_width(category, 11));
  names = std::min(names, chart.width / 3);
  const double left = names + 20, right = chart.width - 50;
  const double group = bar * static_cast<double>(chart.series.size()) + gap;
  const double bottom = top + group * static_cast<double>(chart.categories.size()) + gap / 2;

  for (const detail::Tick& tick : scale.ticks()) {
    const double x = left + scale(tick.at) * (right - left);
    svg.line({.points = {{x, top}, {x, bottom}}, .color = "#e3e3e3"});
    svg.text({.at = {x, bottom + 16}, .text = tick.label, .size = 11, .anchor = "middle"});
  }
  for (std::size_t c = 0; c < chart.categories.size(); ++c) {
    const double y = top + gap / 2 + group * static_cast<double>(c);
    svg.text({.at = {left - 8, y + (group - gap) / 2 + 4},
              .text = detail::fitting(chart.categories[c], names, 11),
              .size = 11,
              .anchor = "end"});
    for (std::size_t i = 0; i < chart.series.size(); ++i) {
      const double value = chart.series[i].values[c], from = y + bar * static_cast<double>(i);
      if (!std::isfinite(value)) continue;
      const double wide = scale(value) * (right - left);
      svg.box({.at = {left, from}, .width = wide, .height = bar - 1, .fill = look(i).color});
      svg.text({.at = {left + wide + 4, from + bar - 1}, .text = format("{:.6g}", value), .size = 10, .color = "#555555"});
    }
  }
  svg.line({.points = {{left, top}, {left, bottom}, {right, bottom}}, .color = "#808080"});
  svg.text({.at = {(left + right) / 2, bottom + 34},
            .text = detail::fitting(chart.label, chart.width - 20, 12),
            .anchor = "middle"});
  const double height = bottom + (chart.label.empty() ? 26 : 44);
  return {svg.file(chart.width, height, chart.title), chart.width, height};
}

}  // namespace siena::deploy
