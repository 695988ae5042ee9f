// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>

#include "siena/constraints/dual_state.hpp"

namespace siena {

/// The formulation of the paper (arXiv 2310.07217): lambda(e) max(0, g), with strengths that follow from the task. At full
/// strength lambda* = kappa L / max(g0, floor), so the penalty at the start weighs as much as L, the loss after warm-up
/// (g0: exact relative violation at the start). lambda grows linearly from 1 % to 100 % of that until half of the search is
/// over. Beyond the paper: violations are relative (units do not matter), and `floor` keeps the strength finite and above 0
/// where the constraint holds at the start or nearly does.
struct Duccio {
  enum class Schedule { increasing, constant };

  double kappa = 1;
  Schedule schedule = Schedule::increasing;
  double floor = 0.05;
  double first = 0.01;  ///< of the final strength, at the start
  double ramp = 0.5;    ///< part of the search after which the strength is final

  std::string_view name() const { return "duccio"; }

  void start(DualState& dual, double violation, double task_loss) const {
    require<ArgumentError>(kappa > 0 && floor > 0 && first >= 0 && first <= 1 && ramp >= 0,
                           "Duccio: expected kappa > 0, floor > 0, first in [0, 1] and ramp >= 0, got {}, {}, {} and {}", kappa,
                           floor, first, ramp);
    dual = {.loss = task_loss, .strength = kappa * task_loss / std::max(violation, floor)};
  }
  double strength(const DualState& dual, double progress) const {
    if (schedule == Schedule::constant || progress >= ramp) return dual.strength;
    return dual.strength * (first + (1 - first) * progress / ramp);
  }
  template <class N>
  N term(const N& violation, const DualState& dual, double progress) const {
    return positive_part(violation) * strength(dual, progress);
  }
};
static_assert(Formulation<Duccio>);

}  // namespace siena
