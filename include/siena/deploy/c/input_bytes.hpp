// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "siena/data/preparation.hpp"
#include "siena/deploy/integer/arithmetic.hpp"
#include "siena/deploy/integer/network.hpp"

namespace siena::deploy::c {

/// What a network's input is for each value of a byte, in one channel.
using ByteTable = std::array<std::int8_t, 256>;

/// By the preparation of inputs that are bytes: the number that stands for the byte as the network sees it.
inline ByteTable byte_table(const data::Preparation& preparation, std::size_t channel, const IntegerValue& input) {
  ByteTable table{};
  for (int byte = 0; byte < 256; ++byte) {
    const float seen = (static_cast<float>(byte) / 255.0f - preparation.mean[channel]) / preparation.deviation[channel];
    table[static_cast<std::size_t>(byte)] = input.nearest(seen);
  }
  return table;
}

/// y = (factor * byte + offset) >> shift, held in 8 bits.
struct ByteFactors {
  std::vector<std::int32_t> factor, offset;  ///< of each channel
  int shift;
};

/// Factors that give what the tables say for each of the 256 bytes, if there are any.
inline std::optional<ByteFactors> byte_factors(const data::Preparation& preparation, const std::vector<ByteTable>& tables,
                                               const IntegerValue& input) {
  for (int shift = 22; shift >= 8; --shift) {
    ByteFactors found{.factor = {}, .offset = {}, .shift = shift};
    bool exact = true;
    for (std::size_t c = 0; c < tables.size() && exact; ++c) {
      const double step = 1 / (255 * double{preparation.deviation[c]} * input.scale);
      const double start = input.zero_point - double{preparation.mean[c]} / (double{preparation.deviation[c]} * input.scale);
      const double factor = std::round(std::ldexp(step, shift)), offset = std::round(std::ldexp(start + 0.5, shift));
      exact = std::abs(factor) * 255 + std::abs(offset) < 2147483648.0;
      if (!exact) break;
      found.factor.push_back(static_cast<std::int32_t>(factor)), found.offset.push_back(static_cast<std::int32_t>(offset));
      for (int byte = 0; byte < 256 && exact; ++byte) {
        const std::int32_t y = integer::Arithmetic::siena_blend(found.factor[c], byte, 0, 0, found.offset[c], shift);
        exact = integer::Arithmetic::siena_clamp(y, -128, 127) == tables[c][static_cast<std::size_t>(byte)];
      }
    }
    if (exact) return found;
  }
  return std::nullopt;
}

}  // namespace siena::deploy::c
