// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/constraints/constraint_set.hpp"
#include "siena/constraints/formulation.hpp"

namespace siena {

/// Any number of constraints in one loss: the differentiable cost gives the penalty, the exact cost moves the multipliers
/// and says what holds. `start` once after warm-up, `penalty` each step, `update` when the exact cost is known. Costs that are
/// minimized take part without a formulation. With a formulation that steers steps, the penalty is that of these costs alone,
/// and `steer` changes each step.
template <class F>
class MultiConstraint {
 public:
  /// What the formulation remembers of one entry of a constraint.
  using Memory = MemoryOf<FormulationOfOne<F>>;
  /// Whether exact violations move anything.
  static constexpr bool updates = UpdatesMemory<FormulationOfOne<F>>;

  explicit MultiConstraint(ConstraintSet constraints, F formulation = {})
      : constraints_(std::move(constraints)),
        formulation_(std::move(formulation)),
        entries_(constraints_.size(), std::vector<Entry>(1)),
        starting_costs_(constraints_.minimized().size(), 1.0) {
    assert_formulation<F>();
    if constexpr (FormulatesEach<F>) formulation_.expect(constraints_.size());
  }

  /// Derives the strengths from the loss after warm-up and the exact network that the search begins with; `total_epochs` is
  /// the length of the search. Begins anew when called again.
  void start(double task_loss, const Architecture<double>& exact, double total_epochs) {
    require<ArgumentError>(
        std::isfinite(task_loss) && task_loss > 0,
        "MultiConstraint::start: expected a finite task loss above 0, of which strengths are multiples, got {}; did the "
        "warm-up diverge, or can the objective be 0 or less?",
        task_loss);
    require<ArgumentError>(std::isfinite(total_epochs) && total_epochs > 0,
                           "MultiConstraint::start: expected a search of more than 0 epochs, got {}", total_epochs);
    for (std::size_t m = 0; m < starting_costs_.size(); ++m) {
      const Minimize& cost = constraints_.minimized()[m];
      starting_costs_[m] = cost.value(exact);
      require<ConstraintError>(std::isfinite(starting_costs_[m]) && starting_costs_[m] > 0,
                               "Minimize: expected '{}' to be above 0 at the start, got {}", cost.name(), starting_costs_[m]);
    }
    for (std::size_t i = 0; i < size(); ++i) {
      entries_[i].clear();
      for (const double violation : constraints_[i].violations(exact)) {
        require<ConstraintError>(std::isfinite(violation), "constraint '{}': expected a finite violation at the start, got {}",
                                 constraints_[i].name(), violation);
        entries_[i].push_back({.memory = of(i).start(violation, task_loss), .start = violation});
      }
    }
    task_loss_ = task_loss;
    total_epochs_ = total_epochs;
    epoch_ = 0;
  }
  bool started() const { return total_epochs_ > 0; }

