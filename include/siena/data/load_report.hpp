// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/parallel.hpp"

namespace siena::data {

/// What a loader has to say besides the data.
struct LoadReport {
  std::vector<std::string> skipped = {};  ///< what was wrong with each file that was left out
  std::int64_t cached = 0;                ///< files whose features came from the cache
  std::vector<std::string> notes = {};    ///< for instance why a cache was not used
};

struct ReadOptions {
  std::string_view reader;      ///< who reads, for messages
  bool skip_bad_files = false;  ///< leave out files that cannot be read, and report them
};

/// What to do about a bad file, behind its error; the programs have an option of that name.
inline constexpr std::string_view skip_hint = "; skip_bad_files (--skip-bad-files) leaves such files out";

/// Calls read(i) for each of `count` files, on all threads, and gives what was wrong with each, "" where nothing was. Unless
/// bad files are to be skipped, a bad one ends the reading and its error is thrown again as a DataError; so it is where all are
/// bad.
template <class Read>
std::vector<std::string> read_each(std::int64_t count, const ReadOptions& options, const Read& read) {
  std::vector<std::string> errors(static_cast<std::size_t>(count));
  std::atomic<bool> stop{false};
  parallel_for(count, [&](std::int64_t i) {
    if (stop) return;
    try {
      read(i);
    } catch (const Error& error) {
      errors[static_cast<std::size_t>(i)] = error.what();
      if (!options.skip_bad_files) stop = true;
    }
  });
  std::int64_t bad = 0;
  const std::string* first = nullptr;
  for (const auto& error : errors) {
    if (error.empty()) continue;
    if (first == nullptr) first = &error;
    ++bad;
  }
  if (stop) throw DataError(*first + std::string(skip_hint));
  require<DataError>(bad == 0 || bad < count, "{}: expected good files, got {} that are all bad; the first: {}", options.reader,
                     count, first == nullptr ? std::string() : *first);
  return errors;
}

}  // namespace siena::data
