// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <variant>
#include <vector>

#include "siena/core/tensor.hpp"
#include "siena/deploy/lower.hpp"
#include "siena/deploy/run_lowered.hpp"

namespace siena::deploy {

namespace detail {

/// Whether twice the output is that of twice the input: no clamp but a ReLU.
inline bool scales_through(const Operation& operation) {
  return is_any<primitive::Convolution, primitive::Linear>(operation.what) &&
         (operation.range.low == 0 || operation.range.low == -std::numeric_limits<double>::infinity()) &&
         operation.range.high == std::numeric_limits<double>::infinity();
}
/// Whether weights lie on levels of fewer than 8 bits: rows of them by themselves would not lie there scaled.
inline bool has_few_bits(const Primitive& what) {
  const auto few = [](const WeightBits& bits) {
    const std::vector<int> all = bits.list();
    return std::any_of(all.begin(), all.end(), [](int count) { return count > 0 && count < 8; });
  };
  if (const auto* convolution = std::get_if<primitive::Convolution>(&what)) return few(convolution->weight_bits);
  const auto* linear = std::get_if<primitive::Linear>(&what);
  return linear != nullptr && few(linear->weight_bits);
}
/// Multiplies what a channel that an operation makes is computed with.
inline void scale_output(Operation& operation, std::int64_t channel, float factor) {
  for (Constant& constant : operation.constants)
    for (std::int64_t r = 0; r < constant.value.rows(); ++r) constant.value.row(r)[channel] *= factor;
}
/// Multiplies the weights that read a channel.
inline void scale_input(Operation& operation, std::int64_t channel, float factor) {
  Tensor& weights = operation.constants[0].value;
  const auto* convolution = std::get_if<primitive::Convolution>(&operation.what);
  const std::int64_t inputs = convolution ? convolution->geometry.group_in_channels() : weights.rows();
  const std::int64_t outputs = convolution ? convolution->geometry.group_out_channels() : weights.columns();
  for (std::int64_t r = channel % inputs; r < weights.rows(); r += inputs)
    for (float& weight : weights.row(r).subspan(channel / inputs * outputs, outputs)) weight *= factor;
}

}  // namespace detail

/// Scales the channels of a value to one range, the greatest among them, where a convolution or linear layer makes it and one
/// other reads it: what the one multiplies, the other divides, so the network computes the same, and narrow channels lose
/// fewer steps to wide ones. (Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, ICCV 2019;
/// here by ranges of what comes up, since weights have scales by output channel anyhow.) Not where the other one has weights of
/// fewer than 8 bits.
inline void equalize(LoweredNetwork& network, std::span<const Tensor> batches) {
  std::vector<std::vector<double>> greatest;
  for (const Value& value : network.values) greatest.emplace_back(value.shape.columns(), 0.0);
  for (const Tensor& batch : batches) {
    const std::vector<Tensor> values = run_lowered(network, batch);
    for (std::size_t v = 0; v < values.size(); ++v)
      for (std::int64_t r = 0; r < values[v].rows(); ++r)
        for (std::size_t c = 0; c < greatest[v].size(); ++c)
          greatest[v][c] = std::max(greatest[v][c], std::abs(double{values[v].row(r)[c]}));
  }
  const auto readers = network.readers();
  for (Operation& maker : network.operations) {
    const int value = maker.output;
    if (value == network.output || readers[value].size() != 1 || !detail::scales_through(maker)) continue;
    Operation& reader = network.operations[readers[value][0]];
    if (!is_any<primitive::Convolution, primitive::Linear>(reader.what) || detail::has_few_bits(reader.what)) continue;
    const double most = *std::max_element(greatest[value].begin(), greatest[value].end());
    for (std::size_t c = 0; c < greatest[value].size(); ++c) {
      const auto channel = static_cast<std::int64_t>(c);
      const auto narrow = static_cast<float>(greatest[value][c] / most);
      if (!(narrow > 1e-30f)) continue;  // a dead channel, by which weights would leave what floats hold
      detail::scale_output(maker, channel, 1 / narrow);
      detail::scale_input(reader, channel, narrow);
    }
  }
}

}  // namespace siena::deploy
