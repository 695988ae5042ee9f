// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Networks whose outputs depend on their inputs, as those of trained ones do: else comparing outputs shows little.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "siena/autograd/tape.hpp"
#include "siena/core/random.hpp"
#include "siena/core/tensor.hpp"
#include "siena/nn/network.hpp"

namespace siena::test {

/// Samples that differ as wholes: each channel of each has a mean and a deviation of its own.
inline Tensor varied_batch(const Network& network, std::int64_t size, std::uint64_t seed) {
  Random random(seed);
  Tensor batch(network.input_shape().batch(size));
  const std::int64_t rows = batch.rows() / size;
  for (std::int64_t sample = 0; sample < size; ++sample) {
    for (std::int64_t c = 0; c < batch.columns(); ++c) {
      const double mean = random.normal(), deviation = random.uniform(0.1, 1.5);
      for (std::int64_t r = sample * rows; r < (sample + 1) * rows; ++r)
        batch.row(r)[static_cast<std::size_t>(c)] = static_cast<float>(mean + deviation * random.normal());
    }
  }
  return batch;
}

/// Gives batch norms the statistics of some samples, so that no layer is off, or on and the same, for all inputs.
inline void settle(Network& network) {
  std::vector<Tensor> before;
  for (const auto& node : network.nodes()) {
    if (!node.layer.is<BatchNorm>()) continue;
    for (float& shift : network.parameter(node.parameters[1]).value.row(0)) shift = std::abs(shift);
    for (const auto buffer : node.buffers) before.push_back(network.buffer(buffer));
  }
  Tape tape;
  network.forward(tape.reference(varied_batch(network, 8, 3)), Mode::training);
  auto old = before.begin();
  for (const auto& node : network.nodes()) {
    if (!node.layer.is<BatchNorm>()) continue;
    const auto part = static_cast<float>(node.layer.get_if<BatchNorm>()->momentum);
    for (const auto buffer : node.buffers) {
      const std::span<float> now = network.buffer(buffer).row(0);
      float sum = 0;
      for (std::size_t c = 0; c < now.size(); ++c) sum += now[c] = (now[c] - (1 - part) * old->row(0)[c]) / part;
      // A channel that these samples do not move must not be a thousandfold of others for the next ones.
      const float least = std::max(0.1f * sum / static_cast<float>(now.size()), 1e-5f);
      if (buffer == node.buffers[1]) {
        for (float& variance : now) variance = std::max(variance, least);
      }
      ++old;
    }
  }
}

}  // namespace siena::test
