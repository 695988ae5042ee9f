// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/csv.hpp"
#include "siena/core/error.hpp"
#include "siena/core/no_class.hpp"
#include "siena/data/folders.hpp"
#include "siena/data/load_report.hpp"

namespace siena::data {

/// A column of a CSV file: by its name in the first line, or by its number, from 1. None unless it is said.
struct CsvColumn {
  CsvColumn() = default;
  CsvColumn(const char* its_name) : name(its_name) {}             // NOLINT(google-explicit-constructor): .label = "activity"
  CsvColumn(std::string its_name) : name(std::move(its_name)) {}  // NOLINT(google-explicit-constructor)
  CsvColumn(int its_number) : number(its_number), by_number_(true) {}  // NOLINT(google-explicit-constructor): .label = 4

  bool given() const { return by_number_ || !name.empty(); }
  bool by_number() const { return by_number_; }
  std::string to_string() const { return by_number_ ? format("{}", number) : "'" + name + "'"; }

  std::string name = {};
  int number = 0;

 private:
  bool by_number_ = false;
};

/// Whether the first line of a file names its columns. `automatic`: it does unless one of its fields is a number.
enum class CsvHeader { automatic, present, none };

/// Which columns of a CSV file are read as what.
struct CsvColumns {
  std::vector<CsvColumn> sensors = {};
  CsvColumn label = {}, recording = {};
  std::vector<CsvColumn> targets = {};
  CsvHeader header = CsvHeader::automatic;
  char delimiter = 0;  ///< 0: comma, semicolon or tab, by the first line
  bool skip_bad_rows = false;
};

/// Rows that follow each other without a gap, of one recording.
struct SeriesPiece {
  std::int64_t recording = 0, first = 0, rows = 0;
};

/// The rows of CSV files, one file after the other, and within a file those of a piece together.
struct SeriesRows {
  std::vector<float> values;         ///< rows x sensors
  std::vector<float> targets;        ///< rows x targets
  std::vector<std::int32_t> labels;  ///< by `classes`; empty where no column has them
  std::vector<std::string> classes;  ///< in the order in which they came, or as they were given
  std::vector<std::string> recordings;
  std::vector<SeriesPiece> pieces;
  std::int64_t rows = 0;
};

namespace detail {

/// Reads files into SeriesRows. Rows of several recordings may take turns in a file. A bad row ends the reading, or ends its
/// piece where bad rows are to be skipped; all pieces, where it does not tell which recording it is of.
class CsvRowReader {
 public:
  /// `classes`: those that there may be, in this order; none: any.
  CsvRowReader(const CsvColumns& columns, const std::vector<std::string>& classes)
      : columns_(columns), closed_(!classes.empty()) {
    rows_.classes = classes;
    for (const auto& name : classes) {
      const auto number = static_cast<std::int32_t>(labels_.size());
      require<ArgumentError>(labels_.emplace(name, number).second, "csv_series: expected each class once, got '{}' twice",
                             name);
    }
  }

  void read(const std::filesystem::path& file, std::string_view text, LoadReport& report) {
    CsvReader csv(text, "csv_series: " + file.string(), columns_.delimiter);
    csv.pass_comments();
    require<FormatError>(csv.next(), "csv_series: expected rows in '{}', got an empty file", file.string());
    const bool named = find_columns(csv);
    const std::int64_t before = rows_.rows;
    std::int64_t skipped = 0;
    std::string first_problem;
    open_.clear();
    for (bool more = !named || csv.next(); more; more = csv.next()) {
      const std::string problem = read_row(csv, file);
      if (problem.empty()) continue;
      if (!columns_.skip_bad_rows) {
        fail<DataError>("{}, line {}: {}; skip_bad_rows leaves such rows out", csv.where(), csv.number(), problem);
      }
      if (skipped++ == 0) first_problem = format("line {}: {}", csv.number(), problem);
      close_pieces(csv);
    }
    require<DataError>(rows_.rows > before, "csv_series: expected rows of numbers in '{}', got none{}", file.string(),
                       skipped > 0 ? format(" that is good; {}", first_problem) : std::string());
    if (skipped > 0)
      report.skipped.push_back(
          format("{}: {} {} left out, the first in {}", file.string(), skipped, skipped == 1 ? "row" : "rows", first_problem));
  }

