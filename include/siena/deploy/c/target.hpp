// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "siena/cost/arena.hpp"
#include "siena/cost/code_target.hpp"
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
  Body body = cortex ? cortex_body(site) : portable_body(site);
  if (site.asks_shift) body.arguments.push_back({"shift", std::int32_t{shift_bits(site.operation)}});
  return body;
}

/// Holds the numbers of a value in the range of the operation that has made them.
inline Body holding_body(const IntegerNetwork& network, const IntegerOperation& operation) {
  const auto count = static_cast<std::int32_t>(network.output_of(operation).shape.elements());
  return {.name = "hold",
          .about = "any range",
          .code = "for (int32_t i = 0; i < count; ++i) y[i] = (int8_t)siena_clamp(x[i], low, high);\n",
          .arguments = {{"count", count}, {"low", operation.low}, {"high", operation.high}}};
}

}  // namespace siena::deploy::c
