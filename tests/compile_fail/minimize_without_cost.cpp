// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a cost model needs `auto layer_cost\(const auto& layer\) const`
#include "siena/constraints/minimize.hpp"

struct Cost {
  std::string_view name() const { return "cost"; }
#ifdef CONTROL
  auto layer_cost(const auto& layer) const { return layer.weights(); }
#endif
};

const siena::Minimize cost{Cost{}, 0.5};
