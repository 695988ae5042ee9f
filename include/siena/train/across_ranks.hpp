// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "siena/core/communicator.hpp"
#include "siena/core/error.hpp"
#include "siena/core/fingerprint.hpp"
#include "siena/nn/network.hpp"
#include "siena/train/checkpoint.hpp"
#include "siena/train/evaluate.hpp"
#include "siena/train/objective.hpp"

// What ranks that train one network together tell each other.

namespace siena::detail {

/// What a batch came to on all ranks, of which this one has `here` samples. The loss is that of all of them already.
inline BatchTotals totals(const AnyCommunicator& ranks, const Loss& loss, const data::Batch& batch, std::int64_t here,
                          std::string_view phase) {
  BatchTotals all{.task = loss.task_value(), .correct = loss.correct(batch), .counted = loss.samples(batch)};
  if (ranks.alone()) return all;
  if (here == 0) all.correct = std::min<std::int64_t>(all.correct, 0), all.counted = 0;
  const auto each = gather(ranks, std::vector{all});
  for (const BatchTotals& one : each)
    require<DataError>(
        std::memcmp(&one.task, &all.task, sizeof all.task) == 0,
        "{}: expected a loss of the whole batch, the same on all {} ranks, got {} and {}; hint: a loss of one's own "
        "is a mean by ops::batch_mean",
        phase, ranks.size(), all.task, one.task);
  all.correct = all.counted = 0;
  for (const BatchTotals& one : each) {
    all.correct = one.correct < 0 || all.correct < 0 ? -1 : all.correct + one.correct;
    all.counted += one.counted;
  }
  return all;
}

/// Throws DataError, on all ranks, where they no longer have the same network.
inline void require_together(const AnyCommunicator& ranks, const Network& network, std::string_view phase, int epoch) {
  if (ranks.alone()) return;
  State state;
  network.save(state);
  const std::uint64_t mine = Fingerprint().add(state_bytes(state)).value();
  for (const std::uint64_t other : gather(ranks, std::vector{mine}))
    require<DataError>(other == mine,
                       "{}: expected all {} ranks to have the same network after epoch {}, got others; hint: operations and "
                       "losses of one's own sum over samples by BasicTape::add_batch_sum, and the ranks run the same program "
                       "on machines of one kind",
                       phase, ranks.size(), epoch);
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
