// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: violation returns a bool or an int, which has no gradient
#include "siena/constraints/constraint_set.hpp"

#ifdef CONTROL
#define RESULT N
#else
#define RESULT bool
#endif

struct Even {
  std::string_view name() const { return "even"; }
  template <class N>
  RESULT violation(const siena::Architecture<N>& network) const {
    return network.layers.size() % 2 != 0;
  }
};

const auto bounds = siena::subject_to(Even{});
