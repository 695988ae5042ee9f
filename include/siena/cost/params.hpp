// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "siena/cost/cost_model.hpp"

namespace siena {

/// Number of weights that are stored: weights that are used twice count once. With `bias`, also the biases as deployed
/// (batch norms folded).
struct Params {
  bool bias = false;  ///< whether biases count, too

  std::string_view name() const { return "params"; }
  std::string to_string() const { return bias ? "params, biases too" : "params"; }
  std::string_view unit() const { return "weights"; }

  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    if (layer.repeated) return 0;
    return bias ? layer.weights() + layer.biases() : layer.weights();
  }
};
static_assert(CostModel<Params>);

}  // namespace siena
