// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/csv_series.hpp"

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/wav.hpp"

using namespace siena;
using namespace siena::data;
using test::write_bytes;

namespace {

// Rows "time,x,y,activity,person": x counts rows, so that a window tells where it is from.
std::string rows(int from, int count, const std::string& activity, const std::string& person = "a") {
  std::string text;
  for (int i = from; i < from + count; ++i) text += format("{},{},{},{},{}\n", 0.01 * i, i, -0.5 * i, activity, person);
  return text;
}
const std::string header = "time,x,y,activity,person\n";

CsvSeriesOptions small() {
  return {.sensors = {"x", "y"}, .label = "activity", .window = 4, .stride = 2, .validation = 0.25, .test = 0.25};
}

/// x of every row of every window.
std::vector<std::vector<float>> windows_of(const Dataset& dataset) {
  std::vector<std::vector<float>> all;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    auto& window = all.emplace_back();
    const auto values = dataset.floats(i);
    for (std::size_t at = 0; at < values.size(); at += 2) {
      window.push_back(values[at]);
      CHECK(values[at + 1] == -0.5f * values[at]);
    }
  }
  return all;
}
std::set<float> rows_of(const Dataset& dataset) {
  std::set<float> all;
  for (const auto& window : windows_of(dataset)) all.insert(window.begin(), window.end());
  return all;
}

}  // namespace

TEST_CASE("csv series: windows of one recording, split by time", "[data][csv]") {
  const test::TemporaryFolder folder("siena_csv_time");
  const auto file = folder.path / "all.csv";
  write_bytes(file, header + rows(0, 40, "walk"));
  auto plain = small();
  plain.label = {};
  const CsvSeries data = csv_series(file, plain);
  REQUIRE(data.shape() == Shape{4, 2});
  REQUIRE(data.train.size() == 9);  // rows 0 to 19
  REQUIRE(windows_of(data.train)[1] == std::vector<float>{2, 3, 4, 5});
  REQUIRE(data.validation.size() == 4);  // rows 20 to 29
  REQUIRE(windows_of(data.validation)[0] == std::vector<float>{20, 21, 22, 23});
  REQUIRE(*rows_of(data.test).begin() == 30);
  REQUIRE(data.test.normalization().mean == measure(data.train).mean);
  REQUIRE(data.report.notes.size() == 1);
  REQUIRE_THAT(data.report.notes[0], ContainsSubstring("40 rows of 1 recording; 9 windows to train with"));

  auto wide = plain;
  wide.stride = std::numeric_limits<std::int64_t>::max();
  REQUIRE(csv_series(file, wide).train.size() == 1);
  wide.validation = wide.test = 0;
  REQUIRE(csv_series(file, wide).validation.empty());
}

TEST_CASE("csv series: no row is in two parts, no window in two recordings", "[data][csv]") {
  const test::TemporaryFolder folder("siena_csv_recordings");
  for (int r = 0; r < 8; ++r) {
    write_bytes(folder.path / format("rec{}.csv", r), header + rows(100 * r, 11, r % 2 == 0 ? "run" : "walk"));
  }
  const CsvSeries data = csv_series(folder.path, small());
  REQUIRE(data.classes == std::vector<std::string>{"run", "walk"});
  REQUIRE(data.train.preparation().classes == data.classes);
  for (const Dataset* part : {&data.train, &data.validation, &data.test}) {
    std::set<std::int32_t> labels;
    for (std::int64_t i = 0; i < part->size(); ++i) {
      const auto window = windows_of(*part)[static_cast<std::size_t>(i)];
      CHECK(window.back() - window.front() == 3);
      CHECK(static_cast<int>(window.front() / 100) % 2 == part->label(i));
      labels.insert(part->label(i));
    }
    CHECK(labels.size() == 2);
  }
  CHECK(data.train.size() == 4 * 4);
  CHECK(data.test.size() == 2 * 4);
  std::set<float> all = rows_of(data.train);
  for (const Dataset* part : {&data.validation, &data.test})
    for (const float row : rows_of(*part)) CHECK(all.insert(row).second);
  auto other = small();
  other.seed = 5;
  CHECK(rows_of(csv_series(folder.path, other).test) != rows_of(data.test));
  CHECK(rows_of(csv_series(folder.path, small()).test) == rows_of(data.test));

  // The same in one file, with a column that says which; by time, each recording is cut.
  std::string text = header;
  for (int r = 0; r < 4; ++r) text += rows(100 * r, 11, "walk", format("p{}", r));
  write_bytes(folder.path / "one.csv", text);
  auto options = small();
  options.recording = "person";
  options.label = {};
  const auto one = csv_series(folder.path / "one.csv", options);
  CHECK(one.train.size() + one.validation.size() + one.test.size() == 4 * 4);
  for (const auto& window : windows_of(one.train)) CHECK(window.back() - window.front() == 3);
  options.split = SeriesSplit::time;
  options.validation = 0, options.test = 0.4;
  const auto cut = csv_series(folder.path / "one.csv", options);
  CHECK(cut.train.size() == 4 * 2);
  CHECK(cut.test.size() == 4 * 1);
  CHECK(cut.validation.empty());
}

