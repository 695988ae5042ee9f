// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "siena/cost/arena.hpp"
#include "siena/cost/cost_model.hpp"

namespace siena {

/// Bytes of the arena in which the activations of a network lie while it runs, one layer after the other as it is described:
/// what `plan_arena` takes by the same rules. A layer's inputs and its output are in memory together, and a value stays until
/// its last reader has run, so a residual connection is kept. By the rules that hold unless others are given, activations,
/// dropouts and batch norms write over their input where it is not read again, adds and products over their first
/// (LayerDesc::in_place), and buffers within a layer are left out; flatten costs nothing. Values take output_bits (8 unless the
/// precision is searched). A layer that names no producers reads the one before; a value that nobody reads is an output and
/// stays. Left out: how values are packed, weights.
///
/// A layer of presence 0 is not there: it neither makes nor keeps a value, and an add or concat does without it (an add of one
/// summand hands it on). A mixture hands on its producers without a copy. In between, a value counts by the probability that it
/// was made and will still be read, min(its presence, the sum of its readers'), which is exact for 0 and 1; there is no plan
/// then, and the cost is what lives at once.
///
/// The value is exact. Its slope is shared by all moments within 5 % of the peak, in proportion to how far they reach into
/// those: the slope of the largest alone would drop one tensor and find the next just below. Where a plan takes more than what
/// lives at once, which is rare, the slope grows by as much.
struct PeakMemory {
  ArenaRules rules = {};  ///< how memory is shared

  std::string_view name() const {
    return rules.in_place == InPlace::overlap ? "peak memory, overlapping"
           : rules.in_place == InPlace::fused ? "peak memory, not in place"
                                              : "peak memory";
  }
  std::string_view unit() const { return "B"; }
  std::string to_string() const { return format("{}, alignment {}, repairs {}", name(), rules.alignment, rules.repairs); }

  template <class N>
  N network_cost(const Architecture<N>& network) const {
    const Liveness<N> liveness(network, rules);
    const std::vector<N> moments = liveness.moments();
    double peak = 0, sum = 0;
    for (const N& moment : moments) peak = std::max(peak, value_of(moment));
    const auto weight = [&](const N& moment) { return std::max(0.0, value_of(moment) - (1 - band) * peak); };
    for (const N& moment : moments) sum += weight(moment);
    N result = peak;
    for (const N& moment : moments) {
      if (weight(moment) > 0) result += with_slope(moment, 0, weight(moment) / sum);
    }
    if (!liveness.exact()) return result;
    const double arena = detail::ArenaPlanner<N>(liveness, peak).run();
    return arena > peak * (1 + 1e-9) ? N(with_slope(result, arena, arena / peak)) : result;
  }

 private:
  static constexpr double band = 0.05;
};
static_assert(CostModel<PeakMemory>);

}  // namespace siena
