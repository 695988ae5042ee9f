// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "siena/core/random.hpp"

namespace siena::data::detail {

/// Which part each recording is in: 0 to train, 1 to validate, 2 to test. First each class has a recording in each part, those
/// classes with the fewest first; then the others go where most are lacking of their group. Classes take turns in which part
/// is served first. `recordings_of` a class: those in which it is; `groups`: the main class of each recording, or their number.
inline std::vector<std::size_t> spread_recordings(const std::vector<std::vector<std::size_t>>& recordings_of,
                                                  const std::vector<std::size_t>& groups,
                                                  const std::array<double, 3>& fractions, std::uint64_t seed) {
  constexpr std::size_t none = 3;
  std::vector<std::size_t> part_of(groups.size(), none), order(groups.size()), rank(groups.size()),
      classes(recordings_of.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed);
  shuffle(order, random);
  for (std::size_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  std::iota(classes.begin(), classes.end(), std::size_t{0});
  std::stable_sort(classes.begin(), classes.end(),
                   [&](std::size_t a, std::size_t b) { return recordings_of[a].size() < recordings_of[b].size(); });
  const auto turns = [](std::size_t c) { return std::array<std::size_t, 3>{0, 1 + c % 2, 2 - c % 2}; };
  for (const std::size_t c : classes) {
    for (const std::size_t part : turns(c)) {
      std::size_t best = 0, least = order.size();
      bool there = fractions[part] == 0;
      for (const std::size_t r : recordings_of[c]) {
        there = there || part_of[r] == part;
        if (part_of[r] == none && rank[r] < least) best = r, least = rank[r];
      }
      if (!there && least < order.size()) part_of[best] = part;
    }
  }
  std::vector<std::array<double, 3>> lacking(recordings_of.size() + 1);
  for (std::size_t r = 0; r < groups.size(); ++r)
    for (std::size_t part = 0; part < 3; ++part) lacking[groups[r]][part] += fractions[part] - (part_of[r] == part ? 1 : 0);
  for (const std::size_t r : order) {
    if (part_of[r] != none) continue;
    auto& need = lacking[groups[r]];
    const auto parts = turns(groups[r]);
    part_of[r] = *std::max_element(parts.begin(), parts.end(), [&](std::size_t a, std::size_t b) { return need[a] < need[b]; });
    --need[part_of[r]];
  }
  return part_of;
}

}  // namespace siena::data::detail
