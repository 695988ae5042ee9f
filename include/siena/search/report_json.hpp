// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::json (nlohmann-json): reports as JSON. Not part of the umbrella header.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "siena/core/file.hpp"
#include "siena/data/preparation_json.hpp"
#include "siena/search/report.hpp"
#include "siena/search/search.hpp"
#include "siena/train/confusion_matrix.hpp"
#include "siena/train/hit_counts.hpp"
#include "siena/train/multi_label_report.hpp"
#include "siena/train/regression_report.hpp"
#include "siena/train/roc.hpp"

namespace siena {

namespace detail {
inline nlohmann::ordered_json optional_number(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}
inline void append_hits(nlohmann::ordered_json& json, const HitCounts& counts) {
  json["precision"].push_back(counts.precision());
  json["recall"].push_back(counts.recall());
  json["f1"].push_back(counts.f1());
}
}  // namespace detail

/// [{"epoch", "train_loss", "train_accuracy", "penalty", "lr", "seconds", "validation_loss", "validation_accuracy", "bounds":
/// {name: value}}], null for what was not measured.
inline nlohmann::ordered_json to_json(const History& history) {
  auto epochs = nlohmann::ordered_json::array();
  for (const EpochEvent& e : history.epochs) {
    nlohmann::ordered_json entry{
        {"epoch", e.epoch}, {"train_loss", e.train.loss}, {"train_accuracy", e.train.accuracy}, {"penalty", e.penalty},
        {"lr", e.lr},       {"seconds", e.seconds}};
    if (e.has_validation) entry["validation_loss"] = e.validation.loss, entry["validation_accuracy"] = e.validation.accuracy;
    for (const BoundReading& bound : e.bounds) entry["bounds"][bound.name] = bound.value;
    epochs.push_back(std::move(entry));
  }
  return epochs;
}

/// {"feasible", "bounds": [{"name", "limit", "value", "slack", "unit", "violation", "model"}], "metric": "accuracy", "accuracy"
/// (or what the metric is): {"baseline", "found", "finetuned", "calibrated", "aware", "measured"}, "costs": {"weights", "macs",
/// "bytes"}, "layers": [{"name", "kind", "in_channels", "out_channels", those costs but for bytes, "bits":
/// [{"bits": of their weights, "filters": how many}], "output_bits": of what they hand on, "bounds": {name of a bound: its part
/// in it}}], "phases": [{"name", "epochs", "seconds"}], "seed", "threads", "preparation": see data/preparation_json.hpp}. Slack
/// is what is left of the limit, in its unit; null: not measured, or of a constraint that is no bound. The cost model of a
/// bound, and the parts of layers, are there where the constraint tells them.
inline nlohmann::ordered_json to_json(const Report& report) {
  nlohmann::ordered_json json;
  json["feasible"] = report.feasible;
  json["bounds"] = nlohmann::ordered_json::array();
  for (const ConstraintStatus& bound : report.bounds) {
    nlohmann::ordered_json slack;
    if (bound.value && bound.limit) slack = *bound.limit - *bound.value;
    json["bounds"].push_back({{"name", bound.name},
                              {"limit", detail::optional_number(bound.limit)},
                              {"value", detail::optional_number(bound.value)},
                              {"slack", slack},
                              {"unit", bound.unit},
                              {"violation", bound.violation}});
    if (!bound.model.empty()) json["bounds"].back()["model"] = bound.model;
  }
  json["metric"] = report.accuracy.metric;
  json[report.accuracy.metric] = {{"baseline", detail::optional_number(report.accuracy.baseline)},
                                  {"found", detail::optional_number(report.accuracy.found)},
                                  {"finetuned", detail::optional_number(report.accuracy.finetuned)},
                                  {"calibrated", detail::optional_number(report.accuracy.calibrated)},
                                  {"aware", detail::optional_number(report.accuracy.aware)},
                                  {"measured", detail::optional_number(report.accuracy.measured)}};
  json["costs"] = {{"weights", report.weights}, {"macs", report.macs}, {"bytes", report.bytes}};
  json["layers"] = nlohmann::ordered_json::array();
  for (const LayerReport& layer : report.layers) {
    json["layers"].push_back({{"name", layer.name},
                              {"kind", layer.kind},
                              {"in_channels", layer.in_channels},
                              {"out_channels", layer.out_channels},
                              {"weights", layer.weights},
                              {"macs", layer.macs}});
    auto& bits = json["layers"].back()["bits"];
    for (const auto& [count, filters] : layer.bits) bits.push_back({{"bits", count}, {"filters", filters}});
    json["layers"].back()["output_bits"] = layer.output_bits;
    for (std::size_t i = 0; i < report.bounds.size(); ++i)
      if (const auto part = layer.part(i)) json["layers"].back()["bounds"][report.bounds[i].name] = *part;
  }
  json["phases"] = nlohmann::ordered_json::array();
  for (const Report::Phase& phase : report.phases) {
    json["phases"].push_back({{"name", phase.name}, {"epochs", phase.epochs}, {"seconds", phase.seconds}});
  }
  if (report.seed) {
    json["seed"] = *report.seed;
  } else {
    json["seed"] = nullptr;  // nobody said it: 0 would be false
  }
  json["threads"] = report.threads;
  if (report.preparation) json["preparation"] = data::to_json(*report.preparation);
  return json;
}

/// Every epoch of both phases of a search, what was kept, and of each constraint what could be reached and what it costs:
/// "reach": [{"name", "unit", "smallest", "largest", "whole", "limit"}], "shadow_prices": [{"name", "unit", "binds", "price"}].
inline nlohmann::ordered_json to_json(const SearchHistory& history) {
  nlohmann::ordered_json json{{"warmup", to_json(history.warmup)},
                              {"search", to_json(history.search)},
                              {"best_epoch", history.best_epoch},
                              {"repaired", history.repaired}};
  json["reach"] = nlohmann::ordered_json::array();
  for (const Reach& r : history.reach) {
    json["reach"].push_back({{"name", r.name},
                             {"unit", r.unit},
                             {"smallest", r.smallest},
                             {"largest", r.largest},
                             {"whole", r.whole},
                             {"limit", detail::optional_number(r.limit)}});
  }
  json["shadow_prices"] = nlohmann::ordered_json::array();
  for (const ShadowPrice& p : history.prices)
    json["shadow_prices"].push_back({{"name", p.name}, {"unit", p.unit}, {"binds", p.binds}, {"price", p.price}});
  return json;
}

/// {"precision", "recall", "f1"}.
inline nlohmann::ordered_json to_json(const HitAverages& mean) {
  return {{"precision", mean.precision}, {"recall", mean.recall}, {"f1", mean.f1}};
}

/// {"classes": [name], "counts": [a row a class, a column an answer], "precision", "recall", "f1": [of each class, null where
/// there is none], "macro": {"precision", "recall", "f1"}}.
inline nlohmann::ordered_json to_json(const ConfusionMatrix& matrix) {
  nlohmann::ordered_json json{{"classes", matrix.names()}};
  for (std::int64_t truth = 0; truth < matrix.classes(); ++truth) {
    auto row = nlohmann::ordered_json::array();
    for (std::int64_t answer = 0; answer < matrix.classes(); ++answer) row.push_back(matrix.count(truth, answer));
    json["counts"].push_back(std::move(row));
  }
  for (std::int64_t c = 0; c < matrix.classes(); ++c) detail::append_hits(json, matrix.of(c));
  json["macro"] = to_json(matrix.macro());
  return json;
}

/// {"labels": [name], "precision", "recall", "f1": [of each label, null where there is none], "macro", "micro": {"precision",
/// "recall", "f1"}, "all_right", "samples"}.
inline nlohmann::ordered_json to_json(const MultiLabelReport& report) {
  nlohmann::ordered_json json{{"labels", report.names}};
  for (const HitCounts& label : report.labels) detail::append_hits(json, label);
  json["macro"] = to_json(report.macro());
  json["micro"] = to_json(report.micro());
  json["all_right"] = report.all_right;
  json["samples"] = report.samples;
  return json;
}

/// {"mae", "rmse", "r2", "outputs": [{"mae", "rmse", "r2", "name"}], "samples"}: means over the outputs, then each.
inline nlohmann::ordered_json to_json(const RegressionReport& report) {
  const auto errors = [](const RegressionReport::Errors& e) {
    return nlohmann::ordered_json{{"mae", e.mae}, {"rmse", e.rmse}, {"r2", e.r2}};
  };
  nlohmann::ordered_json json = errors(report.mean);
  json["outputs"] = nlohmann::ordered_json::array();
  for (std::size_t k = 0; k < report.outputs.size(); ++k) {
    json["outputs"].push_back(errors(report.outputs[k]));
    json["outputs"].back()["name"] = report.names[k];
  }
  json["samples"] = report.samples;
  return json;
}

/// {"auc", "pauc", "max_fpr", "machines": [{"machine", "normal", "anomalies", "auc", "pauc"}]}.
inline nlohmann::ordered_json to_json(const AnomalyReport& report) {
  nlohmann::ordered_json json{{"auc", report.auc}, {"pauc", report.pauc}, {"max_fpr", report.max_fpr}};
  json["machines"] = nlohmann::ordered_json::array();
  for (const MachineScore& one : report.machines) {
    json["machines"].push_back(
        {{"machine", one.machine}, {"normal", one.normal}, {"anomalies", one.anomalies}, {"auc", one.auc}, {"pauc", one.pauc}});
  }
  return json;
}

/// Writes a JSON document whole or not at all; throws DataError where the path cannot be written. What is not UTF-8, as names
/// of files may be, becomes U+FFFD.
inline void save_json(const nlohmann::ordered_json& json, const std::filesystem::path& path) {
  write_file_atomically(path, json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace siena
