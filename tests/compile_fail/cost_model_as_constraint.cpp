// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a cost model is no constraint
// expect: AtMost\{model, limit\}
#include "siena/constraints/bound.hpp"
#include "siena/constraints/constraint_set.hpp"
#include "siena/cost/macs.hpp"

#ifdef CONTROL
const auto bounds = siena::subject_to(siena::AtMost{siena::Macs{}, 1e6});
#else
const auto bounds = siena::subject_to(siena::Macs{});
#endif
