// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a latency bound has a unit: write `LatencyBound.model, 3_ms.`
#include "siena/constraints/bound.hpp"
#include "siena/cost/gap8.hpp"

using namespace siena;

#ifdef CONTROL
const LatencyBound bound{Gap8{.clock = 100_MHz}, 3_ms};
#else
const LatencyBound bound{Gap8{.clock = 100_MHz}, 3};
#endif
