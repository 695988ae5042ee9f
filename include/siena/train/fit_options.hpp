// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "siena/core/communicator.hpp"
#include "siena/data/augment.hpp"
#include "siena/train/alternation.hpp"
#include "siena/train/checkpoint.hpp"
#include "siena/train/events.hpp"
#include "siena/train/objective.hpp"
#include "siena/train/optimizers.hpp"
#include "siena/train/schedules.hpp"

namespace siena {

/// How a network is trained.
struct FitOptions {
  int epochs = 10;                    ///< how often all of the training data are seen
  std::int64_t batch = 128;           ///< samples of a step
  AnyOptimizer optimizer = Adam{};    ///< how weights move
  AnySchedule schedule = CosineLr{};  ///< how the learning rate changes over the epochs
  /// Of the parameters of Role::architecture, at a constant rate; none: they stay as they are.
  std::optional<AnyOptimizer> architecture = {};
  /// Where given, `architecture` moves alternately with the weights; else both move in every step.
  std::optional<Alternation> alternate = {};
  data::Augment augment = {};  ///< what is done to training samples by chance, anew in each epoch
  std::uint64_t seed = 0;      ///< of the order of samples, augmentation and dropout; the network has its own
  /// Leaves the network as it was after the best epoch: the last whose validation accuracy is within a standard error of the
  /// highest, or the one of lowest loss, where there is no accuracy (BestEpoch).
  bool keep_best = false;
  /// Stops when so many epochs in a row brought no better validation result; 0: never.
  int patience = 0;
  /// Most that the gradients of all weights may be long, as one vector: longer ones are shortened before the step; 0: any
  /// length. The architecture's are left alone.
  double clip = 0;
  /// Decay of an exponential moving average of weights and running statistics, 0.999 or so (WeightAverage). The averaged
  /// network is the one that is validated, kept and left behind, while the training goes on with the other; 0: there is none.
  double ema = 0;
  std::string phase = "training";          ///< what events, errors and files call this training
  Objective objective = classification();  ///< what is minimised
  /// Processes that train one network together, each on a part of every batch, all with the same options, data and weights at
  /// first. They come to the bits that one process with as many shards comes to. Rank 0 alone tells observers and keeps
  /// checkpoints.
  AnyCommunicator ranks = {};
  /// In how many shards sums over a batch are made (Shards), a multiple of the ranks: the bits depend on it. 0: 1 for one
  /// process, 8 for more.
  int shards = 0;
  int prefetch = 2;                   ///< batches that a thread of their own builds ahead
  CheckpointOptions checkpoint = {};  ///< of `fit`, which keeps and resumes the training
  /// Called when an epoch has been measured, before observers hear of it: may fill in `bounds`, set `best` and `stop`.
  std::function<void(EpochEvent&)> at_epoch_end = {};
};

}  // namespace siena
