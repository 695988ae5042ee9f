// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "siena/cost/description.hpp"
#include "siena/nn/network.hpp"

// What cost models see of a single layer.

namespace siena::detail {

inline LayerKind layer_kind(const Network& network, const Network::Node& node) {
  return visit_layer(
      [&]<class L>(const L& layer) {
        if constexpr (is_convolution<L>) {
          const std::int64_t in = network.nodes()[node.inputs[0]].shape[-1];
          // One channel is depthwise where that was asked for: what a search leaves of a wider layer stays what it was.
          const bool depthwise =
              layer.group_count(in) == in && (in > 1 || (layer.groups == Conv2d::depthwise && layer.out == 1));
          return depthwise ? LayerKind::depthwise_conv2d : LayerKind::conv2d;
        } else if constexpr (std::is_same_v<L, Linear>) {
          return LayerKind::linear;
        } else if constexpr (std::is_same_v<L, BatchNorm>) {
          return LayerKind::batch_norm;
        } else if constexpr (is_pool<L>) {
          return LayerKind::pool;
        } else if constexpr (std::is_same_v<L, Add>) {
          return LayerKind::add;
        } else if constexpr (std::is_same_v<L, Multiply>) {
          return LayerKind::multiply;
        } else if constexpr (std::is_same_v<L, Upsample> || std::is_same_v<L, Pad> || std::is_same_v<L, Slice>) {
          return LayerKind::rearrange;
        } else if constexpr (std::is_same_v<L, Concat>) {
          return LayerKind::concat;
        } else if constexpr (std::is_same_v<L, Flatten>) {
          return LayerKind::flatten;
        } else if constexpr (std::is_same_v<L, Mixture>) {
          return LayerKind::mixture;
        } else if constexpr (std::is_same_v<L, Custom> || std::is_same_v<L, Input>) {
          return LayerKind::other;
        } else {
          static_assert(is_activation<L>, "a kind for every layer");
          return LayerKind::activation;
        }
      },
      node.layer);
}

/// Of a convolution: what is left of its kernel.
template <class N>
struct KernelSize {
  int height = 1, width = 1;
  std::optional<N> live_taps{};
  int first_row = 0;                          // that is left
  int row_distance = 1, column_distance = 1;  // of those that are left, in rows and columns of the whole kernel
};

/// A convolution of inputs of a shape, before any channel went, whose kernel is `taps` now.
template <class N>
void describe_convolution(const Conv2d& conv, const KernelSize<N>& taps, const Shape& in, LayerDesc<N>& layer) {
  const std::int64_t in_channels = in[-1];
  layer.kernel_height = taps.height, layer.kernel_width = taps.width;
  layer.live_taps = taps.live_taps;
  layer.stride_height = conv.stride.height, layer.stride_width = conv.stride.width;
  if (taps.height > 1) layer.dilation_height = conv.dilation.height * taps.row_distance;
  if (taps.width > 1) layer.dilation_width = conv.dilation.width * taps.column_distance;
  if (in.rank() == 3) layer.pad_top = conv.geometry(in).pad_top - taps.first_row * conv.dilation.height;
  layer.bias = conv.bias;
  if (layer.kind == LayerKind::depthwise_conv2d) {
    layer.multiplier = conv.out / static_cast<int>(in_channels);
    // Several filters of one channel are a plain convolution, as the network that is left says.
    if (layer.multiplier > 1 && value_of(layer.in_channels) == 1) layer.kind = LayerKind::conv2d, layer.multiplier = 1;
  } else if (const int groups = conv.group_count(in_channels); groups > 1) {  // as many as there are channels for
    layer.groups = layer.in_channels / (static_cast<double>(in_channels) / groups);
  }
}
template <class N>
void describe_pool(const Layer& pool, LayerDesc<N>& layer) {
  Size2 kernel{static_cast<int>(value_of(layer.in_height)), static_cast<int>(value_of(layer.in_width))}, stride = 0;
  if (const auto* largest = std::get_if<MaxPool>(&pool)) kernel = largest->kernel, stride = largest->stride;
  if (const auto* mean = std::get_if<AvgPool>(&pool)) kernel = mean->kernel, stride = mean->stride;
  if (stride.height == 0) stride = kernel;  // windows that touch
  layer.kernel_height = kernel.height, layer.kernel_width = kernel.width;
  layer.stride_height = stride.height, layer.stride_width = stride.width;
}

/// Node `index` by itself; who makes what it reads, and whether a batch norm folds, is not said. `channels(node)`: how many
/// channels each puts out. `varied`: what is left of its kernel, where that is not the kernel of the layer.
template <class N, class Channels>
LayerDesc<N> describe_layer(const Network& network, int index, const Channels& channels,
                            const std::optional<KernelSize<N>>& varied) {
  const Network::Node& node = network.nodes()[index];
  LayerDesc<N> layer{.kind = layer_kind(network, node), .name = node.name, .node = index};
  using enum LayerKind;
  if (layer.kind == activation || layer.kind == pool || layer.kind == rearrange || layer.kind == other)
    layer.operation = kind_of(node.layer);
  const Shape& in = network.nodes()[node.inputs[0]].shape;
  layer.in_channels = channels(node.inputs[0]);
  if (layer.kind == concat) {
    for (std::size_t k = 1; k < node.inputs.size(); ++k) layer.in_channels += channels(node.inputs[k]);
  }
  layer.out_channels = channels(index);
  if (in.rank() == 3) layer.in_height = static_cast<double>(in[0]);
  if (in.rank() > 1) layer.in_width = static_cast<double>(in[-2]);
  if (node.shape.rank() == 3) layer.out_height = static_cast<double>(node.shape[0]);
  if (node.shape.rank() > 1) layer.out_width = static_cast<double>(node.shape[-2]);
  if (const auto conv = convolution_of(node.layer)) {
    const KernelSize<N> taps = varied.value_or(KernelSize<N>{conv->kernel.height, conv->kernel.width});
    describe_convolution(*conv, taps, in, layer);
  } else if (const auto* linear = std::get_if<Linear>(&node.layer)) {
    layer.bias = linear->bias;
  } else if (std::holds_alternative<PRelu>(node.layer)) {
    layer.own_weights = layer.in_channels;
  } else if (layer.kind == multiply) {
    layer.per_channel = in != network.nodes()[node.inputs[1]].shape;
  } else if (layer.kind == pool) {
    describe_pool(node.layer, layer);
  } else if (std::holds_alternative<Custom>(node.layer)) {
    double weights = 0;
    for (const int p : node.parameters) weights += static_cast<double>(network.parameter(p).value.elements());
    layer.own_weights = weights;
    layer.own_macs = node.macs ? N(*node.macs) : N(weights) * layer.out_height * layer.out_width;
  }
  return layer;
}

}  // namespace siena::detail
