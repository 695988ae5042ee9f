// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "siena/autograd/scalar.hpp"
#include "siena/core/attributes.hpp"
#include "siena/core/state.hpp"
#include "siena/cost/cost_model.hpp"

namespace siena {

/// What a formulation remembers of one constraint: numbers of type double, named in one place as options of layers are
/// (HasAttributes), or anything that saves and loads itself. Loss terms are multiples of the loss after warm-up, so that a
/// search is the same search whatever the unit of its loss.
template <class M>
concept FormulationMemory = std::copyable<M> && std::default_initializable<M> &&(Stateful<M> || HasAttributes<M>);

/// For a formulation that remembers nothing.
struct NoMemory {
  static void attributes(auto&, auto&&) {}
};

/// Begins with the exact violation at the start of the search and the task loss after warm-up: `start` returns its memory.
template <class F>
concept StartsMemory = requires(const F& formulation, double number) {
  { formulation.start(number, number) } -> FormulationMemory;
};
namespace detail {
template <class F>
struct MemoryOf {
  using type = NoMemory;
};
template <StartsMemory F>
struct MemoryOf<F> {
  using type = decltype(std::declval<const F&>().start(0.0, 0.0));
};
}  // namespace detail
template <class F>
using MemoryOf = typename detail::MemoryOf<F>::type;

/// Turns a violation into a term of the loss, given the part of the search that is over, in [0, 1].
template <class F, class N>
concept HasTerm = StartsMemory<F> &&
    requires(const F& formulation, const N& violation, const MemoryOf<F>& memory, double progress) {
  { formulation.term(violation, memory, progress) } -> std::convertible_to<N>;
};
/// The present weight of a violation, for reports.
template <class F>
concept HasStrength = StartsMemory<F> && requires(const F& formulation, const MemoryOf<F>& memory, double progress) {
  { formulation.strength(memory, progress) } -> std::convertible_to<double>;
};
/// Moves its multiplier by an exact violation.
template <class F>
concept UpdatesMemory = StartsMemory<F> && requires(const F& formulation, MemoryOf<F>& memory, double violation) {
  formulation.update(memory, violation);
};

/// A way to make constraints part of a loss: `name()`, `to_string()` with every option (by which a checkpoint is recognised),
/// `start(violation, task_loss)`, which returns the memory that it has of one constraint, `term(violation, memory, progress)`
/// for double and Scalar, `strength(memory, progress)`; optional: `update(memory, violation)`, for multipliers that move.
template <class F>
concept Formulation = Named<F> && Described<F> && HasTerm<F, double> && HasTerm<F, Scalar> && HasStrength<F>;

/// The constraints as one step of n parameters sees them.
struct Linearized {
  std::span<const double> violations;
  std::span<const double> gradients;  ///< of the violations to the parameters: as many rows of n
  double progress = 0;                ///< part of the search that is over, in [0, 1]
  double length = 0;                  ///< part of the search that a step takes: 1 / number of steps
};
/// Changes a step of parameters (what they are about to be changed by).
template <class F>
concept HasSteer = requires(const F& formulation, std::span<double> step, const Linearized& constraints) {
  formulation.steer(step, constraints);
};

/// A way to hold constraints without a part in the loss: steers each step of the architecture's parameters, of all constraints
/// at once. `name()`, `to_string()`, `start` as in a Formulation, and `steer(step, constraints)`.
template <class F>
concept SteersSteps = Named<F> && Described<F> && StartsMemory<F> && HasSteer<F>;

/// Has a formulation for each of several constraints: `of(i)`; `expect(count)` throws ArgumentError for any other number of
/// them.
template <class F>
concept FormulatesEach = Named<F> && Described<F> && requires(const F& formulations, std::size_t i) {
  formulations.expect(i);
  formulations.of(i);
};

namespace detail {
template <class F>
struct FormulationOfOne {
  using type = F;
};
template <FormulatesEach F>
struct FormulationOfOne<F> {
  using type = std::remove_cvref_t<decltype(std::declval<const F&>().of(0))>;
};

template <FormulationMemory M>
void save_memory(const M& memory, State& state, const std::string& prefix) {
  if constexpr (Stateful<M>) {
    memory.save(state, prefix);
  } else {
    M::attributes(memory, [&](std::string_view name, const auto& number) {
      static_assert(std::is_same_v<std::remove_cvref_t<decltype(number)>, double>,
                    "siena: what a formulation remembers are numbers of type double, or it has `save` and `load`");
      state.put(prefix + std::string(name), number);
    });
  }
}
template <FormulationMemory M>
void load_memory(M& memory, const State& state, const std::string& prefix) {
  if constexpr (Stateful<M>) {
    memory.load(state, prefix);
  } else {
    M::attributes(memory,
                  [&](std::string_view name, double& number) { number = state.get<double>(prefix + std::string(name)); });
  }
}
}  // namespace detail

/// That of one constraint: F itself, or what it has for each.
template <class F>
using FormulationOfOne = typename detail::FormulationOfOne<F>::type;

/// Explains in one sentence what `F` lacks to be a Formulation, or what steers steps; entry points call it instead of
/// constraining their templates.
template <class F>
constexpr void assert_formulation() {
  static_assert(Named<F>, "siena: a formulation needs `std::string_view name() const`, the name that reports show");
  static_assert(
      Described<F>,
      "siena: a formulation needs `std::string to_string() const`, a text with every option, by which a checkpoint is "
      "recognised");
  using One = FormulationOfOne<F>;
  static_assert(StartsMemory<One>,
                "siena: a formulation needs `Memory start(double violation, double task_loss) const`, which returns what it "
                "remembers of one constraint when the search begins: a struct that names its numbers in `static void "
                "attributes(auto& self, auto&& visit)`, or NoMemory");
  static_assert(
      !StartsMemory<One> || HasSteer<One> || (HasTerm<One, double> && HasTerm<One, Scalar>),
      "siena: a formulation needs `template <class N> N term(const N& violation, const Memory& memory, double progress) "
      "const`, the term of the loss for one constraint, for N = double and N = Scalar; or, to change steps instead of the "
      "loss, `void steer(std::span<double> step, const Linearized& constraints) const`");
  static_assert(!StartsMemory<One> || HasSteer<One> || HasStrength<One>,
                "siena: a formulation needs `double strength(const Memory& memory, double progress) const`, "
                "the present weight of a violation");
}

}  // namespace siena
