// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/core/random.hpp"
#include "siena/data/csv_rows.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/folders.hpp"
#include "siena/data/load_report.hpp"
#include "siena/data/measure.hpp"
#include "siena/data/split.hpp"

namespace siena::data {

/// The class of a window whose rows differ: that of most rows, that of the last one, or none: only windows of one class are
/// samples.
enum class WindowLabel { most, last, same };

/// How windows become parts. `recordings`: whole ones. `time`: the first rows of each recording are learnt from, the next ones
/// validate, the last ones test; windows that would lie in two parts are left out. `automatic`: recordings, where there are
/// three or more, else time.
enum class SeriesSplit { automatic, recordings, time };

struct CsvSeriesOptions {
  std::vector<CsvColumn> sensors = {};  // columns of a sample, by name or by number, from 1
  CsvColumn label = {};                 // of the class, a word or a number; none: samples have no class
  std::vector<CsvColumn> targets = {};  // quantities to be learnt: those of a window's last row
  CsvColumn recording = {};             // says which recording a row is of; none: each file is one
  std::int64_t window = 128;            // rows of a sample
  std::int64_t stride = 64;             // rows from one sample to the next
  WindowLabel window_label = WindowLabel::most;
  std::vector<std::string> classes = {};  // in this order, and no others; none: all there are, sorted
  double validation = 0.2, test = 0.2;    // fractions of the recordings, or of each in time
  SeriesSplit split = SeriesSplit::automatic;
  std::uint64_t seed = 0;  // of the choice of recordings
  CsvHeader header = CsvHeader::automatic;
  char delimiter = 0;          // 0: comma, semicolon or tab, by the first line
  bool skip_bad_rows = false;  // leave out rows with gaps, and report them; no window reaches across
};

struct CsvSeries : Splits {
  std::vector<std::string> classes = {};  ///< name of each class
  LoadReport report = {};
};

namespace detail {

class CsvSeriesReader {
 public:
  CsvSeriesReader(const std::filesystem::path& path, const CsvSeriesOptions& options) : path_(path), options_(options) {
    const auto& o = options_;
    require<ArgumentError>(!o.sensors.empty(),
                           "csv_series: expected the columns of the sensors, got none; e.g. .sensors = "
                           "{{\"x\", \"y\"}}, or by number, from 1");
    require<ArgumentError>(o.window >= 1 && o.window <= 1 << 24 && o.stride >= 1,
                           "csv_series: expected a window of 1 to 2^24 rows and a stride of 1 or more, got {} and {}", o.window,
                           o.stride);
    require<ArgumentError>(o.validation >= 0 && o.test >= 0 && o.validation + o.test < 1,
                           "csv_series: expected fractions for validation and test that add up to less than 1, got {} and {}",
                           o.validation, o.test);
    require<ArgumentError>(o.label.given() || o.classes.empty(),
                           "csv_series: expected the column of the label for {} classes, got none", o.classes.size());
  }

  CsvSeries load() {
    CsvSeries result;
    read(result.report);
    if (options_.label.given() && options_.classes.empty()) sort_classes();
    const bool by_recording =
        options_.split == SeriesSplit::recordings || (options_.split == SeriesSplit::automatic && rows_.recordings.size() >= 3);
    Parts parts = by_recording ? parts_by_recording() : parts_by_time();
    check(parts);
    result.report.notes.push_back(format(
        "{} rows of {} recordings; {} windows to train with, {} to validate, {} to test, split by {}", rows_.rows,
        rows_.recordings.size(), parts[0].size(), parts[1].size(), parts[2].size(), by_recording ? "recordings" : "time"));
    result.classes = rows_.classes;
    const Dataset all = dataset(parts);
    const auto part = [&](std::size_t number, const char* name) {
      std::sort(parts[number].begin(), parts[number].end());
      return all.subset(parts[number]).named(name);
    };
    const Dataset train = part(0, "csv series train");
    const Normalization normalization = measure(train);
    result.train = train.normalized(normalization);
    result.validation = part(1, "csv series validation").normalized(normalization);
    result.test = part(2, "csv series test").normalized(normalization);
    return result;
  }

 private:
  using Places = std::vector<std::int64_t>;  // first rows of windows
  using Parts = std::array<Places, 3>;       // train, validation, test

