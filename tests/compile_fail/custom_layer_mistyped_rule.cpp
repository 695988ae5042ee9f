// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: siena: a layer says what becomes of its channels where channels of its inputs go, .ChannelRule
#include "siena/nn/network.hpp"

struct Half {
  std::string_view kind() const { return "half"; }
  siena::Shape setup(siena::LayerSetup& setup) const { return setup.input(); }
  siena::Var forward(siena::Forward& f) const { return f.input(); }
#ifdef CONTROL
  siena::ChannelRule channel_rule(const siena::LayerSite&) const { return siena::ChannelRule::follows(); }
#else
  siena::ChannelRule channel_rule(const siena::Shape&) const { return siena::ChannelRule::follows(); }
#endif
  siena::TensorAxes tensor_axes(const siena::LayerSite&, int) const { return {}; }
};

siena::Network build() {
  return siena::Network(siena::Shape{8}, [](siena::Flow x) { return x | Half{}; });
}
