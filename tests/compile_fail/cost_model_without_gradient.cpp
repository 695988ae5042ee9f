// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: layer_cost takes LayerDesc<double> but not LayerDesc<Scalar>
// expect: so that it has a gradient
#include "siena/constraints/bound.hpp"

struct Energy {
  std::string_view name() const { return "energy"; }
#ifdef CONTROL
  auto layer_cost(const auto& layer) const { return layer.macs() * 2.0; }
#else
  double layer_cost(const siena::LayerDesc<double>& layer) const { return layer.macs() * 2.0; }
#endif
};

const siena::AtMost bound{Energy{}, 1e6};
