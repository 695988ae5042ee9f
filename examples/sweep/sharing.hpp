// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// --share: which runs of a folder this sweep may start, with others at work in it.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <siena/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "shared/folder_lock.hpp"
#include "sweep/claims.hpp"
#include "sweep/failures.hpp"
#include "sweep/runs.hpp"

namespace siena::examples {

/// What it takes to work at a run.
struct Hold {
  Claim run;
  std::optional<Claim> warmup = {};  ///< where the run makes one

  /// False: another sweep has taken it over.
  bool renew() {
    if (warmup && !warmup->renew()) warmup.reset();
    return run.renew();
  }
};

/// This sweep among others of the same command.
class Sharing {
 public:
  using Clock = Claims::Clock;

  /// `patience`: how long others are to wait for us when we say nothing.
  Sharing(const fs::path& out, const std::vector<std::string>& command, std::chrono::seconds patience)
      : out_(out), command_(command), patience_(patience), claims_(out, patience) {}

  /// How often to look what others do, at most.
  std::chrono::milliseconds pause() const {
    return std::min(std::chrono::milliseconds(patience_) / 8, std::chrono::milliseconds(5000));
  }
  /// Whether it is time to look, and then does.
  bool look() {
    if (Clock::now() < next_look_) return false;
    claims_.look();
    next_look_ = Clock::now() + pause();
    return true;
  }
  /// None: others are at it, or at its warm-up, or it is done, or has failed too often. A program that a sweep has left behind
  /// counts as well, where locks show it: two at one run would take longer, nothing else.
  std::optional<Hold> take(const Run& run) {
    const fs::path folder = out_ / "runs" / run.name();
    if (claims_.is_taken(run.name())) return std::nullopt;
    const bool is_cold = run.role == Run::Role::search && !is_warm(folder);
    if (is_cold && claims_.is_taken(warmup_name(run))) return std::nullopt;
    std::optional<Claim> claim = claims_.take(run.name(), run.name());
    if (!claim || is_done(folder) || Failures::load(folder).too_many() || FolderLock::is_held(folder)) return std::nullopt;
    Hold hold{std::move(*claim)};
    if (is_cold && !warmup_for({run, command_}, out_)) {
      hold.warmup = claims_.take(warmup_name(run), run.name());
      if (!hold.warmup) return std::nullopt;
    }
    return hold;
  }
  /// Whether it is time to renew what we hold. To be asked once a turn.
  bool renewal_due() {
    if (Clock::now() < next_renewal_) return false;
    next_renewal_ = Clock::now() + renewal();
    return true;
  }
  /// Gives a warm-up that is made to others.
  void give_warmup(Hold& hold, const Run& run) const {
    if (hold.warmup && is_warm(out_ / "runs" / run.name())) hold.warmup.reset();
  }
  /// How many programs work at runs, of all sweeps.
  std::size_t at_work() const { return claims_.at_work(); }
  /// Whether another sweep is known to be at it.
  bool is_kept(const Run& run) const { return claims_.is_kept(run.name()); }

 private:
  Clock::duration renewal() const { return Clock::duration(patience_) / 4; }
  /// Of one command: another one has another warm-up.
  std::string warmup_name(const Run& run) const {
    std::uint64_t hash = 14695981039346656037u;  // FNV-1a
    for (const std::string& word : command_)
      for (const char c : word + '\n') hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return format("warm-up_{}_{:016x}", run.bits_and_seed(), hash);
  }

  fs::path out_;
  std::vector<std::string> command_;
  std::chrono::seconds patience_;
  Claims claims_;
  Clock::time_point next_look_ = Clock::now(), next_renewal_ = next_look_ + renewal();
};

}  // namespace siena::examples
