// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "siena/autograd/ops/conv2d.hpp"
#include "siena/nn/coarse_weights.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layer_hooks.hpp"

namespace siena {

/// y = x W + b. Weights: In x Out, uniform in +-1/sqrt(In); bias: Out. Expects vectors: flatten or pool images first.
struct Linear {
  int out = 0;                 ///< outputs
  bool bias = true;            ///< whether a number is added to each output
  WeightBits weight_bits = 0;  ///< with how many bits it computes with its weights, 2 to 8; 0: as floats

  std::string_view kind() const { return "linear"; }
  static void attributes(auto& self, auto&& visit) {
    visit("out", self.out);
    visit("bias", self.bias);
    visit("weight_bits", self.weight_bits);
  }

  static constexpr bool makes_channels = true, takes_batch_norm = true;
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::makes(); }
  static TensorAxes tensor_axes(const LayerSite&, int tensor) { return {.reads = tensor == 0, .makes = true}; }
  Linear narrowed(const KeptChannels& kept) const {
    Linear narrow = *this;
    narrow.out = static_cast<int>(kept.out.size()), narrow.weight_bits = weight_bits.kept(kept.out);
    return narrow;
  }
  void describe(auto& layer, const LayerSite&) const {
    layer.kind = layer.linear;
    layer.bias = bias;
    weight_bits.describe(layer);
  }

  Shape setup(LayerSetup& setup) const {
    require<ShapeError>(setup.input().rank() == 1,
                        "{}: expected a vector of features, got {}; put Flatten{{}} or GlobalAvgPool{{}} before it",
                        setup.where(), setup.input());
    require<ArgumentError>(out > 0, "{}: expected at least one output, got {}", setup.where(), out);
    weight_bits.check(out, setup.where());
    const std::int64_t in = setup.input()[0];
    setup.parameter("weight", {in, out}, Init::uniform(in), true);
    if (bias) setup.parameter("bias", {out}, Init::constant(0), false);
    return {out};
  }

  Var forward(Forward& f) const {
    const CoarseParameters with = coarse_parameters(f, weight_bits);
    return ops::linear(f.input(), with.weights, with.bias);
  }
  void lower(Lowering& to) const { to.is(primitive::Linear{weight_bits}, coarse_constants(to, weight_bits)); }
};

}  // namespace siena
