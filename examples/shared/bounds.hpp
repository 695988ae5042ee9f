// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bounds as people write them on a command line: 40000B, 48KiB, 3ms, 800000cycles, 50%, and the cost models that they name.

#include <charconv>
#include <cmath>
#include <filesystem>
#include <siena/constraints.hpp>
#include <siena/cost.hpp>
#include <siena/cost/latency_table_csv.hpp>
#include <siena/cost/latency_table_json.hpp>
#include <span>
#include <string>
#include <string_view>

namespace siena::examples {

struct BoundSettings {
  std::string memory = "50%", latency = "50%", peak_memory = "none", flash = "none", ram = "none", cost_model = "gap8";
  CTarget target = CTarget::portable;  ///< of the C that flash and RAM are those of
  double clock_mhz = 0;                ///< 0: what is usual for the cost model

  /// What a run with checkpoints is recognised by besides what all runs have, a line.
  std::string owner() const {
    if (flash == "none" && ram == "none") return "";
    return format("flash {} ram {} target {}\n", flash, ram, static_cast<int>(target));
  }
};

/// A unit and how many of the metric's own it is.
struct Unit {
  std::string_view name;
  double size;
};

/// A number above 0 with one of these units behind it, in the metric's own unit; percent are of `whole`.
inline double parse_limit(std::string_view option, std::string_view text, std::span<const Unit> units, double whole) {
  std::string known;
  for (const Unit& unit : units) known += std::string(unit.name) + ", ";
  known += "%";
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require<ArgumentError>(error == std::errc{} && value > 0 && std::isfinite(value),
                         "{}: expected none, or a number above 0 with a unit ({}), got '{}'", option, known, text);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit == "%") return value / 100 * whole;
  for (const Unit& one : units) {
    if (unit == one.name) return value * one.size;
  }
  fail<ArgumentError>("{}: expected a unit ({}), got '{}' in '{}'; write e.g. {}{} or 50%", option, known, unit, text, value,
                      units[0].name);
}

inline constexpr Unit byte_units[] = {{"KiB", 1024}, {"MiB", 1024 * 1024}, {"kB", 1e3}, {"B", 1}};
inline constexpr Unit time_units[] = {{"ms", 1e-3}, {"us", 1e-6}, {"s", 1}};
inline constexpr Unit mac_units[] = {{"MACs", 1}, {"kMACs", 1e3}, {"MMACs", 1e6}};

/// A latency bound under a model that counts cycles: in cycles, or as a time by its clock.
template <class Model>
AnyConstraint cycles_bound(Model model, std::string_view text, const Architecture<double>& baseline) {
  const double hertz = model.clock.value;
  const Unit units[] = {{"ms", 1e-3 * hertz}, {"us", 1e-6 * hertz}, {"s", hertz}, {"cycles", 1}};
  const double cycles = parse_limit("--latency", text, units, total(model, baseline));
  if (text.ends_with("s") && !text.ends_with("cycles")) return LatencyBound{model, Seconds{cycles / hertz}};
  return LatencyBound{model, Cycles{cycles}};
}

/// The names that --cost-model knows; any other is a file of measured times.
inline constexpr std::string_view cost_models =
    "gap8, ne16, diana, mpic, cortex-m4, cortex-m4-siena, cortex-m7, macs, or FILE.csv or .json";

inline AnyConstraint latency_bound(const BoundSettings& s, const Architecture<double>& baseline) {
  const auto clock = [&](double usual_mhz) { return Hertz{(s.clock_mhz > 0 ? s.clock_mhz : usual_mhz) * 1e6}; };
  const std::string& model = s.cost_model;
  if (model == "gap8") return cycles_bound(Gap8{.clock = clock(100)}, s.latency, baseline);
  if (model == "ne16") return cycles_bound(Ne16{.clock = clock(370)}, s.latency, baseline);
  if (model == "diana") return cycles_bound(Diana{.clock = clock(260)}, s.latency, baseline);
  if (model == "mpic") return cycles_bound(Mpic{.clock = clock(250)}, s.latency, baseline);
  if (model == "cortex-m4") return cycles_bound(CortexM{.clock = clock(120), .rates = cortex_m4}, s.latency, baseline);
  if (model == "cortex-m4-siena")
    return cycles_bound(CortexM{.clock = clock(120), .rates = cortex_m4_siena}, s.latency, baseline);
  if (model == "cortex-m7") return cycles_bound(CortexM{.clock = clock(280), .rates = cortex_m7}, s.latency, baseline);
  if (model == "macs") return AtMost{Macs{}, parse_limit("--latency", s.latency, mac_units, total(Macs{}, baseline))};
  const std::filesystem::path file = model;
  require<ArgumentError>(file.extension() == ".csv" || file.extension() == ".json",
                         "--cost-model: expected one of {}, got '{}'", cost_models, model);
  const LatencyTable table = file.extension() == ".csv" ? load_latency_csv(file) : load_latency_json(file);
  table.check({baseline});
  return LatencyBound{table, Seconds{parse_limit("--latency", s.latency, time_units, total(table, baseline))}};
}

/// The bounds of a search that begins with `baseline`.
inline ConstraintSet make_bounds(const BoundSettings& s, const Architecture<double>& baseline) {
  ConstraintSet bounds;
  if (s.memory != "none")
    bounds.add(MemoryBound{Bytes{parse_limit("--memory", s.memory, byte_units, total(ModelSize{}, baseline))}});
  if (s.latency != "none") bounds.add(latency_bound(s, baseline));
  if (s.peak_memory != "none")
    bounds.add(AtMost{PeakMemory{}, parse_limit("--peak-memory", s.peak_memory, byte_units, total(PeakMemory{}, baseline))});
  const CodeSize& code = s.target == CTarget::portable ? code_portable : code_cortex_m;
  if (s.flash != "none")
    bounds.add(FlashBound{Bytes{parse_limit("--flash", s.flash, byte_units, total(Flash{code}, baseline))}, Flash{code}});
  if (s.ram != "none")
    bounds.add(RamBound{Bytes{parse_limit("--ram", s.ram, byte_units, total(Ram{code}, baseline))}, Ram{code}});
  return bounds;
}

}  // namespace siena::examples
