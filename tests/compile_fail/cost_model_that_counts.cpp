// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: layer_cost and network_cost return a bool or an int, which has no gradient
#include "siena/constraints/bound.hpp"

#ifdef CONTROL
#define RESULT N
#else
#define RESULT int
#endif

struct Layers {
  std::string_view name() const { return "layers"; }
  template <class N>
  RESULT layer_cost(const siena::LayerDesc<N>& layer) const {
    return layer.has_weights() ? 1 : 0;
  }
};

const siena::AtMost<Layers> bound(Layers{}, 8);
