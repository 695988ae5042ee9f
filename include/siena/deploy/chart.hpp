// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/deploy/chart_axis.hpp"
#include "siena/deploy/svg.hpp"

namespace siena::deploy {

/// Points of a chart, joined or not. What is NaN or infinite, or not above 0 on a logarithmic axis, is left out and
/// interrupts the line.
struct Series {
  enum class Draw { line, points, both };
  std::string name = {};  ///< in the legend; "": not there
  std::vector<double> x = {}, y = {};
  Draw draw = Draw::line;
  std::optional<std::size_t> look = {};  ///< colour, marker and dashes (`deploy::look`); otherwise by the place in the chart
  std::vector<std::string> labels =
      {};                              ///< beside the points, as long as there is room: one each ("" for none), or none at all
  std::vector<std::string> tips = {};  ///< what browsers show when the mouse is over a point: one each, or none at all
};

/// A line at one value, across the chart.
struct Mark {
  double at = 0;
  std::string name = {};
};

/// Lines and points over two axes.
struct Chart {
  std::string title = {};
  Axis x = {}, y = {};
  std::vector<Series> series = {};
  std::vector<Mark> levels = {};     ///< at values of y; their names stand in the legend
  std::vector<Mark> sections = {};   ///< where along x something begins; the names stand above
  double width = 660, height = 300;  ///< in pixels: of the whole picture; of what is inside the axes
};

namespace detail {

using Sample = LegendEntry::Sample;

inline void check(const Chart& chart) {
  for (const Series& series : chart.series) {
    require<ArgumentError>(series.x.size() == series.y.size(), "chart '{}': expected as many y as x in '{}', got {} and {}",
                           chart.title, series.name, series.y.size(), series.x.size());
    for (const auto* texts : {&series.labels, &series.tips}) {
      require<ArgumentError>(texts->empty() || texts->size() == series.x.size(),
                             "chart '{}': expected a text for each of the {} points of '{}', got {}", chart.title,
                             series.x.size(), series.name, texts->size());
    }
  }
  require<ArgumentError>(chart.width >= 200 && chart.height >= 50 && chart.width < 1e5 && chart.height < 1e5,
                         "chart '{}': expected at least 200 x 50 pixels, got {} x {}", chart.title, chart.width, chart.height);
}

/// A chart being drawn: the scales, and where they are in the picture.
struct ChartFrame {
  double left = 0, top = 0, right = 0, bottom = 0;
  Scale x, y;

