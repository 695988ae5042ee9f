// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "siena/autograd/tape.hpp"
#include "siena/core/communicator.hpp"
#include "siena/core/error.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/loader.hpp"
#include "siena/nn/network.hpp"
#include "siena/train/metrics.hpp"
#include "siena/train/objective.hpp"

namespace siena {

namespace detail {
/// What a network did on a batch.
struct BatchTotals {
  double task = 0;           ///< loss, a mean over `counted`
  std::int64_t correct = 0;  ///< -1: not counted
  std::int64_t counted = 0;  ///< samples that loss and accuracy are means over
};

/// visit(samples [first, last) of a dataset), where there are any.
template <class Visit>
void run_of(const data::Dataset& dataset, std::int64_t first, std::int64_t last, const Visit& visit) {
  last = std::min(last, dataset.size());
  if (first == 0 && last == dataset.size()) return visit(dataset);
  if (first >= last) return;
  std::vector<std::int64_t> places(static_cast<std::size_t>(last - first));
  std::iota(places.begin(), places.end(), first);
  visit(dataset.subset(places));
}
}  // namespace detail

/// Mean loss and accuracy over the samples of a dataset, in inference mode; the objective says which loss. Ranks share the
/// batches out, and all get what one process would.
inline Metrics evaluate(Network& network, const data::Dataset& dataset, std::int64_t batch = 256,
                        const Objective& objective = classification(), const AnyCommunicator& ranks = {}) {
  require<ArgumentError>(static_cast<bool>(objective.loss), "evaluate: expected an objective with a loss, got none");
  for (const std::int64_t size : ranks.alone() ? std::vector<std::int64_t>() : gather(ranks, std::vector{dataset.size()}))
    require<DataError>(size == dataset.size(), "evaluate: expected the same samples on all ranks, got {} here and {} elsewhere",
                       dataset.size(), size);
  if (dataset.empty()) return {};
  if (objective.check) objective.check(network, dataset);
  const std::int64_t batches = (dataset.size() + batch - 1) / batch;
  const auto first = [&](std::int64_t rank) { return batches * rank / ranks.size(); };
  std::vector<detail::BatchTotals> judged(static_cast<std::size_t>(batches));
  auto next = judged.begin() + first(ranks.rank());
  Tape tape(false);
  detail::run_of(dataset, first(ranks.rank()) * batch, first(ranks.rank() + 1) * batch, [&](const data::Dataset& mine) {
    data::Loader(mine, {.batch = batch, .shuffle = false}).for_each(0, [&](const data::Batch& samples) {
      tape.clear();
      StepContext context{.network = network, .tape = tape, .batch = samples, .mode = Mode::inference};
      const Loss loss = objective.loss(context);
      *next++ = {.task = loss.task_value(), .correct = loss.correct(samples), .counted = loss.samples(samples)};
    });
  });
  const auto all = ranks.alone() ? std::move(judged) : gather(ranks, std::move(judged));
  RunningMetrics metrics;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    for (std::int64_t b = first(rank); b < first(rank + 1); ++b) {
      const auto& one = all[static_cast<std::size_t>(rank * batches + b)];
      metrics.add(one.task, one.correct, one.counted);
    }
  }
  return metrics.mean();
}

}  // namespace siena
