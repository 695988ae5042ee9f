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
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/data/csv_rows.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/folders.hpp"
#include "siena/data/load_report.hpp"
#include "siena/data/measure.hpp"
#include "siena/data/spread_recordings.hpp"

namespace siena::data {

/// The class of a window whose rows differ: that of most rows, that of the last one, or none: only windows of one class are
/// samples.
enum class WindowLabel { most, last, same };

/// How windows become parts. `recordings`: whole ones. `time`: the first rows of each recording are learnt from, the next ones
/// validate, the last ones test; windows that would lie in two parts are left out. `automatic`: recordings, where each class is
/// in three or more, else time.
enum class SeriesSplit { automatic, recordings, time };

struct CsvSeriesOptions {
  std::vector<CsvColumn> sensors = {};           ///< columns of a sample, by name or by number, from 1
  CsvColumn label = {};                          ///< of the class, a word or a number; none: samples have no class
  std::vector<CsvColumn> targets = {};           ///< quantities to be learnt: those of a window's last row
  CsvColumn recording = {};                      ///< says which recording a row is of; none: each file is one
  std::int64_t window = 128;                     ///< rows of a sample
  std::int64_t stride = 64;                      ///< rows from one sample to the next
  WindowLabel window_label = WindowLabel::most;  ///< which of its rows a sample has its class from
  std::vector<std::string> classes = {};         ///< in this order, and no others; none: all there are, sorted
  double validation = 0.2, test = 0.2;           ///< fractions of the recordings, or of each in time
  SeriesSplit split = SeriesSplit::automatic;    ///< how training, validation and test data are told apart
  std::uint64_t seed = 0;                        ///< of the choice of recordings
  CsvHeader header = CsvHeader::automatic;       ///< whether files begin with names of columns
  char delimiter = 0;                            ///< 0: comma, semicolon or tab, by the first line
  bool skip_bad_rows = false;                    ///< leave out rows with gaps, and report them; no window reaches across
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
    require_two_classes();
    count_recordings();
    by_recording_ = options_.split == SeriesSplit::recordings || (options_.split == SeriesSplit::automatic && enough());
    Parts parts = by_recording_ ? parts_by_recording() : parts_by_time();
    check(parts);
    result.report.notes.push_back(format("{} rows of {}; {} windows to train with, {} to validate, {} to test, split by {}",
                                         rows_.rows, recordings(rows_.recordings.size()), parts[0].size(), parts[1].size(),
                                         parts[2].size(), by_recording_ ? "recordings" : "time"));
    note_missing(parts, result.report);
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
  static constexpr std::array<const char*, 3> purposes{"train", "validate", "test"};

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
      auto files = files_in(path_, "csv_series", {".csv", ".tsv", ".txt"});
      std::erase_if(files, [&](const std::filesystem::path& file) {
        const std::string name = in_small_letters(file.filename().string());
        const bool about = name.starts_with("readme") && name.ends_with(".txt");
        if (about) report.notes.push_back(format("'{}' is no recording: left out", file.string()));
        return about;
      });
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
    for (std::int64_t row = first; row <= end - options_.window; row += std::min(options_.stride, end)) places.push_back(row);
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

  static std::string recordings(std::size_t count) { return format("{} recording{}", count, count == 1 ? "" : "s"); }

  void require_two_classes() const {
    if (rows_.labels.empty() || !options_.targets.empty()) return;
    const auto [least, most] = std::minmax_element(rows_.labels.begin(), rows_.labels.end());
    require<DataError>(*least != *most,
                       "csv_series: expected rows of two classes or more in column {} of '{}', got only '{}': nothing is to "
                       "be told apart",
                       options_.label, path_.string(), rows_.classes[static_cast<std::size_t>(*least)]);
  }

  /// The windows of each recording, and in which recordings each class is; without labels all are of one class.
  void count_recordings() {
    windows_.resize(rows_.recordings.size());
    for (const SeriesPiece& piece : stretches())
      add_windows(piece.first, piece.first + piece.rows, windows_[static_cast<std::size_t>(piece.recording)]);
    recordings_of_.resize(std::max<std::size_t>(rows_.classes.size(), 1));
    for (std::size_t r = 0; r < windows_.size(); ++r) {
      std::vector<char> has(recordings_of_.size());
      for (const std::int64_t first : windows_[r]) has[static_cast<std::size_t>(std::max(window_label(first), 0))] = 1;
      for (std::size_t c = 0; c < has.size(); ++c)
        if (has[c] != 0) recordings_of_[c].push_back(r);
    }
  }

  /// Whether whole recordings can give each part some of each class.
  bool enough() const {
    return std::all_of(recordings_of_.begin(), recordings_of_.end(), [](const auto& all) { return all.size() >= 3; });
  }

  std::array<double, 3> fractions() const {
    return {1 - options_.validation - options_.test, options_.validation, options_.test};
  }

