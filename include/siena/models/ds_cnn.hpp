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

struct DsCnnOptions {
  Shape input = {49, 10, 1};  ///< frames x MFCC coefficients
  int classes = 12;           ///< an output each
  double width = 1.0;         ///< scales the 64 channels
  int blocks = 4;             ///< pairs of a depthwise and a pointwise convolution
  double stem_dropout = 0.2;  ///< after the first convolution
  double head_dropout = 0.4;  ///< before pooling
  double bn_momentum = 0.99;  ///< as the original has it: the statistics are those of the last batches; 0.1 is usual
  /// `same`: as the TensorFlow version of MLPerf Tiny pads.
  ModelPadding padding = {};
  std::uint64_t seed = 0;  ///< of the weights to begin with
};

/// The depthwise separable network of MLPerf Tiny's keyword spotting: a 10x4 stem at stride 2 and four pairs of a 3x3 depthwise
/// and a pointwise convolution, all with biases and batch norm; 22,016 weights and 2,656,768 MACs at width 1. The channels of
/// the stem and of every pointwise convolution may be searched; depthwise convolutions have the mask of their input. Throws
/// ArgumentError without a block.
inline Network ds_cnn(const DsCnnOptions& options = {}) {
  require_blocks("ds_cnn", options.blocks);
  const int channels = scaled_channels("ds_cnn", 64, options.width);
  const BatchNorm norm{.momentum = options.bn_momentum};
  const ImagePadding around = padding_or(options.padding, 1);
  const Conv2d depthwise{.out = channels, .kernel = 3, .padding = around, .groups = Conv2d::depthwise};
  return Network(
      options.input,
      [&](Flow x) {
        const Conv2d stem{.out = channels, .kernel = {10, 4}, .stride = 2, .padding = padding_or(options.padding, {5, 1})};
        x = (x | Searchable{stem, Channels{}}).named("inputlayer") | norm | Relu{} | Dropout{options.stem_dropout};
        for (int number = 1; number <= options.blocks; ++number) {
          const std::string block = std::to_string(number);
          x = (x | Searchable{depthwise, Channels{}}).named("depthwise" + block) | norm | Relu{};
          x = (x | Searchable{Conv2d{.out = channels}, Channels{}}).named("pointwise" + block) | norm | Relu{};
        }
        return (x | Dropout{options.head_dropout} | GlobalAvgPool{} | Linear{.out = options.classes}).named("out");
      },
      options.seed);
}

}  // namespace siena
