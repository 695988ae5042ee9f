// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "siena/core/error.hpp"
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
  int blocks = 1;  ///< of each stage; 2: ResNet14, 3: ResNet20 (arXiv 1512.03385, CIFAR-10), but for their shortcuts
  /// `same`: as the TensorFlow version of MLPerf Tiny pads.
  ModelPadding padding = {};
  std::uint64_t seed = 0;  ///< of the weights to begin with
};

namespace detail {
/// f(channels, stride, name) of each block of the three stages.
template <class F>
void for_blocks(int blocks, F&& f) {
  for (int stage = 1; stage <= 3; ++stage) {
    for (int number = 1; number <= blocks; ++number)
      f(8 << stage, stage > 1 && number == 1 ? 2 : 1, number == 1 ? format("{}", stage) : format("{}_{}", stage, number));
  }
}
}  // namespace detail

/// The residual network of MLPerf Tiny's image classification: a stem and three stages of one residual block each,
/// 77,360 weights and 12,501,632 MACs at width 1. Shortcuts of the last two stages are 1x1 convolutions without
/// batch norm. Every convolution's channels may be searched. Blocks after the first of a stage are called 1_2, 1_3, and so on.
/// Throws ArgumentError for stages without a block.
inline Network resnet8(const ResNet8Options& options = {}) {
  require_blocks("resnet8", options.blocks);
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
        detail::for_blocks(options.blocks,
                           [&](int out, int stride, const std::string& name) { x = block(x, scaled(out), stride, name); });
        return (x | GlobalAvgPool{} | Linear{.out = options.classes}).named("out");
      },
      options.seed);
}

}  // namespace siena
