// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a cost model needs `auto layer_cost\(const auto& layer\) const`
#include "siena/cost/macs.hpp"

struct Priceless {
  std::string_view name() const { return "energy"; }
#ifdef CONTROL
  auto layer_cost(const auto& layer) const { return layer.macs() * 2.0; }
#else
  auto cost(const auto& layer) const { return layer.macs() * 2.0; }
#endif
};

double price(const siena::Architecture<double>& network) { return siena::total(Priceless{}, network); }
