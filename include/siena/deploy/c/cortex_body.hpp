// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <variant>

#include "siena/deploy/c/body.hpp"
#include "siena/deploy/c/cortex_add.hpp"
#include "siena/deploy/c/cortex_convolution.hpp"
#include "siena/deploy/c/cortex_depthwise.hpp"

namespace siena::deploy::c {

/// An operation for processors with the DSP instructions of Arm, of which all others get the meaning as plain C: for those that
/// have one (`has_cortex_body`). It works over its input as `arena_overlap` plans it and needs no more scratch memory than
/// that.
inline Body cortex_body(const Site& site) {
  if (const auto* add = std::get_if<integer::Add>(&site.operation.what)) return cortex_add(site, *add);
  const auto& convolution = std::get<integer::Convolution>(site.operation.what);
  return convolution.geometry.depthwise() ? CortexDepthwise(site, convolution).body()
                                          : CortexConvolution(site, convolution).body();
}

}  // namespace siena::deploy::c