TEST_CASE("csv series: the class of a window whose rows differ", "[data][csv]") {
  const test::TemporaryFolder folder("siena_csv_labels");
  const auto file = folder.path / "all.csv";
  write_bytes(file, header + rows(0, 5, "sit") + rows(5, 3, "10") + rows(8, 24, "9"));
  CsvSeriesOptions options = small();
  options.window = 4, options.stride = 4, options.validation = options.test = 0;
  const auto labels = [&](WindowLabel rule) {
    options.window_label = rule;
    const auto data = csv_series(file, options);
    std::string text;
    for (std::int64_t i = 0; i < data.train.size(); ++i)
      text += data.classes[static_cast<std::size_t>(data.train.label(i))] + " ";
    return text;
  };
  CHECK(labels(WindowLabel::most) == "sit 10 9 9 9 9 9 9 ");
  CHECK(labels(WindowLabel::last) == "sit 10 9 9 9 9 9 9 ");
  CHECK_THROWS_WITH(labels(WindowLabel::same),
                    ContainsSubstring("got none of '10': the longest piece of one label has 3 rows"));
  options.stride = 1;
  CHECK(labels(WindowLabel::most).starts_with("sit sit sit 10 10 10 9 "));  // of equal counts that of the last row
  CHECK(labels(WindowLabel::last).starts_with("sit sit 10 10 10 9 "));
  CHECK(csv_series(file, options).classes == std::vector<std::string>{"10", "9", "sit"});
  options.classes = {"9", "sit", "10"};
  CHECK(csv_series(file, options).classes == options.classes);
  // Classes follow each other in time: what is tested was never learnt, unless each stretch is cut.
  options.classes = {}, options.stride = 2, options.validation = 0.2, options.test = 0.3, options.window = 2;
  options.window_label = WindowLabel::most;
  write_bytes(file, header + rows(0, 20, "1") + rows(20, 20, "10") + rows(40, 20, "2"));
  CHECK_THROWS_WITH(csv_series(file, options), ContainsSubstring("got none of '2'") && ContainsSubstring("window_label same"));
  options.window_label = WindowLabel::same;
  const auto cut = csv_series(file, options);
  CHECK(cut.classes == std::vector<std::string>{"1", "2", "10"});  // by value
  CHECK(cut.train.size() == 3 * 5);
  CHECK(cut.test.size() == 3 * 3);
}

TEST_CASE("csv series: bad rows stop the reading, or end a piece", "[data][csv]") {
  const test::TemporaryFolder folder("siena_csv_bad");
  const auto file = folder.path / "bad.csv";
  auto options = small();
  options.validation = options.test = 0;
  const auto with = [&](const std::string& row, const std::string& message) {
    write_bytes(file, header + rows(0, 5, "walk") + row + "\n" + rows(6, 6, "run"));
    options.skip_bad_rows = false;
    CHECK_THROWS_AS(csv_series(file, options), DataError);
    CHECK_THROWS_WITH(csv_series(file, options),
                      ContainsSubstring("bad.csv, line 7: " + message) && ContainsSubstring("skip_bad_rows"));
    options.skip_bad_rows = true;
    const auto data = csv_series(file, options);
    CHECK(data.train.size() == 1 + 2);  // rows 0 to 4 and 6 to 11
    for (const auto& window : windows_of(data.train)) CHECK(window.back() - window.front() == 3);
    REQUIRE(data.report.skipped.size() == 1);
    CHECK_THAT(data.report.skipped[0], ContainsSubstring("bad.csv: 1 row left out, the first in line 7: " + message));
  };
  with("0.05,,2,walk,a", "expected a number in column 'x', got ''");
  with("0.05,1,nan,walk,a", "expected a number in column 'y', got 'nan'");
  with("0.05,1e39,2,walk,a", "expected a number in column 'x', got '1e39'");
  with("0.05,-inf,2,walk,a", "expected a number in column 'x', got '-inf'");
  with("0.05,NULL,2,walk,a", "expected a number in column 'x', got 'NULL'");
  with("0.05,1,2,walk", "expected 5 fields, as the first line has, got 4");
  with("0.05,1,2,walk,a,b", "expected 5 fields, as the first line has, got 6");
  with("0.05,1,2,,a", "expected a class in column 'activity', got none");
  options.classes = {"walk", "run"};
  with("0.05,1,2,fly,a", "expected one of the 2 classes in column 'activity', got 'fly'");
  // What nobody reads may be anything.
  write_bytes(file, header + rows(0, 3, "walk") + rows(3, 2, "run") + ",5,-2.5,run,\n");
  options.skip_bad_rows = false;
  CHECK(csv_series(file, options).train.size() == 2);
}

