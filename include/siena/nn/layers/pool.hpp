// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>

#include "siena/autograd/ops/pool.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layers/conv2d.hpp"

namespace siena {

namespace detail {
inline kernels::ConvGeometry pool_geometry(const Shape& in, Size2 kernel, Size2 stride, ImagePadding padding,
                                           std::string_view where) {
  const bool whole = stride.height == 0;  // windows that touch
  const Size2 step = whole ? kernel : stride;
  const auto vertical = padding.is_same ? kernels::same_padding(in[0], kernel.height, std::max(step.height, 1))
                                        : kernels::Padding{padding.top, padding.bottom};
  const auto horizontal = padding.is_same ? kernels::same_padding(in[1], kernel.width, std::max(step.width, 1))
                                          : kernels::Padding{padding.left, padding.right};
  return kernels::pool_geometry({.in_height = in[0],
                                 .in_width = in[1],
                                 .in_channels = in[2],
                                 .kernel_height = kernel.height,
                                 .kernel_width = kernel.width,
                                 .stride_height = step.height,
                                 .stride_width = step.width,
                                 .pad_top = vertical.before,
                                 .pad_bottom = vertical.after,
                                 .pad_left = horizontal.before,
                                 .pad_right = horizontal.after},
                                where);
}
inline void describe_pool(auto& layer, Size2 kernel, Size2 stride) {
  if (stride.height == 0) stride = kernel;  // windows that touch
  layer.kind = layer.pool;
  layer.kernel_height = kernel.height, layer.kernel_width = kernel.width;
  layer.stride_height = stride.height, layer.stride_width = stride.width;
}
/// Of an image that is padded.
inline void describe_pool(auto& layer, const kernels::ConvGeometry& g) {
  describe_pool(layer, {g.kernel_height, g.kernel_width}, {g.stride_height, g.stride_width});
  layer.pad_top = g.pad_top, layer.pad_left = g.pad_left;
}
}  // namespace detail

/// Largest value of each window. `stride = 0`: windows that touch.
struct MaxPool {
  Size2 kernel = 2;          ///< size of the window
  Size2 stride = 0;          ///< pixels from one window to the next; 0: they touch
  ImagePadding padding = 0;  ///< around the image; never the largest

  std::string_view kind() const { return "max_pool"; }
  static void attributes(auto& self, auto&& visit) {
    visit("kernel", self.kernel);
    visit("stride", self.stride);
    visit("padding", self.padding);
  }
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  MaxPool narrowed(const KeptChannels&) const { return *this; }
  void describe(auto& layer, const LayerSite& at) const { detail::describe_pool(layer, geometry(at.inputs[0], kind())); }
  /// Sizes for inputs of a shape; throws ShapeError where nothing fits.
  kernels::ConvGeometry geometry(const Shape& in, std::string_view where) const {
    return detail::pool_geometry(in, kernel, stride, padding, where);
  }
  Shape setup(LayerSetup& setup) const {
    const auto g = geometry(setup.image(), setup.where());
    return {g.out_height, g.out_width, g.in_channels};
  }
  Var forward(Forward& f) const {
    return ops::max_pool(f.input(), geometry(f.input().shape().sample(), kind()), f.output_shape());
  }
  void lower(Lowering& to) const { to.is(primitive::MaxPool{geometry(to.input(), to.where())}); }
};

/// Mean of each window; padding counts as zeros only if asked. `stride = 0`: windows that touch.
struct AvgPool {
  Size2 kernel = 2;            ///< size of the window
  Size2 stride = 0;            ///< pixels from one window to the next; 0: they touch
  ImagePadding padding = 0;    ///< zeros around the image
  bool count_padding = false;  ///< whether zeros of the padding count

  std::string_view kind() const { return "avg_pool"; }
  static void attributes(auto& self, auto&& visit) {
    visit("kernel", self.kernel);
    visit("stride", self.stride);
    visit("padding", self.padding);
    visit("count_padding", self.count_padding);
  }
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  AvgPool narrowed(const KeptChannels&) const { return *this; }
  void describe(auto& layer, const LayerSite& at) const { detail::describe_pool(layer, geometry(at.inputs[0], kind())); }
  /// Sizes for inputs of a shape; throws ShapeError where nothing fits.
  kernels::ConvGeometry geometry(const Shape& in, std::string_view where) const {
    return detail::pool_geometry(in, kernel, stride, padding, where);
  }
  Shape setup(LayerSetup& setup) const {
    const auto g = geometry(setup.image(), setup.where());
    return {g.out_height, g.out_width, g.in_channels};
  }
  Var forward(Forward& f) const {
    return ops::avg_pool(f.input(), geometry(f.input().shape().sample(), kind()), count_padding, f.output_shape());
  }
  void lower(Lowering& to) const { to.is(primitive::AveragePool{geometry(to.input(), to.where()), count_padding}); }
};

/// Mean over all positions: H x W x C or T x C -> C.
struct GlobalAvgPool {
  std::string_view kind() const { return "global_avg_pool"; }
  static void attributes(auto&, auto&&) {}
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::follows(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  static void describe(auto& layer, const LayerSite&) {
    detail::describe_pool(layer, {static_cast<int>(value_of(layer.in_height)), static_cast<int>(value_of(layer.in_width))}, 0);
  }
  Shape setup(LayerSetup& setup) const { return {setup.input().rank() == 2 ? setup.input()[1] : setup.image()[2]}; }
  Var forward(Forward& f) const { return ops::global_avg_pool(f.input()); }
  void lower(Lowering& to) const {
    const Shape& in = to.input();
    const Shape image = in.rank() == 2 ? Shape{1, in[0], in[1]} : in;
    const Size2 all(static_cast<int>(image[0]), static_cast<int>(image[1]));
    to.is(primitive::AveragePool{detail::pool_geometry(image, all, all, 0, to.where())});
  }
};

}  // namespace siena
