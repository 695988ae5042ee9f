// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The pictures of one run, from its report.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <siena/deploy/bar_chart.hpp>
#include <siena/deploy/chart.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json_parts.hpp"

namespace siena::examples {

/// Lines over all epochs of a run, one phase after the other.
class Trajectory {
 public:
  Trajectory(const Json& report, std::string title) : report_(report), title_(std::move(title)) {
    struct Phase {
      std::string_view key, name, kept;  // kept: where the epoch stands whose weights were kept
    };
    constexpr std::array<Phase, 4> phases{{{"warmup", "warm-up", ""},
                                           {"search", "search", "best_epoch"},
                                           {"finetuning", "fine-tuning", "kept_epoch"},
                                           {"training", "training", "kept_epoch"}}};
    const Json& history = part(report, "history");
    for (const Phase& phase : phases) {
      const Json& epochs = part(history, phase.key);
      if (!epochs.is_array() || epochs.empty()) continue;
      sections_.push_back({static_cast<double>(epochs_.size()) + 0.5, std::string(phase.name)});
      const double kept = number(history, phase.kept);
      if (kept >= 1 && kept <= static_cast<double>(epochs.size()))
        kept_.push_back(epochs_.size() + static_cast<std::size_t>(kept) - 1);
      for (const Json& epoch : epochs) epochs_.push_back(&epoch);
    }
  }
  bool empty() const { return epochs_.empty(); }

  /// Nothing where not one epoch has such a number.
  std::optional<deploy::Picture> loss() const {
    return panel("loss", {line("training", "train_loss"), line("validation", "validation_loss")});
  }
  std::optional<deploy::Picture> accuracy() const {
    std::vector<deploy::Series> series{line("training", "train_accuracy", 100), line("validation", "validation_accuracy", 100)};
    deploy::Series kept{.name = "epochs that were kept", .draw = deploy::Series::Draw::points, .look = 3};
    for (const std::size_t i : kept_) kept.x.push_back(series[1].x[i]), kept.y.push_back(series[1].y[i]);
    series.push_back(std::move(kept));
    return panel("accuracy (%)", std::move(series));
  }
  /// Every bound as a part of its limit.
  std::optional<deploy::Picture> bounds() const {
    std::vector<deploy::Series> series;
    for (const Json& bound : part(report_, "bounds")) {
      const double limit = number(bound, "limit");
      if (!(limit > 0)) continue;
      const std::string name = text(bound, "name");
      deploy::Series& of = series.emplace_back(line(name, ""));
      for (std::size_t i = 0; i < epochs_.size(); ++i) of.y[i] = number(part(*epochs_[i], "bounds"), name) / limit;
    }
    return panel("value / limit", std::move(series), {{1, "limit"}});
  }

 private:
  deploy::Series line(std::string name, std::string_view key, double scale = 1) const {
    deploy::Series series{.name = std::move(name)};
    for (std::size_t i = 0; i < epochs_.size(); ++i) {
      series.x.push_back(static_cast<double>(i + 1));
      series.y.push_back(scale * number(*epochs_[i], key));
    }
    if (epochs_.size() <= 12) series.draw = deploy::Series::Draw::both;
    return series;
  }

  std::optional<deploy::Picture> panel(std::string_view label, std::vector<deploy::Series> series,
                                       std::vector<deploy::Mark> levels = {}) const {
    std::erase_if(series, [](const deploy::Series& s) {
      return std::none_of(s.y.begin(), s.y.end(), [](double y) { return std::isfinite(y); });
    });
    if (series.empty()) return std::nullopt;
    return draw(
        deploy::Chart{.title = label == "loss" ? title_ : "",
                      .x = {.label = "epoch", .whole = true, .low = 0.5, .high = static_cast<double>(epochs_.size()) + 0.5},
                      .y = {.label = std::string(label), .low = levels.empty() ? std::optional<double>() : 0},
                      .series = std::move(series),
                      .levels = std::move(levels),
                      .sections = sections_,
                      .height = 170});
  }

  const Json& report_;
  std::string title_;
  std::vector<const Json*> epochs_;
  std::vector<deploy::Mark> sections_;
  std::vector<std::size_t> kept_;
};

/// Loss, accuracy and each bound over the epochs of a run, one below the other; nothing where the report has no history.
inline std::optional<deploy::Picture> trajectory_picture(const Json& report, const std::string& title = "") {
  const Trajectory trajectory(report, title);
  std::vector<deploy::Picture> panels;
  for (auto& panel : {trajectory.loss(), trajectory.accuracy(), trajectory.bounds()})
    if (panel) panels.push_back(*panel);
  if (panels.empty()) return std::nullopt;
  return deploy::stack(panels, title.empty() ? "epochs" : "epochs: " + title);
}

/// The channels of every layer before and after; a layer that is gone has no bar after. Nothing without layers.
inline std::optional<deploy::Picture> channels_picture(const Json& report, const std::string& title = "") {
  const Json& after = part(report, "layers");
  const Json& before = part(part(report, "before"), "layers");
  const double missing = std::numeric_limits<double>::quiet_NaN();
  deploy::BarChart chart{.title = title.empty() ? "channels" : "channels: " + title, .label = "output channels"};
  deploy::BarChart::Bars was{.name = "before"}, is{.name = "after"};
  for (const Json& layer : before) {
    chart.categories.push_back(text(layer, "name"));
    was.values.push_back(number(layer, "out_channels")), is.values.push_back(missing);
  }
  for (const Json& layer : after) {
    const std::string name = text(layer, "name");
    const auto known = std::find(chart.categories.begin(), chart.categories.end(), name);
    const auto index = static_cast<std::size_t>(known - chart.categories.begin());
    if (known == chart.categories.end()) {
      chart.categories.push_back(name);
      was.values.push_back(missing), is.values.push_back(missing);
    }
    is.values[index] = number(layer, "out_channels");
  }
  if (chart.categories.empty()) return std::nullopt;
  if (before.is_array() && !before.empty()) chart.series.push_back(std::move(was));
  chart.series.push_back(std::move(is));
  return draw(chart);
}

}  // namespace siena::examples
