// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a layer model needs `template <class N> std::vector<N> per_layer\(const Architecture<N>& network\) const`
#include "siena/constraints/layer_bound.hpp"

struct Buffers {
  std::string_view name() const { return "buffers"; }
#ifdef CONTROL
  template <class N>
  std::vector<N> per_layer(const siena::Architecture<N>& network) const {
    return std::vector<N>(network.layers.size(), N(1.0));
  }
#else
  auto layer_cost(const auto& layer) const { return layer.weights(); }
#endif
};

const siena::LayerBound bound{Buffers{}, siena::Architecture<double>{}, {.limits = {10}}};
