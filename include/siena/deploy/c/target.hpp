// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "siena/cost/arena.hpp"
#include "siena/cost/code_size.hpp"
#include "siena/cost/ram.hpp"
#include "siena/deploy/c/architecture.hpp"
#include "siena/deploy/c/body.hpp"
#include "siena/deploy/c/cortex_body.hpp"
#include "siena/deploy/c/options.hpp"
#include "siena/deploy/c/portable_body.hpp"

// What depends on the target.

namespace siena::deploy::c {

/// Where the values of a network lie.
inline ArenaPlan arena_of(const IntegerNetwork& network, CTarget target) {
  return plan_arena(architecture_of(network), arena_rules(target));
}

inline Body body_of(const Site& site, CTarget target) {
  const bool cortex = target == CTarget::cortex_m &&
                      has_cortex_body(deploy::detail::OperationDescriber(site.network, site.operation).describe());
  return cortex ? cortex_body(site) : portable_body(site);
}

}  // namespace siena::deploy::c
