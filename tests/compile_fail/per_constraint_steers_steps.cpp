// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a formulation that steers steps, or has one for each constraint, holds all constraints at once; it cannot be one of several
#include "siena/constraints.hpp"

#ifdef CONTROL
const siena::PerConstraint formulations{siena::Duccio{}, siena::NuPi{}};
#else
const siena::PerConstraint formulations{siena::Duccio{}, siena::Steer{}};
#endif
