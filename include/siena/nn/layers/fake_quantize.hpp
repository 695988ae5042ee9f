// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "siena/autograd/ops/fake_quantize.hpp"
#include "siena/autograd/ops/mask.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layer_hooks.hpp"

namespace siena {

/// Holds values to those that integers of `bits` bits stand for, scale * (q - zero_point), so that a network is trained as it
/// will run: `deploy::quantization_aware` puts one behind each value that an integer network rounds. Gradients pass straight
/// through, but not beyond the ends. A learned scale (Esser et al. 2020, Learned Step Size Quantization) is `share(bits)` of
/// the parameter "range" over the number of steps. Costs nothing: it vanishes into the operation before it.
struct FakeQuantize {
  double scale = 1;      ///< from one level to the next; of a learned one at first
  int zero_point = 0;    ///< the q of the number 0
  int bits = 8;          ///< q goes from -2^(bits - 1) to 2^(bits - 1) - 1
  bool learned = false;  ///< whether the scale is trained
  /// Numbers of bits, rising to `bits`, of which a search chooses (see ActivationBits); none: it has `bits`. Then it is
  /// learned, and the zero point is 0 or the lowest q.
  std::vector<int> widths = {};

  /// Which of the node's parameters and buffers is which where there are widths: alpha has a number for each step from one to
  /// the next, above a half as far as they are taken.
  enum : int { alpha = 0, range_of_widths };
  enum : int { gradient_mean, gradient_variance, gradient_steps };

  std::string_view kind() const { return "fake_quantize"; }
  static void attributes(auto& self, auto&& visit) {
    visit("scale", self.scale);
    visit("zero_point", self.zero_point);
    visit("bits", self.bits);
    visit("learned", self.learned);
    visit("widths", self.widths);
  }
  int low() const { return -(1 << (bits - 1)); }
  int high() const { return (1 << (bits - 1)) - 1; }
  /// Whether none of the values is below 0.
  bool from_zero() const { return zero_point == low(); }
  /// With fewer bits the range is drawn in, as outliers would make the rest too coarse: to the part of that of 8 bits with
  /// which normal values, or the upper half of them, have the least squared error.
  double share() const {
    constexpr double half[] = {0.4632, 0.587, 0.6878, 0.776, 0.8559, 0.9301, 1};
    constexpr double both[] = {0.401, 0.537, 0.6474, 0.7461, 0.8366, 0.9211, 1};
    return (from_zero() ? half : both)[bits - 2];
  }
  /// From one level to the next, by the parameter "range" where the scale is learned.
  float step(const Tensor* learned_range) const {
    return learned ? learned_levels().at(*learned_range->data()).step : static_cast<float>(scale);
  }
  /// What a learned range begins with.
  double range() const { return scale * (high() - low()) / share(); }
  /// The same range, for other bits.
  FakeQuantize with(int other_bits) const {
    FakeQuantize other = *this;
    other.bits = other_bits, other.widths.clear();
    if (from_zero()) other.zero_point = other.low();
    other.scale = range() * other.share() / (other.high() - other.low());
    return other;
  }

  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  FakeQuantize narrowed(const KeptChannels&) const { return *this; }
  void describe(auto& layer, const LayerSite&) const {
    layer.kind = layer.activation;
    layer.signed_levels = !from_zero();
  }

  Shape setup(LayerSetup& setup) const {
    require<ArgumentError>(bits >= 2 && bits <= 8, "{}: expected 2 to 8 bits, got {}", setup.where(), bits);
    require<ArgumentError>(std::isfinite(scale) && scale > 0, "{}: expected a finite scale above 0, got {}", setup.where(),
                           scale);
    require<ArgumentError>(zero_point >= low() && zero_point <= high(), "{}: expected a zero point from {} to {}, got {}",
                           setup.where(), low(), high(), zero_point);
    if (!widths.empty()) {
      const bool rise = std::adjacent_find(widths.begin(), widths.end(), std::greater_equal<>()) == widths.end();
      require<ArgumentError>(rise && widths.size() > 1 && widths.front() >= 2 && widths.back() == bits,
                             "{}: expected several widths, rising from 2 or more to its {} bits", setup.where(), bits);
      require<ArgumentError>(learned && (from_zero() || zero_point == 0),
                             "{}: expected widths where the scale is learned and the zero point 0 or the lowest, got {}",
                             setup.where(), zero_point);
      const auto steps = static_cast<std::int64_t>(widths.size()) - 1;
      setup.parameter("alpha", {steps}, Init::constant(1), false, Role::architecture);
      setup.buffer("gradient_mean", {steps}, 0);
      setup.buffer("gradient_variance", {steps}, 0);
      setup.buffer("gradient_steps", {1}, 0);
    }
    if (learned) setup.parameter("range", {1}, Init::constant(range()), false);
    setup.macs(0);
    return setup.input();
  }
  Var forward(Forward& f) const {
    if (!learned) return ops::fake_quantize(f.input(), levels());
    if (widths.empty()) return ops::fake_quantize(f.input(), f.parameter(0), learned_levels());
    ops::LevelChoices<float> choices;
    for (const int width : widths) choices.each[choices.count++] = with(width).learned_levels();
    return ops::fake_quantize(f.input(), taken(f), f.parameter(range_of_widths), choices);
  }
  void lower(Lowering& to) const {
    require<ArgumentError>(widths.empty(),
                           "{}: expected one number of bits, got {} to choose from; discretize the network first", to.where(),
                           widths.size());
    const double now = learned ? static_cast<double>(step(&to.constants()[0].value)) : scale;
    to.part({.what = primitive::Quantize{now, zero_point, low(), high()}, .inputs = {0}, .shape = to.output()});
  }

 private:
  kernels::Levels<float> levels() const {
    return {.step = static_cast<float>(scale),
            .zero = static_cast<float>(zero_point),
            .low = static_cast<float>(low()),
            .high = static_cast<float>(high())};
  }
  ops::LearnedLevels<float> learned_levels() const {
    return {.levels = levels(), .share = static_cast<float>(share() / (high() - low()))};
  }
  /// 1 for each step that is taken; what a gate makes of alpha, else by alpha itself.
  static Var taken(Forward& f) {
    const Var steps = f.parameter(alpha);
    return ops::binarize(steps, ops::chain_mask(steps.value(), 0.5));
  }
};

}  // namespace siena
