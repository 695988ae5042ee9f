// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/state.hpp"
#include "siena/train/events.hpp"
#include "siena/train/metrics.hpp"

namespace siena {

namespace detail {
inline void save(State& state, const std::string& prefix, const Metrics& metrics) {
  state.put(prefix + "loss", metrics.loss);
  state.put(prefix + "accuracy", metrics.accuracy);
  state.put(prefix + "samples", metrics.samples);
}
inline Metrics load_metrics(const State& state, const std::string& prefix) {
  return {.loss = state.get<double>(prefix + "loss"),
          .accuracy = state.get<double>(prefix + "accuracy"),
          .samples = state.get<std::int64_t>(prefix + "samples")};
}
}  // namespace detail

/// What happened, epoch by epoch.
struct History {
  std::vector<EpochEvent> epochs = {};  ///< all that ended
  double seconds = 0;                   ///< that they took
  int best = -1;                        ///< index of the best epoch by its validation result (BestEpoch), -1 without validation

  void save(State& state, const std::string& prefix) const {
    state.put(prefix + "epochs", static_cast<std::int64_t>(epochs.size()));
    state.put(prefix + "seconds", seconds);
    state.put(prefix + "best", std::int64_t{best});
    for (std::size_t i = 0; i < epochs.size(); ++i) save(state, prefix + std::to_string(i) + ".", epochs[i]);
  }
  void load(const State& state, const std::string& prefix) {
    History read{.seconds = state.get<double>(prefix + "seconds"),
                 .best = static_cast<int>(state.get<std::int64_t>(prefix + "best"))};
    const auto count = state.get<std::int64_t>(prefix + "epochs");
    for (std::int64_t i = 0; i < count; ++i) read.epochs.push_back(load_epoch(state, prefix + std::to_string(i) + "."));
    *this = std::move(read);
  }

 private:
  static void save(State& state, const std::string& prefix, const EpochEvent& event) {
    state.put(prefix + "phase", event.phase);
    state.put(prefix + "epoch", std::int64_t{event.epoch});
    state.put(prefix + "of", std::int64_t{event.epochs});
    detail::save(state, prefix + "train.", event.train);
    detail::save(state, prefix + "validation.", event.validation);
    state.put(prefix + "has_validation", std::int64_t{event.has_validation});
    state.put(prefix + "best_so_far", std::int64_t{event.best});
    state.put(prefix + "penalty", event.penalty);
    state.put(prefix + "lr", event.lr);
    state.put(prefix + "seconds", event.seconds);
    state.put(prefix + "stop", std::int64_t{event.stop});
    state.put(prefix + "bounds", static_cast<std::int64_t>(event.bounds.size()));
    for (std::size_t i = 0; i < event.bounds.size(); ++i) {
      const std::string bound = prefix + "bound" + std::to_string(i) + ".";
      state.put(bound + "name", event.bounds[i].name);
      state.put(bound + "unit", event.bounds[i].unit);
      state.put(bound + "value", event.bounds[i].value);
      state.put(bound + "limit", event.bounds[i].limit);
    }
  }
  static EpochEvent load_epoch(const State& state, const std::string& prefix) {
    const auto number = [&](const std::string& name) { return state.get<std::int64_t>(prefix + name); };
    const auto real = [&](const std::string& name) { return state.get<double>(prefix + name); };
    const auto text = [&](const std::string& name) { return state.get<std::string>(prefix + name); };
    EpochEvent event{.phase = text("phase"),
                     .epoch = static_cast<int>(number("epoch")),
                     .epochs = static_cast<int>(number("of")),
                     .train = detail::load_metrics(state, prefix + "train."),
                     .validation = detail::load_metrics(state, prefix + "validation."),
                     .has_validation = number("has_validation") != 0,
                     .best = number("best_so_far") != 0,
                     .penalty = real("penalty"),
                     .lr = real("lr"),
                     .seconds = real("seconds"),
                     .stop = number("stop") != 0};
    for (std::int64_t i = 0, count = number("bounds"); i < count; ++i) {
      const std::string bound = "bound" + std::to_string(i) + ".";
      event.bounds.push_back({.name = text(bound + "name"),
                              .unit = text(bound + "unit"),
                              .value = real(bound + "value"),
                              .limit = real(bound + "limit")});
    }
    return event;
  }
};
static_assert(Stateful<History>);

}  // namespace siena
