// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <variant>

#include "siena/cost/description.hpp"
#include "siena/deploy/integer/network.hpp"

namespace siena::deploy {

namespace detail {

inline void describe_window(LayerDesc<double>& layer, const kernels::ConvGeometry& g) {
  layer.kernel_height = g.kernel_height, layer.kernel_width = g.kernel_width;
  layer.stride_height = g.stride_height, layer.stride_width = g.stride_width;
  layer.dilation_height = g.dilation_height, layer.dilation_width = g.dilation_width;
  layer.pad_top = g.pad_top, layer.pad_left = g.pad_left;
}

/// Which kind of layer an operation is to models of memory.
class OperationDescriber {
 public:
  OperationDescriber(const IntegerNetwork& network, const IntegerOperation& operation)
      : network_(network), operation_(operation) {}

  LayerDesc<double> describe() {
    layer_.name = operation_.name;
    for (const int input : operation_.inputs) layer_.producers.push_back(input - 1);
    sizes(network_.input_of(operation_).shape, layer_.in_height, layer_.in_width, layer_.in_channels);
    sizes(network_.output_of(operation_).shape, layer_.out_height, layer_.out_width, layer_.out_channels);
    std::visit([&](const auto& what) { describe(what); }, operation_.what);
    return layer_;
  }

 private:
  using Layer = LayerDesc<double>;
  static void sizes(const Shape& shape, double& height, double& width, double& channels) {
    channels = static_cast<double>(shape.columns());
    if (shape.rank() > 1) width = static_cast<double>(shape[-2]);
    if (shape.rank() > 2) height = static_cast<double>(shape[0]);
  }
  void describe(const integer::Convolution& what) {
    const kernels::ConvGeometry& g = what.geometry;
    layer_.bias = true;
    if (network_.input_of(operation_).shape.rank() == 1 && g.groups == 1) {
      layer_.kind = Layer::linear;
      return;
    }
    describe_window(layer_, g);
    layer_.groups = g.groups;
    layer_.kind = g.depthwise() ? Layer::depthwise_conv2d : Layer::conv2d;
    layer_.multiplier = g.depthwise() ? static_cast<int>(g.group_out_channels()) : 1;
    // What is left of a norm: each element by itself.
    if (g.depthwise() && g.pointwise() && layer_.multiplier == 1) layer_.kind = Layer::batch_norm;
  }
  void describe(const integer::Table&) { layer_.kind = Layer::activation; }
  void describe(const integer::PRelu&) { layer_.kind = Layer::activation, layer_.own_weights = layer_.in_channels; }
  void describe(const integer::Add&) { layer_.kind = Layer::add; }
  void describe(const integer::Multiply&) {
    layer_.kind = Layer::multiply;
    layer_.per_channel = network_.input_of(operation_, 1).shape.elements() != network_.output_of(operation_).shape.elements();
  }
  void describe(const integer::MaxPool& pool) {
    layer_.kind = Layer::pool, layer_.operation = "max_pool";
    describe_window(layer_, pool.geometry);
  }
  void describe(const integer::AveragePool& pool) {
    layer_.kind = Layer::pool, layer_.operation = "avg_pool";
    describe_window(layer_, pool.geometry);
  }
  void describe(const integer::Concat&) { layer_.kind = Layer::concat, layer_.in_channels = layer_.out_channels; }
  void describe(const integer::Slice&) { layer_.kind = Layer::rearrange, layer_.operation = "slice"; }
  void describe(const integer::Pad&) { layer_.kind = Layer::rearrange, layer_.operation = "pad"; }
  void describe(const integer::Upsample&) { layer_.kind = Layer::rearrange, layer_.operation = "upsample"; }
  void describe(const integer::Shuffle&) { layer_.kind = Layer::rearrange, layer_.operation = "channel_shuffle"; }
  void describe(const integer::Reshape&) {
    const bool holds = operation_.low > -128 || operation_.high < 127;
    layer_.kind = holds ? Layer::activation : Layer::flatten;
  }

  const IntegerNetwork& network_;
  const IntegerOperation& operation_;
  Layer layer_;
};

}  // namespace detail

/// What models of memory see of a network of integers: a layer for each operation. One is added where the network's output is
/// read within it, too, so that it stays.
inline Architecture<double> architecture_of(const IntegerNetwork& network) {
  Architecture<double> architecture;
  bool read = network.output == 0;
  for (const IntegerOperation& operation : network.operations) {
    architecture.layers.push_back(detail::OperationDescriber(network, operation).describe());
    for (const int input : operation.inputs) read = read || input == network.output;
  }
  if (read) {
    LayerDesc<double> end{.kind = LayerKind::flatten, .name = "output", .producers = {network.output - 1}};
    end.in_channels = end.out_channels = static_cast<double>(network.output_value().shape.elements());
    architecture.layers.push_back(std::move(end));
  }
  return architecture;
}

}  // namespace siena::deploy
