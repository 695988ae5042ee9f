// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: siena: a layer with options says which it has when channels are gone, .L narrowed
#include "siena/nn/layer_hooks.hpp"

struct Half {
  double factor = 0.5;
  static void attributes(auto& self, auto&& visit) { visit("factor", self.factor); }
  static siena::ChannelRule channel_rule(const siena::LayerSite&) { return siena::ChannelRule::follows(); }
  static siena::TensorAxes tensor_axes(const siena::LayerSite&, int) { return {}; }
#ifdef CONTROL
  Half narrowed(const siena::KeptChannels&) const { return *this; }
#endif
  static void describe(auto& layer, const siena::LayerSite&) { layer.kind = layer.activation; }
};

void add() { siena::require_hooks<Half>(); }