  std::optional<Svg::Point> place(double at_x, double at_y) const {
    const double across = x(at_x), up = y(at_y);
    if (std::isnan(across) || std::isnan(up)) return std::nullopt;
    return Svg::Point{left + across * (right - left), bottom - up * (bottom - top)};
  }
  bool holds(const Svg::Point& point) const {
    return point.x >= left - 0.5 && point.x <= right + 0.5 && point.y >= top - 0.5 && point.y <= bottom + 0.5;
  }
};

inline std::vector<LegendEntry> legend_of(const Chart& chart) {
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const Series& series = chart.series[i];
    const Sample sample = series.draw == Series::Draw::line     ? Sample::line
                          : series.draw == Series::Draw::points ? Sample::marker
                                                                : Sample::both;
    if (!series.name.empty()) legend.push_back({series.name, look(series.look.value_or(i)), sample});
  }
  for (const Mark& level : chart.levels) {
    if (!level.name.empty()) legend.push_back({level.name, {.color = "#333333", .dashes = "5 4"}, Sample::line});
  }
  return legend;
}

/// Axes with their numbers and labels, and a light grid.
inline void draw_axes(Svg& svg, const ChartFrame& frame, const Chart& chart, double width) {
  for (const Tick& tick : frame.y.ticks()) {
    const double y = frame.bottom - frame.y(tick.at) * (frame.bottom - frame.top);
    svg.line({.points = {{frame.left, y}, {frame.right, y}}, .color = "#e3e3e3"});
    svg.text({.at = {frame.left - 7, y + 4}, .text = tick.label, .size = 11, .anchor = "end"});
  }
  double free = 0;  // numbers on the x axis that would touch are left out
  for (const Tick& tick : frame.x.ticks()) {
    const double x = frame.left + frame.x(tick.at) * (frame.right - frame.left), half = text_width(tick.label, 11) / 2;
    svg.line({.points = {{x, frame.top}, {x, frame.bottom}}, .color = "#e3e3e3"});
    if (x - half < free || x + half > width) continue;
    svg.text({.at = {x, frame.bottom + 17}, .text = tick.label, .size = 11, .anchor = "middle"});
    free = x + half + 6;
  }
  svg.line({.points = {{frame.left, frame.top}, {frame.left, frame.bottom}, {frame.right, frame.bottom}}, .color = "#808080"});
  const double middle = (frame.top + frame.bottom) / 2;
  svg.text({.at = {(frame.left + frame.right) / 2, frame.bottom + 36},
            .text = fitting(chart.x.label, width - 20, 12),
            .anchor = "middle"});
  svg.text({.at = {16, middle},
            .text = fitting(chart.y.label, frame.bottom - frame.top + 40, 12),
            .anchor = "middle",
            .upwards = true});
}

/// Sections get a line where they begin and, as long as there is room, their name above; levels a dashed line.
inline void draw_marks(Svg& svg, const ChartFrame& frame, const Chart& chart) {
  double free = 0;
  for (const Mark& section : chart.sections) {
    const double across = frame.x(section.at);
    if (!(across > -1e-6 && across < 1 + 1e-6)) continue;
    const double x = frame.left + across * (frame.right - frame.left), wide = text_width(section.name, 11);
    if (across > 1e-6) svg.line({.points = {{x, frame.top - 14}, {x, frame.bottom}}, .color = "#9a9a9a"});
    const double begin = std::min(x + 4, frame.right - wide);
    if (begin < free) continue;
    svg.text({.at = {begin, frame.top - 5}, .text = section.name, .size = 11, .color = "#555555", .halo = true});
    free = begin + wide + 8;
  }
  for (const Mark& level : chart.levels) {
    const double up = frame.y(level.at);
    if (!(up >= -1e-6 && up <= 1 + 1e-6)) continue;
    const double y = frame.bottom - up * (frame.bottom - frame.top);
    svg.line({.points = {{frame.left, y}, {frame.right, y}}, .dashes = "5 4", .width = 1.3});
  }
}

/// Line and markers of one series; a point that nothing joins to another is marked in any case.
inline void draw_series(Svg& svg, const ChartFrame& frame, const Series& series, const Look& look) {
  std::vector<Svg::Point> run;
  const auto end_run = [&] {
    if (series.draw != Series::Draw::points && run.size() > 1) {
      svg.line({.points = run, .color = look.color, .dashes = look.dashes, .width = 1.8});
    }
    if (series.draw == Series::Draw::line && run.size() == 1) svg.marker(look, run[0]);
    run.clear();
  };
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    const auto at = frame.place(series.x[i], series.y[i]);
    if (at && frame.holds(*at)) {
      run.push_back(*at);
    } else {
      end_run();
    }
  }
  end_run();
  if (series.draw == Series::Draw::line) return;
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    const auto at = frame.place(series.x[i], series.y[i]);
    if (at && frame.holds(*at)) svg.marker(look, *at, series.tips.empty() ? std::string_view() : series.tips[i]);
  }
}

/// A place in the picture that is taken.
struct Area {
  double left, top, right, bottom;
  bool meets(const Area& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
};

/// Where markers and lines are; lines bit by bit.
inline std::vector<Area> drawn_areas(const ChartFrame& frame, const Chart& chart) {
  std::vector<Area> areas;
  const auto add = [&](const Svg::Point& at, double half) {
    areas.push_back({at.x - half, at.y - half, at.x + half, at.y + half});
  };
  for (const Series& series : chart.series) {
    std::optional<Svg::Point> last;
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      const auto at = frame.place(series.x[i], series.y[i]);
      if (at && series.draw != Series::Draw::line) add(*at, 4);
      if (at && last && series.draw != Series::Draw::points) {
        const double bits = std::min(1e3, std::ceil(std::hypot(at->x - last->x, at->y - last->y) / 6));
        for (double bit = 0; bit < bits; ++bit) {
          add({last->x + (at->x - last->x) * bit / bits, last->y + (at->y - last->y) * bit / bits}, 2);
        }
      }
      last = at;
    }
  }
  return areas;
}

