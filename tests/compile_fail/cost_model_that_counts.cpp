// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: layer_cost and network_cost return a bool or an int, which has no gradient
#include "siena/constraints/bound.hpp"

struct Layers {
  std::string_view name() const { return "layers"; }
  template <class N>
#ifdef CONTROL
  N layer_cost(const siena::LayerDesc<N>& layer) const {
#else
  int layer_cost(const siena::LayerDesc<N>& layer) const {
#endif
      return layer.has_weights() ? 1 : 0;
}
}
;

const siena::AtMost<Layers> bound(Layers{}, 8);
