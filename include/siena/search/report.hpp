// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/core/parallel.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/params.hpp"
#include "siena/data/preparation.hpp"
#include "siena/space/describe.hpp"
#include "siena/train/loop.hpp"
#include "siena/train/metrics.hpp"

namespace siena {

/// What one layer costs, exactly.
struct LayerReport {
  std::string name = {}, kind = {};
  std::int64_t in_channels = 0, out_channels = 0;
  double weights = 0, macs = 0;
  std::vector<BitSlice<double>> bits = {};         ///< of its weights: how many filters have which
  double output_bits = 8;                          ///< of the values that it hands on
  std::vector<std::optional<double>> bounds = {};  ///< its part in each bound of the report, where that is a sum over layers

  /// "8", or of filters that differ "8 of 3, 4 of 13"
  std::string bits_text() const {
    std::string text;
    for (const auto& [count, filters] : bits)
      text += bits.size() == 1 ? format("{}", count) : format("{}{} of {}", text.empty() ? "" : ", ", count, filters);
    return text;
  }
  std::optional<double> part(std::size_t bound) const { return bound < bounds.size() ? bounds[bound] : std::nullopt; }
};

/// The truth about a network: exact costs, every bound with its slack, accuracy where it was measured.
struct Report {
  struct Phase {
    std::string name = {};
    int epochs = 0;
    double seconds = 0;
  };
  struct Accuracy {
    std::optional<double> baseline = {};  ///< of the network before the search
    std::optional<double> found = {}, finetuned = {};
    std::optional<double> calibrated = {};  ///< of the network in integers of 8 bits
    std::optional<double> aware = {};       ///< of those that training with their levels ended in
    std::optional<double> measured = {};    ///< by `evaluate`, which does not know what was done to the network before
    std::string metric = "accuracy";        ///< or what was measured in its place: "auc", "loss"
  };

  bool feasible = true;
  std::vector<ConstraintStatus> bounds = {};
  Accuracy accuracy = {};  ///< on the test samples; in [0, 1], unless it is a loss
  double weights = 0, macs = 0, bytes = 0;
  std::vector<LayerReport> layers = {};  ///< those with weights; a batch norm that folds into its layer has none
  std::vector<Phase> phases = {};
  std::optional<std::uint64_t> seed = {};             ///< of the run, where the caller says it
  std::optional<data::Preparation> preparation = {};  ///< of the network's inputs, as the samples of `evaluate` say it
  int threads = 0;

  /// What each layer costs, in weights, in MACs and by the model of each bound that is a sum over layers.
  std::string table() const;
  /// The table, then every bound and every accuracy, a line each.
  std::string to_string() const;
};

namespace detail {
/// Rows of cells in columns that are as wide as they must be: the first to the left, the others to the right.
inline std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (const auto& row : rows) {
    text += format("{:<{}}", row[0], widths[0]);
    for (std::size_t i = 1; i < row.size(); ++i) text += format("  {:>{}}", row[i], widths[i]);
    text += "\n";
  }
  return text;
}
/// Whole numbers of what is counted or large, four digits that matter of the rest.
inline std::string cell_text(const std::optional<double>& value, const ShownUnit& in = {}) {
  if (!value) return "-";
  const double amount = *value / in.size;
  return std::abs(amount) >= 1000 || amount == std::floor(amount) ? format("{:.0f}", amount) : format("{:.4g}", amount);
}
}  // namespace detail

