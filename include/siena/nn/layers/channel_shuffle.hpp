// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "siena/autograd/ops/rearrange.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layer_hooks.hpp"

namespace siena {

/// Channels in turns: the first of each of `groups` equal groups, then the second of each, and so on, so that grouped
/// convolutions hear of one another (arXiv 1707.01083). In a search the groups lose the same channels.
struct ChannelShuffle {
  int groups = 2;  ///< of neighbouring channels, from which they are dealt out

  std::string_view kind() const { return "channel_shuffle"; }
  static void attributes(auto& self, auto&& visit) { visit("groups", self.groups); }
  ChannelRule channel_rule(const LayerSite&) const { return ChannelRule::interleaves(groups); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  ChannelShuffle narrowed(const KeptChannels&) const { return *this; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.rearrange; }

  Shape setup(LayerSetup& setup) const {
    require<ArgumentError>(groups > 0 && setup.input()[-1] % groups == 0,
                           "{}: expected a number of groups that divides {} channels, got {}", setup.where(), setup.input()[-1],
                           groups);
    return setup.input();
  }
  Var forward(Forward& f) const { return ops::interleave_channels(f.input(), groups); }
  void lower(Lowering& to) const { to.is(primitive::Shuffle{groups}); }
};

}  // namespace siena
