// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: siena: Channels.. are an axis of layers with output channels of their own, Conv1d, Conv2d or Linear; other layers
#include "siena/nn/network.hpp"
#include "siena/space/searchable.hpp"

struct Half {
  std::string_view kind() const { return "half"; }
  siena::Shape setup(siena::LayerSetup& setup) const { return setup.input(); }
  siena::Var forward(siena::Forward& f) const { return f.input(); }
#ifdef CONTROL
  static constexpr bool makes_channels = true;
#endif
};

siena::Network build() {
  return siena::Network(siena::Shape{8}, [](siena::Flow x) { return x | siena::Searchable{Half{}, siena::Channels{}}; });
}
