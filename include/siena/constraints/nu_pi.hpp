// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "siena/constraints/formulation.hpp"

namespace siena {

/// The Lagrangian mu g with a PI controller on the multiplier (nuPI, arXiv 2406.04558), which damps its oscillations:
/// xi <- nu xi + (1 - nu) g, mu <- max(0, mu + rate (integral g + proportional (xi - xi before))), xi = 0 at first.
/// The rate is in multiples of the loss after warm-up.
struct NuPi {
  double rate = 0.1;        ///< how far the multiplier moves, in multiples of the loss
  double nu = 0;            ///< memory of the violation; 0: none
  double proportional = 1;  ///< weight of the change of the violation
  double integral = 1;      ///< weight of the violation

  struct Memory {
    double loss = 1;        ///< of the task, after warm-up
    double multiplier = 0;  ///< mu
    double smoothed = 0;    ///< xi
    static void attributes(auto& self, auto&& visit) {
      visit("loss", self.loss);
      visit("multiplier", self.multiplier);
      visit("smoothed", self.smoothed);
    }
  };

  std::string_view name() const { return "nu-pi"; }
  std::string to_string() const {
    return format("nu-pi, rate {}, nu {}, proportional {}, integral {}", rate, nu, proportional, integral);
  }

  Memory start(double, double task_loss) const {
    require<ArgumentError>(rate > 0 && nu < 1 && nu > -1 && proportional >= 0 && integral > 0,
                           "NuPi: expected rate > 0, nu in (-1, 1), proportional >= 0 and integral > 0, got {}, {}, {} and {}",
                           rate, nu, proportional, integral);
    return {.loss = task_loss};
  }
  void update(Memory& memory, double violation) const {
    const double before = memory.smoothed;
    memory.smoothed = nu * before + (1 - nu) * violation;
    const double step = integral * violation + proportional * (memory.smoothed - before);
    memory.multiplier = std::max(0.0, memory.multiplier + rate * memory.loss * step);
  }
  double strength(const Memory& memory, double) const { return memory.multiplier; }
  template <class N>
  N term(const N& violation, const Memory& memory, double) const {
    return violation * memory.multiplier;
  }
};
static_assert(Formulation<NuPi> && UpdatesMemory<NuPi>);

}  // namespace siena
