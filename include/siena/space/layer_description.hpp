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

/// Node `index` of a network that varies, by itself; who makes what it reads, and whether a batch norm folds, is not said.
template <class N, class Variation>
LayerDesc<N> describe_layer(const Network& network, int index, const Variation& variation) {
  const Network::Node& node = network.nodes()[index];
  LayerSite at = site_of(network, index);
  Layer its_layer = node.layer;
  if (variation.place) variation.place(index, its_layer, at);
  LayerDesc<N> layer{.name = node.name, .node = index};
  layer.in_channels = variation.channels(node.inputs[0]);
  if (node.inputs.size() > 1 && channel_rule(its_layer, at).kind == ChannelRule::Kind::concatenates) {
    for (std::size_t k = 1; k < node.inputs.size(); ++k) layer.in_channels += variation.channels(node.inputs[k]);
  }
  layer.out_channels = variation.channels(index);
  const Shape& in = at.inputs[0];
  if (in.rank() == 3) layer.in_height = static_cast<double>(in[0]);
  if (in.rank() > 1) layer.in_width = static_cast<double>(in[-2]);
  if (at.output.rank() == 3) layer.out_height = static_cast<double>(at.output[0]);
  if (at.output.rank() > 1) layer.out_width = static_cast<double>(at.output[-2]);
  if (variation.adjust) variation.adjust(index, layer);
  visit_layer([&](const auto& own) { own.describe(layer, at); }, its_layer);
  if (layer.shows_operation()) layer.operation = kind_of(its_layer);
  if (const std::optional<KernelSize<N>> varied = variation.kernel(index)) {
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
