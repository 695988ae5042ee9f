// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Words for whoever is still there to read them.

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <siena/core.hpp>
#include <string>
#include <system_error>

namespace siena::examples {

/// What we write to may go away (`| head -1`), or grow too large (`ulimit -f`): that write fails, the program goes on.
inline void outlive_writes() {
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_IGN);
}

/// Why words for a file, not for a reader, were lost: the disk is full. 0: none were.
inline int& words_lost_by() {
  static int code = 0;
  return code;
}

/// Prints a text as it is, or not: a reader or a terminal that is gone takes nothing else with it.
inline void say_all(std::FILE* to, const std::string& text) {
  const bool said = std::fputs(text.c_str(), to) >= 0 && std::fflush(to) == 0;
  if (!said && to == stdout && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) words_lost_by() = errno;
}
/// Prints a line, or not.
template <class... Args>
void say(std::FILE* to, FormatText<Args...> text, const Args&... args) {
  say_all(to, format(text, args...) + "\n");
}

/// Throws DataError where words for a file were lost.
inline void check_said() {
  require<DataError>(words_lost_by() == 0, "standard output: expected to write all there is to say, got: {}",
                     std::generic_category().message(words_lost_by()));
}

}  // namespace siena::examples
