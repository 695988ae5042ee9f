// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>

namespace siena {

/// What the C for Cortex-M writes out of the steps of a sum: `unrolled` in a loop of so many turns, and `rest` behind it.
struct WrittenSteps {
  int unrolled, loops, rest;
  int written() const { return unrolled + rest; }
};

/// Of a run of inputs, in steps of a word of weights of 8, 4 or 2 bits for two filters: about as much code as `most` steps of
/// two inputs at most, of that the fewest turns. A last step of fewer inputs is not in the loop.
inline WrittenSteps written_steps(int inputs, int bits, int most) {
  const int each = 16 / bits, steps = (inputs + each - 1) / each, most_steps = std::max(1, most * 2 / each);
  const int apart = inputs % each != 0 ? 1 : 0;
  if (steps <= most_steps) return {steps, 1, 0};
  constexpr double turn = 4;
  WrittenSteps best{1, steps - apart, apart};
  double least = std::numeric_limits<double>::infinity();
  for (int unrolled = 1; unrolled <= std::min(most * 4 / 5, most_steps); ++unrolled) {
    const int loops = steps / unrolled - (steps % unrolled == 0 ? apart : 0), rest = steps - loops * unrolled;
    const double price = turn * loops + 0.25 * (unrolled + rest);
    if (unrolled + rest <= most_steps && price < least) least = price, best = {unrolled, loops, rest};
  }
  return best;
}

}  // namespace siena
