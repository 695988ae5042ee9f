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

#include "siena/core/error.hpp"
#include "siena/train/epoch_text.hpp"
#include "siena/train/events.hpp"

namespace siena {

namespace detail {

/// A text file that is written line by line, each handed to the system before the next; copies share it. What the file held
/// before goes with the first line: a training that never starts takes nothing away.
class LineFile {
 public:
  LineFile(const std::filesystem::path& path, std::string_view who, std::string header = {})
      : shared_(std::make_shared<Shared>(path, format("{}: '{}'", who, path.string()), std::move(header))) {
    std::error_code none;
    const auto type = std::filesystem::symlink_status(path, none).type();
    const bool missing = type == std::filesystem::file_type::not_found;
    if (!missing && type != std::filesystem::file_type::regular) return;  // a device, a pipe: opening may have an effect
    open("ab");
    shared_->file.reset();
    if (missing) std::filesystem::remove(path, none);
  }
  void write(const std::string& line) {
    if (!shared_->file) {
      open("wb");
      if (!shared_->header.empty()) put(shared_->header);
    }
    put(line);
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct Shared {
    Shared(std::filesystem::path its_path, std::string its_name, std::string its_header)
        : path(std::move(its_path)), name(std::move(its_name)), header(std::move(its_header)) {}
    std::filesystem::path path;
    std::string name, header;
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

inline std::string csv_text(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
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

/// One row per epoch below a header. What was not measured is left empty; all bounds of an epoch are in one column, as
/// "name=value/limit unit" (without a limit "name=value unit") joined by semicolons, so that phases with other bounds fit into
/// the same table.
class CsvLog {
 public:
  explicit CsvLog(const std::filesystem::path& path)
      : file_(path, "CsvLog",
              "phase,epoch,epochs,train_loss,train_accuracy,validation_loss,validation_accuracy,penalty,lr,seconds,feasible,"
              "bounds") {}

  void on_epoch(const EpochEvent& event) {
    using detail::csv_number;
    std::string bounds;
    for (const BoundReading& bound : event.bounds) {
      bounds += format("{}{}={}{}{}{}", bounds.empty() ? "" : "; ", bound.name, bound.value,
                       std::isinf(bound.limit) ? "" : format("/{}", bound.limit), bound.unit.empty() ? "" : " ", bound.unit);
    }
    file_.write(format("{},{},{},{},{},{},{},{},{},{},{},{}", detail::csv_text(event.phase), event.epoch, event.epochs,
                       csv_number(event.train.loss), csv_number(event.train.accuracy), csv_number(event.validation.loss),
                       csv_number(event.validation.accuracy), csv_number(event.penalty), csv_number(event.lr),
                       csv_number(event.seconds), event.feasible() ? 1 : 0, detail::csv_text(bounds)));
  }

 private:
  detail::LineFile file_;
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
