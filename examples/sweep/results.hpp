// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the runs of a sweep have reported, and what many runs together come to.

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <siena/search.hpp>
#include <siena/search/pareto.hpp>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "shared/json_parts.hpp"
#include "sweep/runs.hpp"

namespace siena::examples {

/// A cost to compare by: one of a report's "costs", or the value of the bound of that name.
struct CostColumn {
  std::string key, brief = {}, label = {};
  std::string unit = {};  ///< of a bound: those in another one are not compared
  ShownUnit in = {};      ///< to show it in

  /// "latency (ms)", above a column of numbers.
  std::string heading() const { return in.name.empty() ? brief : format("{} ({})", brief, in.name); }
  bool operator==(const CostColumn& other) const { return key == other.key && unit == other.unit; }
};

/// A run that has ended, with what it reported.
struct Result {
  std::string name;
  RunRecord record;
  Json report;
  std::string metric;              ///< "accuracy" or "auc"
  std::vector<CostColumn> fronts;  ///< the costs for which no feasible search of the sweep beats it

  /// Of the test part, in [0, 1]: fine-tuned, or as found where nothing was fine-tuned.
  double value() const {
    const double tuned = number(report.at(metric), "finetuned");
    return std::isnan(tuned) ? number(report.at(metric), "found") : tuned;
  }
  double cost(const CostColumn& column) const {
    const double own = cost_in(report, column);  // bounds are not asked of the baseline network
    return std::isnan(own) && record.run.role == Run::Role::baseline ? cost_in(part(report, "before"), column) : own;
  }
  /// The part that is left of what the network cost before, 1 where nothing was changed.
  double share(const CostColumn& column) const { return cost(column) / cost_in(part(report, "before"), column); }
  bool feasible() const { return report.at("feasible").get<bool>(); }
  /// Nothing is asked of the baseline network.
  bool kept_bounds() const { return feasible() || record.run.role == Run::Role::baseline; }
  double seconds() const {
    double sum = 0;
    for (const Json& phase : part(report, "phases"))
      if (const double seconds = number(phase, "seconds"); !std::isnan(seconds)) sum += seconds;
    return sum;
  }

 private:
  static double cost_in(const Json& costs_and_bounds, const CostColumn& column) {
    for (const Json& bound : part(costs_and_bounds, "bounds"))
      if (text(bound, "name") == column.key && text(bound, "unit") == column.unit) return number(bound, "value");
    return number(part(costs_and_bounds, "costs"), column.key);
  }
};

/// Throws FormatError where the report is not one.
inline Result load_result(const fs::path& folder) {
  Result result{.name = folder.filename().string(), .record = load_record(folder)};
  const fs::path file = folder / "report.json";
  try {
    result.report = read_json(file);
    result.metric = result.report.value("metric", "accuracy");
    require<FormatError>(part(result.report, "feasible").is_boolean() && part(result.report, "costs").is_object() &&
                             part(result.report, result.metric).is_object(),
                         "no 'feasible', no 'costs' or no '{}' in it", result.metric);
  } catch (const std::exception& error) {
    fail<FormatError>("sweep: expected the report of a run in '{}', got: {}; remove the file to run it again", file.string(),
                      error.what());
  }
  return result;
}

/// The searches that no other beats in what they reached and one cost, by rising cost; runs that broke a bound are left out.
inline std::vector<const Result*> front(const std::vector<Result>& results, const CostColumn& cost) {
  std::vector<ParetoPoint> points;
  std::vector<const Result*> from;
  for (const Result& result : results) {
    if (result.record.run.role != Run::Role::search || !result.feasible()) continue;
    if (std::isnan(result.value()) || std::isnan(result.cost(cost))) continue;
    points.push_back({{result.cost(cost)}, result.value()});
    from.push_back(&result);
  }
  std::vector<const Result*> best;
  for (const std::size_t index : pareto_front(points)) best.push_back(from[index]);
  return best;
}

/// Mean and standard deviation (of a sample: n - 1) over seeds.
struct Spread {
  int count = 0;
  double mean = std::numeric_limits<double>::quiet_NaN(), deviation = 0;

