// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string_view>

#include "siena/autograd/ops/activation.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layer_hooks.hpp"

namespace siena {

/// max(x, 0).
struct Relu {
  std::string_view kind() const { return "relu"; }
  static void attributes(auto&, auto&&) {}
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.activation; }
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return ops::relu(f.input()); }
  void lower(Lowering& to) const { to.is(primitive::Clamp{.low = 0}); }
};

/// min(max(x, low), high). By default, and under the name Relu6, up to 6 (as in MobileNet, arXiv 1704.04861).
struct Clip {
  double low = 0, high = 6;
  std::string_view kind() const { return "clip"; }
  static void attributes(auto& self, auto&& visit) {
    visit("low", self.low);
    visit("high", self.high);
  }
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  Clip narrowed(const KeptChannels&) const { return *this; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.activation; }
  Shape setup(LayerSetup& setup) const {
    require<ArgumentError>(std::isfinite(low) && std::isfinite(high) && low < high,
                           "{}: expected two finite levels, the lower one first, got {} and {}", setup.where(), low, high);
    return setup.input();
  }
  Var forward(Forward& f) const {
    return ops::clip(f.input(), {.low = static_cast<float>(low), .high = static_cast<float>(high)});
  }
  void lower(Lowering& to) const { to.is(primitive::Clamp{low, high}); }
};
using Relu6 = Clip;

/// x where x > 0, else slope x.
struct LeakyRelu {
  double slope = 0.01;  ///< below 0
  std::string_view kind() const { return "leaky_relu"; }
  static void attributes(auto& self, auto&& visit) { visit("slope", self.slope); }
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  LeakyRelu narrowed(const KeptChannels&) const { return *this; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.activation; }
  Shape setup(LayerSetup& setup) const {
    require<ArgumentError>(slope >= 0 && slope < 1, "{}: expected a slope in [0, 1), got {}", setup.where(), slope);
    return setup.input();
  }
  Var forward(Forward& f) const { return ops::leaky_relu(f.input(), slope); }
  void lower(Lowering& to) const { to.is(primitive::Curve{primitive::Curve::Kind::leaky_relu, slope}); }
};

/// x where x > 0, else slope x, one learnt slope a channel.
struct PRelu {
  double slope = 0.25;  ///< of each channel below 0, at first
  std::string_view kind() const { return "prelu"; }
  static void attributes(auto& self, auto&& visit) { visit("slope", self.slope); }
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {.makes = true}; }
  PRelu narrowed(const KeptChannels&) const { return *this; }
  static void describe(auto& layer, const LayerSite&) {
    layer.kind = layer.activation;
    layer.own_weights = layer.in_channels;
  }
  Shape setup(LayerSetup& setup) const {
    setup.parameter("weight", {setup.input()[-1]}, Init::constant(slope), false);
    return setup.input();
  }
  Var forward(Forward& f) const { return ops::prelu(f.input(), f.parameter(0)); }
  void lower(Lowering& to) const { to.is(primitive::PRelu{}); }
};

/// 1 / (1 + exp(-x)).
struct Sigmoid {
  std::string_view kind() const { return "sigmoid"; }
  static void attributes(auto&, auto&&) {}
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.activation; }
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return ops::sigmoid(f.input()); }
  void lower(Lowering& to) const { to.is(primitive::Curve{primitive::Curve::Kind::sigmoid}); }
};

/// (x + 3) / 6, clipped to [0, 1]: a sigmoid for integers (as in MobileNetV3, arXiv 1905.02244).
struct HardSigmoid {
  std::string_view kind() const { return "hard_sigmoid"; }
  static void attributes(auto&, auto&&) {}
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.activation; }
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return ops::hard_sigmoid(f.input()); }
  void lower(Lowering& to) const { to.is(primitive::Curve{primitive::Curve::Kind::hard_sigmoid}); }
};

/// x times its HardSigmoid.
struct HardSwish {
  std::string_view kind() const { return "hard_swish"; }
  static void attributes(auto&, auto&&) {}
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.activation; }
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return ops::hard_swish(f.input()); }
  void lower(Lowering& to) const { to.is(primitive::Curve{primitive::Curve::Kind::hard_swish}); }
};

struct Tanh {
  std::string_view kind() const { return "tanh"; }
  static void attributes(auto&, auto&&) {}
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.activation; }
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return ops::tanh(f.input()); }
  void lower(Lowering& to) const { to.is(primitive::Curve{primitive::Curve::Kind::tanh}); }
};

/// While training, zeroes elements with a probability and scales the others up; else nothing.
struct Dropout {
  double probability = 0.5;  ///< of each element to become 0
  std::string_view kind() const { return "dropout"; }
  static void attributes(auto& self, auto&& visit) { visit("probability", self.probability); }
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  Dropout narrowed(const KeptChannels&) const { return *this; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.activation; }
  Shape setup(LayerSetup& setup) const {
    require<ArgumentError>(probability >= 0 && probability < 1, "{}: expected a probability in [0, 1), got {}", setup.where(),
                           probability);
    return setup.input();
  }
  Var forward(Forward& f) const {
    if (f.mode() == Mode::inference || probability == 0) return f.input();
    return ops::dropout(f.input(), probability, f.random());
  }
  void lower(Lowering& to) const { to.hands_on(); }
};

}  // namespace siena
