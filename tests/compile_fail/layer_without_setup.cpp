// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: siena: a layer needs .std::string_view kind.. const., .Shape setup.LayerSetup&. const. and
#include <string_view>

#include "siena/nn/network.hpp"

struct Half {
  std::string_view kind() const { return "half"; }
#ifdef CONTROL
  siena::Shape setup(siena::LayerSetup& setup) const { return setup.input(); }
#endif
  siena::Var forward(siena::Forward& f) const { return f.input(); }
};

siena::Network build() {
  return siena::Network(siena::Shape{4}, [](siena::Flow x) { return x | Half{}; });
}
