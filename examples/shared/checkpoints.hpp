// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// --checkpoint and --resume: a folder belongs to one run.

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <siena/core.hpp>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "command_line.hpp"
#include "folder_lock.hpp"
#include "outputs.hpp"
#include "say.hpp"

namespace siena::examples {

/// The file in the folder of checkpoints that says whose they are.
inline std::filesystem::path owner_file(const Settings& s) { return s.checkpoint / "run.txt"; }

inline std::string begins_with(const Settings& s) {
  if (!s.network.empty()) return "network " + s.network;
  return s.init.empty() ? "none" : s.init;
}
/// What a run is recognised by, a line each.
inline std::string owner(const std::string& program, const Settings& s) {
  const BoundSettings& b = s.bounds;
  const Recipe& r = s.recipe;
  const auto [w, se, f] = r.epochs;
  return format(
      "program {}\nmethod {}\npreset {}\nformulation {}\nwidth {}\ninit {}\nseed {}\nepochs {},{},{}\nbatch {}\nmemory {}\n"
      "latency {}\npeak-memory {}\ncost-model {}\nclock {}\ntrain-limit {}\noptimizer {}\nschedule {}\naugment {}\nclip "
      "{}\nema {}\n"
      "patience {}\nshards {}\noptions{}\n{}",
      program, s.method, s.preset, s.formulation, s.width, begins_with(s), s.seed, w, se, f, r.batch, b.memory, b.latency,
      b.peak_memory, b.cost_model, b.clock_mhz, s.train_limit, r.warmup.optimizer.to_string(), r.warmup.schedule.to_string(),
      data::to_string(r.augment), r.clip, r.ema, r.patience, s.shards, s.of_benchmark.empty() ? " none" : s.of_benchmark,
      s.bounds.owner() + s.int8.owner() + s.bits.owner());
}

/// Throws ArgumentError where the folder can be neither made nor written; leaves no new one behind.
inline void check_checkpoint_folder(const Settings& s) {
  namespace fs = std::filesystem;
  std::error_code error, none;
  std::vector<fs::path> missing;  // the deepest first
  for (fs::path at = fs::absolute(s.checkpoint); !fs::exists(at, none) && at.has_relative_path(); at = at.parent_path())
    missing.push_back(at);
  fs::create_directories(s.checkpoint, error);
  const auto clean_up = [&] {
    for (const fs::path& made : missing) fs::remove(made, none);
  };
  try {
    if (!error) for_option("--checkpoint", [&] { check_can_write(owner_file(s)); });
  } catch (...) {
    clean_up();
    throw;
  }
  clean_up();
  require<ArgumentError>(!error,
                         "--checkpoint: expected a folder that is there or can be made, got '{}': {}; name one in a folder "
                         "where you may write",
                         s.checkpoint.string(), error.message());
}

/// Refuses the checkpoints of another run.
inline void check_owner(const std::string& program, const Settings& s) {
  require<ArgumentError>(
      s.resume, "--checkpoint: expected a folder for this run alone, got '{}', which holds another; --resume goes on with that",
      s.checkpoint.string());
  std::istringstream found(read_file(owner_file(s))), mine(owner(program, s));
  const auto next = [](std::istream& lines) {
    std::string line;
    return std::getline(lines, line) ? "'" + line + "'" : "nothing";
  };
  while (found || mine) {
    const std::string theirs = next(found), ours = next(mine);
    require<ArgumentError>(theirs == ours, "--resume: expected the settings that '{}' was begun with, {}, got {}",
                           s.checkpoint.string(), theirs, ours);
  }
}

inline FolderLock lock_checkpoints(const Settings& s) {
  return {s.checkpoint, "--checkpoint", "another program, whose checkpoints they are"};
}

/// Refuses those of another run, before the data are read. A folder that holds checkpoints is kept for this run from here on.
inline std::optional<FolderLock> check_checkpoints(const std::string& program, const Settings& s) {
  if (s.checkpoint.empty()) return std::nullopt;
  check_checkpoint_folder(s);
  if (s.dry_run || !std::filesystem::exists(owner_file(s))) return std::nullopt;
  std::optional<FolderLock> lock(lock_checkpoints(s));
  check_owner(program, s);
  return lock;
}

/// Each phase begins with the weights that the one before ended with, and the report has the epochs of all.
inline void show_lost_checkpoints(const std::string& program, const Settings& s) {
  if (!s.resume || !s.searches()) return;
  constexpr std::array phases{"warm-up", "search", "fine-tuning"};
  const auto file = [&](std::size_t i) { return s.checkpoint / format("{}.checkpoint", phases[i]); };
  std::size_t last = phases.size();  // of those that are there
  while (last > 0 && !std::filesystem::exists(file(last - 1))) --last;
  for (std::size_t i = 0; i + 1 < last; ++i) {
    if (std::filesystem::exists(file(i)) || s.recipe.epochs[i] == 0) continue;
    say(stderr, "{}: '{}' is missing, so the {} is done once more, for the {} begins with its weights", program,
        file(i).string(), phases[i], phases[i + 1]);
  }
}

/// Only when nothing is left to be refused: a command that was put right finds the folder free. `lock` is what
/// `check_checkpoints` gave.
inline void claim_checkpoints(const std::string& program, const Settings& s, std::optional<FolderLock>& lock) {
  if (s.checkpoint.empty()) return;
  std::filesystem::create_directories(s.checkpoint);
  if (!lock) {
    lock.emplace(lock_checkpoints(s));
    if (std::filesystem::exists(owner_file(s))) check_owner(program, s);  // another one began, and ended, in between
  }
  for_option("--checkpoint", [&] { write_file_atomically(owner_file(s), owner(program, s)); });
  show_lost_checkpoints(program, s);
}

}  // namespace siena::examples
