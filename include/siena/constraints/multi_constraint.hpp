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
#include "siena/constraints/dual_state.hpp"

namespace siena {

/// Any number of constraints in one loss: the differentiable cost gives the penalty, the exact cost moves the multipliers
/// and says what holds. `start` once after warm-up, `penalty` each step, `update` when the exact cost is known. Costs that are
/// minimized take part without a formulation. With a formulation that turns steps, the penalty is that of these costs alone,
/// and `turn` changes each step.
template <class F>
class MultiConstraint {
 public:
  explicit MultiConstraint(ConstraintSet constraints, F formulation = {})
      : constraints_(std::move(constraints)), formulation_(std::move(formulation)), duals_(constraints_.size(), Entries(1)) {
    assert_formulation<F>();
    if constexpr (ExpectsCount<F>) formulation_.expect(constraints_.size() - constraints_.minimized());
    for (std::size_t i = 0; i < size(); ++i) duals_[i][0].constraint = order(i);
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
    for (std::size_t i = 0; i < size(); ++i) {
      if (constraints_[i].is_minimized()) {
        const double cost = constraints_[i].cost(exact);
        require<ConstraintError>(std::isfinite(cost) && cost > 0, "Minimize: expected '{}' to be above 0 at the start, got {}",
                                 constraints_[i].name(), cost);
        duals_[i][0] = {.loss = task_loss, .strength = constraints_[i].weight() * task_loss / cost, .start = cost};
        continue;
      }
      const std::vector<double> violations = constraints_[i].violations(exact);
      duals_[i].assign(violations.size(), {});
      for (std::size_t entry = 0; entry < violations.size(); ++entry) {
        require<ConstraintError>(std::isfinite(violations[entry]),
                                 "constraint '{}': expected a finite violation at the start, got {}", constraints_[i].name(),
                                 violations[entry]);
        DualState& dual = duals_[i][entry];
        dual.constraint = order(i);
        formulation_.start(dual, violations[entry], task_loss);
        dual.constraint = order(i);  // formulations begin with fresh states
        dual.start = violations[entry];
      }
    }
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
      const std::vector<N> violations = entries(i, network);
      for (std::size_t entry = 0; entry < violations.size(); ++entry) sum += term(i, violations[entry], entry);
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
    for (std::size_t i = 0; i < size(); ++i) {
      if (constraints_[i].is_minimized()) continue;
      for (DualState& dual : duals_[i]) {
        SIENA_ASSERT(violations.empty() || at < violations.size());
        dual.allowed = violations.empty() ? 0 : violations[at++];
      }
    }
    SIENA_ASSERT(at == violations.size());
  }
  /// The term of one constraint at the present epoch, for a violation that the caller knows.
  template <class N>
  N term(std::size_t i, const N& violation, std::size_t entry = 0) const {
    SIENA_ASSERT(started());
    if constexpr (Formulation<F>) {
      const DualState& dual = duals_[i][entry];
      return formulation_.term(violation - dual.allowed, dual, progress());
    }
    return 0;
  }
  /// The costs that are minimized as the loss counts them: in its units, 0 where there are none.
  template <class N>
  N minimized(const Architecture<N>& network) const {
    SIENA_ASSERT(started());
    N sum = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      if (constraints_[i].is_minimized()) sum += constraints_[i].cost(network) * duals_[i][0].strength;
    }
    return sum;
  }
  /// Lets the formulation turn a step of the architecture's parameters at the present epoch, where it does that: what they were
  /// changed by, after they were brought back into their range (what that takes away must not count). The violations are those
  /// of `constraints()`, in order, where the step begins, with their gradients; the progress is filled in.
  void turn(std::span<double> step, Linearized constraints) const requires TurnsSteps<F> {
    SIENA_ASSERT(started());
    constraints.progress = progress();
    formulation_.turn(step, constraints);
  }
  /// Lets exact violations move the multipliers, where the formulation has them.
  void update(const Architecture<double>& exact) {
    SIENA_ASSERT(started());
    if constexpr (UpdatesDuals<F>) {
      for (std::size_t i = 0; i < size(); ++i) {
        const std::vector<double> violations = entries(i, exact);
        for (std::size_t entry = 0; entry < violations.size(); ++entry)
          formulation_.update(duals_[i][entry], violations[entry] - duals_[i][entry].allowed);
      }
    }
  }

  const ConstraintSet& constraints() const { return constraints_; }
  const F& formulation() const { return formulation_; }
  std::size_t size() const { return constraints_.size(); }
  double epoch() const { return epoch_; }
  /// Part of the search that is over, in [0, 1].
  double progress() const { return started() ? std::clamp(epoch_ / total_epochs_, 0.0, 1.0) : 0; }
  /// Present weight of the relative violation of constraint `i` in the loss; constraints of several entries have as many. Of a
  /// minimized cost, the weight of its relative value.
  double strength(std::size_t i, std::size_t entry = 0) const {
    if (constraints_[i].is_minimized()) return constraints_[i].weight() * duals_[i][0].loss;
    if constexpr (Formulation<F>) return formulation_.strength(duals_[i][entry], progress());
    return 0;
  }
  const DualState& dual(std::size_t i, std::size_t entry = 0) const { return duals_[i][entry]; }

  bool feasible(const Architecture<double>& exact) const { return constraints_.feasible(exact); }
  std::vector<ConstraintStatus> status(const Architecture<double>& exact) const {
    auto result = constraints_.status(exact);
    for (std::size_t i = 0; i < result.size(); ++i) {
      if (result[i].entry < duals_[i].size()) result[i].strength = strength(i, result[i].entry);
    }
    return result;
  }

