// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: to change steps instead of the loss, `void steer\(std::span<double> step, const Linearized& constraints\) const`
#include "siena/constraints/multi_constraint.hpp"

struct Stop {
  std::string_view name() const { return "stop"; }
  std::string to_string() const { return "stop"; }
  siena::NoMemory start(double, double) const { return {}; }
#ifdef CONTROL
  void steer(std::span<double> step, const siena::Linearized&) const { step[0] = 0; }
#else
  void steer(std::span<double> step) const { step[0] = 0; }
#endif
};

siena::MultiConstraint problem{siena::ConstraintSet{}, Stop{}};
