// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a formulation needs `std::string_view name\(\) const`
#include "siena/constraints.hpp"

#ifdef CONTROL
const siena::PerConstraint formulations{siena::Duccio{}, siena::NuPi{}};
#else
const siena::PerConstraint formulations{siena::Duccio{}, 3};
#endif
