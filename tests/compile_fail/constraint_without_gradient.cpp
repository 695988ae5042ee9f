// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: violation takes Architecture<double> but not Architecture<Scalar>
#include "siena/constraints/constraint_set.hpp"

struct Capacity {
  std::string_view name() const { return "capacity"; }
#ifdef CONTROL
  template <class N>
  N violation(const siena::Architecture<N>&) const {
    return -1;
  }
#else
  double violation(const siena::Architecture<double>&) const { return -1; }
#endif
};

const auto bounds = siena::subject_to(Capacity{});
