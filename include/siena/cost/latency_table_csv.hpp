// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "siena/core/file.hpp"
#include "siena/cost/latency_table.hpp"

namespace siena {

namespace detail {
inline constexpr std::string_view latency_columns =
    "operation,kernel_height,kernel_width,stride_height,stride_width,groups,multiplier,tile,height,width,in_channels,out_"
    "channels,"
    "seconds";

/// The shortest text that reads back as the same number, in every locale.
template <class T>
std::string shortest(T value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// One line after the other, and one field after the other of the line.
class CsvReader {
 public:
  CsvReader(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  /// Moves to the next line; false at the end. A line without an end is one that was cut off.
  bool next() {
    if (text_.empty()) return false;
    const std::size_t end = text_.find('\n');
    ++number_;
    if (end == std::string_view::npos) give_up("a line that ends", "end of file; the file is truncated");
    line_ = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    if (line_.ends_with('\r')) line_.remove_suffix(1);
    rest_ = line_;
    more_ = true;
    return true;
  }
  std::string_view line() const { return line_; }
  std::size_t number() const { return number_; }

  std::string_view field(std::string_view column) {
    if (!more_) give_up(column, "the end of the line");
    const std::size_t comma = rest_.find(',');
    more_ = comma != std::string_view::npos;
    const std::string_view field = rest_.substr(0, comma);
    rest_.remove_prefix(more_ ? comma + 1 : rest_.size());
    return field;
  }
  template <class T>
  void read(std::string_view column, T& value) {
    const std::string_view text = field(column);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) give_up(column, text);
  }
  void end_line() {
    if (more_) give_up("the end of the line", rest_);
  }
  [[noreturn]] void give_up(std::string_view expected, std::string_view got) const {
    fail<FormatError>("{}, line {}: expected {}, got '{}'", where_, number_, expected, got.substr(0, 60));
  }

 private:
  std::string_view text_, where_, line_, rest_;
  std::size_t number_ = 0;
  bool more_ = false;
};
}  // namespace detail

/// A line of column names and a line for each point, after a first line that says how many there are:
///   # siena latency table, 1 points
///   operation,kernel_height,kernel_width,stride_height,stride_width,groups,multiplier,tile,height,width,in_channels,
///     out_channels,seconds (in one line)
///   conv2d,3,3,1,1,1,1,8,32,32,16,16,3.8e-05
inline std::string to_csv(const LatencyTable& table) {
  std::string text = format("# siena latency table, {} points\n{}\n", table.points().size(), detail::latency_columns);
  for (const LatencyPoint& p : table.points()) {
    text += p.key.operation;
    for (const int number : {p.key.kernel_height, p.key.kernel_width, p.key.stride_height, p.key.stride_width, p.key.groups,
                             p.key.multiplier, p.tile, p.height, p.width}) {
      text += "," + detail::shortest(number);
    }
    for (const double number : {p.in_channels, p.out_channels, p.seconds}) text += "," + detail::shortest(number);
    text += '\n';
  }
  return text;
}

/// The table of a CSV text, bit for bit what was written. The first line, with the number of points, may be left out by other
/// programs. Throws FormatError for what is no such text or was cut off, DataError for points that make no table (see
/// LatencyTable), both with the number of the line; `where` is what errors call the text.
inline LatencyTable latency_table_from_csv(std::string_view text, std::string where = "latency_table_from_csv") {
  detail::CsvReader csv(text, where);
  if (!csv.next()) fail<FormatError>("{}: expected a latency table, got an empty text", where);
  std::size_t announced = 0;
  const bool counted = csv.line().starts_with('#');
  if (counted) {
    const std::string_view line = csv.line(), before = "# siena latency table, ", after = " points";
    const char* const end = line.data() + line.size() - (line.ends_with(after) ? after.size() : 0);
    const char* const begin = line.data() + (line.starts_with(before) ? before.size() : 0);
    const auto [stop, error] = std::from_chars(begin, end, announced);
    if (error != std::errc() || stop != end) csv.give_up("'# siena latency table, <number> points'", line);
  }
  if (counted && !csv.next()) fail<FormatError>("{}: expected {} points, got the end of the file", where, announced);
  if (csv.line() != detail::latency_columns) csv.give_up(format("the columns '{}'", detail::latency_columns), csv.line());

  const std::size_t first = csv.number() + 1;
  std::vector<LatencyPoint> points;
  while (csv.next()) {
    LatencyPoint p;
    p.key.operation = csv.field("operation");
    csv.read("kernel_height", p.key.kernel_height);
    csv.read("kernel_width", p.key.kernel_width);
    csv.read("stride_height", p.key.stride_height);
    csv.read("stride_width", p.key.stride_width);
    csv.read("groups", p.key.groups);
    csv.read("multiplier", p.key.multiplier);
    csv.read("tile", p.tile);
    csv.read("height", p.height);
    csv.read("width", p.width);
    csv.read("in_channels", p.in_channels);
    csv.read("out_channels", p.out_channels);
    csv.read("seconds", p.seconds);
    csv.end_line();
    points.push_back(std::move(p));
  }
  require<FormatError>(!counted || points.size() == announced, "{}: expected {} points, as the first line says, got {}; {}",
                       where, announced, points.size(),
                       points.size() < announced ? "the file is truncated" : "two files in one?");
  return LatencyTable(std::move(points), {.where = std::move(where), .item = "line", .first = first});
}

/// Writes the table whole or not at all; throws DataError where the path cannot be written.
inline void save_latency_csv(const LatencyTable& table, const std::filesystem::path& path) {
  write_file_atomically(path, to_csv(table));
}
/// Throws DataError where there is no file, and as latency_table_from_csv with the path and the line.
inline LatencyTable load_latency_csv(const std::filesystem::path& path) {
  return latency_table_from_csv(read_file(path), path.string());
}

}  // namespace siena
