// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "siena/core/error.hpp"
#include "siena/models/width.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/searchable.hpp"

namespace siena {

struct TcnOptions {
  Shape input = {49, 10};  ///< moments x channels
  int classes = 12;        ///< an output each
  double width = 1.0;      ///< scales the 32 channels
  int layers = 4;          ///< convolutions
  int kernel = 9;          ///< taps of each; as far as a layer may look back
  double dropout = 0.2;    ///< before the output
  std::uint64_t seed = 0;  ///< of the weights to begin with
};

/// A temporal convolutional network for signals: causal convolutions with batch norm, the mean over time, an output a class;
/// 30,912 weights and 1,496,256 MACs as it is. Of each convolution a search may take channels and taps, as in arXiv 2203.14768:
/// how far it looks back (ReceptiveField) and how far apart its taps lie (Dilation). Throws ArgumentError without a layer.
inline Network tcn(const TcnOptions& options = {}) {
  require<ArgumentError>(options.layers >= 1, "tcn: expected 1 layer or more, got {}", options.layers);
  const Conv1d conv{
      .out = scaled_channels("tcn", 32, options.width), .kernel = options.kernel, .padding = causal, .bias = false};
  return Network(
      options.input,
      [&](Flow x) {
        for (int layer = 1; layer <= options.layers; ++layer) {
          const Searchable taps{conv, Channels{}, ReceptiveField{}, Dilation{}};
          x = (x | taps).named("conv" + std::to_string(layer)) | BatchNorm{} | Relu{};
        }
        return (x | GlobalAvgPool{} | Dropout{options.dropout} | Linear{.out = options.classes}).named("out");
      },
      options.seed);
}

}  // namespace siena
