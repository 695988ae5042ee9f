// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The claims of all sweeps that share a folder, as one of them sees them.

#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <siena/core.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "sweep/claim.hpp"
#include "sweep/runs.hpp"

namespace siena::examples {

/// Files in the folder of a run that show that its program lives: programs outlive sweeps that are killed, and go on writing.
inline std::vector<fs::path> signs_of_life(const fs::path& run) {
  std::vector<fs::path> signs;
  std::error_code away;
  for (fs::directory_iterator at(run, away), end; !away && at != end; at.increment(away)) {
    const fs::path& file = at->path();
    if (file.filename() == "log.txt" || file.extension() == ".checkpoint") signs.push_back(file);
  }
  return signs;
}

/// The folder "claims" of a sweep, each file called after a run, or after a warm-up. A claim is stale when neither it nor what
/// its program writes has changed for the patience of its owner, by our own watch; then whoever is first takes it over. Should
/// two work at the same nevertheless, they write the same bits, whole files each: it costs time, nothing else.
class Claims {
 public:
  using Clock = std::chrono::steady_clock;

  /// `out`: the folder of the sweep. `patience`: of the claims that we make.
  Claims(fs::path out, std::chrono::seconds patience) : out_(std::move(out)), patience_(patience) {
    fs::create_directories(folder());
  }

  /// Looks what has changed. To be called at least every quarter of the patience: more than that a look does not count, for
  /// while we are held up, by a file system that is away, others may be too.
  void look() {
    std::map<std::string, Seen> seen;
    std::error_code away;
    for (fs::directory_iterator at(folder(), away), end; !away && at != end; at.increment(away)) {
      const std::string name = at->path().filename().string();
      if (name.starts_with('.')) continue;
      Seen now{.text = Claim::text_of(at->path()), .at = Clock::now(), .patience = patience_};
      const auto claim = ClaimText::parse(now.text);
      if (claim) now.patience = claim->patience, now.signs = written(out_ / "runs" / claim->run);
      if (const auto before = seen_.find(name); before != seen_.end()) {
        const Seen& old = before->second;
        now.renewed = old.renewed || now.text != old.text;
        if (now.text == old.text && now.signs == old.signs)
          now.unchanged = old.unchanged + std::min<Clock::duration>(now.at - old.at, now.patience / 4);
      }
      const bool over = claim && now.is_stale() && is_done(out_ / "runs" / claim->run);
      if (!over || !remove(name, now.text)) seen.emplace(name, std::move(now));  // left by one that was killed
    }
    if (!away) seen_ = std::move(seen);
  }

  /// None: another one has it, as far as we know. `run`: whose program works under it.
  std::optional<Claim> take(const std::string& name, std::string_view run) {
    if (is_taken(name)) return std::nullopt;
    if (const auto stale = seen_.find(name); stale != seen_.end()) {
      if (!remove(name, stale->second.text)) return std::nullopt;
      seen_.erase(stale);
    }
    return Claim::make(folder() / name, run, patience_);
  }
  /// Whether somebody has it, and may still be there.
  bool is_taken(const std::string& name) const {
    const auto seen = seen_.find(name);
    return seen != seen_.end() && !seen->second.is_stale();
  }
  /// Whether somebody has it, and is seen to renew it.
  bool is_kept(const std::string& name) const {
    const auto seen = seen_.find(name);
    return seen != seen_.end() && seen->second.renewed && seen->second.unchanged < seen->second.patience / 2;
  }
  /// How many are at a run, we among them.
  std::size_t at_work() const {
    return static_cast<std::size_t>(std::count_if(seen_.begin(), seen_.end(), [&](const auto& claim) {
      const auto text = ClaimText::parse(claim.second.text);
      return text && text->run == claim.first && !claim.second.is_stale();
    }));
  }

 private:
  struct Seen {
    std::string text;
    std::set<std::string> signs = {};
    Clock::time_point at;
    Clock::duration patience, unchanged{0};
    bool renewed = false;  ///< since we saw it first

    bool is_stale() const { return unchanged >= patience; }
  };

  fs::path folder() const { return out_ / "claims"; }

  /// Names, sizes and times of what shows life.
  static std::set<std::string> written(const fs::path& run) {
    std::set<std::string> signs;
    std::error_code none;
    for (const fs::path& file : signs_of_life(run)) {
      const auto time = fs::last_write_time(file, none).time_since_epoch().count();
      signs.insert(format("{} {} {}", file.filename().string(), fs::file_size(file, none), static_cast<std::int64_t>(time)));
    }
    return signs;
  }

  /// Of several that find a claim stale one moves it away. What it has moved must be what it has seen: another one may have
  /// taken it over in between, and gets it back.
  bool remove(const std::string& name, const std::string& text) const {
    const fs::path file = folder() / name, aside = folder() / format(".{}.{}", name, me_);
    if (::rename(file.c_str(), aside.c_str()) != 0) return false;
    const bool same = Claim::text_of(aside) == text;
    if (!same) (void)!::link(aside.c_str(), file.c_str());
    ::unlink(aside.c_str());
    return same;
  }

  fs::path out_;
  std::chrono::seconds patience_;
  std::string me_ = unique_words();
  std::map<std::string, Seen> seen_;
};

}  // namespace siena::examples
