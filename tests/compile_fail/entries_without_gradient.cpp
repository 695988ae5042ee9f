// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: violation takes Architecture<double> but not Architecture<Scalar>
#include "siena/constraints/constraint_set.hpp"

struct EachLayer {
  std::string_view name() const { return "each layer"; }
  std::vector<double> violations(const siena::Architecture<double>& network) const {
    return std::vector<double>(network.layers.size(), -1.0);
  }
#ifdef CONTROL
  std::vector<siena::Scalar> violations(const siena::Architecture<siena::Scalar>& network) const {
    return std::vector<siena::Scalar>(network.layers.size(), -1.0);
  }
#endif
};

const auto bounds = siena::subject_to(EachLayer{});
