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
#include "siena/data/split.hpp"
#include "siena/search/options.hpp"
#include "siena/search/reach.hpp"
#include "siena/search/report.hpp"
#include "siena/search/search_phase.hpp"
#include "siena/search/slack.hpp"
#include "siena/space/discretize.hpp"
#include "siena/train/loop.hpp"
#include "siena/train/observers.hpp"

namespace siena {

/// What happened during a search.
struct SearchHistory {
  History warmup, search;
  Metrics baseline_validation;                       ///< of the network after warm-up
  std::optional<Metrics> baseline_test, found_test;  ///< if there are test images
  std::vector<Reach> reach;                          ///< what each constraint's metric can come to
  std::vector<ConstraintStatus> start;               ///< of the baseline, which it begins with
  std::vector<ShadowPrice> prices;                   ///< which constraints bind in the end, and what they cost the task
  int best_epoch = -1;    ///< of the search, from 1: whose weights were kept; -1: those after the last
  bool repaired = false;  ///< whether something had to change for a bound to hold when masks were settled
};

struct SearchResult {
  Network network;  ///< plain, and keeps every constraint
  SearchHistory history;
};

namespace detail {
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
  require<ArgumentError>(options.lead >= 0 && options.lead <= 1, "search: expected a lead in [0, 1], got {}", options.lead);
  require<ArgumentError>(options.patience >= 0 && options.patience_from >= 0,
                         "search: expected patience and patience_from of 0 or more, got {} and {}", options.patience,
                         options.patience_from);
  require<ArgumentError>(options.architecture_share >= 0 && options.architecture_share < 1,
                         "search: expected an architecture_share in [0, 1), got {}", options.architecture_share);
  options.optimizer.check();
  options.architecture.check();
  options.warmup_schedule.check();
  options.schedule.check();
  require<DataError>(
      data.validation.size() > 0,
      "search: expected validation samples, by which checkpoints are chosen, got none; split some off the training data");
  for (const data::Dataset* part : {&data.train, &data.validation, &data.test})
    if (options.objective.check && !part->empty()) options.objective.check(network, *part);
}
}  // namespace detail

/// Trains `network`, searches it under the constraints, and returns the plain network that keeps them all with the best
/// validation result. Constraints that nothing in the search space keeps are refused before training (ConstraintError). The
/// exact costs choose the checkpoint, among the epochs that kept every constraint; where there is none, `repair` makes it so.
/// One seed gives the same bits at any number of threads, and with any number of breaks (SearchOptions::checkpoint).
template <class Formulation>
SearchResult search(Network network, const data::Splits& data, const ConstraintSet& bounds, Formulation formulation,
                    const SearchOptions& options, Observers observers) {
  detail::check(network, options, data);
  const SearchSpace space = SearchSpace::install(network, options.space);
  require_varying(space);
  require_reachable({network, space, bounds});
  MultiConstraint<Formulation> constraints(bounds, std::move(formulation));
  const Architecture<double> start = describe_expected(network, space);
  constraints.start(1, start, options.epochs);  // only to see now whether the formulation's options make sense
  SearchHistory history;
  history.reach = reach(Problem{network, space, bounds});
  if (options.warmup > 0) {
    history.warmup = fit(network, data.train, data.validation,
                         {.epochs = options.warmup,
                          .batch = options.batch,
                          .optimizer = options.optimizer,
                          .schedule = options.warmup_schedule,
                          .augment = options.augment,
                          .seed = options.seed,
                          .clip = options.clip,
                          .ema = options.ema,
                          .phase = "warm-up",
                          .objective = options.objective,
                          .ranks = options.ranks,
                          .shards = options.shards,
                          .checkpoint = options.checkpoint},
                         observers);
  }
  history.baseline_validation = evaluate(network, data.validation, options.batch, options.objective, options.ranks);
  if (data.test.size() > 0)
    history.baseline_test = evaluate(network, data.test, options.batch, options.objective, options.ranks);

  constraints.start(history.baseline_validation.loss, start, options.epochs);
  history.start = constraints.status(start);

  SearchPhase<Formulation> phase(network, space, constraints, options);
  const data::Split parts = data::split(data.train, {.fraction = options.architecture_share, .seed = options.seed});
  std::optional<Alternation> alternate;
  if (options.architecture_share > 0)
    alternate = Alternation{.data = parts.held_out, .every = options.architecture_every, .until = options.settle};
  history.search = fit(network, parts.kept, data.validation,
                       {.epochs = options.epochs,
                        .batch = options.batch,
                        .optimizer = options.optimizer.scaled(options.search_rate),
                        .schedule = options.schedule,
                        .architecture = options.architecture,
                        .alternate = alternate,
                        .augment = options.augment,
                        .seed = options.seed + 1,
                        .clip = options.clip,
                        .ema = options.ema,
                        .phase = "search",
                        .objective = phase.objective(),
                        .ranks = options.ranks,
                        .shards = options.shards,
                        .checkpoint = options.checkpoint,
                        .at_epoch_end = [&](EpochEvent& event) { phase.at_epoch_end(event); }},
                       observers);
  if (!phase.has_best()) phase.settle();
  const Network& chosen = phase.has_best() ? phase.best() : network;
  SIENA_ASSERT(bounds.feasible(describe(chosen, space)));
  history.best_epoch = phase.best_epoch();
  history.repaired = phase.repaired();
  history.prices = shadow_prices({chosen, space, bounds, phase.problem().price}, space.selection(chosen));

  SearchResult result{discretize(chosen, space), std::move(history)};
  if (data.test.size() > 0)
    result.history.found_test = evaluate(result.network, data.test, options.batch, options.objective, options.ranks);
  return result;
}

namespace detail {
template <class Bounds>
inline constexpr bool is_set = std::is_convertible_v<const Bounds&, const ConstraintSet&>;
/// Fails to compile, with a sentence, for what is passed where the constraints belong.
template <class Bounds>
SearchResult require_set() {
  static_assert(
      is_set<Bounds>,
      "siena: the third argument of search is what must hold: write `subject_to(MemoryBound{16_KiB})`, with all bounds "
      "and constraints in it, and the formulation after it");
  return {};
}
}  // namespace detail

template <class Formulation, class... O>
SearchResult search(Network network, const data::Splits& data, const ConstraintSet& bounds, Formulation formulation,
                    const SearchOptions& options = {}, O&&... observers) {
  Observers list;
  (list.add(std::forward<O>(observers)), ...);
  return search(std::move(network), data, bounds, std::move(formulation), options, std::move(list));
}
/// For bounds that are in no set: says what to write.
template <class Bounds, class Formulation, class... O>
requires(!detail::is_set<Bounds>) SearchResult
    search(const Network&, const data::Splits&, const Bounds&, const Formulation&, const SearchOptions& = {}, O&&...) {
  return detail::require_set<Bounds>();
}
template <class Formulation>
requires(!detail::is_set<Formulation>) SearchResult
    search(const Network&, const data::Splits&, const Formulation&, const SearchOptions& = {}) {
  return detail::require_set<Formulation>();
}

}  // namespace siena
