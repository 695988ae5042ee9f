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
#include "sweep/claims.hpp"
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
  std::optional<double> unseen;  ///< the same since anything of it has, or its claim
  bool ended = false;            ///< its program has, or nobody knows

  static Standing of(const fs::path& out, const std::string& name) {
    const fs::path folder = out / "runs" / name, log = folder / "log.txt", claim = out / "claims" / name;
    Standing run{.name = name, .claim = ClaimText::parse(Claim::text_of(claim))};
    run.failures = Failures::load(folder);
    run.epoch = last_epoch(log);
    run.silent = age(log);
    run.unseen = age(claim);
    for (const fs::path& sign : signs_of_life(folder)) {
      if (const auto since = age(sign)) run.unseen = std::min(*since, run.unseen.value_or(*since));
    }
    run.ended = run.silent && last_lines(log, 1).starts_with(log_end);
    return run;
  }
  /// Without a claim, its log tells: a sweep without --share makes none.
  bool at_work() const {
    if (claim) return !is_lost();
    return silent && !ended && *silent < 600;
  }
  /// Whether its owner has been silent for longer than it wants to be waited for: killed, or on a machine that died.
  bool is_lost() const { return claim && unseen && *unseen > std::chrono::duration<double>(claim->patience).count(); }

  std::string to_string() const {
    std::string text = name;
    if (claim) text += format(": {}, process {}", claim->host, claim->process);
    if (!epoch.empty()) text += ": " + epoch;
    if (is_lost())
      text += format(", no sign for {}; a sweep with --share takes it over", duration_text(*unseen));
    else if (silent && !ended)
      text += format(", last word {} ago", duration_text(*silent));
    if (!failures.where.empty()) text += format(", has failed {}", failures);
    return text;
  }

 private:
  /// Seconds since a file was written; none where there is no such file.
  static std::optional<double> age(const fs::path& file) {
    std::error_code none;
    const auto written = fs::last_write_time(file, none);
    if (none) return std::nullopt;
    return std::max(0.0, std::chrono::duration<double>(fs::file_time_type::clock::now() - written).count());
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
  if (const auto lost = std::count_if(left.begin(), left.end(), [](const Standing& run) { return run.is_lost(); }); lost > 0)
    text += format(", {} of them lost", lost);
  if (done > 0 && !at_work.empty()) {  // as many at a time as now
    const double more = static_cast<double>(left.size() + at_work.size()) / static_cast<double>(done * at_work.size());
    text += format("; about {} to go", duration_text(seconds * more));
  }
  say(stdout, "{}", text);
  for (const Standing& run : at_work) say(stdout, "  at work  {}", run);
  for (const Standing& run : failed) say(stdout, "  failed   {}; see {}", run, (out / "runs" / run.name / "log.txt").string());
  for (const Standing& run : left) say(stdout, "  {}     {}", run.is_lost() ? "lost" : "left", run);
  return !left.empty() || !at_work.empty() ? 1 : failed.empty() ? 0 : 2;
}

}  // namespace siena::examples
