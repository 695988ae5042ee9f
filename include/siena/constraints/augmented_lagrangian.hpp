// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "siena/constraints/formulation.hpp"

namespace siena {

/// mu g + c/2 max(0, g)^2. Each exact violation moves the multiplier, mu <- max(0, mu + rate g), and makes c grow while it
/// is above `tolerance`, up to `most` times its first value (a constraint that stays broken would let it overflow); c falls
/// back to its first value once the constraint holds. `penalty = 0` is the plain Lagrangian. Rate and penalty are in multiples
/// of the loss after warm-up. Meets its limit exactly at a saddle point, where mu is the price of the constraint.
struct AugmentedLagrangian {
  double rate = 0.1;        ///< how far the multiplier moves, in multiples of the loss
  double penalty = 1;       ///< c at first, in multiples of the loss
  double growth = 1.01;     ///< of c, in a step that is broken
  double most = 100;        ///< that c may grow to, times its first value
  double tolerance = 1e-4;  ///< violation up to which c does not grow

  struct Memory {
    double loss = 1;        ///< of the task, after warm-up
    double strength = 0;    ///< c
    double multiplier = 0;  ///< mu
    static void attributes(auto& self, auto&& visit) {
      visit("loss", self.loss);
      visit("strength", self.strength);
      visit("multiplier", self.multiplier);
    }
  };

  std::string_view name() const { return penalty > 0 ? "augmented lagrangian" : "lagrangian"; }
  std::string to_string() const {
    return format("{}, rate {}, penalty {} growing by {} up to {} above {}", name(), rate, penalty, growth, most, tolerance);
  }

  Memory start(double, double task_loss) const {
    require<ArgumentError>(
        rate > 0 && penalty >= 0 && growth >= 1 && most >= 1 && std::isfinite(penalty * most) && tolerance >= 0,
        "AugmentedLagrangian: expected rate > 0, penalty >= 0, growth >= 1, a finite most >= 1 and tolerance >= 0, "
        "got {}, {}, {}, {} and {}",
        rate, penalty, growth, most, tolerance);
    return {.loss = task_loss, .strength = penalty * task_loss};
  }
  void update(Memory& memory, double violation) const {
    memory.multiplier = std::max(0.0, memory.multiplier + rate * memory.loss * violation);
    if (violation > tolerance) memory.strength = std::min(memory.strength * growth, most * penalty * memory.loss);
    if (violation <= 0) memory.strength = penalty * memory.loss;
  }
  double strength(const Memory& memory, double) const { return memory.multiplier; }
  template <class N>
  N term(const N& violation, const Memory& memory, double) const {
    const N excess = positive_part(violation);
    return violation * memory.multiplier + excess * excess * (memory.strength / 2);
  }
};
static_assert(Formulation<AugmentedLagrangian> && UpdatesMemory<AugmentedLagrangian>);

}  // namespace siena
