// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/core/parallel.hpp"
#include "siena/cost/gap8.hpp"
#include "siena/cost/macs.hpp"
#include "siena/cost/model_size.hpp"
#include "siena/cost/params.hpp"
#include "siena/space/describe.hpp"
#include "siena/train/loop.hpp"
#include "siena/train/metrics.hpp"

namespace siena {

/// What one layer costs, exactly.
struct LayerReport {
  std::string name, kind;
  std::int64_t in_channels = 0, out_channels = 0;
  double weights = 0, macs = 0, gap8_cycles = 0;
};

/// The truth about a network: exact costs, every bound with its slack, accuracy where it was measured.
struct Report {
  struct Phase {
    std::string name;
    int epochs = 0;
    double seconds = 0;
  };
  struct Accuracy {
    std::optional<double> seed, found, finetuned;
    std::string metric = "accuracy";  ///< or what was measured in its place: "auc"
  };

  bool feasible = true;
  std::vector<ConstraintStatus> bounds;
  Accuracy accuracy;  ///< on the test samples, in [0, 1]
  double weights = 0, macs = 0, bytes = 0, gap8_cycles = 0;
  std::vector<LayerReport> layers;  ///< those with weights; a batch norm that folds into its layer has none
  std::vector<Phase> phases;
  std::optional<std::uint64_t> seed;  ///< of the run, where the caller says it
  int threads = 0;

  /// A table of the layers, then every bound and every accuracy, a line each.
  std::string to_string() const;
};

inline std::string Report::to_string() const {
  std::string text = format("{:<22}{:>10}{:>10}{:>10}{:>12}{:>14}\n", "layer", "in", "out", "weights", "MACs", "GAP8 cycles");
  for (const auto& layer : layers) {
    text += format("{:<22}{:>10}{:>10}{:>10.0f}{:>12.0f}{:>14.0f}\n", layer.name, layer.in_channels, layer.out_channels,
                   layer.weights, layer.macs, layer.gap8_cycles);
  }
  text += format("{:<22}{:>10}{:>10}{:>10.0f}{:>12.0f}{:>14.0f}\n", "total", "", "", weights, macs, gap8_cycles);
  for (const auto& bound : bounds) text += bound.to_string() + "\n";
  const auto line = [&](const char* name, const std::optional<double>& value) {
    if (value) text += format("{} {}: {}\n", accuracy.metric, name, metric_text(accuracy.metric, *value));
  };
  line("of the seed", accuracy.seed);
  line("as found", accuracy.found);
  line("fine-tuned", accuracy.finetuned);
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
  report.gap8_cycles = total(Gap8{}, architecture);
  for (const auto& layer : architecture.layers) {
    if (layer.weights() <= 0) continue;
    report.layers.push_back({layer.name, std::string(name_of(layer.kind)), static_cast<std::int64_t>(layer.in_channels),
                             static_cast<std::int64_t>(layer.out_channels), layer.weights(), layer.macs(),
                             Gap8{}.layer_cost(layer)});
  }
  report.threads = threads();
  return report;
}

/// The report of a network with its accuracy on `test` (as `finetuned`, the
/// last of the three), where there are samples and classes.
inline Report evaluate(Network& network, const data::Dataset& test, const ConstraintSet& constraints,
                       const Objective& objective = classification()) {
  Report result = report(network, constraints);
  const Metrics metrics = evaluate(network, test, 256, objective);
  if (metrics.has_accuracy()) result.accuracy.finetuned = metrics.accuracy;
  return result;
}

}  // namespace siena

template <>
struct fmt::formatter<siena::Report> : fmt::formatter<std::string> {
  auto format(const siena::Report& report, fmt::format_context& context) const {
    return fmt::formatter<std::string>::format(report.to_string(), context);
  }
};
