// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/constraints/duccio.hpp"
#include "siena/constraints/multi_constraint.hpp"
#include "siena/search/repair.hpp"
#include "siena/search/report.hpp"
#include "siena/space/discretize.hpp"
#include "siena/train/loop.hpp"
#include "siena/train/observers.hpp"

namespace siena {

/// How a search runs. It has two phases: warm-up trains the network as it is; the search trains weights and masks together under the
/// constraints, settles the masks, and lets the weights recover.
struct SearchOptions {
  int warmup = 10;
  int epochs = 30;
  std::int64_t batch = 128;
  OptimizerOptions optimizer = Sgd{.lr = 0.1, .momentum = 0.9, .weight_decay = 5e-4, .nesterov = true};
  /// Learning rate of the search as a part of that of the warm-up: the weights have been learnt already, and need not be shaken up.
  double search_rate = 0.3;
  Schedule warmup_schedule = CosineLr{.warmup = 0.5};
  Schedule schedule = CosineLr{};
  /// Of the masks' alphas, whose gradients are in units of the task's loss.
  OptimizerOptions architecture = Adam{.lr = 1e-2};
  /// Part of the search after which the masks no longer move: by then repaired if need be, and slack given back. 1: they move to the
  /// end, and are settled after it only where no epoch kept every constraint.
  double settle = 0.7;
  MaskOptions masks = {};
  data::Augment augment = {};
  Objective objective = classification();
  std::uint64_t seed = 0;
};

/// What happened during a search.
struct SearchHistory {
  History warmup, search;
  Metrics seed_validation;                       ///< of the network after warm-up
  std::optional<Metrics> seed_test, found_test;  ///< if there are test images
  std::vector<ConstraintStatus> start;           ///< of the seed
  int best_epoch = -1;                           ///< of the search, from 1: whose weights were kept; -1: those after the last
  bool repaired = false;                         ///< whether channels had to be dropped for a bound to hold
};

struct SearchResult {
  Network network;  ///< plain, and keeps every constraint
  SearchHistory history;
};

namespace detail {
inline std::vector<BoundReading> readings(const std::vector<ConstraintStatus>& status) {
  std::vector<BoundReading> readings;
  for (const auto& s : status) {
    readings.push_back(
        {.name = s.name, .unit = s.unit, .value = s.value.value_or(s.violation), .limit = s.limit.value_or(0.0)});
  }
  return readings;
}

/// The search phase: its state between the hooks of the training loop.
template <class Formulation>
class MaskSearch {
 public:
  MaskSearch(Network& network, const ChannelMasks& masks, MultiConstraint<Formulation>& constraints,
             const SearchOptions& options)
      : network_(network), masks_(masks), constraints_(constraints), options_(options) {}

  Objective objective() {
    return {.loss = [this](StepContext& step) { return loss(step); },
            .after_step = [this](StepContext& step) { after_step(step); }};
  }
  void at_epoch_end(EpochEvent& event) {
    const Architecture<double> exact = describe(network_, masks_);
    event.bounds = readings(constraints_.status(exact));
    if (!constraints_.feasible(exact)) return;
    if (best_ && !better(event.validation, best_metrics_)) return;
    best_ = network_;
    best_metrics_ = event.validation;
    best_epoch_ = event.epoch;
  }
  /// Fixes the masks: every constraint holds, and no slack is left that a channel would fit in.
  void settle() {
    if (settled_) return;
    const Selection now = masks_.selection(network_);
    const Selection kept = repair(network_, masks_, constraints_.constraints(), now);
    repaired_ = !(kept == now);
    settled_selection_ = use_slack(network_, masks_, constraints_.constraints(), kept);
    settled_ = true;
    masks_.select(network_, settled_selection_);
  }

  bool has_best() const { return best_.has_value(); }
  const Network& best() const { return *best_; }
  int best_epoch() const { return best_epoch_; }
  bool repaired() const { return repaired_; }

 private:
  Loss loss(StepContext& step) {
    if (step.mode == Mode::inference) return options_.objective.loss(step);
    if (!settled_ && step.epoch >= options_.settle * step.epochs) settle();
    Loss loss = options_.objective.loss(step);
    if (!settled_) loss.penalty += constraints_.penalty(describe(step.tape, network_, masks_), step.epoch);
    return loss;
  }
  void after_step(StepContext& step) {
    if (options_.objective.after_step) options_.objective.after_step(step);
    if (settled_) {
      masks_.select(network_, settled_selection_);
      return;
    }
    masks_.project(network_);
    if constexpr (UpdatesDuals<Formulation>) constraints_.update(describe(network_, masks_));
  }

