// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/csv.hpp"
#include "siena/core/file.hpp"
#include "siena/core/utf8.hpp"
#include "siena/cost/latency_table.hpp"

namespace siena {

namespace detail {
/// How many points a first line such as "# siena latency table, 12 points" says; what spreadsheets put around it is left out.
inline bool announced_points(std::string_view line, std::size_t& count) {
  constexpr std::string_view around = "\",;\t ", before = "# siena latency table, ", after = " points";
  line.remove_prefix(std::min(line.find_first_not_of(around), line.size()));
  line = line.substr(0, line.find_last_not_of(around) + 1);
  if (!line.starts_with(before) || !line.ends_with(after) || line.size() < before.size() + after.size()) return false;
  return read_number(line.substr(before.size(), line.size() - before.size() - after.size()), count);
}

/// Where the columns of a latency table are in its lines.
class LatencyColumns {
 public:
  /// `csv` is at the line of names; other columns may stand among them.
  LatencyColumns(const CsvReader& csv, const MeasuredColumn& measured) : width_(csv.fields().size()) {
    std::string missing;
    const auto find = [&](std::string_view name) {
      const auto fields = csv.fields();
      const auto at =
          std::find_if(fields.begin(), fields.end(), [&](std::string_view field) { return trimmed(field) == trimmed(name); });
      if (at == fields.end()) missing += (missing.empty() ? "" : ", ") + std::string(name);
      names_.emplace_back(name);
      places_.push_back(static_cast<std::size_t>(at - fields.begin()));
    };
    for (const std::string_view name : latency_columns) find(name);
    find(measured.name);
    const auto fields = csv.fields();
    const auto in_tile =
        std::find_if(fields.begin(), fields.end(), [](auto field) { return trimmed(field) == in_tile_column; });
    if (in_tile != fields.end()) in_tile_ = static_cast<std::size_t>(in_tile - fields.begin());
    if (!missing.empty()) {
      const std::string header = latency_header(measured, false);
      fail<FormatError>("{}, line {}: expected the columns '{}', got '{}', without {}", csv.where(), csv.number(),
                        header.substr(0, header.size() - 1), excerpt(csv.line(), 200), missing);
    }
  }

  LatencyPoint point(const CsvReader& csv) {
    if (csv.fields().size() != width_) {
      fail<FormatError>("{}, line {}: expected {} fields, as the line of names has, got {}", csv.where(), csv.number(), width_,
                        csv.fields().size());
    }
    next_ = 0;
    LatencyPoint p{.key = {.operation = std::string(trimmed(csv.fields()[places_[next_++]]))}};
    for (int* number : {&p.key.kernel_height, &p.key.kernel_width, &p.key.stride_height, &p.key.stride_width, &p.key.groups,
                        &p.key.multiplier, &p.tile, &p.height, &p.width}) {
      read(csv, *number);
    }
    for (double* number : {&p.in_channels, &p.out_channels, &p.seconds}) read(csv, *number);
    if (in_tile_ && !read_number(csv.fields()[*in_tile_], p.in_tile)) csv.give_up(in_tile_column, csv.fields()[*in_tile_]);
    return p;
  }

 private:
  template <class T>
  void read(const CsvReader& csv, T& value) {
    const std::string_view field = csv.fields()[places_[next_]];
    if (!read_number(field, value)) csv.give_up(names_[next_], field);
    ++next_;
  }

  std::size_t width_, next_ = 0;
  std::vector<std::string> names_;
  std::vector<std::size_t> places_;
  std::optional<std::size_t> in_tile_;
};

/// The one of the first line that is no comment.
inline char latency_delimiter(std::string_view text) {
  while (text.starts_with('#') || text.starts_with("\"#") || text.starts_with("\xef\xbb\xbf#"))
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return likely_delimiter(text.substr(0, text.find('\n')));
}
}  // namespace detail

/// A line of column names and a line for each point, after a first line that says how many there are:
///   # siena latency table, 1 points
///   operation,kernel_height,kernel_width,stride_height,stride_width,groups,multiplier,tile,height,width,in_channels,
///     out_channels,seconds (in one line)
///   conv2d,3,3,1,1,1,1,8,32,32,16,16,3.8e-05
/// and a column in_tile where those are not all 1.
inline std::string to_csv(const LatencyTable& table) {
  const bool in_tiles = detail::have_in_tiles(table.points());
  std::string text =
      format("# siena latency table, {} points\n", table.points().size()) + detail::latency_header(table.column(), in_tiles);
  for (const LatencyPoint& p : table.points()) text += detail::latency_line(p, in_tiles) + detail::shortest(p.seconds) + "\n";
  return text;
}

/// The table of a CSV text, bit for bit what was written. Other programs may leave the first line out, with the number of
/// points, put other columns among these, in any order, take semicolons or tabs, blank lines, CR LF, a byte order mark, and end
/// the last line or not. `column`: which one was measured, seconds unless it is said. Throws FormatError for what is no such
/// text or was cut off, DataError for points that make no table (see LatencyTable), both with the number of the line; `where`
/// is what errors call the text.
inline LatencyTable latency_table_from_csv(std::string_view text, std::string where = "latency_table_from_csv",
                                           MeasuredColumn column = {}) {
  CsvReader csv(text, where, detail::latency_delimiter(text));
  if (!csv.next()) fail<FormatError>("{}: expected a latency table, got an empty text", where);
  std::size_t announced = 0;
  const bool counted = csv.line().starts_with('#') || csv.line().starts_with("\"#");
  if (counted) {
    if (!detail::announced_points(csv.line(), announced)) csv.give_up("'# siena latency table, <number> points'", csv.line());
    require<FormatError>(text.ends_with('\n'),
                         "{}: expected the end of a line behind the last of {} points, got the end of the file; the file is "
                         "truncated, or else end the line",
                         where, announced);
    if (!csv.next()) fail<FormatError>("{}: expected {} points, got the end of the file", where, announced);
  }
  detail::LatencyColumns columns(csv, column);
  std::vector<LatencyPoint> points;
  std::vector<std::size_t> lines;
  while (csv.next()) {
    points.push_back(columns.point(csv));
    lines.push_back(csv.number());
  }
  require<FormatError>(!counted || points.size() == announced, "{}: expected {} points, as the first line says, got {}; {}",
                       where, announced, points.size(),
                       points.size() < announced ? "the file is truncated" : "two files in one?");
  return LatencyTable(std::move(points), {.where = std::move(where), .item = "line", .lines = std::move(lines)},
                      std::move(column));
}

/// Writes the table whole or not at all; throws DataError where the path cannot be written.
inline void save_latency_csv(const LatencyTable& table, const std::filesystem::path& path) {
  write_file_atomically(path, to_csv(table));
}
/// Throws DataError where there is no file, and as latency_table_from_csv with the path and the line.
inline LatencyTable load_latency_csv(const std::filesystem::path& path, MeasuredColumn column = {}) {
  return latency_table_from_csv(read_file(path, std::size_t{1} << 30), path.string(), std::move(column));
}

}  // namespace siena
