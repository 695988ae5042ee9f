// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

#include "siena/nn/layers/conv2d.hpp"

namespace siena {

/// Padding in front alone, (kernel - 1) * dilation of it: no output reads what comes after its own moment.
struct CausalPadding {};
inline constexpr CausalPadding causal{};

/// Zeros around a signal: as many at both ends, per end, `same` or `causal`.
struct TimePadding {
  constexpr TimePadding(int both) : before(both), after(both) {}  // NOLINT(google-explicit-constructor)
  constexpr TimePadding(int its_before, int its_after) : before(its_before), after(its_after) {}
  constexpr TimePadding(SamePadding) : before(0), after(0), is_same(true) {}      // NOLINT(google-explicit-constructor)
  constexpr TimePadding(CausalPadding) : before(0), after(0), is_causal(true) {}  // NOLINT(google-explicit-constructor)
  bool operator==(const TimePadding&) const = default;
  int before, after;
  bool is_same = false, is_causal = false;
};

/// Convolution (cross-correlation) along time of signals T x C, with any kernel, stride, dilation, padding and groups. Weights:
/// K x Cin/groups x Cout, the oldest tap first, uniform in +-1/sqrt(fan-in); bias: Cout, 0. Computed as a convolution of images
/// of height 1. `groups = Conv1d::depthwise` gives each input channel its own filters.
struct Conv1d {
  static constexpr int depthwise = Conv2d::depthwise;

  int out = 0;                 ///< output channels
  int kernel = 1;              ///< taps of the window
  int stride = 1;              ///< moments from one window to the next
  TimePadding padding = same;  ///< zeros before and after the signal
  int dilation = 1;            ///< moments from one tap to the next
  int groups = 1;              ///< parts of the channels that are convolved apart
  bool bias = true;            ///< whether a number is added to each output channel
  WeightBits weight_bits = 0;  ///< with how many bits it computes with its weights, 2 to 8; 0: as floats

  std::string_view kind() const { return "conv1d"; }
  static void attributes(auto& self, auto&& visit) {
    visit("out", self.out);
    visit("kernel", self.kernel);
    visit("stride", self.stride);
    visit("padding", self.padding);
    visit("dilation", self.dilation);
    visit("groups", self.groups);
    visit("bias", self.bias);
    visit("weight_bits", self.weight_bits);
  }

  /// The same convolution of images of height 1.
  Conv2d image() const {
    constexpr std::int64_t most = std::numeric_limits<int>::max();
    const int before =
        padding.is_causal ? static_cast<int>(std::clamp((std::int64_t{kernel} - 1) * dilation, -most, most)) : padding.before;
    return {.out = out,
            .kernel = {1, kernel},
            .stride = {1, stride},
            .padding = padding.is_same ? ImagePadding(same) : ImagePadding(0, 0, before, padding.after),
            .dilation = {1, dilation},
            .groups = groups,
            .bias = bias,
            .weight_bits = weight_bits};
  }
  /// Becomes the layer whose `image` that is. Causal padding stays causal.
  void set_image(const Conv2d& image) {
    const bool was_causal = padding.is_causal;
    *this = {.out = image.out,
             .kernel = image.kernel.width,
             .stride = image.stride.width,
             .padding = was_causal              ? TimePadding(causal)
                        : image.padding.is_same ? TimePadding(same)
                                                : TimePadding(image.padding.left, image.padding.right),
             .dilation = image.dilation.width,
             .groups = image.groups,
             .bias = image.bias,
             .weight_bits = image.weight_bits};
  }
  /// Sizes for inputs of a shape; throws ShapeError where nothing fits.
  kernels::ConvGeometry geometry(const Shape& in, std::string_view where = "Conv1d") const {
    return image().geometry({1, in[0], in[1]}, where);
  }
  int group_count(std::int64_t in_channels) const { return image().group_count(in_channels); }

  static constexpr bool makes_channels = true, takes_batch_norm = true;
  ChannelRule channel_rule(const LayerSite& at) const { return image().channel_rule(at); }
  TensorAxes tensor_axes(const LayerSite& at, int tensor) const { return image().tensor_axes(at, tensor); }
  Conv1d narrowed(const KeptChannels& kept) const {
    Conv1d narrow = *this;
    narrow.set_image(image().narrowed(kept));
    return narrow;
  }
  void describe(auto& layer, const LayerSite& at) const { image().describe(layer, at); }

  Shape setup(LayerSetup& setup) const {
    require<ShapeError>(setup.input().rank() == 2, "{}: expected signals of time x channels, got {}", setup.where(),
                        setup.input());
    const kernels::ConvGeometry g = geometry(setup.input(), setup.where());
    weight_bits.check(out, setup.where());
    const std::int64_t in = g.group_in_channels();
    setup.parameter("weight", {kernel, in, out}, Init::uniform(g.weight_rows()), true);
    if (bias) setup.parameter("bias", {out}, Init::constant(0), false);
    return {g.out_width, out};
  }
  Var forward(Forward& f) const {
    const CoarseParameters with = coarse_parameters(f, weight_bits);
    return ops::conv2d(f.input(), with.weights, with.bias, geometry(f.input().shape().sample()), f.output_shape());
  }
  void lower(Lowering& to) const {
    to.is(primitive::Convolution{geometry(to.input(), to.where()), weight_bits}, coarse_constants(to, weight_bits));
  }
};

}  // namespace siena
