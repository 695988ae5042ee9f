// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "siena/constraints/formulation.hpp"

namespace siena {

/// A penalty of fixed strength c, in multiples of the loss after warm-up: c max(0, g), or c/2 max(0, g)^2. The quadratic
/// one ends above its limit by what the task is worth; the linear one meets it if c is large enough.
struct Penalty {
  enum class Power { linear, quadratic };

  double weight = 10;              ///< strength, as a multiple of the loss after warm-up
  Power power = Power::quadratic;  ///< of the violation

  struct Memory {
    double strength = 0;
    static void attributes(auto& self, auto&& visit) { visit("strength", self.strength); }
  };

  std::string_view name() const { return "penalty"; }
  std::string to_string() const {
    return format("penalty, weight {}, {}", weight, power == Power::linear ? "linear" : "quadratic");
  }

  Memory start(double, double task_loss) const {
    require<ArgumentError>(std::isfinite(weight) && weight >= 0, "Penalty: expected a finite weight of 0 or more, got {}",
                           weight);
    return {.strength = weight * task_loss};
  }
  double strength(const Memory& memory, double) const { return memory.strength; }
  template <class N>
  N term(const N& violation, const Memory& memory, double) const {
    const N excess = positive_part(violation);
    return power == Power::linear ? excess * memory.strength : excess * excess * (memory.strength / 2);
  }
};
static_assert(Formulation<Penalty>);

}  // namespace siena
