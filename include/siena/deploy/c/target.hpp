// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "siena/cost/arena.hpp"
#include "siena/deploy/c/architecture.hpp"
#include "siena/deploy/c/body.hpp"
#include "siena/deploy/c/cortex_body.hpp"
#include "siena/deploy/c/options.hpp"
#include "siena/deploy/c/portable_body.hpp"

// What depends on the target.

namespace siena::deploy::c {

/// By which rules values share memory.
inline ArenaRules arena_rules(CTarget target) { return target == CTarget::portable ? arena_siena : arena_cortex_m; }

/// Where the values of a network lie.
inline ArenaPlan arena_of(const IntegerNetwork& network, CTarget target) {
  Architecture<double> architecture = architecture_of(network);
  for (std::size_t i = 0; i < network.operations.size() && target == CTarget::cortex_m; ++i) {
    LayerDesc<double>& layer = architecture.layers[i];
    if (layer.is_convolution() && !has_cortex_body(network, network.operations[i])) layer.in_place = false;
  }
  return plan_arena(architecture, arena_rules(target));
}

inline Body body_of(const Site& site, CTarget target) {
  const bool cortex = target == CTarget::cortex_m && has_cortex_body(site.network, site.operation);
  return cortex ? cortex_body(site) : portable_body(site);
}

}  // namespace siena::deploy::c
