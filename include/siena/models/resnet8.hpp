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

struct ResNet8Options {
  Shape input = {32, 32, 3};  ///< height x width x channels
  int classes = 10;           ///< an output each
  /// Scales the 16, 32 and 64 channels of the stages.
  double width = 1.0;
  /// `same`: as the TensorFlow version of MLPerf Tiny pads.
  ModelPadding padding = {};
  std::uint64_t seed = 0;  ///< of the weights to begin with
};

/// The residual network of MLPerf Tiny's image classification: a stem and three stages of one residual block each,
/// 77,360 weights and 12,501,632 MACs at width 1. Shortcuts of the last two stages are 1x1 convolutions without
/// batch norm. Every convolution's channels may be searched.
inline Network resnet8(const ResNet8Options& options = {}) {
  const auto scaled = [&](int channels) { return scaled_channels("resnet8", channels, options.width); };
  const auto conv = [&](int out, int kernel, int stride, bool bias) {
    const ImagePadding padding = padding_or(options.padding, kernel / 2);
    return Searchable{Conv2d{.out = out, .kernel = kernel, .stride = stride, .padding = padding, .bias = bias}, Channels{}};
  };
  const auto block = [&](const Flow& x, int out, int stride, const std::string& stage) {
    Flow y = (x | conv(out, 3, stride, false)).named("convblock" + stage);
    y = (y | BatchNorm{}).named("bnblock" + stage) | Relu{};
    y = (y | conv(out, 3, 1, true)).named("conv" + stage + "y");
    y = (y | BatchNorm{}).named("bn" + stage + "y");
    const Flow skip = stride == 1 ? x : (x | conv(out, 1, stride, true)).named("conv" + stage + "x");
    return add(skip, y) | Relu{};
  };
  return Network(
      options.input,
      [&](Flow x) {
        x = (x | conv(scaled(16), 3, 1, false)).named("inputblock");
        x = (x | BatchNorm{}).named("bninput") | Relu{};
        x = block(x, scaled(16), 1, "1");
        x = block(x, scaled(32), 2, "2");
        x = block(x, scaled(64), 2, "3");
        return (x | GlobalAvgPool{} | Linear{.out = options.classes}).named("out");
      },
      options.seed);
}

}  // namespace siena
