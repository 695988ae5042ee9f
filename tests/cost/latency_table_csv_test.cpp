// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/cost/latency_table_csv.hpp"

#include <clocale>
#include <filesystem>
#include <string>

#include "support/catch.hpp"
#include "support/latency_points.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {

const std::string csv_columns =
    "operation,kernel_height,kernel_width,stride_height,stride_width,groups,multiplier,tile,height,width,in_channels,out_"
    "channels,"
    "seconds\n";

void csv_refused(const std::string& text, const std::string& what) {
  INFO(text.substr(0, 300));
  CHECK_THROWS_WITH(latency_table_from_csv(text, "table.csv"), ContainsSubstring("table.csv") && ContainsSubstring(what));
}

}  // namespace

TEST_CASE("latency table: what was measured may have any name", "[cost]") {
  for (const std::string name : {"energy, uJ", "the \"real\" time", " a;b ", "Größe"}) {
    const MeasuredColumn column{.name = name, .unit = "uJ"};
    const LatencyTable table(test::latency_points(), {}, column);
    CHECK(latency_table_from_csv(to_csv(table), "file", column).points() == table.points());
  }
}

TEST_CASE("latency table: CSV and back, bit for bit", "[cost]") {
  auto points = test::latency_points();
  points[0].seconds = 0.1 + 0.2, points[1].seconds = 5e-324, points[2].seconds = 0, points[3].seconds = 1.0 / 3;
  const LatencyTable table(points);
  CHECK(latency_table_from_csv(to_csv(table)).points() == table.points());
  const test::TemporaryFolder folder("siena_latency_csv");
  save_latency_csv(table, folder.path / "table.csv");
  CHECK(load_latency_csv(folder.path / "table.csv").points() == table.points());

  for (LatencyPoint& point : points) point.in_tile = point.key.operation == "conv2d" ? 2 : 1;
  const std::string in_tiles = to_csv(LatencyTable(points));
  CHECK(in_tiles.find("in_channels,out_channels,in_tile,seconds\n") != std::string::npos);
  CHECK(latency_table_from_csv(in_tiles).points() == LatencyTable(points).points());

  // As other programs write: no first line, lines that end in CR LF.
  const LatencyTable foreign =
      latency_table_from_csv(csv_columns.substr(0, csv_columns.size() - 1) +
                             "\r\nrelu,1,1,1,1,1,1,8,4,4,1,8,1e-6\r\nrelu,1,1,1,1,1,1,8,4,4,1,16,.5\r\n");
  REQUIRE(foreign.points().size() == 2);
  CHECK(foreign.points()[0].seconds == 1e-6);
  CHECK(foreign.points()[1].seconds == 0.5);

  if (std::setlocale(LC_NUMERIC, "de_DE.UTF-8") != nullptr) {
    CHECK(latency_table_from_csv(to_csv(table)).points() == table.points());
    std::setlocale(LC_NUMERIC, "C");
  }
}

TEST_CASE("latency table: CSV that is none", "[cost]") {
  const std::string good = to_csv(LatencyTable(test::latency_points())), point = "relu,1,1,1,1,1,1,1,4,4,1,8,";
  csv_refused("", "empty");
  csv_refused("hello\n", "line 1: expected the columns 'operation,");
  csv_refused("operation,tile,height\n", "got 'operation,tile,height', without kernel_height, kernel_width, stride_height");
  csv_refused("# hello\n", "line 1: expected '# siena latency table");
  csv_refused("# siena latency table, x points\n", "line 1");
  csv_refused("# siena latency table, 3 points\n", "end of the file");
  csv_refused(csv_columns, "at least one measured point");
  csv_refused(csv_columns + point + "1e-6\n" + point + "\n", "line 3: expected seconds, got ''");
  csv_refused(csv_columns + point + "1e-6s\n", "line 2: expected seconds, got '1e-6s'");
  csv_refused(csv_columns + point + "1,5\n", "line 2: expected 13 fields, as the line of names has, got 14");
  csv_refused(csv_columns + point + "nan\n", "line 2: expected a number of 0 or more");
  csv_refused(csv_columns + point + "-1\n", "line 2: expected a number of 0 or more");
  csv_refused(csv_columns + point + "1e999\n", "line 2: expected seconds");
  csv_refused(csv_columns + "relu,1,1,1\n", "line 2: expected 13 fields, as the line of names has, got 4");
  csv_refused(csv_columns + "relu,1.5,1,1,1,1,1,1,4,4,1,8,1\n", "line 2: expected kernel_height, got '1.5'");
  csv_refused("in_tile," + csv_columns + "0,relu,1,1,1,1,1,1,8,4,4,1,8,1\n", "line 2: expected an in_tile above 0, got 0");
  csv_refused(csv_columns + "relu,1,1,1,1,1,1,0,4,4,1,8,1\n", "line 2: expected output channels in whole tiles");
  csv_refused(csv_columns + "relu,99999999999,1,1,1,1,1,1,4,4,1,8,1\n", "line 2: expected kernel_height");
  csv_refused(csv_columns + "\n", "at least one measured point");
  csv_refused(csv_columns + "M\xfcller" + point + "1e-6\n", "line 2: expected text in UTF-8");
  csv_refused(good.substr(0, good.size() - 1), "truncated, or else end the line");
  csv_refused(csv_columns + point + "1e-6\n" + point + "2e-6\n", "line 3: expected each point once");
  // Cut off anywhere: said, never taken for less.
  for (std::size_t size = 0; size < good.size(); size += 7) {
    CHECK_THROWS_AS(latency_table_from_csv(good.substr(0, size)), Error);
  }
  csv_refused(good.substr(0, good.rfind("relu")), "truncated");
  CHECK_THROWS_WITH(load_latency_csv("/no/such/table.csv"), ContainsSubstring("/no/such/table.csv"));
  CHECK_THROWS_AS(save_latency_csv(LatencyTable(test::latency_points()), "/no/such/folder/table.csv"), DataError);
}

TEST_CASE("latency table: CSV as people and spreadsheets write it", "[cost]") {
  const LatencyTable table(test::latency_points());
  const std::string good = to_csv(table), body = good.substr(good.find('\n') + 1);
  const auto changed = [](std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
    return text;
  };
  const auto reads = [&](const std::string& text) { CHECK(latency_table_from_csv(text).points() == table.points()); };
  reads(body);
  reads(body.substr(0, body.size() - 1));
  reads("\xef\xbb\xbf" + good);
  reads("\xef\xbb\xbf" + body);
  reads(changed(good, "\n", "\r\n"));
  reads(changed(good, "\n", "\n\n  \r\n"));
  reads(changed(body, ",", ";"));
  reads(changed(body, ",", " , "));
  reads(good.substr(0, good.find('\n')) + ";;;;\n" + changed(body, ",", ";"));
  reads("\"" + good.substr(0, good.find('\n')) + "\",,,\n" + body);
  reads(changed(changed(body, "\n", ",a note\n"), "seconds,a note", "seconds,note"));
  // Other columns first, and an energy beside the time.
  std::string other = "board," + changed(body, "\n", ",2.5\nM4,");
  other = changed(other, "seconds,2.5", "seconds,energy");
  other = other.substr(0, other.rfind("M4,"));
  reads(other);
  const LatencyTable energy = latency_table_from_csv(other, "energy.csv", {.name = "energy", .unit = "uJ"});
  CHECK(energy.points().front().seconds == 2.5);
  CHECK(energy.unit() == "uJ");
  CHECK(latency_table_from_csv(to_csv(energy), "again", energy.column()).points() == energy.points());
  csv_refused(changed(body, "seconds", "energy"), "without seconds");
}