  explicit Spread(const std::vector<double>& values) {
    double sum = 0, squares = 0;
    for (const double value : values)
      if (!std::isnan(value)) sum += value, ++count;
    if (count == 0) return;
    mean = sum / count;
    for (const double value : values)
      if (!std::isnan(value)) squares += (value - mean) * (value - mean);
    if (count > 1) deviation = std::sqrt(squares / (count - 1));
  }
};

/// What all seeds of a pair of bounds came to, with the same bits.
struct GridPoint {
  std::string memory, latency;
  RunBits bits;
  std::map<std::uint64_t, const Result*> found = {}, uniform = {};  ///< by seed

  bool holds(const Run& run) const { return memory == run.memory && latency == run.latency && bits == run.bits; }
};

/// The loosest bounds first; for each pair floats, then single widths, wide ones first, then what chose among several.
inline std::vector<GridPoint> points_of(const std::vector<Result>& results) {
  std::vector<GridPoint> points;
  std::map<std::pair<std::string, std::string>, std::vector<double>> kept;  // of the network, by bounds
  for (const Result& result : results) {
    const Run& run = result.record.run;
    if (run.role == Run::Role::baseline) continue;
    auto point = std::find_if(points.begin(), points.end(), [&](const GridPoint& p) { return p.holds(run); });
    if (point == points.end()) point = points.insert(points.end(), {run.memory, run.latency, run.bits});
    (run.role == Run::Role::search ? point->found : point->uniform)[run.seed] = &result;
    kept[{run.memory, run.latency}].push_back(result.share({"bytes"}) + result.share({"gap8_cycles"}));
  }
  const auto place = [&](const GridPoint& point) {
    const Spread of(kept.at({point.memory, point.latency}));
    return std::tuple(of.count == 0 ? 0 : -of.mean, point.memory, point.latency, point.bits.place(), point.bits);
  };
  std::stable_sort(points.begin(), points.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return points;
}

/// The uniform scaling to hold beside the searches of a point: that with the same bits, or the best one, on average, with one
/// of the widths they chose from. `point` itself where there is none.
inline const GridPoint& uniform_beside(const GridPoint& point, const std::vector<GridPoint>& points) {
  const GridPoint* best = &point;
  double most = -1;
  const std::vector<RunBits> single = point.bits.single();
  if (single.size() < 2) return point;
  for (const GridPoint& other : points) {
    if (other.memory != point.memory || other.latency != point.latency || other.uniform.empty()) continue;
    if (std::find(single.begin(), single.end(), other.bits) == single.end()) continue;
    std::vector<double> values;
    for (const auto& [seed, result] : other.uniform) values.push_back(result->value());
    if (const Spread of(values); of.mean > most) most = of.mean, best = &other;
  }
  return *best;
}

/// Whether a bound counts by what every report has among its "costs".
inline bool is_usual_cost(std::string_view model) {
  return model == ModelSize{}.name() || model == Gap8{}.name() || model == Macs{}.name();
}

/// Bytes, GAP8 cycles, MACs and what else is bounded; where all searches bound their latency by another model than GAP8, in one
/// unit, that in the place of GAP8's cycles.
inline std::vector<CostColumn> columns_of(std::span<const Result> results) {
  std::vector<CostColumn> columns{{"bytes", "bytes", "bytes of parameters"},
                                  {"gap8_cycles", "cycles", "GAP8 cycles"},
                                  {"macs", "MACs", "multiply-accumulates"}};
  for (const Result& result : results) {
    for (const Json& bound : part(result.report, "bounds")) {
      const std::string name = text(bound, "name"), model = text(bound, "model"), unit = text(bound, "unit");
      if (model.empty() || is_usual_cost(model) || std::isnan(number(bound, "value"))) continue;
      const ShownUnit in = shown_unit(unit, number(bound, "limit"));
      const std::string label =
          format("{}{}{}", name, name == model ? "" : " by " + model, in.name.empty() ? "" : format(" ({})", in.name));
      const CostColumn column{name, name, label, unit, in};
      if (std::find(columns.begin(), columns.end(), column) == columns.end()) columns.push_back(column);
    }
  }
  const auto latency = std::find_if(columns.begin(), columns.end(), [&](const CostColumn& column) {
    return column.key == "latency" && std::all_of(results.begin(), results.end(), [&](const Result& result) {
             return result.record.run.role == Run::Role::baseline || !std::isnan(result.cost(column));
           });
  });
  if (latency != columns.end()) {
    columns[1] = *latency;
    columns.erase(latency);
  }
  return columns;
}

/// Results that may be compared: those of one command, in the order in which to show them, each with the fronts that it is on.
struct Comparison {
  std::vector<std::string> command;
  std::vector<Result> results;
  std::vector<CostColumn> costs;  ///< to compare by
};

/// Tells each result what the others know of the network before: the baseline has no bounds of its own.
inline void share_bounds_before(std::vector<Result>& results) {
  std::map<std::pair<std::string, std::string>, Json> known;  // by name and unit
  for (const Result& result : results)
    for (const Json& bound : part(part(result.report, "before"), "bounds"))
      known.try_emplace({text(bound, "name"), text(bound, "unit")}, bound);
  for (Result& result : results) {
    Json& bounds = result.report["before"]["bounds"] = Json::array();
    for (const auto& [name, bound] : known) bounds.push_back(bound);
  }
}

inline std::vector<Comparison> comparisons(std::vector<Result> results) {
  std::vector<Comparison> all;
  for (Result& result : results) {
    auto of = std::find_if(all.begin(), all.end(), [&](const Comparison& c) {
      return c.command == result.record.command && c.results[0].metric == result.metric;
    });
    if (of == all.end()) of = all.insert(all.end(), {.command = result.record.command});
    of->results.push_back(std::move(result));
  }
  for (Comparison& comparison : all) {
    const std::vector<GridPoint> points = points_of(comparison.results);
    const auto place = [&](const Result& result) {
      const Run& run = result.record.run;
      const auto point = std::find_if(points.begin(), points.end(), [&](const GridPoint& p) { return p.holds(run); });
      return std::tuple(run.role, point - points.begin(), run.role == Run::Role::baseline ? run.bits : RunBits(), run.seed);
    };
    std::vector<std::pair<decltype(place(all[0].results[0])), Result>> placed;
    for (Result& result : comparison.results) placed.emplace_back(place(result), std::move(result));
    std::stable_sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    comparison.results.clear();
    for (auto& [at, result] : placed) comparison.results.push_back(std::move(result));
    share_bounds_before(comparison.results);
    comparison.costs = columns_of(comparison.results);
    for (const CostColumn& cost : comparison.costs) {
      for (const Result* best : front(comparison.results, cost)) {
        comparison.results[static_cast<std::size_t>(best - comparison.results.data())].fronts.push_back(cost);
      }
    }
  }
  return all;
}

/// A line of "results.jsonl": what matters of a run.
inline Json line_of(const Result& result) {
  const Run& run = result.record.run;
  Json line{{"name", result.name},
            {"role", name_of(run.role)},
            {"memory", run.memory},
            {"latency", run.latency},
            {"bits", run.bits.weights.empty() ? Json() : Json(run.bits.weights)},
            {"activation_bits", run.bits.values.empty() ? Json() : Json(run.bits.values)},
            {"seed", run.seed},
            {"program", part(result.report, "program")},
            {"method", part(result.report, "method")},
            {"metric", result.metric},
            {"result", result.value()},
            {result.metric, result.report.at(result.metric)},
            {"feasible", result.feasible()},
            {"costs", result.report.at("costs")},
            {"costs_before", part(part(result.report, "before"), "costs")},
            {"bounds", part(result.report, "bounds")},
            {"seconds", result.seconds()},
            {"fronts", Json::array()},
            {"command", result.record.command}};
  for (const CostColumn& cost : result.fronts) line["fronts"].push_back(cost.key);
  return line;
}

}  // namespace siena::examples