/// Writes labels beside their points, where they cover nothing that is drawn; without such a place, not at all.
inline void draw_labels(Svg& svg, const ChartFrame& frame, const Chart& chart) {
  std::vector<Area> taken = drawn_areas(frame, chart);
  constexpr double size = 11, high = 11;
  for (const Series& series : chart.series) {
    for (std::size_t i = 0; i < series.labels.size(); ++i) {
      const auto at = frame.place(series.x[i], series.y[i]);
      if (!at || series.labels[i].empty()) continue;
      const double wide = text_width(series.labels[i], size), x = at->x, y = at->y;
      const std::array<Svg::Point, 8> corners{{{x + 7, y - high / 2},
                                               {x - wide / 2, y - high - 6},
                                               {x - wide / 2, y + 6},
                                               {x - wide - 7, y - high / 2},
                                               {x + 5, y - high - 5},
                                               {x + 5, y + 5},
                                               {x - wide - 5, y - high - 5},
                                               {x - wide - 5, y + 5}}};
      for (const Svg::Point& corner : corners) {
        const Area area{corner.x, corner.y, corner.x + wide, corner.y + high};
        const bool inside =
            area.left > frame.left + 2 && area.right < frame.right + 8 && area.top > frame.top && area.bottom < frame.bottom;
        if (!inside || std::any_of(taken.begin(), taken.end(), [&](const Area& other) { return area.meets(other); })) continue;
        svg.text({.at = {corner.x, corner.y + high - 2}, .text = series.labels[i], .size = size, .halo = true});
        taken.push_back(area);
        break;
      }
    }
  }
}

}  // namespace detail

/// A picture, and how large it is.
struct Picture {
  std::string svg;  ///< a whole SVG file; it can also stand in HTML
  double width = 0, height = 0;
};

/// Draws a chart. Throws DataError where there is no point to draw, ArgumentError where x and y do not go together.
inline Picture draw(const Chart& chart) {
  detail::check(chart);
  detail::Range x(chart.x), y(chart.y);
  for (const Series& series : chart.series) {
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      detail::Range here_x(chart.x), here_y(chart.y);
      here_x.add(series.x[i]), here_y.add(series.y[i]);
      if (!here_x.empty() && !here_y.empty()) x.add(series.x[i]), y.add(series.y[i]);
    }
  }
  require<DataError>(!x.empty(), "chart '{}': expected a point to draw, got {} series with none", chart.title,
                     chart.series.size());
  for (const Mark& level : chart.levels) y.add(level.at);

  const detail::Scale across(chart.x, x.low(), x.high()), up(chart.y, y.low(), y.high());
  double widest = 30;  // charts one below the other are in line
  for (const detail::Tick& tick : up.ticks()) widest = std::max(widest, detail::text_width(tick.label, 11));
  Svg svg;
  const double head = detail::draw_head(svg, chart.title, detail::legend_of(chart), chart.width);
  const double top = head + (chart.sections.empty() ? 8 : 18);
  const detail::ChartFrame frame{.left = widest + (chart.y.label.empty() ? 16 : 34),
                                 .top = top,
                                 .right = chart.width - 24,
                                 .bottom = top + chart.height,
                                 .x = across,
                                 .y = up};
  detail::draw_axes(svg, frame, chart, chart.width);
  detail::draw_marks(svg, frame, chart);
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    detail::draw_series(svg, frame, chart.series[i], look(chart.series[i].look.value_or(i)));
  }
  detail::draw_labels(svg, frame, chart);
  const double height = frame.bottom + (chart.x.label.empty() ? 26 : 46);
  return {svg.file(chart.width, height, chart.title), chart.width, height};
}

/// One picture of several, one below the other.
inline Picture stack(std::span<const Picture> pictures, std::string_view title) {
  Svg svg;
  Picture result;
  for (const Picture& picture : pictures) {
    svg.picture(picture.svg, {0, result.height});
    result.width = std::max(result.width, picture.width), result.height += picture.height;
  }
  result.svg = svg.file(result.width, result.height, title);
  return result;
}

}  // namespace siena::deploy