  void read(LoadReport& report) {
    const auto& o = options_;
    const CsvColumns columns{.sensors = o.sensors,
                             .label = o.label,
                             .recording = o.recording,
                             .targets = o.targets,
                             .header = o.header,
                             .delimiter = o.delimiter,
                             .skip_bad_rows = o.skip_bad_rows};
    CsvRowReader reader(columns, o.classes);
    std::error_code none;
    if (std::filesystem::is_directory(path_, none)) {
      const auto files = files_in(path_, "csv_series", {".csv", ".tsv", ".txt"});
      require<DataError>(!files.empty(), "csv_series: expected .csv, .tsv or .txt files in '{}', got none", path_.string());
      for (const auto& file : files) reader.read(file, read_regular_file(file), report);
    } else {
      reader.read(path_, read_file(path_), report);
    }
    rows_ = reader.take();
  }

  /// By value where all are numbers, else by name.
  void sort_classes() {
    std::vector<std::size_t> order(rows_.classes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::vector<double> values(order.size());
    bool numbers = true;
    for (std::size_t c = 0; c < order.size(); ++c) numbers = read_number(rows_.classes[c], values[c]) && numbers;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return numbers && values[a] != values[b] ? values[a] < values[b] : rows_.classes[a] < rows_.classes[b];
    });
    std::vector<std::string> sorted;
    std::vector<std::int32_t> number(order.size());
    for (const std::size_t c : order) {
      number[c] = static_cast<std::int32_t>(sorted.size());
      sorted.push_back(rows_.classes[c]);
    }
    rows_.classes = std::move(sorted);
    for (auto& label : rows_.labels) label = number[static_cast<std::size_t>(label)];
  }

  std::int32_t row_label(std::int64_t row) const { return rows_.labels[static_cast<std::size_t>(row)]; }

  /// Of the window that begins in a row; no_class where there are no labels, or where its rows differ and must not.
  std::int32_t window_label(std::int64_t first) const {
    if (rows_.labels.empty()) return no_class;
    const std::int32_t last = row_label(first + options_.window - 1);
    if (options_.window_label == WindowLabel::last) return last;
    std::vector<std::int64_t> counts(rows_.classes.size());
    for (std::int64_t row = first; row < first + options_.window; ++row) ++counts[static_cast<std::size_t>(row_label(row))];
    const auto most = std::max_element(counts.begin(), counts.end());
    if (options_.window_label == WindowLabel::same) return *most == options_.window ? last : no_class;
    return *most == counts[static_cast<std::size_t>(last)] ? last : static_cast<std::int32_t>(most - counts.begin());
  }

  /// Adds the windows that lie in [first, end).
  void add_windows(std::int64_t first, std::int64_t end, Places& places) const {
    for (std::int64_t row = first; row <= end - options_.window; row += std::min(options_.stride, end)) {
      if (options_.window_label == WindowLabel::same && !rows_.labels.empty() && window_label(row) == no_class) continue;
      places.push_back(row);
    }
  }

  /// Where windows have one class, a stretch of rows of one class is cut like a recording: classes may follow each other.
  std::vector<SeriesPiece> stretches() const {
    if (options_.window_label != WindowLabel::same || rows_.labels.empty()) return rows_.pieces;
    std::vector<SeriesPiece> all;
    for (const SeriesPiece& piece : rows_.pieces) {
      for (std::int64_t row = piece.first; row < piece.first + piece.rows; ++row) {
        if (row == piece.first || row_label(row) != row_label(row - 1))
          all.push_back({.recording = piece.recording, .first = row});
        ++all.back().rows;
      }
    }
    return all;
  }

  Parts parts_by_time() const {
    Parts parts;
    for (const SeriesPiece& piece : stretches()) {
      const auto rows = static_cast<double>(piece.rows);
      const std::int64_t end = piece.first + piece.rows,
                         second = piece.first + std::llround(rows * (1 - options_.validation - options_.test)),
                         third = piece.first + std::llround(rows * (1 - options_.test));
      add_windows(piece.first, second, parts[0]);
      add_windows(second, third, parts[1]);
      add_windows(third, end, parts[2]);
    }
    return parts;
  }