  void save(State& state, const std::string& prefix) const {
    state.put(prefix + ".formulation", std::string(std::string_view(formulation_.name())));
    state.put(prefix + ".behaviour", behaviour());
    state.put(prefix + ".constraints", static_cast<std::int64_t>(size()));
    state.put(prefix + ".epoch", epoch_);
    state.put(prefix + ".total_epochs", total_epochs_);
    for (std::size_t i = 0; i < size(); ++i) {
      state.put(key(prefix, i) + ".name", constraints_[i].name());
      state.put(key(prefix, i) + ".limit", setting(i));
      state.put(key(prefix, i) + ".entries", static_cast<std::int64_t>(duals_[i].size()));
      for (std::size_t k = 0; k < duals_[i].size(); ++k) duals_[i][k].save(state, key(key(prefix, i), k));
    }
  }
  /// Throws FormatError, and changes nothing, where another formulation or other constraints were saved: of other options,
  /// limits or, where this one was started, with other violations at the start, as those of another cost model.
  void load(const State& state, const std::string& prefix) {
    const auto& formulation = state.get<std::string>(prefix + ".formulation");
    require<FormatError>(formulation == formulation_.name(), "MultiConstraint: expected the state of '{}', got that of '{}'",
                         formulation_.name(), formulation);
    const auto count = state.get<std::int64_t>(prefix + ".constraints");
    require<FormatError>(count == static_cast<std::int64_t>(size()), "MultiConstraint: expected {} constraints, got {}", size(),
                         count);
    require<FormatError>(state.get<std::string>(prefix + ".behaviour") == behaviour(),
                         "MultiConstraint: expected the state of '{}' with the same options, got one with others", formulation);
    std::vector<Entries> duals(size());
    for (std::size_t i = 0; i < size(); ++i) {
      const auto& name = state.get<std::string>(key(prefix, i) + ".name");
      const double limit = state.get<double>(key(prefix, i) + ".limit");
      require<FormatError>(name == constraints_[i].name() && limit == setting(i),
                           "MultiConstraint: expected constraint '{}' with {} {}, got '{}' with {}; a search goes on with "
                           "the constraints that it began with",
                           constraints_[i].name(), constraints_[i].is_minimized() ? "weight" : "limit", setting(i), name,
                           limit);
      const auto entries = state.get<std::int64_t>(key(prefix, i) + ".entries");
      for (std::int64_t k = 0; k < entries; ++k) {
        duals[i].emplace_back();
        duals[i].back().load(state, key(key(prefix, i), static_cast<std::size_t>(k)));
        duals[i].back().constraint = order(i);
      }
      require<FormatError>(!started() || duals[i].size() == duals_[i].size(),
                           "MultiConstraint: expected constraint '{}' to have {} entries, got {}", name, duals_[i].size(),
                           duals[i].size());
      for (std::size_t k = 0; started() && k < duals[i].size(); ++k)
        require<FormatError>(duals[i][k].start == duals_[i][k].start,
                             "MultiConstraint: expected constraint '{}' to begin at {}, got {}; is it of another network, "
                             "cost model or clock?",
                             name, duals_[i][k].start, duals[i][k].start);
    }
    const double total_epochs = state.get<double>(prefix + ".total_epochs"), epoch = state.get<double>(prefix + ".epoch");
    duals_ = std::move(duals);
    total_epochs_ = total_epochs;
    epoch_ = epoch;
  }

 private:
  using Entries = std::vector<DualState>;  // of one constraint

  template <class N>
  std::vector<N> entries(std::size_t i, const Architecture<N>& network) const {
    std::vector<N> violations = constraints_[i].violations(network);
    require<ConstraintError>(violations.size() == duals_[i].size() || constraints_[i].is_minimized(),
                             "constraint '{}': expected {} entries as at the start, got {}", constraints_[i].name(),
                             duals_[i].size(), violations.size());
    return violations;
  }
  // Among the constraints, costs that are minimized not counted.
  std::size_t order(std::size_t i) const {
    std::size_t before = 0;
    for (std::size_t k = 0; k < i; ++k) before += !constraints_[k].is_minimized();
    return before;
  }
  // What a formulation is recognised by, whatever its options are called: what it makes of a few violations.
  std::string behaviour() const {
    std::string all;
    const auto note = [&all](double number) { all += format("{:.17g} ", number); };
    if constexpr (TurnsSteps<F>) {
      const std::vector<double> violations{0.5, -0.25}, gradients{1, 0, 0, 1};
      for (const double at : {0.25, 1.0}) {
        std::vector<double> step{1, 1};
        formulation_.turn(step, {.violations = violations, .gradients = gradients, .progress = at, .length = 0.01});
        note(step[0]), note(step[1]);
      }
    }
    if constexpr (Formulation<F>) {
      for (std::size_t i = 0; i < size(); ++i) {
        if (constraints_[i].is_minimized()) continue;
        for (const double first : {0.01, 1.0}) {
          DualState dual{.constraint = order(i)};
          formulation_.start(dual, first, 1.0);
          dual.constraint = order(i);  // formulations begin with fresh states
          for (const double violation : {first, 0.5, 1e-3, -0.5}) {
            note(formulation_.term(violation, dual, 0.25));
            if constexpr (UpdatesDuals<F>) formulation_.update(dual, violation);
            note(formulation_.strength(dual, 0.25));
          }
        }
      }
    }
    return all;
  }
  // What a constraint is recognised by, beside where it begins.
  double setting(std::size_t i) const {
    return constraints_[i].is_minimized() ? constraints_[i].weight() : constraints_[i].limit().value_or(0);
  }
  static std::string key(const std::string& prefix, std::size_t i) { return prefix + "." + std::to_string(i); }

  ConstraintSet constraints_;
  F formulation_;
  std::vector<Entries> duals_;
  double total_epochs_ = 0, epoch_ = 0;
};

}  // namespace siena
