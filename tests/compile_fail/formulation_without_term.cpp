// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a formulation needs `template <class N> N term\(const N& violation
#include "siena/constraints/multi_constraint.hpp"

struct Formula {
  std::string_view name() const { return "formula"; }
  std::string to_string() const { return "formula"; }
  siena::NoMemory start(double, double) const { return {}; }
  double strength(const siena::NoMemory&, double) const { return 1; }
#ifdef CONTROL
  template <class N>
  N term(const N& violation, const siena::NoMemory&, double) const {
    return violation;
  }
#endif
};

siena::MultiConstraint problem{siena::ConstraintSet{}, Formula{}};
