// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "siena/cost/cost_model.hpp"

namespace siena {

/// Bytes of the input, the output and the weights of one layer: what must lie in a memory for the layer to run there without
/// being cut into tiles (the second stage of arXiv 2310.07217: 44,000 B of L1 and 400,000 B of L2 on GAP8). Bit widths count,
/// biases do not. Batch norms that fold, activations, flattens and mixtures run within their neighbours and take nothing; an
/// add or a product has several inputs. For bounds on every layer there is `per_layer`, what each takes if it is there; the
/// price of a network is that of its largest layer, each weighed by its presence.
struct LayerMemory {
  std::string_view name() const { return "layer memory"; }
  std::string_view unit() const { return "B"; }

  template <class N>
  std::vector<N> per_layer(const Architecture<N>& network) const {
    std::vector<N> bytes;
    for (const LayerDesc<N>& layer : network.layers) bytes.push_back(takes(layer));
    return bytes;
  }
  template <class N>
  N network_cost(const Architecture<N>& network) const {
    N largest = 0;
    for (const LayerDesc<N>& layer : network.layers) largest = max_of(largest, takes(layer) * layer.presence);
    return largest;
  }

 private:
  template <class N>
  static N takes(const LayerDesc<N>& layer) {
    const bool within = layer.kind == LayerKind::activation || layer.kind == LayerKind::flatten ||
                        layer.kind == LayerKind::mixture || (layer.kind == LayerKind::batch_norm && layer.batch_norm_folded);
    if (within) return 0;
    N weights = layer.slices.empty() ? layer.weights() * (layer.weight_bits / 8.0) : N(0);
    for (const auto& [bits, filters] : layer.slices) weights += layer.slice(filters, bits).weights() * (bits / 8.0);
    return layer.input_elements() * (layer.input_bits / 8.0) + layer.output_elements() * (layer.output_bits / 8.0) + weights;
  }
};
static_assert(CostModel<LayerMemory>);

}  // namespace siena
