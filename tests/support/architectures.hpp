// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Descriptions of known networks, written out by hand: what cost models are checked against.

#include <string>
#include <utility>

#include "siena/cost/description.hpp"

namespace siena::test {

struct ConvSizes {
  double in, out;
  int kernel = 3, stride = 1;
  int height = 32, width = 32;  // of the input
};

inline LayerDesc<double> conv(std::string name, ConvSizes sizes) {
  LayerDesc<double> layer{.kind = LayerKind::conv2d, .name = std::move(name)};
  layer.in_channels = sizes.in, layer.out_channels = sizes.out;
  layer.in_height = sizes.height, layer.in_width = sizes.width;
  layer.out_height = (sizes.height + sizes.stride - 1) / sizes.stride;
  layer.out_width = (sizes.width + sizes.stride - 1) / sizes.stride;
  layer.kernel_height = layer.kernel_width = sizes.kernel;
  layer.stride_height = layer.stride_width = sizes.stride;
  layer.batch_norm_folded = true;
  return layer;
}
inline LayerDesc<double> depthwise(std::string name, ConvSizes sizes) {
  auto layer = conv(std::move(name), sizes);
  layer.kind = LayerKind::depthwise_conv2d;
  return layer;
}
inline LayerDesc<double> linear(std::string name, double in, double out) {
  LayerDesc<double> layer{.kind = LayerKind::linear, .name = std::move(name)};
  layer.in_channels = in, layer.out_channels = out, layer.bias = true;
  return layer;
}

/// ResNet8 for CIFAR-10, with its adds and its pool.
inline Architecture<double> resnet8() {
  Architecture<double> net;
  const auto push = [&](LayerDesc<double> layer, std::vector<int> producers) {
    layer.producers = std::move(producers);
    net.layers.push_back(std::move(layer));
    return static_cast<int>(net.layers.size()) - 1;
  };
  const auto plain = [](LayerKind kind, double channels, int in, int out) {
    LayerDesc<double> layer{.kind = kind, .name = "plain"};
    layer.in_channels = layer.out_channels = channels;
    layer.in_height = layer.in_width = in, layer.out_height = layer.out_width = out;
    return layer;
  };
  int x = push(conv("stem", {.in = 3, .out = 16}), {-1});
  int side = 32;
  double width = 16;
  for (const double out : {16.0, 32.0, 64.0}) {
    const int stride = out > width ? 2 : 1;
    const auto tag = std::to_string(static_cast<int>(out));
    int y = push(conv("first" + tag, {.in = width, .out = out, .stride = stride, .height = side, .width = side}), {x});
    const int inner = side / stride;
    y = push(conv("second" + tag, {.in = out, .out = out, .height = inner, .width = inner}), {y});
    if (stride == 2) {
      auto skip = conv("skip" + tag, {.in = width, .out = out, .kernel = 1, .stride = 2, .height = side, .width = side});
      skip.batch_norm_folded = false, skip.bias = true;
      x = push(std::move(skip), {x});
    }
    x = push(plain(LayerKind::add, out, inner, inner), {x, y});
    side = inner, width = out;
  }
  x = push(plain(LayerKind::pool, width, side, 1), {x});
  push(linear("out", width, 10), {x});
  return net;
}

/// DS-CNN for keyword spotting.
inline Architecture<double> ds_cnn() {
  Architecture<double> net;
  auto stem = conv("stem", {.in = 1, .out = 64, .stride = 2, .height = 49, .width = 10});
  stem.kernel_height = 10, stem.kernel_width = 4;
  net.layers.push_back(stem);
  for (int i = 0; i < 4; ++i) {
    net.layers.push_back(depthwise("depthwise", {.in = 64, .out = 64, .height = 25, .width = 5}));
    net.layers.push_back(conv("pointwise", {.in = 64, .out = 64, .kernel = 1, .height = 25, .width = 5}));
  }
  net.layers.push_back(linear("out", 64, 12));
  return net;
}

}  // namespace siena::test
