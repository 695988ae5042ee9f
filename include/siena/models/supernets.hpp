// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "siena/models/autoencoder.hpp"
#include "siena/models/ds_cnn.hpp"
#include "siena/models/mobilenet_v1.hpp"
#include "siena/models/resnet8.hpp"
#include "siena/space/choice.hpp"

// The networks of the benchmarks with a Choice in the place of each block: a 3x3 convolution, a 5x5 convolution, a 3x3
// depthwise and a pointwise convolution, or nothing where the shapes allow it (arXiv 2310.07217).

namespace siena {

/// One searchable block of a supernet.
struct BlockAlternatives {
  int out = 0;
  int stride = 1;
  bool identity = true;  ///< where stride and channels allow it
  bool bias = true;
  bool relu = true;       ///< after the last batch norm
  bool channels = false;  ///< the channels of every alternative may vary, too
  BatchNorm norm = {};
  ModelPadding padding = {};
};

/// x through one of the alternatives; the mixture is called `name`, their layers
/// `name.conv3x3`, `name.conv5x5`, `name.depthwise` and `name.pointwise`.
inline Flow one_of(const Flow& x, const std::string& name, const BlockAlternatives& block) {
  const auto layer = [&block](const Flow& y, const Conv2d& conv, const std::string& its_name) {
    return (block.channels ? y | Searchable{conv, Channels{}} : y | conv).named(its_name) | block.norm;
  };
  const auto finish = [&block](const Flow& y) { return block.relu ? y | Relu{} : y; };
  const auto dense = [&](int kernel) {
    const std::string kind = kernel == 3 ? "conv3x3" : "conv5x5";
    const Conv2d conv{.out = block.out,
                      .kernel = kernel,
                      .stride = block.stride,
                      .padding = padding_or(block.padding, kernel / 2),
                      .bias = block.bias};
    return Alternative{kind, [=](const Flow& y) { return finish(layer(y, conv, name + "." + kind)); }};
  };
  const int in = static_cast<int>(x.shape()[-1]);
  const Conv2d depthwise{.out = in,
                         .kernel = 3,
                         .stride = block.stride,
                         .padding = padding_or(block.padding, 1),
                         .groups = Conv2d::depthwise,
                         .bias = block.bias};
  const Conv2d pointwise{.out = block.out, .bias = block.bias};
  Choice choice{dense(3), dense(5), Alternative{"separable", [&](const Flow& y) {
                                                  const Flow inner = layer(y, depthwise, name + ".depthwise") | Relu{};
                                                  return finish(layer(inner, pointwise, name + ".pointwise"));
                                                }}};
  if (block.identity && block.stride == 1 && in == block.out) choice.add(Identity{});
  return (x | choice).named(name);
}

/// ResNet8 with 5,184 architectures of 6,667 to 209,200 weights: stem and first convolutions of the blocks among three
/// alternatives, second ones also left out. Shortcuts have batch norm here. `channels`: all channels may vary, too. Figures are
/// those of one block a stage.
inline Network resnet8_supernet(const ResNet8Options& options = {}, bool channels = false) {
  require_blocks("resnet8_supernet", options.blocks);
  const auto scaled = [&](int count) { return scaled_channels("resnet8_supernet", count, options.width); };
  const auto block = [&](const Flow& x, int out, int stride, const std::string& stage) {
    Flow y = one_of(x, "convblock" + stage,
                    {.out = out, .stride = stride, .identity = false, .channels = channels, .padding = options.padding});
    y = one_of(y, "conv" + stage + "y", {.out = out, .relu = false, .channels = channels, .padding = options.padding});
    if (stride == 1) return add(x, y) | Relu{};
    const Conv2d shortcut{.out = out, .stride = stride, .padding = 0};
    const Flow skip = channels ? x | Searchable{shortcut, Channels{}} : x | shortcut;
    return add(skip.named("conv" + stage + "x") | BatchNorm{}, y) | Relu{};
  };
  return Network(
      options.input,
      [&](Flow x) {
        x = one_of(x, "inputblock", {.out = scaled(16), .identity = false, .channels = channels, .padding = options.padding});
        detail::for_blocks(options.blocks,
                           [&](int out, int stride, const std::string& name) { x = block(x, scaled(out), stride, name); });
        return (x | GlobalAvgPool{} | Linear{.out = options.classes}).named("out");
      },
      options.seed);
}

/// DS-CNN with 256 architectures of 3,328 to 412,928 weights: each of its
/// blocks, four as it is, is one of four alternatives; the stem stays.
inline Network ds_cnn_supernet(const DsCnnOptions& options = {}, bool channels = false) {
  require_blocks("ds_cnn_supernet", options.blocks);
  const int width = scaled_channels("ds_cnn_supernet", 64, options.width);
  const BatchNorm norm{.momentum = options.bn_momentum};
  return Network(
      options.input,
      [&](Flow x) {
        const Conv2d stem{.out = width, .kernel = {10, 4}, .stride = 2, .padding = padding_or(options.padding, {5, 1})};
        x = (channels ? x | Searchable{stem, Channels{}} : x | stem).named("inputlayer") | norm | Relu{};
        x = x | Dropout{options.stem_dropout};
        for (int number = 1; number <= options.blocks; ++number) {
          x = one_of(x, "depthpoint" + std::to_string(number),
                     {.out = width, .channels = channels, .norm = norm, .padding = options.padding});
        }
        return (x | Dropout{options.head_dropout} | GlobalAvgPool{} | Linear{.out = options.classes}).named("out");
      },
      options.seed);
}

/// MobileNetV1 with 15,925,248 architectures of 46,608 to 4,906,328 weights at width 0.25: each of its thirteen blocks is one
/// of three alternatives, or four where it can be left out; the stem stays. Without biases.
inline Network mobilenet_v1_supernet(const MobileNetV1Options& options = {}, bool channels = false) {
  const auto scaled = [&](int count) { return scaled_channels("mobilenet_v1_supernet", count, options.width); };
  return Network(
      options.input,
      [&](Flow x) {
        const Conv2d stem{
            .out = scaled(32), .kernel = 3, .stride = 2, .padding = padding_or(options.padding, 1), .bias = false};
        x = (channels ? x | Searchable{stem, Channels{}} : x | stem).named("inputblock") | BatchNorm{} | Relu{};
        int number = 2;  // the stem is the first
        for (const auto [out, stride] : mobilenet_v1_blocks) {
          const BlockAlternatives block{
              .out = scaled(out), .stride = stride, .bias = false, .channels = channels, .padding = options.padding};
          x = one_of(x, "depthpoint" + std::to_string(number++), block);
        }
        return (x | GlobalAvgPool{} | Linear{.out = options.classes}).named("out");
      },
      options.seed);
}

/// The autoencoder with 64 architectures of 165,888 to 264,192 weights:
/// each of the six inner layers of 128 units may be left out.
inline Network autoencoder_supernet(const AutoencoderOptions& options = {}, bool channels = false) {
  return Network(
      {options.features},
      [&](Flow x) {
        for (int layer = 1; layer <= 9; ++layer) {
          const int units = scaled_channels("autoencoder_supernet", layer == 5 ? 8 : 128, options.width);
          const std::string name = "layer" + std::to_string(layer);
          const auto dense = [&](const Flow& y, const std::string& its_name) {
            const Linear linear{.out = units};
            return (channels ? y | Searchable{linear, Channels{}} : y | linear).named(its_name) | BatchNorm{} | Relu{};
          };
          const bool inner = layer > 1 && x.shape() == Shape{units};
          if (!inner) {
            x = dense(x, name);
            continue;
          }
          x = x | Choice{Alternative{"linear", [&](const Flow& y) { return dense(y, name + ".linear"); }}, Identity{}};
          x = x.named(name);
        }
        return (x | Linear{.out = options.features}).named("out");
      },
      options.seed);
}

}  // namespace siena
