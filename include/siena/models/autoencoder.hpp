// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "siena/models/width.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/searchable.hpp"

namespace siena {

struct AutoencoderOptions {
  int features = 640;      ///< 5 frames of 128 log-mel bands
  double width = 1.0;      ///< scales the 128 hidden units and the 8 in the middle
  std::uint64_t seed = 0;  ///< of the weights to begin with
};

/// The autoencoder of MLPerf Tiny's anomaly detection: nine linear layers of 128 units, the fifth of 8, each with
/// batch norm and ReLU, and a plain linear layer back to the features; 264,192 weights and as many MACs at width
/// 1. The units of every layer but the last may be searched.
inline Network autoencoder(const AutoencoderOptions& options = {}) {
  return Network(
      {options.features},
      [&](Flow x) {
        for (int layer = 1; layer <= 9; ++layer) {
          const int units = scaled_channels("autoencoder", layer == 5 ? 8 : 128, options.width);
          x = (x | Searchable{Linear{.out = units}, Channels{}}).named("layer" + std::to_string(layer)) | BatchNorm{} | Relu{};
        }
        return (x | Linear{.out = options.features}).named("out");
      },
      options.seed);
}

}  // namespace siena
