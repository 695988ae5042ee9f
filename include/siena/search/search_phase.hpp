// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/constraints/multi_constraint.hpp"
#include "siena/core/state.hpp"
#include "siena/search/approach.hpp"
#include "siena/search/exchange.hpp"
#include "siena/search/options.hpp"
#include "siena/search/problem.hpp"
#include "siena/search/repair.hpp"
#include "siena/search/slack.hpp"
#include "siena/search/step_steering.hpp"
#include "siena/space/compact.hpp"
#include "siena/space/describe.hpp"
#include "siena/train/best_epoch.hpp"
#include "siena/train/events.hpp"
#include "siena/train/history.hpp"

namespace siena {

namespace detail {
inline std::vector<BoundReading> readings(const std::vector<ConstraintStatus>& status) {
  std::vector<BoundReading> readings;
  for (const auto& s : status) {
    readings.push_back(
        {.name = s.name, .unit = s.unit, .value = s.value.value_or(s.violation), .limit = s.limit.value_or(0.0)});
  }
  return readings;
}
}  // namespace detail

/// The search phase, for those who run it step by step themselves: an objective for a training of `network`, whose masks and
/// choices it moves under the constraints. Network, space and constraints are referred to and must outlive it.
template <class Formulation>
class SearchPhase {
 public:
  SearchPhase(Network& network, const SearchSpace& space, MultiConstraint<Formulation>& constraints, SearchOptions options)
      : network_(network),
        space_(space),
        constraints_(constraints),
        options_(std::move(options)),
        compact_(space),
        steering_(network, space),
        approach_(constraints.constraints().violations(space.mixes() ? describe_expected(network, space)
                                                                     : describe(network, space, space.full()))) {}
  SearchPhase(const SearchPhase&) = delete;  // its objective refers to it
  SearchPhase& operator=(const SearchPhase&) = delete;

  /// The task's objective on what of the network is computed, and the price of the constraints. Refers to this object.
  Objective objective() {
    return {.loss = [this](StepContext& step) { return loss(step); },
            .before_step = [this](StepContext& step) { before_step(step); },
            .before_update = [this](StepContext& step) { before_update(step); },
            .after_step = [this](StepContext& step) { after_step(step); },
            .save = [this](State& state, const std::string& prefix) { save(state, prefix); },
            .load = [this](const State& state, const std::string& prefix) { load(state, prefix); },
            .check = options_.objective.check,
            .settings = options_.objective.settings};
  }
  /// Fills in the bounds, keeps the network where it is the best so far that keeps every constraint, and stops where patience
  /// ends.
  void at_epoch_end(EpochEvent& event) {
    const Architecture<double> exact = describe(network_, space_);
    event.bounds = detail::readings(constraints_.status(exact));
    std::optional<double> price;
    if (!constraints_.constraints().minimized().empty()) price = constraints_.minimized(exact);
    event.best = constraints_.feasible(exact) && best_epoch_.offer(event.epoch, event.validation, price);
    if (event.best) best_ = network_;
    const double waited = event.epoch - std::max<double>(best_epoch_.highest(), options_.patience_from * event.epochs);
    if (best_ && options_.patience > 0 && waited >= options_.patience) event.stop = true;
  }
  /// Fixes masks and choices: every constraint holds, no slack is left that a channel would fit in, and what could
  /// make room for more is exchanged.
  void settle() {
    if (settled_) return;
    const Selection now = space_.selection(network_);
    const Selection kept = repaired_from(now);
    repaired_ = !(kept == now);
    settled_selection_ = use_slack(problem(), kept);
    if (options_.exchange) settled_selection_ = exchange(problem(), settled_selection_);
    settled_ = true;
    space_.select(network_, settled_selection_);
  }

  /// What neither the network nor its training remembers.
  void save(State& state, const std::string& prefix) const {
    state.put(prefix + "settings", settings());
    state.put(prefix + "settled", std::int64_t{settled_});
    state.put(prefix + "repaired", std::int64_t{repaired_});
    state.put(prefix + "usual_loss", usual_);
    best_epoch_.save(state, prefix + "best_epoch.");
    if (best_) best_->save(state, prefix + "best.");
    approach_.save(state, prefix + "approach.");
    constraints_.save(state, prefix + "constraints");
    if (options_.objective.save) options_.objective.save(state, prefix + "task.");
  }
  /// Of a phase with the same options and constraints; the network is to be loaded before. Throws FormatError.
  void load(const State& state, const std::string& prefix) {
    const auto& saved = state.get<std::string>(prefix + "settings");
    require<FormatError>(saved == settings(), "SearchPhase: expected a checkpoint of a search with '{}', got one with '{}'",
                         settings(), saved);
    constraints_.load(state, prefix + "constraints");
    approach_.load(state, prefix + "approach.");
    const auto number = [&](const char* name) { return state.get<std::int64_t>(prefix + name); };
    settled_ = number("settled") != 0;
    repaired_ = number("repaired") != 0;
    best_epoch_.load(state, prefix + "best_epoch.");
    usual_ = state.get<double>(prefix + "usual_loss");
    best_.reset();
    if (best_epoch_.kept() > 0) best_.emplace(network_).load(state, prefix + "best.");
    if (settled_) settled_selection_ = space_.selection(network_);
    if (options_.objective.load) options_.objective.load(state, prefix + "task.");
  }

