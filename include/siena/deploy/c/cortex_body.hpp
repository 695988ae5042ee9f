// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <variant>

#include "siena/cost/liveness.hpp"
#include "siena/deploy/c/architecture.hpp"
#include "siena/deploy/c/body.hpp"
#include "siena/deploy/c/cortex_add.hpp"
#include "siena/deploy/c/cortex_convolution.hpp"
#include "siena/deploy/c/cortex_depthwise.hpp"

namespace siena::deploy::c {

/// An operation for processors with the DSP instructions of Arm, of which all others get the meaning as plain C: for those that
/// have_cortex_body.
inline Body cortex_body(const Site& site) {
  if (const auto* add = std::get_if<integer::Add>(&site.operation.what)) return cortex_add(site, *add);
  const auto& convolution = std::get<integer::Convolution>(site.operation.what);
  return convolution.geometry.depthwise() ? CortexDepthwise(site, convolution).body()
                                          : CortexConvolution(site, convolution).body();
}

/// Whether there is a body of its own for the operation, which works over its input as `arena_overlap` plans it and needs no
/// more scratch memory than that.
inline bool has_cortex_body(const IntegerNetwork& network, const IntegerOperation& operation) {
  if (std::holds_alternative<integer::Add>(operation.what)) return true;
  const auto* convolution = std::get_if<integer::Convolution>(&operation.what);
  if (convolution == nullptr) return false;
  const kernels::ConvGeometry& g = convolution->geometry;
  if (g.depthwise() ? !CortexDepthwise::writes(g) : !CortexConvolution::writes(g)) return false;
  const auto layer = deploy::detail::OperationDescriber(network, operation).describe();
  return static_cast<double>(cortex_body({network, operation}).scratch) <= siena::detail::scratch_of(layer);
}

}  // namespace siena::deploy::c
