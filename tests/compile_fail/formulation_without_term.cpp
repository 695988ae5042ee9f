// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a formulation needs `template <class N> N term\(const N& violation
#include "siena/constraints/multi_constraint.hpp"

struct Formula {
  std::string_view name() const { return "formula"; }
  void start(siena::DualState& dual, double, double task_loss) const { dual = {.loss = task_loss}; }
  double strength(const siena::DualState& dual, double) const { return dual.loss; }
#ifdef CONTROL
  template <class N>
  N term(const N& violation, const siena::DualState& dual, double) const {
    return violation * dual.loss;
  }
#endif
};

siena::MultiConstraint problem{siena::ConstraintSet{}, Formula{}};
