// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a formulation needs `std::string to_string\(\) const`, a text with every option
#include "siena/constraints/multi_constraint.hpp"

struct Formula {
  std::string_view name() const { return "formula"; }
#ifdef CONTROL
  std::string to_string() const { return "formula"; }
#endif
  siena::NoMemory start(double, double) const { return {}; }
  double strength(const siena::NoMemory&, double) const { return 1; }
  template <class N>
  N term(const N& violation, const siena::NoMemory&, double) const {
    return violation;
  }
};

siena::MultiConstraint problem{siena::ConstraintSet{}, Formula{}};
