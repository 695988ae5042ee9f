// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "siena/cost/cost_model.hpp"

namespace siena {

/// Bytes of the deployed parameters: weights of weight_bits (8 unless the precision is searched), and one 32-bit bias per
/// output channel where the layer has a bias or a batch norm folds into it. A batch norm that cannot fold keeps a scale and
/// a shift of 32 bits per channel. Shared weights count once.
struct ModelSize {
  std::string_view name() const { return "model size"; }
  std::string_view unit() const { return "B"; }

  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    if (layer.repeated) return 0;
    const N weight_bits = layer.kind == LayerKind::batch_norm ? N(32) : layer.weight_bits;
    return layer.weights() * (weight_bits / 8.0) + layer.biases() * 4.0;
  }
};
static_assert(CostModel<ModelSize>);

}  // namespace siena
