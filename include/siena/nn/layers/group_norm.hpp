// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "siena/autograd/ops/group_norm.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layer_hooks.hpp"

namespace siena {

/// Normalises every sample by itself, groups of neighbouring channels over all positions (arXiv 1803.08494): no batch, no
/// running statistics. `groups`: 1 is a layer norm, as many as there are channels an instance norm. Parameters: weight (gamma,
/// 1) and bias (beta, 0). Statistics are those of whole groups, so channels stay or go in whole groups, whose size stays.
struct GroupNorm {
  int groups = 1;         ///< of channels
  double epsilon = 1e-5;  ///< added to the variance

  std::string_view kind() const { return "group_norm"; }
  static void attributes(auto& self, auto&& visit) {
    visit("groups", self.groups);
    visit("epsilon", self.epsilon);
  }
  ChannelRule channel_rule(const LayerSite& at) const { return ChannelRule::follows(at.channels() / groups); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {.makes = true}; }
  GroupNorm narrowed(const KeptChannels& kept) const {
    const std::int64_t each = kept.read / groups;
    return {.groups = static_cast<int>(static_cast<std::int64_t>(kept.in.size()) / each), .epsilon = epsilon};
  }
  /// A value is squared for the variance and scaled once.
  static void describe(auto& layer, const LayerSite&) {
    layer.kind = layer.other;
    layer.own_weights = layer.in_channels * 2.0;
    layer.own_macs = layer.in_channels * 2.0 * (layer.in_height * layer.in_width);
    layer.in_place = true;
  }

  Shape setup(LayerSetup& setup) const {
    const std::int64_t channels = setup.input()[-1];
    require<ArgumentError>(groups > 0 && channels % groups == 0 && epsilon > 0,
                           "{}: expected a number of groups that divides {} channels, and epsilon > 0, got {} and {}",
                           setup.where(), channels, groups, epsilon);
    setup.parameter("weight", {channels}, Init::constant(1), false);
    setup.parameter("bias", {channels}, Init::constant(0), false);
    return setup.input();
  }
  Var forward(Forward& f) const {
    return ops::group_norm<float>(f.input(), f.parameter(0), f.parameter(1), {.groups = groups, .epsilon = epsilon});
  }
  void lower(Lowering& to) const { to.is(primitive::SampleNorm{groups, epsilon}); }
};

}  // namespace siena
