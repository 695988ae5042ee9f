// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "siena/cost/clock.hpp"

namespace siena {

/// Clock cycles on the 8-core cluster of GAP8 with the PULP-NN kernels, without transfers between memories (the model of
/// arXiv 2310.07217). With k kernel elements and Ho x Wo outputs:
///   convolution  ceil(Ho/2) ceil(Wo/8) (2 k Cin + ceil(Cout/4) (5 + 14 ceil(k Cin / 4) + 10)), once per group
///   depthwise    4 ceil(C/4) Ho Wo k
///   linear       ceil(Cin/2) ceil(Cout/4)
/// Values are exact; slopes are those at the granularity of the tiles. Custom layers pay a cycle per 8 MACs; others are free.
/// For times see `seconds`.
struct Gap8 {
  Hertz clock = {};  ///< for bounds in time; one in cycles needs none

  std::string_view name() const { return "gap8"; }
  std::string_view unit() const { return "cycles"; }

  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    const N pixels = layer.out_height * layer.out_width;
    switch (layer.kind) {
      case LayerKind::conv2d: {
        const N tiles = layer.groups * (ceil_div(layer.out_height, 2) * ceil_div(layer.out_width, 8));
        const N patch = layer.taps() * layer.in_channels / layer.groups;  // inputs of one output, gathered first
        const N filters = layer.out_channels / layer.groups;
        return (patch * 2.0 + ceil_div(filters, 4) * (ceil_div(patch, 4) * 14.0 + 15.0)) * tiles;
      }
      case LayerKind::depthwise_conv2d:
        return ceil_div(layer.filters(), 4) * layer.taps() * (pixels * 4.0);
      case LayerKind::linear:
        return ceil_div(layer.in_channels, 2) * ceil_div(layer.out_channels, 4) * pixels;
      case LayerKind::other:
        return layer.own_macs / 8.0;
      default:
        return 0;
    }
  }
};
static_assert(CostModel<Gap8>);

}  // namespace siena
