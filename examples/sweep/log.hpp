// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// "log.txt" in the folder of a run: what its program prints, between what the sweep notes of each start and end.

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <siena/core.hpp>
#include <string>
#include <string_view>
#include <system_error>

namespace siena::examples {

inline constexpr std::string_view log_start = "$ ", log_end = "exit status ";

inline void append(const std::filesystem::path& file, std::string_view text) {
  std::FILE* stream = std::fopen(file.c_str(), "a");
  require<DataError>(stream != nullptr, "sweep: expected to write '{}', got: {}", file.string(),
                     std::generic_category().message(errno));
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fclose(stream);
}
inline void note_start(const std::filesystem::path& log, const std::string& command) {
  append(log, std::string(log_start) + command + "\n");
}
inline void note_end(const std::filesystem::path& log, int status, double seconds) {
  append(log, format("{}{} after {:.1f} s\n", log_end, status, seconds));
}

/// What all ends of a run that were noted come to.
inline double noted_seconds(const std::filesystem::path& log) {
  constexpr std::string_view after = " after ";
  double seconds = 0;
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.starts_with(log_end) ? line.find(after) : line.npos;
    if (at != line.npos) seconds += std::strtod(line.c_str() + at + after.size(), nullptr);
  }
  return seconds;
}

/// The last lines of a log.
inline std::string last_lines(const std::filesystem::path& log, std::size_t lines) {
  std::string text = read_file(log);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::size_t from = text.size();
  for (; lines > 0 && from != std::string::npos; --lines) from = from == 0 ? std::string::npos : text.rfind('\n', from - 1);
  return from == std::string::npos ? text : text.substr(from + 1);
}

/// "search 3/30", where a line of progress begins like that: two blanks are behind it; "": it is another line.
inline std::string_view epoch_in(std::string_view line) {
  constexpr std::string_view digits = "0123456789";
  const std::string_view head = line.substr(0, line.find("  "));
  const std::size_t slash = head.rfind('/'), blank = head.rfind(' ');
  if (head.size() == line.size() || slash == head.npos || blank == head.npos || blank == 0) return {};
  if (slash <= blank + 1 || slash + 1 == head.size()) return {};
  const std::string_view epoch = head.substr(blank + 1, slash - blank - 1), epochs = head.substr(slash + 1);
  return epoch.find_first_not_of(digits) == epoch.npos && epochs.find_first_not_of(digits) == epochs.npos ? head
                                                                                                          : std::string_view();
}

/// The last epoch in what a run has printed since it was last started; "": none yet.
inline std::string last_epoch(const std::filesystem::path& log) {
  constexpr std::uintmax_t enough = 1 << 14;
  std::error_code none;
  const std::uintmax_t size = std::filesystem::file_size(log, none);
  if (none) return {};
  const std::uintmax_t from = size - std::min(size, enough);
  std::string text(static_cast<std::size_t>(size - from), '\0');
  std::ifstream file(log, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(from));
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t begin = rest.rfind('\n');
    const std::string_view line = begin == rest.npos ? rest : rest.substr(begin + 1);
    if (const std::string_view found = epoch_in(line); !found.empty()) return std::string(found);
    if (line.starts_with(log_start)) return {};
    rest = begin == rest.npos ? std::string_view() : rest.substr(0, begin);
  }
  return {};
}

}  // namespace siena::examples
