// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a cost model needs `std::string_view name\(\) const`
#include "siena/cost/macs.hpp"

struct Nameless {
#ifdef CONTROL
  std::string_view name() const { return "energy"; }
#endif
  auto layer_cost(const auto& layer) const { return layer.macs() * 2.0; }
};

double price(const siena::Architecture<double>& network) { return siena::total(Nameless{}, network); }
