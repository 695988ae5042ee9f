// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/space/selection.hpp"

// Numbers of bits to choose from, of weights or of values: a chain of steps from one to the next.

namespace siena::detail {

/// ArgumentError unless there are some, and they rise from 2 to 8.
inline void check_widths(std::span<const int> widths, std::string_view where) {
  require<ArgumentError>(!widths.empty(), "{}: expected at least one width, got none", where);
  const bool rise = std::adjacent_find(widths.begin(), widths.end(), std::greater_equal<>()) == widths.end();
  std::string all;
  for (const int width : widths) all += format("{}{}", all.empty() ? "" : ", ", width);
  require<ArgumentError>(rise && widths.front() >= 2 && widths.back() <= 8,
                         "{}: expected widths from 2 to 8 that rise, such as 2, 4, got {}", where, all);
}

/// "2, 4 or 8 bits"
inline std::string widths_text(std::span<const int> widths) {
  std::string text;
  for (std::size_t k = 0; k < widths.size(); ++k)
    text += format("{}{}", k == 0 ? "" : k + 1 == widths.size() ? " or " : ", ", widths[k]);
  return text + " bits";
}

/// Every width everywhere, from the fewest on, as far as a state is that has most.
inline std::vector<AxisState> every_width(const AxisState& most) {
  std::vector<AxisState> all;
  for (int k = 0; k == 0 || !(all.back() == most); ++k) {
    AxisState& state = all.emplace_back(most);
    for (std::vector<int>& units : state)
      for (int& width : units) width = std::min(width, k);
  }
  return all;
}

}  // namespace siena::detail
