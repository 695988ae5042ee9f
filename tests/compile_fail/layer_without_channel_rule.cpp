// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: siena: a layer says what becomes of its channels where channels of its inputs go, .ChannelRule
#include "siena/nn/layer_hooks.hpp"

struct Half {
  double factor = 0.5;
  static void attributes(auto& self, auto&& visit) { visit("factor", self.factor); }
#ifdef CONTROL
  static siena::ChannelRule channel_rule(const siena::LayerSite&) { return siena::ChannelRule::follows(); }
#endif
  static siena::TensorAxes tensor_axes(const siena::LayerSite&, int) { return {}; }
  Half narrowed(const siena::KeptChannels&) const { return *this; }
  static void describe(auto& layer, const siena::LayerSite&) { layer.kind = layer.activation; }
};

void add() { siena::require_hooks<Half>(); }
