// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a formulation needs `Memory start\(double violation, double task_loss\) const`
#include "siena/constraints/multi_constraint.hpp"

struct Formula {
  std::string_view name() const { return "formula"; }
  std::string to_string() const { return "formula"; }
#ifdef CONTROL
  siena::NoMemory start(double, double) const { return {}; }
#else
  void start(double, double) const {}
#endif
  double strength(const siena::NoMemory&, double) const { return 1; }
  template <class N>
  N term(const N& violation, const siena::NoMemory&, double) const {
    return violation;
  }
};

siena::MultiConstraint problem{siena::ConstraintSet{}, Formula{}};