  SeriesRows take() {
    if (!std::is_sorted(piece_of_.begin(), piece_of_.end())) bring_together();
    return std::move(rows_);
  }

 private:
  struct Found {
    std::size_t at = 0;
    std::string name = {};
  };

  /// Where the columns are in this file; whether the line is a header.
  bool find_columns(const CsvReader& csv) {
    const auto fields = csv.fields();
    width_ = fields.size();
    const bool numbers = std::any_of(fields.begin(), fields.end(), [](std::string_view field) {
      double ignored = 0;
      return read_number(field, ignored);
    });
    const bool named = columns_.header == CsvHeader::present || (columns_.header == CsvHeader::automatic && !numbers);
    const auto find = [&](const CsvColumn& column) { return find_column(column, csv, named); };
    sensors_.clear(), targets_.clear();
    for (const auto& column : columns_.sensors) sensors_.push_back(find(column));
    for (const auto& column : columns_.targets) targets_.push_back(find(column));
    if (columns_.label.given()) label_ = find(columns_.label);
    if (columns_.recording.given()) recording_ = find(columns_.recording);
    return named;
  }

  static Found find_column(const CsvColumn& column, const CsvReader& csv, bool named) {
    const auto fields = csv.fields();
    if (column.by_number()) {
      require<DataError>(column.number >= 1 && column.number <= static_cast<int>(fields.size()),
                         "{}: expected a column from 1 to {}, got {}", csv.where(), fields.size(), column.number);
      const auto at = static_cast<std::size_t>(column.number - 1);
      return {.at = at, .name = named ? format("'{}'", excerpt(fields[at])) : format("{}", column.number)};
    }
    require<DataError>(named, "{}: expected a first line that names the column {}, got '{}'; say columns by number, from 1",
                       csv.where(), column, excerpt(csv.line()));
    std::string known, hint;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      known += (i == 0 ? "" : ", ") + std::string(trimmed(fields[i]));
      if (trimmed(fields[i]) == column.name) places.push_back(i);
      if (in_small_letters(std::string(trimmed(fields[i]))) == in_small_letters(column.name))
        hint = format("; '{}' differs in small and capital letters only", trimmed(fields[i]));
    }
    require<DataError>(!places.empty(), "{}: expected a column {} in the header, line {}, got {}{}", csv.where(), column,
                       csv.number(), excerpt(known, 300), hint);
    require<DataError>(places.size() == 1, "{}: expected the column {} once, got it {} times; say it by number", csv.where(),
                       column, places.size());
    return {.at = places.front(), .name = column.to_string()};
  }

  /// What is wrong with a row; nothing, where it was added.
  std::string read_row(const CsvReader& csv, const std::filesystem::path& file) {
    const auto fields = csv.fields();
    if (fields.size() != width_) return format("expected {} fields, as the first line has, got {}", width_, fields.size());
    numbers_.clear();
    for (const auto* columns : {&sensors_, &targets_}) {
      for (const Found& column : *columns) {
        double value = 0;  // a float's range, but what is too small for one is 0
        constexpr double most = std::numeric_limits<float>::max();
        if (!read_number(fields[column.at], value) || !(std::abs(value) <= most))
          return bad_number(column, fields[column.at], csv);
        numbers_.push_back(static_cast<float>(value));
      }
    }
    std::int32_t label = no_class;
    if (columns_.label.given()) {
      const std::string_view name = trimmed(fields[label_.at]);
      if (name.empty()) return format("expected a class in column {}, got none", label_.name);
      const auto at = labels_.find(name);
      if (at != labels_.end()) {
        label = at->second;
      } else {
        if (closed_)
          return format("expected one of the {} classes in column {}, got '{}'", labels_.size(), label_.name, excerpt(name));
        label = new_class(name, csv);
      }
    }
    const std::string recording =
        columns_.recording.given() ? std::string(trimmed(fields[recording_.at])) : file.filename().string();
    add(label, recording);
    return {};
  }

