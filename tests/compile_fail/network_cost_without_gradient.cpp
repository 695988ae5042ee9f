// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: network_cost takes Architecture<double> but not Architecture<Scalar>
#include "siena/constraints/bound.hpp"

struct Depth {
  std::string_view name() const { return "depth"; }
#ifdef CONTROL
  template <class N>
  N network_cost(const siena::Architecture<N>& network) const {
#else
  double network_cost(const siena::Architecture<double>& network) const {
#endif
      return static_cast<double>(network.layers.size());
}
}
;

const siena::AtMost bound{Depth{}, 10};
