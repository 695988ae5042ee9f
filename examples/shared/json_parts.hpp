// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What reports are for the programs, and what is read out of them, which may lack anything.

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "siena/cost.hpp"
#include "siena/search/report_json.hpp"

namespace siena::examples {

using Json = nlohmann::ordered_json;

/// A report, with the cycles on GAP8 among its costs: what networks are compared by, whatever their latency is bounded by.
inline Json report_json(const Network& network, const Report& report) {
  Json json = to_json(report);
  json["costs"]["gap8_cycles"] = total(Gap8{}, describe(network));
  return json;
}

/// A number that may be null or missing: NaN then.
inline double number(const Json& json, std::string_view key) {
  const auto found = json.is_object() ? json.find(std::string(key)) : json.end();
  if (found == json.end() || !found->is_number()) return std::numeric_limits<double>::quiet_NaN();
  return found->get<double>();
}
inline const Json& part(const Json& json, std::string_view key) {
  static const Json nothing;
  const auto found = json.is_object() ? json.find(std::string(key)) : json.end();
  return found == json.end() ? nothing : *found;
}

/// A text that may be missing: "" then.
inline std::string text(const Json& json, std::string_view key) {
  const Json& found = part(json, key);
  return found.is_string() ? found.get<std::string>() : std::string();
}

}  // namespace siena::examples
