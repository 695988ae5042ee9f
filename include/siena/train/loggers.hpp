// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "siena/core/csv.hpp"
#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/train/epoch_text.hpp"
#include "siena/train/events.hpp"

namespace siena {

namespace detail {

/// A text file that is written line by line, each handed to the system before the next; copies share it. What the file held
/// before goes with the first line: a training that never starts takes nothing away.
class LineFile {
 public:
  LineFile(const std::filesystem::path& path, std::string_view who)
      : shared_(std::make_shared<Shared>(path, format("{}: '{}'", who, path.string()))) {
    std::error_code none;
    const auto type = std::filesystem::symlink_status(path, none).type();
    const bool missing = type == std::filesystem::file_type::not_found;
    if (!missing && type != std::filesystem::file_type::regular) return;  // a device, a pipe: opening may have an effect
    open("ab");
    shared_->file.reset();
    if (missing) std::filesystem::remove(path, none);
  }
  void write(const std::string& line) {
    if (!shared_->file) open("wb");
    put(line);
  }
  /// Puts other lines in the place of all that were written, whole or not at all, where the file can be changed; a pipe or a
  /// device gets the first of them, and what it has got before stays.
  void write_anew(const std::vector<std::string>& lines) {
    std::error_code none;
    if (!shared_->file || !std::filesystem::is_regular_file(shared_->path, none)) return write(lines[0]);
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    shared_->file.reset();
    write_file_atomically(shared_->path, text);
    open("ab");
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct Shared {
    Shared(std::filesystem::path its_path, std::string its_name) : path(std::move(its_path)), name(std::move(its_name)) {}
    std::filesystem::path path;
    std::string name;
    std::unique_ptr<std::FILE, Close> file;
  };

  void open(const char* mode) {
    shared_->file.reset(std::fopen(shared_->path.string().c_str(), mode));
    require<DataError>(shared_->file != nullptr, "{}: expected a file that can be written, got: {}; does its folder exist?",
                       shared_->name, std::generic_category().message(errno));
  }
  void put(std::string line) {
    line += '\n';
    std::FILE* file = shared_->file.get();
    const bool written = std::fwrite(line.data(), 1, line.size(), file) == line.size() && std::fflush(file) == 0;
    require<DataError>(written, "{}: expected to write {} bytes, got: {}; is the disk full?", shared_->name, line.size(),
                       std::generic_category().message(errno));
  }

  std::shared_ptr<Shared> shared_;
};

inline std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}
// JSON has no word for what is not a finite number.
inline std::string json_number(double number) { return std::isfinite(number) ? format("{}", number) : "null"; }
inline std::string json_metrics(const Metrics& metrics) {
  return format("{{\"loss\":{},\"accuracy\":{},\"samples\":{}}}", json_number(metrics.loss), json_number(metrics.accuracy),
                metrics.samples);
}

inline std::string csv_number(double number) { return std::isfinite(number) ? format("{}", number) : ""; }

}  // namespace detail

/// One JSON object per epoch and line. Numbers that are not finite, and what was not measured, are null.
class JsonLinesLog {
 public:
  explicit JsonLinesLog(const std::filesystem::path& path) : file_(path, "JsonLinesLog") {}

  void on_epoch(const EpochEvent& event) {
    std::string bounds;
    for (const BoundReading& bound : event.bounds) {
      bounds += format("{}{{\"name\":{},\"unit\":{},\"value\":{},\"limit\":{},\"kept\":{}}}", bounds.empty() ? "" : ",",
                       detail::json_text(bound.name), detail::json_text(bound.unit), detail::json_number(bound.value),
                       detail::json_number(bound.limit), bound.kept());
    }
    file_.write(
        format("{{\"phase\":{},\"epoch\":{},\"epochs\":{},\"train\":{},\"validation\":{},\"penalty\":{},\"lr\":{},"
               "\"seconds\":{},\"bounds\":[{}]}}",
               detail::json_text(event.phase), event.epoch, event.epochs, detail::json_metrics(event.train),
               event.has_validation ? detail::json_metrics(event.validation) : "null", detail::json_number(event.penalty),
               detail::json_number(event.lr), detail::json_number(event.seconds), bounds));
  }

 private:
  detail::LineFile file_;
};

/// One row per epoch below a header. Each bound has a column of its values, "memory (B)", and, where it has a limit, one of
/// that, "memory limit (B)". What was not measured, and the bounds of other phases, are left empty. Where a later phase brings
/// bounds, all is written anew with their columns; a pipe gets a new header instead.
class CsvLog {
 public:
  explicit CsvLog(const std::filesystem::path& path) : file_(path, "CsvLog"), table_(std::make_shared<Table>()) {}

  void on_epoch(const EpochEvent& event) {
    using detail::csv_number;
    Row row{.fixed = format("{},{},{},{},{},{},{},{},{},{},{}", csv_text(event.phase), event.epoch, event.epochs,
                            csv_number(event.train.loss), csv_number(event.train.accuracy), csv_number(event.validation.loss),
                            csv_number(event.validation.accuracy), csv_number(event.penalty), csv_number(event.lr),
                            csv_number(event.seconds), event.feasible() ? 1 : 0)};
    std::vector<std::string>& columns = table_->columns;
    const std::size_t known = columns.size();
    for (const BoundReading& bound : event.bounds) {
      row.add(columns, bound.name, bound.unit, bound.value);
      if (std::isfinite(bound.limit)) row.add(columns, bound.name + " limit", bound.unit, bound.limit);
    }
    table_->rows.push_back(std::move(row));
    const bool first = table_->rows.size() == 1;
    if (first) file_.write(header());
    if (!first && columns.size() > known) {
      std::vector<std::string> lines{header()};
      for (std::size_t i = 0; i + 1 < table_->rows.size(); ++i) lines.push_back(table_->rows[i].text(columns.size()));
      file_.write_anew(lines);
    }
    file_.write(table_->rows.back().text(columns.size()));
  }

 private:
  struct Row {
    std::string fixed;
    std::vector<std::string> bounds = {};  ///< in the order of the columns, as far as there are any

    /// Under the first column of this title that the row has nothing in.
    void add(std::vector<std::string>& columns, const std::string& name, const std::string& unit, double value) {
      const std::string title = unit.empty() ? name : format("{} ({})", name, unit);
      bounds.resize(columns.size());
      std::size_t at = 0;
      while (at < columns.size() && (columns[at] != title || !bounds[at].empty())) ++at;
      if (at == columns.size()) columns.push_back(title), bounds.emplace_back();
      bounds[at] = detail::csv_number(value);
    }
    std::string text(std::size_t columns) const {
      std::string line = fixed;
      for (std::size_t i = 0; i < columns; ++i) line += "," + (i < bounds.size() ? bounds[i] : "");
      return line;
    }
  };
  struct Table {
    std::vector<std::string> columns;  ///< of bounds
    std::vector<Row> rows;
  };

  std::string header() const {
    std::string text =
        "phase,epoch,epochs,train_loss,train_accuracy,validation_loss,validation_accuracy,penalty,lr,seconds,feasible";
    for (const std::string& column : table_->columns) text += "," + csv_text(column);
    return text;
  }

  detail::LineFile file_;
  std::shared_ptr<Table> table_;  // copies write the same file
};

/// One plain line per epoch, to stdout unless told otherwise.
struct EpochLines {
  std::FILE* file = stdout;  ///< stays open for as long as it is written to

  void on_epoch(const EpochEvent& event) {
    std::fputs((epoch_text(event) + "\n").c_str(), file);
    std::fflush(file);
  }
};

}  // namespace siena
