// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "siena/core/error.hpp"

namespace siena {

/// Channels of a layer in a network scaled uniformly: rounded, at least 1.
/// `model` is named in the error for a width that is no factor.
inline int scaled_channels(std::string_view model, int channels, double width) {
  require<ArgumentError>(width > 0 && width <= 1000, "{}: expected a width above 0 and at most 1000, got {}", model, width);
  return std::max(1, static_cast<int>(std::lround(channels * width)));
}

/// Throws ArgumentError for a network of no blocks, in the words of `model`.
inline void require_blocks(std::string_view model, int blocks) {
  require<ArgumentError>(blocks >= 1, "{}: expected 1 block or more, got {}", model, blocks);
}

}  // namespace siena
