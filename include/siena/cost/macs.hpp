// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "siena/cost/cost_model.hpp"

namespace siena {

/// Multiply-accumulates with weights per sample, biases not counted.
struct Macs {
  std::string_view name() const { return "macs"; }
  std::string_view unit() const { return "MACs"; }

  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    return layer.macs();
  }
};
static_assert(CostModel<Macs>);

}  // namespace siena
