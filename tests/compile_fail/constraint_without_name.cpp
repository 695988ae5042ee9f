// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a constraint needs `std::string_view name\(\) const`
#include "siena/constraints/constraint_set.hpp"

struct Nameless {
#ifdef CONTROL
  std::string_view name() const { return "nameless"; }
#endif
  template <class N>
  N violation(const siena::Architecture<N>&) const {
    return -1;
  }
};

const auto bounds = siena::subject_to(Nameless{});
