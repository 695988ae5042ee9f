// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: per_layer takes Architecture<double> but not Architecture<Scalar>
#include "siena/constraints/layer_bound.hpp"

struct Buffers {
  std::string_view name() const { return "buffers"; }
  std::vector<double> per_layer(const siena::Architecture<double>& network) const {
    return std::vector<double>(network.layers.size(), 1.0);
  }
#ifdef CONTROL
  std::vector<siena::Scalar> per_layer(const siena::Architecture<siena::Scalar>& network) const {
    return std::vector<siena::Scalar>(network.layers.size(), 1.0);
  }
#endif
};

const siena::LayerBound bound{Buffers{}, siena::Architecture<double>{}, {.limits = {10}}};
