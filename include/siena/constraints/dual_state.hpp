// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>

#include "siena/autograd/scalar.hpp"
#include "siena/core/state.hpp"
#include "siena/cost/cost_model.hpp"

namespace siena {

/// What a formulation remembers of one constraint. Loss terms are multiples of the loss after warm-up, so that a search
/// is the same search whatever the unit of its loss.
struct DualState {
  double loss = 1;        ///< task loss after warm-up
  double strength = 0;    ///< weight of the hinge or of the quadratic term
  double multiplier = 0;  ///< Lagrange multiplier
  double smoothed = 0;    ///< moving average of violations
  /// Violation at the start, or cost of what is minimized; set by MultiConstraint.
  double start = 0;
  /// How far the violation may go for now; set by MultiConstraint before each step that needs it, and not saved.
  double allowed = 0;
  /// Which constraint it is of, counted as they were given; set by MultiConstraint before any call of the formulation, and not
  /// saved.
  std::size_t constraint = 0;

  void save(State& state, const std::string& prefix) const {
    state.put(prefix + ".loss", loss);
    state.put(prefix + ".strength", strength);
    state.put(prefix + ".multiplier", multiplier);
    state.put(prefix + ".smoothed", smoothed);
    state.put(prefix + ".start", start);
  }
  void load(const State& state, const std::string& prefix) {
    loss = state.get<double>(prefix + ".loss");
    strength = state.get<double>(prefix + ".strength");
    multiplier = state.get<double>(prefix + ".multiplier");
    smoothed = state.get<double>(prefix + ".smoothed");
    start = state.get<double>(prefix + ".start");
  }
};
static_assert(Stateful<DualState>);

/// Begins with the exact violation at the start of the search and the task loss after warm-up.
template <class F>
concept StartsDuals = requires(const F& formulation, DualState& dual, double number) {
  formulation.start(dual, number, number);
};
/// Turns a violation into a term of the loss, given the part of the search that is over, in [0, 1].
template <class F, class N>
concept HasTerm = requires(const F& formulation, const N& violation, const DualState& dual, double progress) {
  { formulation.term(violation, dual, progress) } -> std::convertible_to<N>;
};
/// The present weight of a violation, for reports.
template <class F>
concept HasStrength = requires(const F& formulation, const DualState& dual, double progress) {
  { formulation.strength(dual, progress) } -> std::convertible_to<double>;
};
/// Moves its multiplier by an exact violation.
template <class F>
concept UpdatesDuals = requires(const F& formulation, DualState& dual, double violation) {
  formulation.update(dual, violation);
};

/// Says which numbers of constraints it is made for: `expect(count)` throws ArgumentError for any other.
template <class F>
concept ExpectsCount = requires(const F& formulation, std::size_t constraints) {
  formulation.expect(constraints);
};

/// A way to make constraints part of a loss: stateless itself, with one DualState per constraint. `name()`, `start(dual,
/// violation, task_loss)`, `term(violation, dual, progress)` for double and Scalar, `strength(dual, progress)`; optional:
/// `update(dual, violation)`, for multipliers that move, and `expect(count)`.
template <class F>
concept Formulation = Named<F> && StartsDuals<F> && HasTerm<F, double> && HasTerm<F, Scalar> && HasStrength<F>;

/// The constraints as one step of n parameters sees them.
struct Linearized {
  std::span<const double> violations;
  std::span<const double> gradients;  ///< of the violations to the parameters: as many rows of n
  double progress = 0;                ///< part of the search that is over, in [0, 1]
  double length = 0;                  ///< part of the search that a step takes: 1 / number of steps
};
/// Changes a step of parameters (what they are about to be changed by).
template <class F>
concept HasTurn = requires(const F& formulation, std::span<double> step, const Linearized& constraints) {
  formulation.turn(step, constraints);
};

/// A way to hold constraints without a part in the loss: turns each step of the architecture's parameters, of all constraints
/// at once. `name()`, `start` as in a Formulation, and `turn(step, constraints)`.
template <class F>
concept TurnsSteps = Named<F> && StartsDuals<F> && HasTurn<F>;

/// Explains in one sentence what `F` lacks to be a Formulation, or what turns steps; entry points call it instead of
/// constraining their templates.
template <class F>
constexpr void assert_formulation() {
  static_assert(Named<F>, "siena: a formulation needs `std::string_view name() const`, the name that reports show");
  static_assert(StartsDuals<F>,
                "siena: a formulation needs `void start(DualState& dual, double violation, double task_loss) const`, "
                "which sets the state of one constraint when the search begins");
  static_assert(
      HasTurn<F> || (HasTerm<F, double> && HasTerm<F, Scalar>),
      "siena: a formulation needs `template <class N> N term(const N& violation, const DualState& dual, double progress) "
      "const`, the term of the loss for one constraint, for N = double and N = Scalar; or, to change steps instead of the "
      "loss, `void turn(std::span<double> step, const Linearized& constraints) const`");
  static_assert(HasTurn<F> || HasStrength<F>,
                "siena: a formulation needs `double strength(const DualState& dual, double progress) const`, "
                "the present weight of a violation");
}

}  // namespace siena
