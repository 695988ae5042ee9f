// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a program says about the data that it found.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <set>
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

/// --train-limit, if there is one. Folders are often read class by class: a class that is left out is worth a word.
inline void limit_training(const std::string& program, std::int64_t limit, data::Splits& splits) {
  data::Dataset& train = splits.train;
  if (limit == 0 || limit >= train.size()) return;
  const std::int64_t classes = splits.classes();
  train = train.take(limit);
  std::set<std::int32_t> seen;
  for (std::int64_t i = 0; train.labelled() && i < train.size(); ++i) seen.insert(train.label(i));
  seen.erase(-1);
  if (train.labelled() && static_cast<std::int64_t>(seen.size()) < classes)
    say(stderr, "{}: the first {} samples to train on are of {} of {} classes", program, train.size(), seen.size(), classes);
}

}  // namespace siena::examples