  Network& network_;
  const ChannelMasks& masks_;
  MultiConstraint<Formulation>& constraints_;
  const SearchOptions& options_;
  bool settled_ = false, repaired_ = false;
  Selection settled_selection_;
  std::optional<Network> best_;
  Metrics best_metrics_;
  int best_epoch_ = -1;
};

// All that can be wrong is said before training, not after hours of warm-up.
inline void check(const Network& network, const SearchOptions& options, const data::Splits& data) {
  require<ArgumentError>(!network.nodes().empty(), "search: expected a network with layers, got an empty one");
  require<ArgumentError>(options.warmup >= 0 && options.epochs >= 1,
                         "search: expected 0 or more epochs of warm-up and 1 or more of search, got {} and {}", options.warmup,
                         options.epochs);
  require<ArgumentError>(std::isfinite(options.search_rate) && options.search_rate > 0,
                         "search: expected a search_rate above 0, got {}", options.search_rate);
  require<ArgumentError>(options.settle > 0 && options.settle <= 1, "search: expected settle in (0, 1], got {}",
                         options.settle);
  siena::check(options.optimizer);
  siena::check(options.architecture);
  siena::check(options.warmup_schedule);
  siena::check(options.schedule);
  require<DataError>(
      data.validation.size() > 0,
      "search: expected validation samples, by which checkpoints are chosen, got none; split some off the training data");
}
}  // namespace detail

/// Trains `network`, searches it under the constraints, and returns the plain network that keeps them all with the best validation
/// result. Constraints that nothing in the search space keeps are refused before training (ConstraintError). The exact costs choose the
/// checkpoint, among the epochs that kept every constraint; where there is none, `repair` makes it so. One seed gives the same bits at any
/// number of threads.
template <class Formulation>
SearchResult search(Network network, const data::Splits& data, const ConstraintSet& bounds, Formulation formulation,
                    const SearchOptions& options, Observers observers) {
  detail::check(network, options, data);
  const ChannelMasks masks(network, options.masks);
  require_reachable(network, masks, bounds);
  MultiConstraint<Formulation> constraints(bounds, std::move(formulation));
  const Architecture<double> start = describe(network, masks);
  constraints.start(1, start, options.epochs);  // only to see now whether the formulation's options make sense
  SearchHistory history;
  if (options.warmup > 0) {
    history.warmup = fit(network, data.train, data.validation,
                         {.epochs = options.warmup,
                          .batch = options.batch,
                          .optimizer = options.optimizer,
                          .schedule = options.warmup_schedule,
                          .augment = options.augment,
                          .seed = options.seed,
                          .phase = "warm-up",
                          .objective = options.objective},
                         observers);
  }
  history.seed_validation = evaluate(network, data.validation, options.batch, options.objective);
  if (data.test.size() > 0) history.seed_test = evaluate(network, data.test, options.batch, options.objective);

  constraints.start(history.seed_validation.loss, start, options.epochs);
  history.start = constraints.status(start);

  detail::MaskSearch<Formulation> phase(network, masks, constraints, options);
  history.search = fit(network, data.train, data.validation,
                       {.epochs = options.epochs,
                        .batch = options.batch,
                        .optimizer = scaled(options.optimizer, options.search_rate),
                        .schedule = options.schedule,
                        .architecture = options.architecture,
                        .augment = options.augment,
                        .seed = options.seed + 1,
                        .phase = "search",
                        .objective = phase.objective(),
                        .at_epoch_end = [&](EpochEvent& event) { phase.at_epoch_end(event); }},
                       observers);
  if (!phase.has_best()) phase.settle();
  const Network& chosen = phase.has_best() ? phase.best() : network;
  history.best_epoch = phase.best_epoch();
  history.repaired = phase.repaired();

  SearchResult result{discretize(chosen, masks), std::move(history)};
  if (data.test.size() > 0) result.history.found_test = evaluate(result.network, data.test, options.batch, options.objective);
  return result;
}

template <class Formulation, class... O>
SearchResult search(Network network, const data::Splits& data, const ConstraintSet& bounds, Formulation formulation,
                    const SearchOptions& options = {}, O&&... observers) {
  Observers list;
  (list.add(std::forward<O>(observers)), ...);
  return search(std::move(network), data, bounds, std::move(formulation), options, std::move(list));
}

}  // namespace siena
