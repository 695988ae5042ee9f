// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The room constraints: what must hold: bounds and the ways to hold them.

#include "siena/constraints/any_formulation.hpp"
#include "siena/constraints/augmented_lagrangian.hpp"
#include "siena/constraints/bound.hpp"
#include "siena/constraints/constraint.hpp"
#include "siena/constraints/constraint_set.hpp"
#include "siena/constraints/device_bounds.hpp"
#include "siena/constraints/duccio.hpp"
#include "siena/constraints/formulation.hpp"
#include "siena/constraints/layer_bound.hpp"
#include "siena/constraints/minimize.hpp"
#include "siena/constraints/multi_constraint.hpp"
#include "siena/constraints/nonnegative.hpp"
#include "siena/constraints/nu_pi.hpp"
#include "siena/constraints/penalty.hpp"
#include "siena/constraints/per_constraint.hpp"
#include "siena/constraints/steer.hpp"
