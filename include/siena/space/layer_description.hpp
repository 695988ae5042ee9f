// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/autograd/ops/structure.hpp"
#include "siena/cost/description.hpp"
#include "siena/nn/network.hpp"

// What cost models see of a single layer.

namespace siena {

/// Of a convolution: what is left of its kernel.
template <class N>
struct KernelSize {
  int height = 1, width = 1;
  std::optional<N> live_taps{};
  int first_row = 0, first_column = 0;        // that are left
  int row_distance = 1, column_distance = 1;  // of those that are left, in rows and columns of the whole kernel
};

/// A number for each channel; in a search on its tape.
template <class N>
using ChannelValues = std::conditional_t<std::is_same_v<N, double>, std::vector<double>, Var>;

/// Which of a layer's filters have weights of so many bits: of all filters the same part, or of each its own.
template <class N>
struct BitShare {
  int bits = 8;
  N all = 1;
  std::optional<ChannelValues<N>> each = {};
};

namespace detail {

inline double counted(const std::vector<double>& mask, const std::vector<double>& each) {
  return std::inner_product(mask.begin(), mask.end(), each.begin(), 0.0);
}
inline Scalar counted(const Var& mask, const Var& each) { return mask.tape().scalar(ops::sum(ops::multiply(mask, each))); }
inline Scalar counted(const Var& mask, const std::vector<double>& each) {
  Tensor ones(mask.shape());
  std::copy(each.begin(), each.end(), ones.data());
  return counted(mask, mask.tape().constant(std::move(ones)));
}

/// Slices of the filters that a node has, by their bits, those of most first: those that vary, or as its layer says.
template <class N, class Variation>
void slice_by_bits(LayerDesc<N>& layer, const WeightBits& written, int index, const Variation& variation) {
  const auto shares = variation.bits ? variation.bits(index) : std::vector<BitShare<N>>();
  if (!shares.empty()) layer.slices.clear();
  for (const BitShare<N>& share : shares) {
    const N filters = share.each ? counted(variation.mask(index), *share.each) : layer.filters() * share.all;
    layer.slices.push_back({N(double(share.bits)), filters});
  }
  if (shares.empty() && written.differ() && variation.mask) {
    const auto mask = variation.mask(index);
    for (BitSlice<N>& slice : layer.slices) {
      std::vector<double> each;
      for (const int bits : written.list()) each.push_back(bits == value_of(slice.bits) ? 1 : 0);
      slice.filters = counted(mask, each);
    }
  }
  if constexpr (std::is_same_v<N, double>) {  // with a gradient, what is empty may fill
    std::erase_if(layer.slices, [](const auto& slice) { return slice.filters == 0; });
    if (layer.slices.size() == 1) layer.weight_bits = layer.slices[0].bits, layer.slices.clear();
  }
}

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
  slice_by_bits(layer, weight_bits_of(its_layer), index, variation);
  if (const std::optional<KernelSize<N>> varied = variation.kernel(index)) {
    layer.kernel_height = varied->height, layer.kernel_width = varied->width;
    layer.live_taps = varied->live_taps;
    layer.pad_top -= varied->first_row * layer.dilation_height;
    layer.pad_left -= varied->first_column * layer.dilation_width;
    layer.dilation_height = varied->height > 1 ? layer.dilation_height * varied->row_distance : 1;
    layer.dilation_width = varied->width > 1 ? layer.dilation_width * varied->column_distance : 1;
  }
  return layer;
}

}  // namespace detail

}  // namespace siena
