// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string_view>
#include <vector>

#include "siena/cost/cost_model.hpp"

namespace siena {

/// Says by how much a network breaks it, in numbers of type N.
template <class C, class N>
concept Violable = requires(const C& constraint, const Architecture<N>& network) {
  { constraint.violation(network) } -> detail::Fractional<N>;
};
namespace detail {
/// Says no more than whether it holds, or by how many whole steps not.
template <class C, class N>
concept CountsViolation = requires(const C& constraint, const Architecture<N>& network) {
  { constraint.violation(network) } -> std::integral;
};
}  // namespace detail

/// Says by how much a network breaks each of its entries (of its layers, say): always as many as for the first network.
template <class C, class N>
concept ViolableByEntry = requires(const C& constraint, const Architecture<N>& network) {
  { constraint.violations(network) } -> std::same_as<std::vector<N>>;
};

/// Something that must hold on the device: `name()` and `violation(architecture)`, which is 0 or less where it holds. For
/// strengths to need no tuning it should be relative: cost / limit - 1. The double version is the truth (it decides, and
/// moves multipliers); the Scalar version is its differentiable twin, from the same template. A constraint of many entries
/// has `violations(architecture)` instead, which must all be 0 or less, and where it likes `entry_name(i)` for reports. With
/// options it should have `to_string()`, a text with all of them, by which a checkpoint is recognised.
template <class C>
concept Constraint = Named<C> &&
    ((Violable<C, double> && Violable<C, Scalar>) || (ViolableByEntry<C, double> && ViolableByEntry<C, Scalar>));

/// A constraint on a cost that is shown in reports: `value(architecture)` in units of `unit()` may be `limit()` at most. Where
/// it likes, with `model()`, the cost model that it counts by, and `layer_value(layer)`, the part of one layer in the value:
/// reports then say both.
template <class C>
concept Bound = Constraint<C> && requires(const C& bound, const Architecture<double>& network) {
  { bound.value(network) } -> std::convertible_to<double>;
  { bound.limit() } -> std::convertible_to<double>;
  { bound.unit() } -> std::convertible_to<std::string_view>;
};

/// Says which cost model it counts by.
template <class C>
concept ShowsModel = requires(const C& bound) {
  { bound.model() } -> Named;
};
/// Says what one layer has in its value.
template <class C>
concept ValuesLayers = requires(const C& bound, const LayerDesc<double>& layer) {
  { bound.layer_value(layer) } -> std::convertible_to<double>;
};

/// Counts by a model that says of networks at once whether it can price them, as a table of measurements does:
/// `check(networks)` throws where it cannot.
template <class C>
concept ChecksNetworks = requires(const C& bound, const std::vector<Architecture<double>>& networks) {
  bound.model().check(networks);
};

/// Explains in one sentence what `C` lacks to be a Constraint; entry points call it instead of constraining their
/// templates.
template <class C>
constexpr void assert_constraint() {
  static_assert(Named<C>, "siena: a constraint needs `std::string_view name() const`, the name that reports show");
  constexpr bool counts = detail::CountsViolation<C, double> || detail::CountsViolation<C, Scalar>;
  static_assert(!counts,
                "siena: violation returns a bool or an int, which has no gradient; return an N that says by how much the "
                "constraint is broken, such as `value / limit - 1.0`: 0 or less where it holds");
  constexpr bool violable = counts || Violable<C, double> || ViolableByEntry<C, double>;
  constexpr bool priced = PricesLayers<C, double> || PricesNetworks<C, double>;
  static_assert(violable || !priced,
                "siena: a cost model is no constraint; say how much it may be with `AtMost{model, limit}`");
  static_assert(violable || priced,
                "siena: a constraint needs `template <class N> N violation(const Architecture<N>& network) const`, which "
                "returns 0 or less where it holds, best cost / limit - 1 (or, for one of many entries, `violations`, which "
                "returns a std::vector<N>)");
  static_assert(counts || !violable || Violable<C, Scalar> || ViolableByEntry<C, Scalar>,
                "siena: violation takes Architecture<double> but not Architecture<Scalar>; write it once for both as "
                "`template <class N> N violation(const Architecture<N>& network) const`, so that it has a gradient");
}

/// How far above 0 a violation may be for its constraint to hold: the rounding of a cost that meets its limit exactly.
inline constexpr double violation_tolerance = 1e-9;
constexpr bool holds(double violation) { return violation <= violation_tolerance; }

}  // namespace siena
