// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "siena/autograd/ops/batch_norm.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layer_hooks.hpp"

namespace siena {

/// Batch normalisation over all but the channels. Parameters: weight (gamma, 1) and bias (beta, 0); buffers: running_mean and
/// running_variance, of which `momentum` is the weight of the newest batch.
struct BatchNorm {
  double epsilon = 1e-5;  ///< added to the variance
  double momentum = 0.1;  ///< part of a batch in the running statistics

  std::string_view kind() const { return "batch_norm"; }
  static void attributes(auto& self, auto&& visit) {
    visit("epsilon", self.epsilon);
    visit("momentum", self.momentum);
  }
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {.makes = true}; }
  BatchNorm narrowed(const KeptChannels&) const { return *this; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.batch_norm; }

  Shape setup(LayerSetup& setup) const {
    require<ArgumentError>(epsilon > 0 && momentum > 0 && momentum <= 1,
                           "{}: expected epsilon > 0 and momentum in (0, 1], got {} and {}", setup.where(), epsilon, momentum);
    const Shape channels{setup.input()[-1]};
    setup.parameter("weight", channels, Init::constant(1), false);
    setup.parameter("bias", channels, Init::constant(0), false);
    setup.buffer("running_mean", channels, 0.0f);
    setup.buffer("running_variance", channels, 1.0f);
    return setup.input();
  }

  /// What is computed along with it: an add of `residual`, where there is one, and then a ReLU.
  struct Tail {
    bool relu = false;
    Var residual = {};
  };
  Var forward(Forward& f) const { return forward(f, {}); }
  Var forward(Forward& f, const Tail& tail) const {
    return ops::batch_norm<float>(f.input(), f.parameter(0), f.parameter(1), f.buffer(0), f.buffer(1),
                                  {.epsilon = epsilon,
                                   .momentum = momentum,
                                   .training = f.mode() == Mode::training,
                                   .relu = tail.relu,
                                   .residual = tail.residual});
  }
  void lower(Lowering& to) const { to.is(primitive::FixedNorm{epsilon}); }
};

}  // namespace siena
