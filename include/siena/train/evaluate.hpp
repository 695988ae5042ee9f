// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "siena/autograd/tape.hpp"
#include "siena/core/error.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/loader.hpp"
#include "siena/nn/network.hpp"
#include "siena/train/metrics.hpp"
#include "siena/train/objective.hpp"

namespace siena {

/// Mean loss and accuracy over the samples of a dataset, in inference mode; the objective says which loss.
inline Metrics evaluate(Network& network, const data::Dataset& dataset, std::int64_t batch = 256,
                        const Objective& objective = classification()) {
  require<ArgumentError>(static_cast<bool>(objective.loss), "evaluate: expected an objective with a loss, got none");
  if (dataset.empty()) return {};
  if (objective.check) objective.check(network, dataset);
  const data::Loader loader(dataset, {.batch = batch, .shuffle = false});
  Tape tape(false);
  RunningMetrics metrics;
  loader.for_each(0, [&](const data::Batch& samples) {
    tape.clear();
    StepContext context{.network = network, .tape = tape, .batch = samples, .mode = Mode::inference};
    const Loss loss = objective.loss(context);
    metrics.add(loss.task_value(), loss.correct(samples), loss.samples(samples));
  });
  return metrics.mean();
}

}  // namespace siena
