// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: siena: a layer that is kept in files can be made by default and names its options in one place, .static void
#include "siena/nn/layers.hpp"

struct Half {
  double factor = 0.5;
#ifdef CONTROL
  static void attributes(auto& self, auto&& visit) { visit("factor", self.factor); }
#endif
};

void keep() { siena::require_attributes<Half>(); }
