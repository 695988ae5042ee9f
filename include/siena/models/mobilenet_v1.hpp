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

struct MobileNetV1Options {
  Shape input = {96, 96, 3};  ///< height x width x channels
  int classes = 2;            ///< an output each
  /// Of the original with 32 to 1024 channels (arXiv 1704.04861).
  double width = 0.25;
  /// `same`: as the TensorFlow version of MLPerf Tiny pads.
  ModelPadding padding = {};
  std::uint64_t seed = 0;  ///< of the weights to begin with
};

/// Output channels (at width 1) and stride of the blocks after the stem.
struct MobileNetV1Block {
  int out, stride;
};
inline constexpr MobileNetV1Block mobilenet_v1_blocks[] = {{64, 1},  {128, 2},  {128, 1}, {256, 2}, {256, 1},
                                                           {512, 2}, {512, 1},  {512, 1}, {512, 1}, {512, 1},
                                                           {512, 1}, {1024, 2}, {1024, 1}};

/// MobileNetV1 as MLPerf Tiny takes it for visual wake words: a 3x3 stem at stride 2 and thirteen pairs of a
/// 3x3 depthwise and a pointwise convolution, without biases, each with batch norm; 208,112 weights and
/// 7,489,664 MACs at width 0.25. The channels of the stem and of every pointwise convolution may be
/// searched; depthwise convolutions have the mask of their input.
inline Network mobilenet_v1(const MobileNetV1Options& options = {}) {
  const auto scaled = [&](int channels) { return scaled_channels("mobilenet_v1", channels, options.width); };
  const ImagePadding padding = padding_or(options.padding, 1);
  return Network(
      options.input,
      [&](Flow x) {
        const Conv2d stem{.out = scaled(32), .kernel = 3, .stride = 2, .padding = padding, .bias = false};
        x = (x | Searchable{stem, Channels{}}).named("inputblock") | BatchNorm{} | Relu{};
        int in = scaled(32), number = 2;  // the stem is the first
        for (const auto [out, stride] : mobilenet_v1_blocks) {
          const Conv2d depthwise{
              .out = in, .kernel = 3, .stride = stride, .padding = padding, .groups = Conv2d::depthwise, .bias = false};
          x = (x | Searchable{depthwise, Channels{}}).named("depthwise" + std::to_string(number)) | BatchNorm{} | Relu{};
          x = (x | Searchable{Conv2d{.out = scaled(out), .bias = false}, Channels{}})
                  .named("pointwise" + std::to_string(number));
          x = x | BatchNorm{} | Relu{};
          in = scaled(out), ++number;
        }
        return (x | GlobalAvgPool{} | Linear{.out = options.classes}).named("out");
      },
      options.seed);
}

}  // namespace siena
