// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace siena {

/// One architecture of a search space, exactly.
struct Selection {
  std::vector<std::vector<bool>> keep{};  ///< which channels stay of each group: [group][channel]
  std::vector<int> taps{};                ///< how many steps stay of each chain of taps (TapMasks::chains)
  std::vector<int> chosen{};              ///< the alternative of each choice; -1: left open, where that is allowed

  std::int64_t count(int group) const { return std::count(keep[group].begin(), keep[group].end(), true); }
  bool operator==(const Selection&) const = default;
};

}  // namespace siena