TEST_CASE("csv series: files as people have them", "[data][csv]") {
  const test::TemporaryFolder folder("siena_csv_files");
  const auto file = folder.path / "data.csv";
  CsvSeriesOptions options{.sensors = {2, 3}, .label = 4, .window = 2, .stride = 2, .validation = 0, .test = 0};
  const std::string plain = rows(0, 4, "walk") + rows(4, 2, "run");
  const auto reads = [&](const std::string& text) {
    write_bytes(file, text);
    CHECK(rows_of(csv_series(file, options).train) == std::set<float>{0, 1, 2, 3, 4, 5});
    CHECK(csv_series(file, options).classes == std::vector<std::string>{"run", "walk"});
  };
  const auto changed = [](std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
    return text;
  };
  reads(plain);
  reads(header + plain);
  reads("# made by\n\n#\"a; b; c; d\r\n" + header + plain);
  reads("\xef\xbb\xbf" + header + plain);
  reads(changed(header + plain, "\n", "\r\n"));
  reads(changed(header + plain, ",", ";"));
  reads(changed(header + plain, ",", "\t"));
  reads(changed(header + plain, ",", " , "));
  reads(changed(header + plain, "walk", "\"walk\""));
  reads(header + plain.substr(0, plain.size() - 1));
  options.sensors = {"x", "y"}, options.label = "activity";
  reads(header + plain);
  reads(changed(header, ",", " , ") + plain);
  options.sensors = {"1", "2"}, options.label = "3", options.header = CsvHeader::present;
  reads("0,1,2,3,4\n" + plain);
  options.header = CsvHeader::automatic, options.label = "activity";

  const auto refused = [&](const std::string& text, const std::string& message) {
    write_bytes(file, text);
    CHECK_THROWS_WITH(csv_series(file, options), ContainsSubstring("data.csv") && ContainsSubstring(message));
  };
  options.sensors = {"x", "z"};
  refused(header + plain, "expected a column 'z' in the header, line 1, got time, x, y, activity, person");
  options.sensors = {"X", "y"};
  refused(header + plain, "activity, person; 'x' differs in small and capital letters only");
  options.sensors = {"x", "y"};
  refused(header + rows(0, 6, "walk"), "two classes or more in column 'activity'");
  refused(plain, "expected a first line that names the column 'x', got '0,0,");
  refused("x,x,y,activity,person\n" + plain, "expected the column 'x' once, got it 2 times");
  refused("", "got an empty file");
  refused(header, "expected rows of numbers");
  refused("time;x;y;activity;person\n0;0,5;1;walk;a\n",
          "line 2: expected a number in column 'x', got '0,5'; write decimals with a point");
  refused(header + "0,\"1,2,walk,a\n", "line 2: expected a quote that ends on its line");
  refused(header + "0,1,2,M\xfcller,a\n", "line 2: expected text in UTF-8");
  options.sensors = {0, 1};
  refused(header + plain, "expected a column from 1 to 5, got 0");
  options.sensors = {6};
  refused(header + plain, "expected a column from 1 to 5, got 6");
  CHECK_THROWS_AS(csv_series(folder.path / "none.csv", options), DataError);
  CHECK_THROWS_WITH(csv_series(file, {.sensors = {}}), ContainsSubstring("expected the columns of the sensors"));
  CHECK_THROWS_AS(csv_series(file, {.sensors = {1}, .window = 0}), ArgumentError);
  CHECK_THROWS_AS(csv_series(file, {.sensors = {1}, .stride = 0}), ArgumentError);
  CHECK_THROWS_AS(csv_series(file, {.sensors = {1}, .validation = 0.5, .test = 0.5}), ArgumentError);
  write_bytes(file, header + rows(0, 5, "walk"));
  CHECK_THROWS_WITH(csv_series(file, {.sensors = {"x"}, .window = 6}),
                    ContainsSubstring("windows of 6 rows to train with") && ContainsSubstring("has 5 rows"));
}