inline std::string Report::table() const {
  struct Column {
    std::string title;
    std::size_t bound;
  };
  std::vector<Column> columns;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const std::string& model = bounds[i].model;
    if (model.empty() || model == Macs{}.name() || model == Params{}.name()) continue;  // those are there anyway
    const ShownUnit in = bounds[i].shown();
    Column column{format("{}{}{}", model, in.space(), in.name), i};
    const bool known = std::any_of(columns.begin(), columns.end(), [&](const Column& c) { return c.title == column.title; });
    const bool priced = std::any_of(layers.begin(), layers.end(), [&](const LayerReport& l) { return l.part(i).has_value(); });
    if (priced && !known) columns.push_back(std::move(column));
  }

  const bool few = std::any_of(layers.begin(), layers.end(), [](const LayerReport& l) { return l.bits_text() != "8"; });
  std::vector<std::vector<std::string>> rows{{"layer", "in", "out", "weights", "MACs"}};
  const bool few_values = std::any_of(layers.begin(), layers.end(), [](const LayerReport& l) { return l.output_bits != 8; });
  if (few) rows[0].push_back("bits");
  if (few_values) rows[0].push_back("bits out");
  for (const Column& column : columns) rows[0].push_back(column.title);
  for (const LayerReport& layer : layers) {
    rows.push_back({layer.name, std::to_string(layer.in_channels), std::to_string(layer.out_channels),
                    detail::cell_text(layer.weights), detail::cell_text(layer.macs)});
    if (few) rows.back().push_back(layer.bits_text());
    if (few_values) rows.back().push_back(format("{}", layer.output_bits));
    for (const auto& [title, i] : columns) rows.back().push_back(detail::cell_text(layer.part(i), bounds[i].shown()));
  }
  rows.push_back({"total", "", "", detail::cell_text(weights), detail::cell_text(macs)});
  for (const bool shown : {few, few_values})
    if (shown) rows.back().push_back("");
  for (const auto& [title, i] : columns) rows.back().push_back(detail::cell_text(bounds[i].value, bounds[i].shown()));
  return detail::table_text(rows);
}

inline std::string Report::to_string() const {
  std::string text = table();
  for (const auto& bound : bounds) text += bound.to_string() + "\n";
  const auto line = [&](const char* name, const std::optional<double>& value) {
    if (value) text += format("{} {}: {}\n", accuracy.metric, name, metric_text(accuracy.metric, *value));
  };
  line("of the baseline", accuracy.baseline);
  line("as found", accuracy.found);
  line("fine-tuned", accuracy.finetuned);
  line("in integers", accuracy.calibrated);
  line("trained as integers", accuracy.aware);
  line("on these samples", accuracy.measured);
  if (!text.empty()) text.pop_back();
  return text;
}

/// Costs of a plain network and how it stands with its constraints; trains and measures nothing.
inline Report report(const Network& network, const ConstraintSet& constraints) {
  const Architecture<double> architecture = describe(network);
  Report report;
  report.bounds = constraints.status(architecture);
  report.feasible = constraints.feasible(architecture);
  report.weights = total(Params{}, architecture);
  report.macs = total(Macs{}, architecture);
  report.bytes = total(ModelSize{}, architecture);
  for (const auto& layer : architecture.layers) {
    if (layer.weights() <= 0) continue;
    report.layers.push_back({.name = layer.name,
                             .kind = std::string(name_of(layer.kind)),
                             .in_channels = static_cast<std::int64_t>(layer.in_channels),
                             .out_channels = static_cast<std::int64_t>(layer.out_channels),
                             .weights = layer.weights(),
                             .macs = layer.macs(),
                             .bits = layer.slices,
                             .output_bits = layer.output_bits});
    if (layer.slices.empty()) report.layers.back().bits = {{layer.weight_bits, layer.filters()}};
    auto& parts = report.layers.back().bounds;
    for (const AnyConstraint& constraint : constraints) parts.push_back(constraint.layer_value(layer));
    for (const Minimize& cost : constraints.minimized()) parts.push_back(cost.layer_value(layer));
  }
  report.threads = threads();
  return report;
}

/// The report of a network with its accuracy on `test` (as `measured`), where there are samples; where the objective has no
/// classes, with its loss: give the one that the network was trained with, regression() for numbers.
inline Report evaluate(Network& network, const data::Dataset& test, const ConstraintSet& constraints,
                       const Objective& objective = classification()) {
  Report result = report(network, constraints);
  if (test.empty()) return result;
  result.preparation = test.preparation();
  const Metrics metrics = evaluate(network, test, 256, objective);
  if (!metrics.has_accuracy()) result.accuracy.metric = "loss";
  result.accuracy.measured = metrics.has_accuracy() ? metrics.accuracy : metrics.loss;
  return result;
}

}  // namespace siena
