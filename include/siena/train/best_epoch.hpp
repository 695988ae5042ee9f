// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "siena/core/state.hpp"
#include "siena/train/metrics.hpp"

namespace siena {

/// Which epoch of a training is kept, by its results on validation samples: the last one whose accuracy is within a standard
/// error of the highest (the one-standard-error rule of Breiman et al., Classification and Regression Trees, 1984). The highest
/// of many epochs is chance in part, the more so the fewer the samples; of those that samples cannot tell apart, the last has
/// learnt longest, at the lowest rate. Where there are no classes, or costs count beside the loss: the epoch of the lowest.
class BestEpoch {
 public:
  /// The result of an epoch, counted from 1; `price`: of costs that count beside the loss, in its units. True where the network
  /// of this epoch is to be kept.
  bool offer(int epoch, const Metrics& result, std::optional<double> price = {}) {
    const bool by_accuracy = result.has_accuracy() && !price;
    const double worth = price ? -(result.loss + *price) : result.worth();
    if (kept_ == 0 || worth > highest_.worth) highest_ = {epoch, worth, by_accuracy ? result.standard_error() : 0};
    if (by_accuracy ? worth < highest_.worth - highest_.error : highest_.epoch != epoch) return false;
    kept_ = epoch;
    return true;
  }

  /// The epoch that is kept; 0: none so far.
  int kept() const { return kept_; }
  /// The last one that was better than all before it: what patience waits from; 0: none so far.
  int highest() const { return highest_.epoch; }

  void save(State& state, const std::string& prefix) const {
    state.put(prefix + "kept", std::int64_t{kept_});
    state.put(prefix + "highest", std::int64_t{highest_.epoch});
    state.put(prefix + "highest_worth", highest_.worth);
    state.put(prefix + "highest_error", highest_.error);
  }
  void load(const State& state, const std::string& prefix) {
    const auto epoch = [&](const char* name) { return static_cast<int>(state.get<std::int64_t>(prefix + name)); };
    *this = BestEpoch(epoch("kept"), {.epoch = epoch("highest"),
                                      .worth = state.get<double>(prefix + "highest_worth"),
                                      .error = state.get<double>(prefix + "highest_error")});
  }

  BestEpoch() = default;

 private:
  struct Highest {
    int epoch = 0;
    double worth = 0, error = 0;
  };
  BestEpoch(int kept, const Highest& highest) : kept_(kept), highest_(highest) {}

  int kept_ = 0;
  Highest highest_;
};
static_assert(Stateful<BestEpoch>);

}  // namespace siena
