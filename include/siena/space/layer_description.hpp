// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>

#include "siena/cost/description.hpp"
#include "siena/nn/network.hpp"

// What cost models see of a single layer.

namespace siena {

/// Of a convolution: what is left of its kernel.
template <class N>
struct KernelSize {
  int height = 1, width = 1;
  std::optional<N> live_taps{};
  int first_row = 0;                          // that is left
  int row_distance = 1, column_distance = 1;  // of those that are left, in rows and columns of the whole kernel
};

namespace detail {

/// Node `index` by itself; who makes what it reads, and whether a batch norm folds, is not said. `channels(node)`: how many
/// channels each puts out. `varied`: what is left of its kernel, where that is not the kernel of the layer.
template <class N, class Channels>
LayerDesc<N> describe_layer(const Network& network, int index, const Channels& channels,
                            const std::optional<KernelSize<N>>& varied) {
  const Network::Node& node = network.nodes()[index];
  const LayerSite at = site_of(network, index);
  LayerDesc<N> layer{.name = node.name, .node = index};
  layer.in_channels = channels(node.inputs[0]);
  if (node.inputs.size() > 1 && channel_rule(node.layer, at).kind == ChannelRule::Kind::concatenates) {
    for (std::size_t k = 1; k < node.inputs.size(); ++k) layer.in_channels += channels(node.inputs[k]);
  }
  layer.out_channels = channels(index);
  const Shape& in = at.inputs[0];
  if (in.rank() == 3) layer.in_height = static_cast<double>(in[0]);
  if (in.rank() > 1) layer.in_width = static_cast<double>(in[-2]);
  if (node.shape.rank() == 3) layer.out_height = static_cast<double>(node.shape[0]);
  if (node.shape.rank() > 1) layer.out_width = static_cast<double>(node.shape[-2]);
  visit_layer([&](const auto& own) { own.describe(layer, at); }, node.layer);
  if (layer.shows_operation()) layer.operation = kind_of(node.layer);
  if (varied) {
    layer.kernel_height = varied->height, layer.kernel_width = varied->width;
    layer.live_taps = varied->live_taps;
    layer.pad_top -= varied->first_row * layer.dilation_height;
    layer.dilation_height = varied->height > 1 ? layer.dilation_height * varied->row_distance : 1;
    layer.dilation_width = varied->width > 1 ? layer.dilation_width * varied->column_distance : 1;
  }
  return layer;
}

}  // namespace detail

}  // namespace siena
