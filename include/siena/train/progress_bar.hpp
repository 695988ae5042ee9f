// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "siena/train/epoch_text.hpp"
#include "siena/train/events.hpp"

#if __has_include(<unistd.h>) && __has_include(<sys/ioctl.h>)
#include <sys/ioctl.h>
#include <unistd.h>
#endif

namespace siena {

struct ProgressBarOptions {
  std::FILE* file = stderr;  ///< stays open for as long as the bar lives
  bool plain_epochs = true;  ///< where the file is no terminal: one plain line per epoch, or nothing
  enum class Terminal { ask, yes, no } terminal = Terminal::ask;
  int columns = 0;                    ///< of the terminal; 0: asks it
  double seconds_between = 1.0 / 15;  ///< updates of the line at least this far apart
};

/// A line of the terminal that follows each step, and one that stays for each epoch; a plain line per epoch where it writes to
/// no terminal.
class ProgressBar {
 public:
  explicit ProgressBar(const ProgressBarOptions& options = {})
      : options_(options), line_(std::make_shared<Line>(options.file)) {
    on_terminal_ = options.terminal == ProgressBarOptions::Terminal::ask
                       ? is_terminal(options.file)
                       : options.terminal == ProgressBarOptions::Terminal::yes;
  }

  void on_step(const StepEvent& event) {
    if (!on_terminal_) return;
    const auto now = Clock::now();
    if (event.step != event.steps && std::chrono::duration<double>(now - shown_).count() < options_.seconds_between) return;
    shown_ = now;
    line_->show(step_text(event, columns()));
  }
  void on_epoch(const EpochEvent& event) {
    if (on_terminal_) {
      line_->show(epoch_text(event, columns()));
      line_->close();
    } else if (options_.plain_epochs) {
      std::fputs((epoch_text(event) + "\n").c_str(), options_.file);
      std::fflush(options_.file);
    }
  }
  void on_phase_end(const PhaseEvent&) { line_->close(); }

 private:
  using Clock = std::chrono::steady_clock;

  // The line that is being written over; closed by a newline when it is finished, or when an exception ends the training.
  class Line {
   public:
    explicit Line(std::FILE* file) : file_(file) {}
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line() { close(); }
    void show(std::string_view text) {
      std::string line = "\r";
      line.append(text).append("\x1b[K");
      std::fputs(line.c_str(), file_);
      std::fflush(file_);
      open_ = true;
    }
    void close() {
      if (!open_) return;
      std::fputs("\n", file_);
      std::fflush(file_);
      open_ = false;
    }

   private:
    std::FILE* file_;
    bool open_ = false;
  };

  static bool is_terminal([[maybe_unused]] std::FILE* file) {
#if __has_include(<unistd.h>) && __has_include(<sys/ioctl.h>)
    return isatty(fileno(file)) != 0;
#else
    return false;
#endif
  }
  // The last column stays free: some terminals wrap as soon as it is written.
  std::size_t columns() const {
    int width = options_.columns;
#if __has_include(<unistd.h>) && __has_include(<sys/ioctl.h>)
    winsize size{};
    if (width <= 0 && ioctl(fileno(options_.file), TIOCGWINSZ, &size) == 0) width = size.ws_col;
#endif
    return static_cast<std::size_t>(std::max(width > 0 ? width : 80, 2) - 1);
  }

  ProgressBarOptions options_;
  bool on_terminal_ = false;
  Clock::time_point shown_{};
  std::shared_ptr<Line> line_;
};

}  // namespace siena
