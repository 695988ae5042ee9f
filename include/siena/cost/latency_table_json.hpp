// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::json (nlohmann-json): latency tables as JSON. Not part of the umbrella header.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/attributes_json.hpp"
#include "siena/core/file.hpp"
#include "siena/core/json.hpp"
#include "siena/cost/latency_table.hpp"

namespace siena {

/// {"format": "siena latency table", "version": 1, "unit": "s", "points": [{"operation": "conv2d", "kernel": [3, 3], "stride":
/// [1, 1], "groups": 1, "multiplier": 1, "tile": 8, "size": [32, 32], "in_channels": 16, "out_channels": 16, "seconds":
/// 3.8e-05}]}, pairs being height and width; and an "in_tile" where it is not 1.
inline nlohmann::ordered_json to_json(const LatencyTable& table) {
  nlohmann::ordered_json json{{"format", "siena latency table"}, {"version", 1}, {"unit", table.column().unit}};
  json["points"] = nlohmann::ordered_json::array();
  for (const LatencyPoint& p : table.points()) {
    json["points"].push_back({{"operation", p.key.operation},
                              {"kernel", {p.key.kernel_height, p.key.kernel_width}},
                              {"stride", {p.key.stride_height, p.key.stride_width}},
                              {"groups", p.key.groups},
                              {"multiplier", p.key.multiplier},
                              {"tile", p.tile},
                              {"size", {p.height, p.width}},
                              {"in_channels", p.in_channels},
                              {"out_channels", p.out_channels},
                              {table.column().name, p.seconds}});
    if (p.in_tile != 1) json["points"].back()[std::string(detail::in_tile_column)] = p.in_tile;
  }
  return json;
}

namespace detail {
inline LatencyPoint latency_point(const nlohmann::json& json, const MeasuredColumn& column, const std::string& where) {
  require<FormatError>(json.is_object(), "{}: expected an object, got {}", where, json_excerpt(json));
  const auto at = [&](const std::string& name) -> const nlohmann::json& {
    const auto found = json.find(name);
    require<FormatError>(found != json.end(), "{}: {}: expected a value, got none", where, name);
    return *found;
  };
  const auto read = [&](const std::string& name, auto& value) { option_from_json(at(name), value, where + ": " + name); };
  const auto read_pair = [&](const std::string& name, int& height, int& width) {
    whole_numbers_from_json(at(name), {&height, &width}, where + ": " + name, "[height, width]");
  };
  LatencyPoint p;
  read("operation", p.key.operation);
  read_pair("kernel", p.key.kernel_height, p.key.kernel_width), read_pair("stride", p.key.stride_height, p.key.stride_width);
  read("groups", p.key.groups), read("multiplier", p.key.multiplier), read("tile", p.tile);
  read_pair("size", p.height, p.width);
  read("in_channels", p.in_channels), read("out_channels", p.out_channels);
  read(column.name, p.seconds);
  if (json.contains(in_tile_column)) read(std::string(in_tile_column), p.in_tile);
  return p;
}
}  // namespace detail

/// The table of a JSON document, bit for bit what was written. Throws FormatError for a document that is none, DataError for
/// points that make no table (see LatencyTable), both with the number of the point, from 1; `where` is what errors call the
/// document.
inline LatencyTable latency_table_from_json(const nlohmann::json& json, std::string where = "latency_table_from_json",
                                            MeasuredColumn column = {}) {
  const auto says = [&](const char* name, const nlohmann::json& value) {
    return json.is_object() && json.contains(name) && json.at(name) == value;
  };
  const auto shown = [&](const char* name) {
    return json.is_object() && json.contains(name) ? json_excerpt(json.at(name)) : std::string("none");
  };
  const bool ours =
      says("format", "siena latency table") && says("version", 1) && json.contains("points") && json.at("points").is_array();
  require<FormatError>(ours,
                       "{}: expected a 'siena latency table' of version 1 with points, got format {}, version {}, points {}",
                       where, shown("format"), shown("version"), shown("points"));
  std::vector<LatencyPoint> points;
  for (const auto& point : json.at("points")) {
    points.push_back(detail::latency_point(point, column, siena::format("{}, point {}", where, points.size() + 1)));
  }
  return LatencyTable(std::move(points), {.where = std::move(where)}, std::move(column));
}

/// Writes the table whole or not at all; throws DataError where the path cannot be written.
inline void save_latency_json(const LatencyTable& table, const std::filesystem::path& path) {
  write_file_atomically(path, to_json(table).dump(1) + "\n");
}
/// Throws DataError where there is no file, FormatError where it is no JSON (with the place), and as latency_table_from_json.
inline LatencyTable load_latency_json(const std::filesystem::path& path, MeasuredColumn column = {}) {
  return latency_table_from_json(read_json(path), path.string(), std::move(column));
}

}  // namespace siena