TEST_CASE("csv series: quantities to be learnt are those of a window's last row", "[data][csv]") {
  const test::TemporaryFolder folder("siena_csv_targets");
  const auto file = folder.path / "data.csv";
  write_bytes(file, header + rows(0, 12, "walk"));
  const auto data = csv_series(
      file, {.sensors = {"x", "y"}, .targets = {"time", "x"}, .window = 3, .stride = 3, .validation = 0, .test = 0.5});
  REQUIRE_FALSE(data.train.labelled());
  REQUIRE(data.train.target_size() == 2);
  REQUIRE(data.train.target(0)[1] == 2);
  REQUIRE(data.test.target(1)[1] == 11);
  REQUIRE(data.test.target(1)[0] == 0.11f);
}

TEST_CASE("csv series: each class is in each part", "[data][csv]") {
  const test::TemporaryFolder folder("siena_csv_each");
  for (int r = 0; r < 9; ++r)  // six are shorter than a window, and count for nothing
    write_bytes(folder.path / format("{}.csv", r), header + rows(0, r < 6 ? 2 : 8, "run"));
  auto unlabelled = small();
  unlabelled.label = {};
  const auto few = csv_series(folder.path, unlabelled);
  for (const Dataset* part : {&few.train, &few.validation, &few.test}) CHECK(part->size() == 3);
  const std::vector<std::string> names{"run", "sit", "walk"};
  for (const int count : {3, 4, 5, 8}) {
    for (const bool whole : {true, false}) {  // a recording has one class, or all of them
      std::string text = header;
      for (int r = 0; r < (whole ? 3 * count : count); ++r) {
        for (std::size_t c = 0; c < 3; ++c)
          if (!whole || c == static_cast<std::size_t>(r % 3)) text += rows(0, 8, names[c], format("{}", r));
      }
      const auto file = folder.path / "all.csv";
      write_bytes(file, text);
      auto options = small();
      options.recording = "person", options.validation = options.test = 0.1;
      for (options.seed = 0; options.seed < 5; ++options.seed) {
        const auto data = csv_series(file, options);
        REQUIRE(data.report.notes.size() == 1);
        CHECK_THAT(data.report.notes[0], ContainsSubstring("split by recordings"));
        for (const Dataset* part : {&data.train, &data.validation, &data.test}) {
          std::set<std::int32_t> labels;
          for (std::int64_t i = 0; i < part->size(); ++i) labels.insert(part->label(i));
          CHECK(labels.size() == 3);
        }
        CHECK(data.train.size() >= data.test.size());
      }
    }
  }
}

