// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/utf8.hpp"

namespace siena {

/// A text without the blanks around it.
inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

/// The number that a text is, all of it but blanks around; false: it is none. Independent of the locale.
template <class T>
bool read_number(std::string_view text, T& value) {
  text = trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end && !text.empty();
}

/// A text as a field of a line with commas between: in quotes where it needs them.
inline std::string csv_text(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

/// The one of comma, semicolon and tab that a line has most often.
inline char likely_delimiter(std::string_view line) {
  const auto count = [&](char letter) { return std::count(line.begin(), line.end(), letter); };
  if (count('\t') > count(',') && count('\t') >= count(';')) return '\t';
  return count(';') > count(',') ? ';' : ',';
}

/// The lines of a CSV text, one after the other, in fields. Blank lines are passed over; a byte order mark, CR LF, and a last
/// line without an end are fine. Fields may stand in quotes ("a, b", "" for a quote within), but end on their line. Throws
/// FormatError, "<where>, line 3: expected ..., got ...", for a quote that does not end and for text that is not UTF-8.
class CsvReader {
 public:
  /// `delimiter` 0: `likely_delimiter` of the first line.
  CsvReader(std::string_view text, std::string where, char delimiter = 0)
      : text_(text), where_(std::move(where)), delimiter_(delimiter) {
    const std::size_t bad = find_not_utf8(text);
    if (bad != std::string_view::npos) {
      const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bad), '\n') + 1;
      fail<FormatError>("{}, line {}: expected text in UTF-8, got another byte; save the file as UTF-8", where_, line);
    }
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
  }

  /// Passes over lines that begin with '#', and blank ones, at the start of a file: call it before the first `next`.
  void pass_comments() {
    while (trimmed(text_.substr(0, text_.find_first_of("\r\n"))).starts_with('#') || text_.starts_with('\n') ||
           text_.starts_with("\r\n"))
      take_line();
  }

  /// Moves to the next line; false at the end.
  bool next() {
    do {
      if (text_.empty()) return false;
      take_line();
    } while (line_.find_first_not_of(" \t") == std::string_view::npos);
    if (delimiter_ == 0) delimiter_ = likely_delimiter(line_);
    split();
    return true;
  }

  std::string_view line() const { return line_; }
  std::size_t number() const { return number_; }
  const std::string& where() const { return where_; }
  char delimiter() const { return delimiter_; }
  /// Of the line; valid until the next one.
  const std::vector<std::string_view>& fields() const { return fields_; }

  [[noreturn]] void give_up(std::string_view expected, std::string_view got) const {
    fail<FormatError>("{}, line {}: expected {}, got '{}'", where_, number_, expected, excerpt(got));
  }

 private:
  void take_line() {
    const std::size_t end = text_.find('\n');
    line_ = text_.substr(0, end);
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
    ++number_;
    if (line_.ends_with('\r')) line_.remove_suffix(1);
  }

  void split() {
    fields_.clear();
    unquoted_.clear();
    unquoted_.reserve(line_.size());  // fields point into it: it must not move
    std::string_view rest = line_;
    while (true) {
      if (rest.starts_with('"')) {
        fields_.push_back(quoted(rest));
      } else {
        const std::size_t end = std::min(rest.find(delimiter_), rest.size());
        fields_.push_back(rest.substr(0, end));
        rest.remove_prefix(end);
      }
      if (rest.empty()) return;
      if (rest.front() != delimiter_) give_up("the end of a field behind its quotes", rest);
      rest.remove_prefix(1);
    }
  }

  /// Takes a field in quotes from the front of `rest`.
  std::string_view quoted(std::string_view& rest) {
    const std::string_view whole = rest;
    const std::size_t begin = unquoted_.size();
    for (rest.remove_prefix(1); !rest.empty(); rest.remove_prefix(1)) {
      if (rest.front() == '"') {
        rest.remove_prefix(1);
        if (!rest.starts_with('"')) return std::string_view(unquoted_).substr(begin);
      }
      unquoted_ += rest.front();
    }
    give_up("a quote that ends on its line", whole);
  }

  std::string_view text_, line_;
  std::string where_;
  char delimiter_;
  std::size_t number_ = 0;
  std::vector<std::string_view> fields_;
  std::string unquoted_;  // what stood in quotes, one field after the other
};

}  // namespace siena