  /// Whether an epoch kept every constraint; then `best` is the network, masks and all, after the best of them.
  bool has_best() const { return best_.has_value(); }
  const Network& best() const { return *best_; }
  int best_epoch() const { return best_ ? best_epoch_.kept() : -1; }
  bool repaired() const { return repaired_; }
  /// What is searched; refers to this object.
  Problem problem() const {
    return {network_, space_, constraints_.constraints(),
            [this](const Architecture<double>& exact) { return constraints_.minimized(exact); }};
  }

 private:
  std::string settings() const {
    std::string text = format("settle {}, lead {}, exchange {}, patience {} from {}", options_.settle, options_.lead,
                              options_.exchange, options_.patience, options_.patience_from);
    for (const AnyAxis& axis : space_.axes()) {
      if (const std::string its = axis->settings(); !its.empty()) text += ", " + its;
    }
    return text;
  }
  // From where the masks are, or, where that leads nowhere, from the whole network: there it was tried before the search.
  Selection repaired_from(const Selection& now) const {
    try {
      return repair(problem(), now);
    } catch (const ConstraintError&) {
      return repair(problem(), space_.full());
    }
  }
  // The axes are told where the search is, and draw their samples; it settles when it is time.
  void before_step(StepContext& step) {
    if (options_.objective.before_step) options_.objective.before_step(step);
    if (settled_) return;
    const AxisStep now{.epoch = step.epoch, .learns = step.moves != Moves::weights, .random = step.random};
    for (const AnyAxis& axis : space_.axes()) axis->begin_step(network_, now);
    if (step.epoch >= options_.settle * step.epochs) settle();
    if (!settled_ && space_.mixes()) constraints_.allow(approach_.allowed(nearness(step)));
  }
  Loss loss(StepContext& step) {
    if (&step.network != &network_) {
      require<ArgumentError>(step.mode == Mode::inference,
                             "SearchPhase: expected to train the network that it was made for, got another");
      return options_.objective.loss(step);
    }
    StepContext compact = on_compact(step);
    Loss loss = options_.objective.loss(compact);
    if (step.mode == Mode::training && !settled_) {
      loss.penalty += constraints_.penalty(describe(step.tape, network_, space_), step.epoch);
      for (const AnyAxis& axis : space_.axes()) loss.penalty += axis->penalty(step.tape, network_);
    }
    return loss;
  }
  void before_update(StepContext& step) {
    const auto measure = step.moves == Moves::weights ? CompactNetwork::Worth::kept : CompactNetwork::Worth::measured;
    compact_.return_gradients(network_, static_cast<double>(step.samples), measure);
    if (learns_from_loss(step)) {
      if (std::isnan(usual_)) usual_ = step.task;
      for (const AnyAxis& axis : space_.axes()) axis->learn(network_, step.task - usual_);
      usual_ += 0.05 * (step.task - usual_);
    }
    for (const AnyAxis& axis : space_.axes()) axis->join_gradients(network_);
    if (options_.objective.before_update) options_.objective.before_update(step);
    if constexpr (SteersSteps<Formulation>) {
      if (!settled_ && step.moves != Moves::weights) steering_.begin(constraints_.constraints());
    }
  }
  bool learns_from_loss(const StepContext& step) const {
    return step.mode == Mode::training && !settled_ && space_.learns_from_loss() && step.moves != Moves::weights;
  }
  // The same step on the channels that are on and the alternatives that may be: the others are not computed.
  StepContext on_compact(const StepContext& step) {
    return {.network = compact_.update(network_, step.mode),
            .tape = step.tape,
            .batch = step.batch,
            .mode = step.mode,
            .epoch = step.epoch,
            .epochs = step.epochs,
            .step = step.step,
            .steps = step.steps,
            .random = step.random,
            .moves = step.moves,
            .samples = step.samples};
  }
  void after_step(StepContext& step) {
    if (options_.objective.after_step) options_.objective.after_step(step);
    if (settled_) {
      space_.select(network_, settled_selection_);
      return;
    }
    if constexpr (SteersSteps<Formulation>) {
      if (step.moves != Moves::weights)
        steering_.steer(constraints_, 1.0 / static_cast<double>(std::max<std::int64_t>(step.steps, 1)));
    }
    space_.project(network_);
    if (step.moves != Moves::weights) approach(step);
    if constexpr (MultiConstraint<Formulation>::updates) {
      if (step.moves != Moves::weights) constraints_.update(describe(network_, space_));
    }
  }

  // How much of the way to the limits the network should have come, in [0, 1]; 1 where the formulation alone decides.
  double nearness(const StepContext& step) const {
    if (options_.lead == 1) return 1;
    const double done = step.epoch / (options_.settle * step.epochs);
    return std::clamp((done - options_.lead) / (1 - options_.lead), 0.0, 1.0);
  }
  // Where a choice is open, what the network costs now says little of what it will cost: there the formulation is told.
  void approach(const StepContext& step) {
    if (space_.mixes() || step.epoch < options_.lead * options_.settle * step.epochs) return;
    const Selection now = space_.selection(network_);
    const Selection kept = approach_.drop(problem(), now, nearness(step));
    if (!(kept == now)) space_.switch_off(network_, kept);
  }

  Network& network_;
  const SearchSpace& space_;
  MultiConstraint<Formulation>& constraints_;
  const SearchOptions options_;
  CompactNetwork compact_;
  StepSteering steering_;
  Approach approach_;
  bool settled_ = false, repaired_ = false;
  double usual_ = std::nan("");  // running mean of the loss
  Selection settled_selection_;
  std::optional<Network> best_;
  BestEpoch best_epoch_;
};

}  // namespace siena
