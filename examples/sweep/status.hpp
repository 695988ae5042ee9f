// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// --status: who is at what, as the folder of a sweep says it. Changes nothing, and disturbs nobody.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <siena/core.hpp>
#include <siena/train.hpp>
#include <string>
#include <system_error>
#include <vector>

#include "shared/say.hpp"
#include "sweep/claim.hpp"
#include "sweep/failures.hpp"
#include "sweep/log.hpp"
#include "sweep/runs.hpp"

namespace siena::examples {

/// A run that is not done.
struct Standing {
  std::string name;
  std::optional<ClaimText> claim;  ///< of a sweep with --share
  Failures failures;
  std::string epoch;             ///< "search 3/30"; "": not known
  std::optional<double> silent;  ///< seconds since its log has changed, as far as clocks agree; none: never begun
  bool ended = false;            ///< its program has, or nobody knows

  static Standing of(const fs::path& out, const std::string& name) {
    const fs::path folder = out / "runs" / name, log = folder / "log.txt";
    Standing run{.name = name, .claim = ClaimText::parse(Claim::text_of(out / "claims" / name))};
    run.failures = Failures::load(folder);
    run.epoch = last_epoch(log);
    std::error_code none;
    const auto written = fs::last_write_time(log, none);
    if (none) return run;
    run.silent = std::max(0.0, std::chrono::duration<double>(fs::file_time_type::clock::now() - written).count());
    run.ended = last_lines(log, 1).starts_with(log_end);
    return run;
  }
  /// Without a claim, its log tells: a sweep without --share makes none.
  bool at_work() const { return claim || (silent && !ended && *silent < 600); }

  std::string to_string() const {
    std::string text = name;
    if (claim) text += format(": {}, process {}", claim->host, claim->process);
    if (!epoch.empty()) text += ": " + epoch;
    if (silent && !ended) text += format(", last word {} ago", duration_text(*silent));
    if (!failures.where.empty()) text += format(", has failed {}", failures);
    return text;
  }
};

/// Prints it. 0 where all is done, 1 where something is left, 2 where that is only what has failed too often.
inline int say_status(const fs::path& out) {
  std::set<std::string> names;
  for (const std::string& name : load_plan(out)) names.insert(name);
  for (const fs::path& folder : run_folders(out)) names.insert(folder.filename().string());
  std::vector<Standing> at_work, failed, left;
  std::size_t done = 0;
  double seconds = 0;
  for (const std::string& name : names) {
    const fs::path folder = out / "runs" / name;
    if (is_done(folder)) {
      ++done;
      seconds += noted_seconds(folder / "log.txt");
      continue;
    }
    Standing run = Standing::of(out, name);
    (run.at_work() ? at_work : run.failures.too_many() ? failed : left).push_back(std::move(run));
  }
  std::string text = format("{} of {} runs are done, {} at work, {} failed, {} left", done, names.size(), at_work.size(),
                            failed.size(), left.size());
  if (done > 0 && !at_work.empty()) {  // as many at a time as now
    const double more = static_cast<double>(left.size() + at_work.size()) / static_cast<double>(done * at_work.size());
    text += format("; about {} to go", duration_text(seconds * more));
  }
  say(stdout, "{}", text);
  for (const Standing& run : at_work) say(stdout, "  at work  {}", run);
  for (const Standing& run : failed) say(stdout, "  failed   {}; see {}", run, (out / "runs" / run.name / "log.txt").string());
  for (const Standing& run : left) say(stdout, "  left     {}", run);
  return !left.empty() || !at_work.empty() ? 1 : failed.empty() ? 0 : 2;
}

}  // namespace siena::examples
