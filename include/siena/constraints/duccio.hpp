// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "siena/constraints/formulation.hpp"

namespace siena {

/// The formulation of the paper (arXiv 2310.07217): lambda(e) h(g), by default with the hinge h = max(0, g), and strengths that
/// follow from the task. At full strength lambda* = kappa L / max(h(g0), floor), so the penalty at the start weighs kappa L,
/// with L the loss after warm-up and g0 the exact relative violation at the start. lambda grows linearly from 1 % to 100 % of
/// that until half of the search is over. With g = c / T - 1, the lambda* of the paper, in 1 / unit of c, is this one divided
/// by T; the strengths that its authors chose by hand are kappa = lambda* (c0 - T) / L. Beyond the paper: violations are
/// relative (units do not matter), and `floor` keeps the strength finite and above 0 where the constraint holds at the start or
/// nearly does.
struct Duccio {
  enum class Schedule { increasing, constant };
  /// What of a violation g is charged: max(0, g); |g|, which draws the cost to its limit from below too; or 1 + g = c / T,
  /// which has no limit: the cost is a second objective.
  enum class Shape { hinge, absolute, objective };

  double kappa = 1;                          ///< the penalty at the start, as a multiple of the loss
  Schedule schedule = Schedule::increasing;  ///< whether the strength grows
  Shape shape = Shape::hinge;                ///< what of a violation is charged
  double floor = 0.05;                       ///< least violation at the start that the strength is derived from
  double first = 0.01;                       ///< of the final strength, at the start
  double ramp = 0.5;                         ///< part of the search after which the strength is final

  struct Memory {
    double strength = 0;  ///< final
    static void attributes(auto& self, auto&& visit) { visit("strength", self.strength); }
  };

  std::string_view name() const { return "duccio"; }
  std::string to_string() const {
    constexpr std::string_view shapes[] = {"hinge", "absolute", "objective"};
    return format("duccio, kappa {}, {} from {} in {}, {}, floor {}", kappa,
                  schedule == Schedule::constant ? "constant" : "increasing", first, ramp, shapes[static_cast<int>(shape)],
                  floor);
  }

  Memory start(double violation, double task_loss) const {
    require<ArgumentError>(kappa > 0 && floor > 0 && first >= 0 && first <= 1 && ramp >= 0,
                           "Duccio: expected kappa > 0, floor > 0, first in [0, 1] and ramp >= 0, got {}, {}, {} and {}", kappa,
                           floor, first, ramp);
    return {.strength = kappa * task_loss / std::max(charged(violation), floor)};
  }
  double strength(const Memory& memory, double progress) const {
    if (schedule == Schedule::constant || progress >= ramp) return memory.strength;
    return memory.strength * (first + (1 - first) * progress / ramp);
  }
  template <class N>
  N term(const N& violation, const Memory& memory, double progress) const {
    return charged(violation) * strength(memory, progress);
  }

 private:
  template <class N>
  N charged(const N& violation) const {
    if (shape == Shape::objective) return violation + 1.0;
    if (shape == Shape::absolute && violation < 0.0) return -violation;
    return positive_part(violation);
  }
};
static_assert(Formulation<Duccio>);

}  // namespace siena
