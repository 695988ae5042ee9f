// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "siena/autograd/ops/fake_quantize.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layer_hooks.hpp"

namespace siena {

/// Holds values to those that integers of `bits` bits stand for, scale * (q - zero_point), so that a network is trained as it
/// will run: `deploy::quantization_aware` puts one behind each value that an integer network rounds. Gradients pass straight
/// through, but not beyond the ends. A learned scale is the parameter "scale" (Esser et al. 2020, Learned Step Size
/// Quantization). Costs nothing: it vanishes into the operation before it.
struct FakeQuantize {
  double scale = 1;      ///< from one level to the next; of a learned one at first
  int zero_point = 0;    ///< the q of the number 0
  int bits = 8;          ///< q goes from -2^(bits - 1) to 2^(bits - 1) - 1
  bool learned = false;  ///< whether the scale is trained

  std::string_view kind() const { return "fake_quantize"; }
  static void attributes(auto& self, auto&& visit) {
    visit("scale", self.scale);
    visit("zero_point", self.zero_point);
    visit("bits", self.bits);
    visit("learned", self.learned);
  }
  int low() const { return -(1 << (bits - 1)); }
  int high() const { return (1 << (bits - 1)) - 1; }

  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  FakeQuantize narrowed(const KeptChannels&) const { return *this; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.activation; }

  Shape setup(LayerSetup& setup) const {
    require<ArgumentError>(bits >= 2 && bits <= 8, "{}: expected 2 to 8 bits, got {}", setup.where(), bits);
    require<ArgumentError>(std::isfinite(scale) && scale > 0, "{}: expected a finite scale above 0, got {}", setup.where(),
                           scale);
    require<ArgumentError>(zero_point >= low() && zero_point <= high(), "{}: expected a zero point from {} to {}, got {}",
                           setup.where(), low(), high(), zero_point);
    if (learned) setup.parameter("scale", {1}, Init::constant(scale), false);
    setup.macs(0);
    return setup.input();
  }
  Var forward(Forward& f) const {
    const kernels::Levels<float> levels{.step = static_cast<float>(scale),
                                        .zero = static_cast<float>(zero_point),
                                        .low = static_cast<float>(low()),
                                        .high = static_cast<float>(high())};
    return learned ? ops::fake_quantize(f.input(), f.parameter(0), levels) : ops::fake_quantize(f.input(), levels);
  }
  void lower(Lowering& to) const {
    const double now = learned ? std::max(*to.constants()[0].value.data(), ops::least_step<float>) : scale;
    to.part({.what = primitive::Quantize{now, zero_point, low(), high()}, .inputs = {0}, .shape = to.output()});
  }
};

}  // namespace siena
