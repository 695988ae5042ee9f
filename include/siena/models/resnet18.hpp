// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "siena/models/padding.hpp"
#include "siena/models/width.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/searchable.hpp"

namespace siena {

struct ResNet18Options {
  Shape input = {64, 64, 3};  ///< height x width x channels
  int classes = 200;          ///< an output each
  double width = 1.0;         ///< scales the 64 to 512 channels of the stages
  bool imagenet_stem =
      false;  ///< 7x7 at stride 2 and a max-pool, for inputs of 224 x 224; else 3x3 at stride 1, for small images
  /// `same`: as TensorFlow pads.
  ModelPadding padding = {};
  std::uint64_t seed = 0;  ///< of the weights to begin with
};

/// ResNet18 (arXiv 1512.03385) for Tiny ImageNet: a stem and four stages of two residual blocks; 11,261,632 weights and
/// 2,221,772,800 MACs for 64 x 64 images, 11,269,312 and 1,813,663,744 with the ImageNet stem for 224 x 224. Shortcuts that
/// change the shape are 1x1 convolutions with batch norm. Every convolution's channels may be searched.
inline Network resnet18(const ResNet18Options& options = {}) {
  const auto conv = [&](int out, int kernel, int stride) {
    const ImagePadding padding = padding_or(options.padding, kernel / 2);
    return Searchable{Conv2d{.out = out, .kernel = kernel, .stride = stride, .padding = padding, .bias = false}, Channels{}};
  };
  const auto block = [&](const Flow& x, int out, int stride, const std::string& name) {
    Flow y = (x | conv(out, 3, stride)).named(name + ".conv1") | BatchNorm{} | Relu{};
    y = (y | conv(out, 3, 1)).named(name + ".conv2") | BatchNorm{};
    const Flow skip = stride == 1 ? x : (x | conv(out, 1, stride)).named(name + ".downsample") | BatchNorm{};
    return add(skip, y) | Relu{};
  };
  return Network(
      options.input,
      [&](Flow x) {
        const auto scaled = [&](int channels) { return scaled_channels("resnet18", channels, options.width); };
        x = (options.imagenet_stem ? x | conv(scaled(64), 7, 2) : x | conv(scaled(64), 3, 1)).named("conv1");
        x = x | BatchNorm{} | Relu{};
        if (options.imagenet_stem) x = x | MaxPool{.kernel = 3, .stride = 2, .padding = padding_or(options.padding, 1)};
        for (int stage = 1; stage <= 4; ++stage) {
          const int out = scaled(32 << stage), stride = stage == 1 ? 1 : 2;
          const std::string name = "bb_" + std::to_string(stage);
          x = block(x, out, stride, name + "_0");
          x = block(x, out, 1, name + "_1");
        }
        return (x | GlobalAvgPool{} | Linear{.out = options.classes}).named("fc");
      },
      options.seed);
}

}  // namespace siena
