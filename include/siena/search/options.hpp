// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "siena/core/communicator.hpp"
#include "siena/data/augment.hpp"
#include "siena/space/search_space.hpp"
#include "siena/train/checkpoint.hpp"
#include "siena/train/objective.hpp"
#include "siena/train/optimizers.hpp"
#include "siena/train/schedules.hpp"

namespace siena {

/// How a search runs. It has two phases: warm-up trains the network as it is; the search trains weights and masks and choices
/// together under the constraints, settles the architecture, and lets the weights recover.
struct SearchOptions {
  int warmup = 10;           ///< epochs before the search, of the whole network
  int epochs = 30;           ///< of the search
  std::int64_t batch = 128;  ///< samples of a step
  /// How weights move, in both phases.
  AnyOptimizer optimizer = Sgd{.lr = 0.1, .momentum = 0.9, .weight_decay = 5e-4, .nesterov = true};
  /// Learning rate of the search as a part of that of the warm-up.
  double search_rate = 1;
  AnySchedule warmup_schedule = CosineLr{.warmup = 0.5};  ///< how the learning rate changes over the warm-up
  AnySchedule schedule = CosineLr{};                      ///< how it changes over the search
  /// Of the alphas of masks and choices, whose gradients are in units of the task's loss.
  AnyOptimizer architecture = Adam{.lr = 1e-2};
  /// Part of the search after which masks and choices no longer move: by then repaired if need be, and slack given back. 1:
  /// they move to the end, and are settled after it only where no epoch kept every constraint.
  double settle = 0.5;
  /// Part of the time until then in which only the formulation decides; after it the limits come nearer step by step
  /// (Approach): channels and taps that are worth least go where the formulation has not brought them there, and with choices
  /// it counts violations from these limits, from the expected cost of the start on. 1: it alone decides, by the bounds
  /// themselves.
  double lead = 0.2;
  /// Whether what is worth less than what would fit in its place is exchanged when masks settle (see siena::exchange). What
  /// comes back has to recover: short searches may be better without.
  bool exchange = true;
  /// Ends the search when so many epochs in a row brought no better network that keeps every constraint; 0: never. Not before
  /// there is one, nor before the part `patience_from` of the search.
  int patience = 0;
  double patience_from = 0.5;  ///< part of the search before which patience does not end it
  SpaceOptions space = {};     ///< how masks and choices behave
  /// 0: masks and choices move with the weights in every step. Above: that part of the training data is held out for them, and
  /// they and the weights move alternately, step by step or epoch by epoch.
  double architecture_share = 0;
  Alternation::Every architecture_every = Alternation::Every::step;  ///< how often they alternate
  data::Augment augment = {};              ///< what is done to training samples by chance, anew in each epoch
  Objective objective = classification();  ///< what is minimised, constraints aside
  double clip = 0;                         ///< as FitOptions::clip, in both phases
  double ema = 0;              ///< as FitOptions::ema, in both phases: the search begins with the average of the warm-up
  std::uint64_t seed = 0;      ///< of the order of samples, augmentation, dropout and samples of choices
  AnyCommunicator ranks = {};  ///< as FitOptions::ranks, in both phases: all of them find the same network
  int shards = 0;              ///< as FitOptions::shards, in both phases
  /// Of both phases; the test data are not part of what a checkpoint is recognised by.
  CheckpointOptions checkpoint = {};
};

}  // namespace siena
