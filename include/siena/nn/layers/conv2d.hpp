// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "siena/autograd/ops/conv2d.hpp"
#include "siena/nn/coarse_weights.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layer_hooks.hpp"

namespace siena {

/// A height and a width; one number means both.
struct Size2 {
  constexpr Size2(int both) : height(both), width(both) {}  // NOLINT(google-explicit-constructor): `.kernel = 3`
  constexpr Size2(int h, int w) : height(h), width(w) {}
  bool operator==(const Size2&) const = default;
  int height, width;
};

/// Padding that gives ceil(in / stride) outputs as TensorFlow and ONNX SAME_UPPER do (where the
/// total is odd, the extra zero goes behind: below and right).
struct SamePadding {};
inline constexpr SamePadding same{};

/// Zeros around an image: as many a side, per side, or `same`.
struct ImagePadding {
  constexpr ImagePadding(int all) : top(all), bottom(all), left(all), right(all) {}  // NOLINT(google-explicit-constructor)
  constexpr ImagePadding(int vertical, int horizontal) : top(vertical), bottom(vertical), left(horizontal), right(horizontal) {}
  constexpr ImagePadding(int t, int b, int l, int r) : top(t), bottom(b), left(l), right(r) {}
  constexpr ImagePadding(SamePadding) : ImagePadding(0) { is_same = true; }  // NOLINT(google-explicit-constructor)
  bool operator==(const ImagePadding&) const = default;
  int top, bottom, left, right;
  bool is_same = false;
};

/// 2-D convolution (cross-correlation) with any kernel, stride, dilation, padding and groups. Weights: KH x KW x Cin/groups x
/// Cout, uniform in +-1/sqrt(fan-in); bias: Cout, 0. `groups = Conv2d::depthwise` gives each input channel its own filters.
struct Conv2d {
  static constexpr int depthwise = 0;

  int out = 0;                  ///< output channels
  Size2 kernel = 1;             ///< size of the window
  Size2 stride = 1;             ///< pixels from one window to the next
  ImagePadding padding = same;  ///< zeros around the image
  Size2 dilation = 1;           ///< pixels from one tap to the next
  int groups = 1;               ///< parts of the channels that are convolved apart
  bool bias = true;             ///< whether a number is added to each output channel
  WeightBits weight_bits = 0;   ///< with how many bits it computes with its weights, 2 to 8; 0: as floats

  std::string_view kind() const { return "conv2d"; }
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

  /// Sizes for inputs of a shape; throws ShapeError where nothing fits.
  kernels::ConvGeometry geometry(const Shape& in, std::string_view where = "Conv2d") const {
    return kernels::conv_geometry({.in_height = in[0],
                                   .in_width = in[1],
                                   .in_channels = in[2],
                                   .out_channels = out,
                                   .kernel_height = kernel.height,
                                   .kernel_width = kernel.width,
                                   .stride_height = stride.height,
                                   .stride_width = stride.width,
                                   .dilation_height = dilation.height,
                                   .dilation_width = dilation.width,
                                   .pad_top = pad(in[0], true).before,
                                   .pad_bottom = pad(in[0], true).after,
                                   .pad_left = pad(in[1], false).before,
                                   .pad_right = pad(in[1], false).after,
                                   .groups = group_count(in[2])},
                                  where);
  }
  int group_count(std::int64_t in_channels) const { return groups == depthwise ? static_cast<int>(in_channels) : groups; }
  /// What Conv1d is as a convolution of images, this one is.
  Conv2d image() const { return *this; }
  void set_image(const Conv2d& image) { *this = image; }

  static constexpr bool makes_channels = true, takes_batch_norm = true;
  ChannelRule channel_rule(const LayerSite& at) const {
    const int count = group_count(at.channels());
    return count == 1 ? ChannelRule::makes() : ChannelRule::makes_in_blocks(at.channels() / count, out / count);
  }
  TensorAxes tensor_axes(const LayerSite& at, int tensor) const {
    return {.reads = tensor == 0 && group_count(at.channels()) == 1, .makes = true};
  }
  Conv2d narrowed(const KeptChannels& kept) const {
    Conv2d narrow = *this;
    narrow.out = static_cast<int>(kept.out.size()), narrow.weight_bits = weight_bits.kept(kept.out);
    if (const int count = group_count(kept.read); count > 1) {
      const std::int64_t each = kept.read / count;
      narrow.groups = each == 1 ? depthwise : static_cast<int>(static_cast<std::int64_t>(kept.in.size()) / each);
    }
    return narrow;
  }
  void describe(auto& layer, const LayerSite& at) const {
    const std::int64_t in = at.channels();
    const int count = group_count(in);
    layer.kernel_height = kernel.height, layer.kernel_width = kernel.width;
    layer.stride_height = stride.height, layer.stride_width = stride.width;
    if (kernel.height > 1) layer.dilation_height = dilation.height;
    if (kernel.width > 1) layer.dilation_width = dilation.width;
    if (at.inputs[0].rank() == 3) layer.pad_top = pad(at.inputs[0][0], true).before;
    if (at.inputs[0].rank() > 1) layer.pad_left = pad(at.inputs[0][-2], false).before;
    layer.bias = bias;
    weight_bits.describe(layer);
    // One channel is depthwise where that was asked for: what a search leaves of a wider layer stays what it was. But several
    // filters of one channel are a plain convolution, as the network that is left says.
    const bool each = count == in && (in > 1 || (groups == depthwise && out == 1));
    const bool plain = !each || (out > in && value_of(layer.in_channels) == 1);
    layer.kind = plain ? layer.conv2d : layer.depthwise_conv2d;
    if (!plain) layer.multiplier = out / static_cast<int>(in);
    if (!each && count > 1)
      layer.groups = layer.in_channels / (static_cast<double>(in) / count);  // as many as there are channels for
  }

  Shape setup(LayerSetup& setup) const {
    const kernels::ConvGeometry g = geometry(setup.image(), setup.where());
    weight_bits.check(out, setup.where());
    const std::int64_t in = g.group_in_channels();
    setup.parameter("weight", {kernel.height, kernel.width, in, out}, Init::uniform(g.weight_rows()), true);
    if (bias) setup.parameter("bias", {out}, Init::constant(0), false);
    return {g.out_height, g.out_width, out};
  }

  Var forward(Forward& f) const {
    const CoarseParameters with = coarse_parameters(f, weight_bits);
    return ops::conv2d(f.input(), with.weights, with.bias, geometry(f.input().shape().sample()), f.output_shape());
  }
  void lower(Lowering& to) const {
    to.is(primitive::Convolution{geometry(to.input(), to.where()), weight_bits}, coarse_constants(to, weight_bits));
  }

 private:
  kernels::Padding pad(std::int64_t in, bool vertical) const {
    if (padding.is_same) {  // a stride below 1 is refused with the other sizes
      return vertical ? kernels::same_padding(in, kernel.height, std::max(stride.height, 1), dilation.height)
                      : kernels::same_padding(in, kernel.width, std::max(stride.width, 1), dilation.width);
    }
    return vertical ? kernels::Padding{padding.top, padding.bottom} : kernels::Padding{padding.left, padding.right};
  }
};

}  // namespace siena