TEST_CASE("csv series: few recordings of a class are split by time", "[data][csv]") {
  const test::TemporaryFolder folder("siena_csv_few");
  for (int r = 0; r < 5; ++r) write_bytes(folder.path / format("{}.csv", r), header + rows(0, 40, r < 3 ? "run" : "sit"));
  write_bytes(folder.path / "ReadMe first.txt", "Recorded on a wrist.\n");
  auto options = small();
  const auto data = csv_series(folder.path, options);
  REQUIRE(data.report.notes.size() == 2);
  CHECK_THAT(data.report.notes[0], ContainsSubstring("ReadMe first.txt' is no recording"));
  CHECK_THAT(data.report.notes[1], ContainsSubstring("split by time"));
  CHECK(data.train.size() == 5 * 9);
  CHECK(data.test.size() == 5 * 4);

  options.window = 30;
  CHECK_THROWS_WITH(csv_series(folder.path, options),
                    ContainsSubstring("has 40 rows, of which 20 are for this part") &&
                        ContainsSubstring("class 'sit' has only 2 recordings with such windows"));
  options.window_label = WindowLabel::same;
  CHECK_THROWS_WITH(csv_series(folder.path, options), ContainsSubstring("longest piece of one label has 40 rows, of which 20"));
  options.window = 50, options.window_label = WindowLabel::most;
  CHECK_THROWS_WITH(csv_series(folder.path, options), ContainsSubstring("longest piece without a gap has 40 rows; make"));
  options.window = 4, options.split = SeriesSplit::recordings;
  const auto whole = csv_series(folder.path, options);  // one of 'sit' is learnt from, the other is in one part
  REQUIRE(whole.report.notes.size() == 3);
  CHECK_THAT(whole.report.notes[2], ContainsSubstring("no window of class 'sit' to validate with: 2 recordings with such"));
  options.classes = {"run", "sit", "fly"};
  CHECK_THROWS_WITH(csv_series(folder.path, options), ContainsSubstring("got none of 'fly': no row has it"));
  for (const int r : {1, 2, 4}) std::filesystem::remove(folder.path / format("{}.csv", r));
  options.classes = {};
  CHECK_THROWS_WITH(csv_series(folder.path, options),
                    ContainsSubstring("got none: 2 recordings with such windows") && ContainsSubstring("a split by time cuts"));
}

TEST_CASE("csv series: a stretch of one class is cut from its first row, however it is split", "[data][csv]") {
  const test::TemporaryFolder folder("siena_csv_stretches");
  for (int r = 0; r < 3; ++r)
    write_bytes(folder.path / format("{}.csv", r), header + rows(0, 5, "sit") + rows(5, 4, "run") + rows(9, 6, "sit"));
  auto options = small();
  options.window_label = WindowLabel::same, options.stride = 4;
  const auto data = csv_series(folder.path, options);
  CHECK_THAT(data.report.notes[0], ContainsSubstring("split by recordings"));
  CHECK(windows_of(data.test) == std::vector<std::vector<float>>{{0, 1, 2, 3}, {5, 6, 7, 8}, {9, 10, 11, 12}});
}

TEST_CASE("csv series: recordings may take turns row by row", "[data][csv]") {
  const test::TemporaryFolder folder("siena_csv_turns");
  const auto file = folder.path / "all.csv";
  CsvSeriesOptions options{.sensors = {"x", "y"}, .label = "activity", .targets = {"x"}, .recording = "person", .window = 4};
  options.stride = 4, options.validation = options.test = 0;
  const auto read = [&](const std::string& bad) {
    std::string text = header;
    for (int i = 0; i < 8; ++i) {
      if (i == 5) text += bad;
      text += rows(i, 1, "run", "a") + rows(100 + i, 1, "sit", "b");
    }
    write_bytes(file, text);
    const auto data = csv_series(file, options);
    std::vector<float> firsts;
    for (std::int64_t i = 0; i < data.train.size(); ++i) {
      const auto window = windows_of(data.train)[static_cast<std::size_t>(i)];
      CHECK(window.back() - window.front() == 3);
      CHECK(data.train.target(i)[0] == window.back());
      CHECK(data.train.label(i) == (window.front() < 100 ? 0 : 1));
      firsts.push_back(window.front());
    }
    return firsts;
  };
  CHECK(read("") == std::vector<float>{0, 4, 100, 104});
  options.skip_bad_rows = true;
  CHECK(read("1,,2,run,a\n") == std::vector<float>{0, 100, 104});  // only the recording with the gap is cut
  CHECK(read("1\n") == std::vector<float>{0, 100});
}

TEST_CASE("csv series: as the guide shows it", "[data][csv]") {
  const test::TemporaryFolder folder("siena_csv_guide");
  const std::string names = "time,ax,ay,az,activity\n";
  for (int r = 0; r < 6; ++r) {
    std::string text = names;
    for (int i = 0; i < 200; ++i) text += format("{},{},{},{},{}\n", i, i, 2 * i, 3 * i, r % 2 == 0 ? "walk" : "run");
    write_bytes(folder.path / format("{}.csv", r), text);
  }
  const auto readings =
      data::csv_series(folder.path, {.sensors = {"ax", "ay", "az"}, .label = "activity", .window = 128, .stride = 64});
  REQUIRE(readings.shape() == Shape{128, 3});
  REQUIRE(readings.train.size() == 4);
}