  /// Sum of the terms of all constraints and minimized costs at an epoch (from 0; fractions advance within it), which
  /// `strength` then refers to.
  template <class N>
  N penalty(const Architecture<N>& network, double epoch) {
    advance(epoch);
    N sum = minimized(network);
    for (std::size_t i = 0; i < size(); ++i) {
      const std::vector<N> all = violations(i, network);
      for (std::size_t entry = 0; entry < all.size(); ++entry) sum += term(i, all[entry], entry);
    }
    return sum;
  }
  /// Sets the epoch without pricing a network.
  void advance(double epoch) {
    SIENA_ASSERT(started());
    epoch_ = epoch;
  }
  /// Lets violations go so far for now, in the order of ConstraintSet::violations: terms and multipliers count from there (a
  /// search that comes nearer to its limits by and by). Each 0 or more; none: up to the limits alone.
  void allow(std::span<const double> violations) {
    std::size_t at = 0;
    for (std::vector<Entry>& of_one : entries_) {
      for (Entry& entry : of_one) {
        SIENA_ASSERT(violations.empty() || at < violations.size());
        entry.allowed = violations.empty() ? 0 : violations[at++];
      }
    }
    SIENA_ASSERT(at == violations.size());
  }
  /// The term of one constraint at the present epoch, for a violation that the caller knows.
  template <class N>
  N term(std::size_t i, const N& violation, std::size_t entry = 0) const {
    SIENA_ASSERT(started());
    if constexpr (Formulation<FormulationOfOne<F>>) {
      const Entry& at = entries_[i][entry];
      return of(i).term(violation - at.allowed, at.memory, progress());
    }
    return 0;
  }
  /// The costs that are minimized as the loss counts them: in its units, 0 where there are none.
  template <class N>
  N minimized(const Architecture<N>& network) const {
    SIENA_ASSERT(started());
    N sum = 0;
    for (std::size_t m = 0; m < starting_costs_.size(); ++m) {
      const Minimize& cost = constraints_.minimized()[m];
      sum += cost.value(network) * (cost.weight() * task_loss_ / starting_costs_[m]);
    }
    return sum;
  }
  /// Lets the formulation steer a step of the architecture's parameters at the present epoch, where it does that: what they
  /// were changed by, after they were brought back into their range (what that takes away must not count). The violations are
  /// those of `constraints()`, in order, where the step begins, with their gradients; the progress is filled in.
  void steer(std::span<double> step, Linearized constraints) const requires SteersSteps<F> {
    SIENA_ASSERT(started());
    constraints.progress = progress();
    formulation_.steer(step, constraints);
  }
  /// Lets exact violations move the multipliers, where the formulation has them.
  void update(const Architecture<double>& exact) {
    SIENA_ASSERT(started());
    if constexpr (updates) {
      for (std::size_t i = 0; i < size(); ++i) {
        const std::vector<double> all = violations(i, exact);
        for (std::size_t entry = 0; entry < all.size(); ++entry)
          of(i).update(entries_[i][entry].memory, all[entry] - entries_[i][entry].allowed);
      }
    }
  }

  const ConstraintSet& constraints() const { return constraints_; }
  const F& formulation() const { return formulation_; }
  std::size_t size() const { return constraints_.size(); }
  double epoch() const { return epoch_; }
  /// Part of the search that is over, in [0, 1].
  double progress() const { return started() ? std::clamp(epoch_ / total_epochs_, 0.0, 1.0) : 0; }
  /// Present weight of the relative violation of constraint `i` in the loss; constraints of several entries have as many.
  double strength(std::size_t i, std::size_t entry = 0) const {
    if constexpr (Formulation<FormulationOfOne<F>>) {
      if (started()) return of(i).strength(entries_[i][entry].memory, progress());
    }
    return 0;
  }
  const Memory& memory(std::size_t i, std::size_t entry = 0) const { return entries_[i][entry].memory; }

  bool feasible(const Architecture<double>& exact) const { return constraints_.feasible(exact); }
  /// As that of the constraints; the strength of a cost that is minimized is the weight of its relative value.
  std::vector<ConstraintStatus> status(const Architecture<double>& exact) const {
    auto result = constraints_.status(exact);
    for (std::size_t i = 0; started() && i < result.size(); ++i) {
      if (i >= size()) {
        result[i].strength = constraints_.minimized()[i - size()].weight() * task_loss_;
      } else if (result[i].entry < entries_[i].size()) {
        result[i].strength = strength(i, result[i].entry);
      }
    }
    return result;
  }

