// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "siena/autograd/ops/mixture.hpp"
#include "siena/autograd/ops/structure.hpp"
#include "siena/nn/network.hpp"

namespace siena {

/// Several things of which a search keeps one: a parameter alpha, whose softmax says how likely each is, and what was seen of
/// them. Named by index, and so good for every copy of the network.
struct Alternatives {
  int alpha = -1;      ///< parameter of the network
  int sample = -1;     ///< buffer: the last that was taken, -1: none since it was asked for
  int advantage = -1;  ///< buffer: mean of the loss above the usual one where each was taken
  int samples = -1;    ///< buffer: how often that was

  /// The likeliest.
  int chosen(const Network& network) const {
    const auto row = network.parameter(alpha).value.row(0);
    return static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin());
  }
  /// The one that was decided for, -1 where that is open.
  int decided(const Network& network) const {
    const auto row = network.parameter(alpha).value.row(0);
    const auto best = std::max_element(row.begin(), row.end());
    const bool clear =
        std::all_of(row.begin(), row.end(), [&](const float& a) { return &a == &*best || *best - a >= decisive / 2; });
    return clear ? static_cast<int>(best - row.begin()) : -1;
  }
  /// Decides: from then on no other is computed, however it is sampled.
  void select(Network& network, int alternative) const {
    auto row = network.parameter(alpha).value.row(0);
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<int>(i) == alternative ? 0.0f : -decisive;
  }

  /// softmax(alpha / temperature)
  std::vector<double> probabilities(const Network& network, double temperature = 1) const {
    Tape tape(false);
    const Var p = ops::softmax_at<float>(tape.reference(network.parameter(alpha).value), {}, temperature);
    return std::vector<double>(p.value().row(0).begin(), p.value().row(0).end());
  }
  /// The same with their gradient to alpha.
  std::vector<Scalar> probabilities(Tape& tape, Network& network, double temperature = 1) const {
    const Var p = ops::softmax_at<float>(tape.parameter(network.parameter(alpha)), {}, temperature);
    std::vector<Scalar> all;
    for (std::int64_t i = 0; i < p.value().columns(); ++i) all.push_back(tape.scalar(ops::element(p, i)));
    return all;
  }
  /// Estimated rise of the task loss when `to` stands in the place of `from`. Known where all were sampled and their losses
  /// seen; else by how much less likely it is: a nat counts as one unit of loss. One measure for all of them: two would let
  /// each of three be better than the next, in a ring.
  double rise(const Network& network, int from, int to, double temperature = 1) const {
    const auto mean = network.buffer(advantage).row(0), seen = network.buffer(samples).row(0);
    const auto sampled = [](float times) { return times > 0; };
    if (std::all_of(seen.begin(), seen.end(), sampled)) return static_cast<double>(mean[to]) - static_cast<double>(mean[from]);
    const std::vector<double> p = probabilities(network, temperature);
    return std::log(std::max(p[from], 1e-30)) - std::log(std::max(p[to], 1e-30));
  }

  int taken(const Network& network) const { return static_cast<int>(*network.buffer(sample).data()); }
  void take(Network& network, int alternative) const { network.buffer(sample).fill(static_cast<float>(alternative)); }
  /// After a step with a loss so far above the usual one: adds rise * d log p(taken) / d alpha to the gradient of alpha
  /// (REINFORCE, Williams 1992). Does nothing where none was taken.
  void learn(Network& network, double rise, double temperature = 1) const {
    const int one = taken(network);
    if (one < 0) return;
    float& mean = network.buffer(advantage).data()[one];
    float& seen = network.buffer(samples).data()[one];
    seen += 1;
    mean += std::max(1 / seen, 0.01f) * (static_cast<float>(rise) - mean);
    const std::vector<double> p = probabilities(network, temperature);
    float* gradient = network.parameter(alpha).grad.data();
    for (std::size_t i = 0; i < p.size(); ++i)
      gradient[i] += static_cast<float>(rise * ((static_cast<int>(i) == one ? 1.0 : 0.0) - p[i]));
  }

 private:
  static constexpr float decisive = 1e4f;  // no noise outweighs it, and exp(-decisive) is 0
};

}  // namespace siena
