// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "siena/cost/as_deployed.hpp"
#include "siena/cost/code_size.hpp"
#include "siena/cost/code_sizes.hpp"
#include "siena/cost/cost_model.hpp"

namespace siena {

/// Bytes that a network takes in flash as the C of deploy::c_source: weights of 8 bits, a bias and a multiplier of 32 bits for
/// each output channel, with what fills up pairs of filters and inputs (Cortex-M); tables of activations; and code, a function
/// for each distinct shape, by what was measured. Left out: names of classes, and what is not the network's (start-up code,
/// main, the library). Tables are exact. Code is rather too much than too little, and has no slope: where a layer comes to have
/// the shape of another one, or one with less code, the price falls by that.
struct Flash {
  CodeSize code = code_portable;

  std::string_view name() const { return "flash"; }
  std::string_view unit() const { return "B"; }
  std::string to_string() const {
    return format("{}, {}, {}", name(), code.target == CTarget::portable ? "portable" : "cortex-m", code.measured_with);
  }

  template <class N>
  N network_cost(const Architecture<N>& network) const {
    const Architecture<N> deployed = as_deployed(network);
    N sum = code.network;
    for (std::size_t i = 0; i < deployed.layers.size(); ++i) {
      const LayerDesc<N>& layer = deployed.layers[i];
      sum += tables(layer) * layer.presence;
      const double function = code.of(convert<double>(layer));
      if (function == 0) continue;
      sum += layer.presence * (code.call + (is_new(deployed, i) ? function : 0));
    }
    return sum;
  }
  /// Of one layer.
  template <class N>
  N tables(const LayerDesc<N>& layer) const {
    const bool fills = code.target == CTarget::cortex_m;
    switch (layer.kind) {
      case LayerKind::conv2d:
      case LayerKind::linear: {
        const bool product = layer.kind == LayerKind::linear || layer.pointwise(),
                   run = layer.dilation_width == 1 && layer.groups == 1.0;
        const N inputs = layer.in_channels / layer.groups * (run && !product ? layer.kernel_width : 1.0);
        const N filters = even(layer.filters() / layer.groups, fills) * layer.groups;
        const N weights =
            filters * even(inputs, fills) * double(layer.kernel_height) * (run || product ? 1.0 : layer.kernel_width);
        return (layer.repeated ? N(0) : weights) + filters * 8.0;
      }
      case LayerKind::depthwise_conv2d:
        return (layer.repeated ? N(0) : layer.filters() * (double(layer.kernel_height) * layer.kernel_width)) +
               layer.filters() * 8.0;
      case LayerKind::batch_norm:
        return layer.in_channels * 9.0;
      case LayerKind::activation:
        return value_of(layer.own_weights) > 1 ? layer.own_weights * 4.0 : N(256);
      case LayerKind::other:
        return layer.own_weights * 4.0;
      case LayerKind::pool:
        return layer.operation != "max_pool" && windows_differ(layer) ? layer.kernel_height * layer.kernel_width * 4.0 : 0.0;
      default:
        return 0;
    }
  }

 private:
  template <class N>
  static N even(const N& count, bool fills) {
    return fills ? N(ceil_div(count, 2) * 2.0) : count;
  }
  /// Whether no layer before it has the same function.
  template <class N>
  static bool is_new(const Architecture<N>& network, std::size_t i) {
    const auto key = [](const LayerDesc<N>& from) {
      LayerDesc<double> layer = convert<double>(from);
      layer.name.clear(), layer.node = -1, layer.batch_norm_folded = layer.repeated = false, layer.bias = false;
      layer.presence = 1, layer.slices.clear(), layer.weight_bits = layer.input_bits = layer.output_bits = 8;
      layer.producers.assign(layer.kind == LayerKind::concat ? layer.producers.size() : 0, 0);
      if (layer.kind == LayerKind::activation) layer.operation = layer.own_weights > 1 ? "prelu" : "table";
      return layer;
    };
    const LayerDesc<double> own = key(network.layers[i]);
    for (std::size_t k = 0; k < i; ++k)
      if (network.layers[k].kind == own.kind && key(network.layers[k]) == own) return false;
    return true;
  }
};
static_assert(CostModel<Flash>);

}  // namespace siena
