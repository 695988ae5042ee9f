// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a program says about the data that it found.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <siena/data.hpp>
#include <string>
#include <vector>

#include "say.hpp"

namespace siena::examples {

/// What the loader has to say besides the data.
inline void say_load_report(const std::string& program, const data::LoadReport& report) {
  const std::vector<std::string>& skipped = report.skipped;
  for (std::size_t i = 0; i < std::min<std::size_t>(skipped.size(), 5); ++i)
    say(stderr, "{}: left out: {}", program, skipped[i]);
  if (!skipped.empty())
    say(stderr, "{}: {} bad file{} left out", program, skipped.size(), skipped.size() == 1 ? " was" : "s were");
  for (const std::string& note : report.notes) say(stderr, "{}: {}", program, note);
}

/// How many samples each part has.
inline void say_samples(const std::string& folder, const data::Splits& splits) {
  say(stdout, "{}: {} samples of {} to train, {} to choose by, {} to test", folder.empty() ? "synthetic data" : folder,
      splits.train.size(), splits.shape(), splits.validation.size(), splits.test.size());
}

}  // namespace siena::examples
