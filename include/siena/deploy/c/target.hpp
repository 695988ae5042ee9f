// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "siena/cost/arena.hpp"
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