  Parts parts_by_recording() const {
    std::vector<std::size_t> groups(windows_.size(), recordings_of_.size());  // by themselves: those without windows
    for (std::size_t r = 0; r < windows_.size(); ++r)
      if (!windows_[r].empty()) groups[r] = static_cast<std::size_t>(std::max(usual_label(windows_[r]), 0));
    const auto part_of = spread_recordings(recordings_of_, groups, fractions(), options_.seed);
    Parts parts;
    for (std::size_t r = 0; r < windows_.size(); ++r)
      parts[part_of[r]].insert(parts[part_of[r]].end(), windows_[r].begin(), windows_[r].end());
    return parts;
  }

  std::int32_t usual_label(const Places& windows) const {
    std::map<std::int32_t, std::int64_t> counts;
    for (const std::int64_t first : windows) ++counts[window_label(first)];
    return std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
  }

  /// Of one class, or of any (no_class), without a gap; of one label where windows are.
  std::int64_t longest(std::int32_t label = no_class) const {
    std::int64_t most = 0;
    for (const SeriesPiece& piece : stretches()) {
      bool has = label == no_class;
      for (std::int64_t row = piece.first; !has && row < piece.first + piece.rows; ++row) has = row_label(row) == label;
      if (has) most = std::max(most, piece.rows);
    }
    return most;
  }

  /// Why a part has no windows, of a class or of any.
  std::string reason(std::size_t part, std::int32_t label) const {
    const std::int64_t rows = longest(label);
    const auto count = static_cast<std::size_t>(
        label == no_class ? std::count_if(windows_.begin(), windows_.end(), [](const Places& all) { return !all.empty(); })
                          : std::ssize(recordings_of_[static_cast<std::size_t>(label)]));
    const bool one_label = options_.window_label == WindowLabel::same && !rows_.labels.empty();
    const std::string piece =
        format("the longest piece {} has {} row{}", one_label ? "of one label" : "without a gap", rows, rows == 1 ? "" : "s");
    if (rows == 0) return "no row has it";
    if (rows < options_.window) return piece + "; make windows shorter";
    if (count == 0) return "no window has it as its class; make windows or the stride shorter";
    if (by_recording_)
      return format("{} with such windows did not do for all parts; a split by time cuts each", recordings(count));
    const auto share = static_cast<std::int64_t>(static_cast<double>(rows) * fractions()[part]);
    const std::string few = options_.split == SeriesSplit::time || enough() ? "" : too_few();
    if (share >= options_.window && label != no_class)
      return format("classes follow each other in a recording{}; {}", few,
                    one_label ? "change the fractions" : "window_label same cuts each stretch in time");
    return format("{}, of which {} are for this part{}; make windows shorter, or the part larger", piece, share, few);
  }

  /// Why the split is not by recordings.
  std::string too_few() const {
    const auto least = std::min_element(recordings_of_.begin(), recordings_of_.end(),
                                        [](const auto& a, const auto& b) { return a.size() < b.size(); });
    const std::string whose =
        rows_.labels.empty() ? format("'{}'", path_.string())
                             : format("class '{}'", rows_.classes[static_cast<std::size_t>(least - recordings_of_.begin())]);
    return format(", and {} has only {} with such windows where a split by recordings takes 3", whose,
                  recordings(least->size()));
  }

  std::vector<char> classes_in(const Places& part) const {
    std::vector<char> has(rows_.classes.size());
    for (const std::int64_t first : part) has[static_cast<std::size_t>(window_label(first))] = 1;
    return has;
  }

  void check(const Parts& parts) const {
    for (std::size_t part = 0; part < 3; ++part) {
      require<DataError>(!parts[part].empty() || fractions()[part] == 0,
                         "csv_series: expected windows of {} rows to {} with in '{}', got none: {}", options_.window,
                         purposes[part], path_.string(), reason(part, no_class));
    }
    if (rows_.labels.empty()) return;
    const std::vector<char> learnt = classes_in(parts[0]);
    for (std::size_t c = 0; c < learnt.size(); ++c) {
      require<DataError>(learnt[c] != 0,
                         "csv_series: expected windows of every class to train with in '{}', got none of '{}': {}",
                         path_.string(), rows_.classes[c], reason(0, static_cast<std::int32_t>(c)));
    }
  }

  void note_missing(const Parts& parts, LoadReport& report) const {
    if (rows_.labels.empty()) return;
    for (std::size_t part = 1; part < 3; ++part) {
      const std::vector<char> has = classes_in(parts[part]);
      for (std::size_t c = 0; c < has.size() && fractions()[part] > 0; ++c) {
        if (has[c] == 0)
          report.notes.push_back(format("no window of class '{}' to {} with: {}", rows_.classes[c], purposes[part],
                                        reason(part, static_cast<std::int32_t>(c))));
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
  std::vector<Places> windows_;                          // of each recording
  std::vector<std::vector<std::size_t>> recordings_of_;  // of each class
  bool by_recording_ = false;
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
