// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// How far runs have come, as their logs say it. POSIX.

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <siena/train.hpp>
#include <string>
#include <string_view>

namespace siena::examples {

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

/// The last epoch in what a run has printed since it was started, of which `before` bytes of its log tell nothing; "": none
/// yet.
inline std::string last_epoch(const std::filesystem::path& log, std::uintmax_t before) {
  constexpr std::uintmax_t enough = 1 << 14;
  std::error_code none;
  const std::uintmax_t size = std::filesystem::file_size(log, none);
  if (none || size <= before) return {};
  const std::uintmax_t from = std::max(before, size - std::min(size, enough));
  std::string text(static_cast<std::size_t>(size - from), '\0');
  std::ifstream file(log, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(from));
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t begin = rest.rfind('\n');
    const std::string_view line = begin == rest.npos ? rest : rest.substr(begin + 1);
    if (const std::string_view found = epoch_in(line); !found.empty()) return std::string(found);
    rest = begin == rest.npos ? std::string_view() : rest.substr(0, begin);
  }
  return {};
}

/// A line on stdout that says how far things are: written over again and again on a terminal; elsewhere a new one each minute
/// at most, where it says something new.
class ProgressLine {
 public:
  void show(const std::string& text) {
    if (text == shown_) return;
    if (on_terminal_) {
      winsize size{};
      const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
      std::fputs(("\r" + std::string(clipped(text, known ? size.ws_col - 1u : 79u)) + "\x1b[K").c_str(), stdout);
    } else {
      if (last_ && Clock::now() - *last_ < std::chrono::minutes(1)) return;
      std::fputs((text + "\n").c_str(), stdout);
      last_ = Clock::now();
    }
    std::fflush(stdout);
    shown_ = text;
  }
  /// Before other lines.
  void clear() {
    if (on_terminal_ && !shown_.empty()) std::fputs("\r\x1b[K", stdout);
    shown_.clear();
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool on_terminal_ = ::isatty(STDOUT_FILENO) != 0;
  std::string shown_;
  std::optional<Clock::time_point> last_;
};

}  // namespace siena::examples
