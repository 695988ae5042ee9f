// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string_view>

#include "siena/constraints/dual_state.hpp"

namespace siena {

/// A penalty of fixed strength c, in multiples of the loss after warm-up: c max(0, g), or c/2 max(0, g)^2. The quadratic
/// one ends above its limit by what the task is worth; the linear one meets it if c is large enough.
struct Penalty {
  enum class Power { linear, quadratic };

  double weight = 10;
  Power power = Power::quadratic;

  std::string_view name() const { return "penalty"; }

  void start(DualState& dual, double, double task_loss) const {
    require<ArgumentError>(std::isfinite(weight) && weight >= 0, "Penalty: expected a finite weight of 0 or more, got {}",
                           weight);
    dual = {.loss = task_loss, .strength = weight * task_loss};
  }
  double strength(const DualState& dual, double) const { return dual.strength; }
  template <class N>
  N term(const N& violation, const DualState& dual, double) const {
    const N excess = positive_part(violation);
    return power == Power::linear ? excess * dual.strength : excess * excess * (dual.strength / 2);
  }
};
static_assert(Formulation<Penalty>);

}  // namespace siena
