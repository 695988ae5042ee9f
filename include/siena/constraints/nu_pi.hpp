// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>

#include "siena/constraints/dual_state.hpp"

namespace siena {

/// The Lagrangian mu g with a PI controller on the multiplier (nuPI, arXiv 2406.04558), which damps its oscillations:
/// xi <- nu xi + (1 - nu) g, mu <- max(0, mu + rate (integral g + proportional (xi - xi before))), xi = 0 at first.
/// The rate is in multiples of the loss after warm-up.
struct NuPi {
  double rate = 0.1;
  double nu = 0;
  double proportional = 1;
  double integral = 1;

  std::string_view name() const { return "nu-pi"; }

  void start(DualState& dual, double, double task_loss) const {
    require<ArgumentError>(rate > 0 && nu < 1 && nu > -1 && proportional >= 0 && integral > 0,
                           "NuPi: expected rate > 0, nu in (-1, 1), proportional >= 0 and integral > 0, got {}, {}, {} and {}",
                           rate, nu, proportional, integral);
    dual = {.loss = task_loss};
  }
  void update(DualState& dual, double violation) const {
    const double before = dual.smoothed;
    dual.smoothed = nu * before + (1 - nu) * violation;
    const double step = integral * violation + proportional * (dual.smoothed - before);
    dual.multiplier = std::max(0.0, dual.multiplier + rate * dual.loss * step);
  }
  double strength(const DualState& dual, double) const { return dual.multiplier; }
  template <class N>
  N term(const N& violation, const DualState& dual, double) const {
    return violation * dual.multiplier;
  }
};
static_assert(Formulation<NuPi> && UpdatesDuals<NuPi>);

}  // namespace siena