  /// Behind a bad row.
  void close_pieces(const CsvReader& csv) {
    const auto fields = csv.fields();
    if (!columns_.recording.given() || fields.size() != width_) return open_.clear();
    const auto at = recordings_.find(trimmed(fields[recording_.at]));
    if (at != recordings_.end()) open_.erase(at->second);
  }

  static std::string bad_number(const Found& column, std::string_view got, const CsvReader& csv) {
    const bool comma = csv.delimiter() != ',' && got.find(',') != std::string_view::npos;
    return format("expected a number in column {}, got '{}'{}", column.name, excerpt(got),
                  comma ? "; write decimals with a point" : "");
  }

  std::int32_t new_class(std::string_view name, const CsvReader& csv) {
    constexpr std::size_t most = 1000;
    require<DataError>(labels_.size() < most,
                       "{}, line {}: expected at most {} classes in column {}, got another one, '{}'; quantities are targets",
                       csv.where(), csv.number(), most, label_.name, excerpt(name));
    rows_.classes.emplace_back(name);
    return labels_.emplace(name, static_cast<std::int32_t>(labels_.size())).first->second;
  }

  void add(std::int32_t label, const std::string& recording) {
    const auto [at, fresh] = recordings_.emplace(recording, static_cast<std::int64_t>(rows_.recordings.size()));
    if (fresh) rows_.recordings.push_back(recording);
    const auto [open, starts] = open_.emplace(at->second, rows_.pieces.size());
    if (starts) rows_.pieces.push_back({.recording = at->second, .first = rows_.rows});
    SeriesPiece& piece = rows_.pieces[open->second];
    piece_of_.push_back(open->second);
    const auto middle = numbers_.begin() + static_cast<std::ptrdiff_t>(sensors_.size());
    rows_.values.insert(rows_.values.end(), numbers_.begin(), middle);
    rows_.targets.insert(rows_.targets.end(), middle, numbers_.end());
    if (columns_.label.given()) rows_.labels.push_back(label);
    ++piece.rows;
    ++rows_.rows;
  }

  /// Rows by piece, in each piece in the order in which they came.
  void bring_together() {
    std::int64_t first = 0;
    for (SeriesPiece& piece : rows_.pieces) {
      piece.first = first;
      first += piece.rows;
    }
    const SeriesRows old = rows_;
    std::vector<std::int64_t> next;
    for (const SeriesPiece& piece : rows_.pieces) next.push_back(piece.first);
    for (std::size_t row = 0; row < piece_of_.size(); ++row) {
      const auto to = static_cast<std::size_t>(next[piece_of_[row]]++);
      const auto move = [&](const auto& from, auto& into) {
        const std::size_t width = from.size() / piece_of_.size();
        std::copy_n(from.data() + row * width, width, into.data() + to * width);
      };
      move(old.values, rows_.values);
      move(old.targets, rows_.targets);
      move(old.labels, rows_.labels);
    }
  }

  const CsvColumns& columns_;
  bool closed_;  // to other classes
  std::map<std::string, std::int32_t, std::less<>> labels_;
  std::map<std::string, std::int64_t, std::less<>> recordings_;
  SeriesRows rows_;
  std::vector<std::size_t> piece_of_;  // of each row
  // Of the file that is read:
  std::vector<Found> sensors_, targets_;
  Found label_, recording_;
  std::size_t width_ = 0;
  std::map<std::int64_t, std::size_t> open_;  // of a recording, the piece that its next row goes on with
  std::vector<float> numbers_;
};

}  // namespace detail

}  // namespace siena::data