  void save(State& state, const std::string& prefix) const {
    for (const auto& [name, text] : settings()) state.put(prefix + "." + name, text);
    state.put(prefix + ".epoch", epoch_);
    state.put(prefix + ".total_epochs", total_epochs_);
    state.put(prefix + ".task_loss", task_loss_);
    for (std::size_t m = 0; m < starting_costs_.size(); ++m) state.put(key(prefix + ".minimized", m), starting_costs_[m]);
    for (std::size_t i = 0; i < size(); ++i) {
      state.put(key(prefix, i) + ".entries", static_cast<std::int64_t>(entries_[i].size()));
      for (std::size_t k = 0; k < entries_[i].size(); ++k) {
        state.put(key(key(prefix, i), k) + ".start", entries_[i][k].start);
        if (started()) detail::save_memory(entries_[i][k].memory, state, key(key(prefix, i), k) + ".");
      }
    }
  }
  /// Throws FormatError, and changes nothing, where another formulation or other constraints were saved, by what they say of
  /// themselves, or, where this one was started, with other violations at the start, as those of another network.
  void load(const State& state, const std::string& prefix) {
    for (const auto& [name, text] : settings()) {
      const auto& saved = state.get<std::string>(prefix + "." + name);
      require<FormatError>(saved == text,
                           "MultiConstraint: expected {} '{}', got '{}'; a search goes on with what it began with", name, text,
                           saved);
    }
    const auto number = [&](const std::string& name) { return state.get<double>(name); };
    const double total_epochs = number(prefix + ".total_epochs"), epoch = number(prefix + ".epoch"),
                 task_loss = number(prefix + ".task_loss");
    const auto require_start = [&](const std::string& name, double here, double saved) {
      require<FormatError>(!started() || here == saved,
                           "MultiConstraint: expected '{}' to begin at {}, got {}; is it of another network, cost model or "
                           "clock?",
                           name, here, saved);
    };
    std::vector<double> starting_costs;
    for (std::size_t m = 0; m < starting_costs_.size(); ++m) {
      starting_costs.push_back(number(key(prefix + ".minimized", m)));
      require_start(constraints_.minimized()[m].name(), starting_costs_[m], starting_costs[m]);
    }
    std::vector<std::vector<Entry>> entries(size());
    for (std::size_t i = 0; i < size(); ++i) {
      const auto count = static_cast<std::size_t>(state.get<std::int64_t>(key(prefix, i) + ".entries"));
      require<FormatError>(!started() || count == entries_[i].size(),
                           "MultiConstraint: expected constraint '{}' to have {} entries, got {}", constraints_[i].name(),
                           entries_[i].size(), count);
      for (std::size_t k = 0; k < count; ++k) {
        Entry entry{.start = number(key(key(prefix, i), k) + ".start")};
        require_start(constraints_[i].name(), entries_[i][started() ? k : 0].start, entry.start);
        if (total_epochs > 0) {
          entry.memory = of(i).start(entry.start, task_loss);
          detail::load_memory(entry.memory, state, key(key(prefix, i), k) + ".");
        }
        entries[i].push_back(std::move(entry));
      }
    }
    entries_ = std::move(entries);
    starting_costs_ = std::move(starting_costs);
    task_loss_ = task_loss;
    total_epochs_ = total_epochs;
    epoch_ = epoch;
  }

 private:
  // Of one constraint: one, for most.
  struct Entry {
    Memory memory{};
    double start = 0;    // violation at the start
    double allowed = 0;  // how far the violation may go for now: not saved, but set before each step that needs it
  };

  const FormulationOfOne<F>& of(std::size_t i) const {
    if constexpr (FormulatesEach<F>) {
      return formulation_.of(i);
    } else {
      return formulation_;
    }
  }
  template <class N>
  std::vector<N> violations(std::size_t i, const Architecture<N>& network) const {
    std::vector<N> all = constraints_[i].violations(network);
    require<ConstraintError>(all.size() == entries_[i].size(), "constraint '{}': expected {} entries as at the start, got {}",
                             constraints_[i].name(), entries_[i].size(), all.size());
    return all;
  }
  // What all this depends on, as the parts say it of themselves: a state serves only the same.
  std::vector<std::pair<std::string, std::string>> settings() const {
    std::string all, costs;
    for (const AnyConstraint& constraint : constraints_) all += format("{}{}", all.empty() ? "" : "; ", constraint.to_string());
    for (const Minimize& cost : constraints_.minimized()) costs += format("{}{}", costs.empty() ? "" : "; ", cost.to_string());
    return {{"formulation", formulation_.to_string()}, {"constraints", all}, {"minimized", costs}};
  }
  static std::string key(const std::string& prefix, std::size_t i) { return prefix + "." + std::to_string(i); }

  ConstraintSet constraints_;
  F formulation_;
  std::vector<std::vector<Entry>> entries_;  // of each constraint
  std::vector<double> starting_costs_;       // of what is minimized
  double task_loss_ = 1, total_epochs_ = 0, epoch_ = 0;
};

}  // namespace siena
