// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: siena: a layer says of which operations it is made, .void lower.Lowering& to. const
#include "siena/nn/layers.hpp"

struct Half {
#ifdef CONTROL
  void lower(siena::Lowering& to) const { to.is(siena::primitive::Clamp{.low = 0}); }
#endif
};

void write() { siena::require_lowering<Half>(); }
