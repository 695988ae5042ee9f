// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// POSIX.

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <siena/train.hpp>
#include <string>

namespace siena::examples {

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