  /// Recordings are chosen among those of each class, by the class that most of their windows have; one of each is learnt from.
  Parts parts_by_recording() const {
    std::vector<Places> windows(rows_.recordings.size());
    for (const SeriesPiece& piece : rows_.pieces)
      add_windows(piece.first, piece.first + piece.rows, windows[static_cast<std::size_t>(piece.recording)]);
    std::vector<std::vector<std::int64_t>> groups(rows_.classes.size() + 1);
    for (std::size_t r = 0; r < windows.size(); ++r) {
      if (!windows[r].empty())
        groups[static_cast<std::size_t>(usual_label(windows[r]) + 1)].push_back(static_cast<std::int64_t>(r));
    }
    const auto count = std::accumulate(groups.begin(), groups.end(), 0.0,
                                       [](double sum, const auto& group) { return sum + static_cast<double>(group.size()); });
    const auto wanted = [&](double fraction) {
      return fraction == 0 ? 0 : std::max<std::int64_t>(1, std::llround(fraction * count));
    };
    const auto test = shares(groups, options_.test, wanted(options_.test));
    const auto validation = shares(groups, options_.validation, wanted(options_.validation));
    Parts parts;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      Random random = Random(options_.seed).split(g);
      shuffle(std::span<std::int64_t>(groups[g]), random);
      const auto size = static_cast<std::int64_t>(groups[g].size());
      for (std::int64_t k = 0; k < size; ++k) {
        const bool tests = k < std::min(test[g], size - 1);
        const bool validates = !tests && k < std::min(test[g] + validation[g], size - 1);
        const Places& chosen = windows[static_cast<std::size_t>(groups[g][static_cast<std::size_t>(k)])];
        Places& part = parts[tests ? 2 : validates ? 1 : 0];
        part.insert(part.end(), chosen.begin(), chosen.end());
      }
    }
    return parts;
  }

  std::int32_t usual_label(const Places& windows) const {
    std::map<std::int32_t, std::int64_t> counts;
    for (const std::int64_t first : windows) ++counts[window_label(first)];
    return std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
  }

  void check(const Parts& parts) const {
    const auto longest = std::max_element(rows_.pieces.begin(), rows_.pieces.end(),
                                          [](const auto& a, const auto& b) { return a.rows < b.rows; });
    const std::array<double, 3> fractions{1, options_.validation, options_.test};
    const std::array<const char*, 3> purposes{"train with", "validate with", "test with"};
    for (std::size_t part = 0; part < 3; ++part) {
      require<DataError>(
          !parts[part].empty() || fractions[part] == 0,
          "csv_series: expected windows of {} rows to {} in '{}', got none: {} recordings, of which the longest piece "
          "without a gap has {} rows; make windows shorter, change the fractions, or split by time or recordings",
          options_.window, purposes[part], path_.string(), rows_.recordings.size(), longest->rows);
    }
    if (rows_.labels.empty()) return;
    std::vector<char> learnt(rows_.classes.size());
    for (const std::int64_t first : parts[0]) learnt[static_cast<std::size_t>(window_label(first))] = 1;
    for (std::size_t part = 1; part < 3; ++part) {
      for (const std::int64_t first : parts[part]) {
        const auto label = static_cast<std::size_t>(window_label(first));
        require<DataError>(
            learnt[label] != 0,
            "csv_series: expected windows of every class to train with, got some of '{}' only to {}; where classes "
            "follow each other in a recording, .window_label = WindowLabel::same cuts each stretch in time",
            rows_.classes[label], purposes[part]);
      }
    }
  }

  /// A sample for every row with which a window may begin; most are never looked at. They overlap in memory.
  Dataset dataset(const Parts& parts) {
    const auto sensors = static_cast<std::int64_t>(options_.sensors.size());
    const std::size_t starts = static_cast<std::size_t>(rows_.rows - options_.window + 1), each = options_.targets.size();
    std::vector<std::int32_t> labels;
    if (!rows_.labels.empty()) {
      labels.assign(starts, no_class);
      for (const Places& part : parts)
        for (const std::int64_t first : part) labels[static_cast<std::size_t>(first)] = window_label(first);
    }
    // The targets of a window are those of its last row.
    rows_.targets.erase(
        rows_.targets.begin(),
        rows_.targets.begin() + static_cast<std::ptrdiff_t>(each * static_cast<std::size_t>(options_.window - 1)));
    return Dataset::from_floats(std::move(rows_.values), {.shape = {options_.window, sensors},
                                                          .labels = std::move(labels),
                                                          .targets = std::move(rows_.targets),
                                                          .name = "csv series",
                                                          .step = sensors,
                                                          .preparation = {.classes = rows_.classes}});
  }

  const std::filesystem::path& path_;
  const CsvSeriesOptions& options_;
  SeriesRows rows_;
};

}  // namespace detail

/// Windows of sensor readings in CSV files, time x sensors, as Conv1d takes them: `path` is a file, or a folder of .csv, .tsv
/// and .txt files. A row is a reading of all sensors; every `stride` rows a window of `window` rows is a sample. No window lies
/// in two recordings, nor across a row that was left out, and no row is in two parts. Labels are words or numbers. All parts
/// are normalised by mean and deviation of each sensor in the training part. A line without a number where one belongs, with
/// another count of fields or without its class throws DataError with file, line and column, or is left out (skip_bad_rows) and
/// stands in the report.
inline CsvSeries csv_series(const std::filesystem::path& path, const CsvSeriesOptions& options) {
  return detail::CsvSeriesReader(path, options).load();
}

}  // namespace siena::data
