// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "siena/autograd/parameter.hpp"
#include "siena/core/communicator.hpp"
#include "siena/core/error.hpp"
#include "siena/core/fingerprint.hpp"
#include "siena/nn/network.hpp"
#include "siena/train/checkpoint.hpp"
#include "siena/train/objective.hpp"

// What ranks that train one network together tell each other.

namespace siena::detail {

/// What a batch came to on all ranks.
struct BatchTotals {
  double task = 0;           ///< loss, a mean over `counted`
  std::int64_t correct = 0;  ///< -1: not counted
  std::int64_t counted = 0;  ///< samples that loss and accuracy are means over
  std::int64_t samples = 0;
  double part = 1;  ///< of `counted` on this rank
};
inline BatchTotals totals(const AnyCommunicator& ranks, const Loss& loss, const data::Batch& batch) {
  const BatchTotals here{
      .task = loss.task_value(), .correct = loss.correct(batch), .counted = loss.samples(batch), .samples = batch.size()};
  if (ranks.alone()) return here;
  BatchTotals all;
  for (const BatchTotals& one : gather(ranks, std::vector{here})) {
    if (one.counted > 0) all.task += one.task * static_cast<double>(one.counted);
    all.correct = one.correct < 0 || all.correct < 0 ? -1 : all.correct + one.correct;
    all.counted += one.counted;
    all.samples += one.samples;
  }
  const auto counted = static_cast<double>(std::max<std::int64_t>(all.counted, 1));  // no sample of a class: a loss of 0
  all.task /= counted;
  all.part = static_cast<double>(here.counted) / counted;
  return all;
}

/// Makes the gradients of a mean over the samples of each rank those of the mean over all of them, in one message. `part` of
/// the samples are here.
inline void sum_gradients(const AnyCommunicator& ranks, const std::vector<Parameter*>& parameters, double part) {
  if (ranks.alone()) return;
  std::vector<float> all;
  for (const Parameter* parameter : parameters) {
    for (const float slope : parameter->grad.storage()) all.push_back(part > 0 ? static_cast<float>(part * slope) : 0.0f);
  }
  sum_over(ranks, all);
  auto from = all.begin();
  for (Parameter* parameter : parameters) {
    const auto to = parameter->grad.storage();
    std::copy_n(from, to.size(), to.begin());
    from += static_cast<std::ptrdiff_t>(to.size());
  }
}

/// Gives all ranks the buffers of rank 0: each has seen samples of its own.
inline void share_buffers(const AnyCommunicator& ranks, Network& network) {
  if (ranks.alone()) return;
  for (int i = 0; i < network.buffer_count(); ++i) ranks.broadcast(std::as_writable_bytes(network.buffer(i).storage()), 0);
}

/// Throws ArgumentError, on all ranks, where they do not begin with the same: `state` has all that decides what they do.
inline void require_alike(const AnyCommunicator& ranks, const State& state, std::string_view phase) {
  const std::uint64_t mine = Fingerprint().add(state_bytes(state)).value();
  for (const std::uint64_t other : gather(ranks, std::vector{mine}))
    require<ArgumentError>(other == mine,
                           "{}: expected all {} ranks to begin with the same network, data, options and bounds, got others",
                           phase, ranks.size());
}

}  // namespace siena::detail
