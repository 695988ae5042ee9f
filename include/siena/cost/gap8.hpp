// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "siena/core/units.hpp"
#include "siena/cost/cost_model.hpp"

namespace siena {

/// Clock cycles on the 8-core cluster of GAP8 with the PULP-NN kernels, without transfers between memories (the model of
/// arXiv 2310.07217). With k kernel elements and Ho x Wo outputs:
///   convolution  ceil(Ho/2) ceil(Wo/8) (2 k Cin + ceil(Cout/4) (5 + 14 ceil(k Cin / 4) + 10)), once per group
///   depthwise    4 ceil(C/4) Ho Wo k
///   linear       ceil(Cin/2) ceil(Cout/4)
/// Values are exact; slopes are those at the granularity of the tiles. Custom layers pay a cycle per 8 MACs; others are free.
/// Times need the clock.
struct Gap8 {
  Hertz clock = {};

  std::string_view name() const { return "gap8"; }
  std::string_view unit() const { return "cycles"; }

  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    const double pixels = double(layer.out_height) * layer.out_width;
    switch (layer.kind) {
      case LayerKind::conv2d: {
        const double tiles = ceil_div(layer.out_height, 2) * ceil_div(layer.out_width, 8) * layer.groups;
        const N patch = layer.taps() * layer.in_channels / double(layer.groups);  // inputs of one output, gathered first
        const N filters = layer.out_channels / double(layer.groups);
        return (patch * 2.0 + ceil_div(filters, 4) * (ceil_div(patch, 4) * 14.0 + 15.0)) * tiles;
      }
      case LayerKind::depthwise_conv2d:
        return ceil_div(layer.filters(), 4) * layer.taps() * (4 * pixels);
      case LayerKind::linear:
        return ceil_div(layer.in_channels, 2) * ceil_div(layer.out_channels, 4) * pixels;
      case LayerKind::other:
        return layer.own_macs / 8.0;
      default:
        return 0;
    }
  }

  template <class N>
  N cycles(const Architecture<N>& network) const {
    return total(*this, network);
  }
  /// Cycles divided by the clock. Throws ArgumentError where the clock was not given.
  template <class N>
  N seconds(const Architecture<N>& network) const {
    require<ArgumentError>(clock.value > 0,
                           "Gap8: expected a clock to turn cycles into time, got none; write Gap8{{.clock = 100_MHz}}");
    return cycles(network) / clock.value;
  }
};
static_assert(CostModel<Gap8>);

}  // namespace siena
