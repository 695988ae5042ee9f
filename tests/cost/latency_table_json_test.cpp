// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#if __has_include(<nlohmann/json.hpp>)
#include "siena/cost/latency_table_json.hpp"

#include "support/catch.hpp"
#include "support/latency_points.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

TEST_CASE("latency table: JSON and back, bit for bit", "[cost]") {
  auto points = test::latency_points();
  points[0].seconds = 0.1 + 0.2, points[1].seconds = 5e-324, points[2].seconds = 0, points[3].seconds = 1.0 / 3;
  for (LatencyPoint& point : points) point.in_tile = point.key.operation == "conv2d" ? 2 : 1;
  const LatencyTable table(points);
  CHECK(latency_table_from_json(to_json(table)).points() == table.points());
  const test::TemporaryFolder folder("siena_latency_json");
  save_latency_json(table, folder.path / "table.json");
  CHECK(load_latency_json(folder.path / "table.json").points() == table.points());
}

TEST_CASE("latency table: JSON that is none", "[cost]") {
  const auto json = to_json(LatencyTable(test::latency_points()));
  const auto refused = [](const nlohmann::ordered_json& document, const std::string& what) {
    INFO(document.dump().substr(0, 300));
    CHECK_THROWS_WITH(latency_table_from_json(document, "table.json"),
                      ContainsSubstring("table.json") && ContainsSubstring(what));
  };
  refused({}, "expected a 'siena latency table' of version 1 with points, got format none, version none");
  refused({{"format", "other"}, {"version", 7}}, "got format \"other\", version 7, points none");
  refused(nlohmann::ordered_json::array(), "expected a 'siena latency table'");
  for (const auto& [key, value] : {std::pair{"format", "other"}, {"version", "2"}, {"points", "none"}}) {
    auto changed = json;
    changed[key] = value;
    refused(changed, "expected a 'siena latency table'");
  }
  const auto with = [&](const char* key, const nlohmann::ordered_json& value) {
    auto changed = json;
    changed["points"][2][key] = value;
    return changed;
  };
  refused(with("kernel", 3), "point 3: kernel: expected [height, width], got 3");
  refused(with("groups", 1.5), "point 3: groups: expected a whole number, got 1.5");
  refused(with("multiplier", 4294967297), "point 3: multiplier: expected a whole number from -2147483648 to 2147483647, got ");
  refused(with("seconds", nullptr), "point 3: seconds: expected a number, got null");
  refused(with("seconds", -1), "point 3: expected a number of 0 or more");
  refused(with("operation", 7), "point 3: operation: expected a text, got 7");
  auto changed = json;
  changed["points"][2].erase("tile");
  refused(changed, "point 3: tile: expected a value, got none");
  changed = json;
  changed["points"].erase(5);
  refused(changed, "whole grid");
  changed["points"] = nlohmann::ordered_json::array();
  refused(changed, "at least one");

  const LatencyTable energy(test::latency_points(), {}, {.name = "energy", .unit = "uJ"});
  CHECK(latency_table_from_json(to_json(energy), "energy.json", energy.column()).points() == energy.points());
  refused(to_json(energy), "point 1: seconds: expected a value, got none");

  const test::TemporaryFolder folder("siena_latency_json_bad");
  for (const std::string& text : {std::string(), json.dump().substr(0, 200), std::string("{]")}) {
    write_file_atomically(folder.path / "table.json", text);
    CHECK_THROWS_AS(load_latency_json(folder.path / "table.json"), FormatError);
  }
  CHECK_THROWS_AS(load_latency_json(folder.path / "none.json"), DataError);
  std::string text = json.dump();  // two megabytes of brackets where a number belongs
  text.replace(text.find("\"groups\":1"), 10, "\"groups\":" + std::string(1'000'000, '[') + std::string(1'000'000, ']'));
  write_file_atomically(folder.path / "table.json", text);
  CHECK_THROWS_WITH(load_latency_json(folder.path / "table.json"), ContainsSubstring("deeper nesting"));
}
#endif
