// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/constraints/any_formulation.hpp"

namespace siena {

/// A formulation for each constraint, in the order of the constraints: `PerConstraint{Duccio{}, NuPi{}}`. Throws ArgumentError
/// where there are not as many as constraints.
class PerConstraint {
 public:
  explicit PerConstraint(std::vector<AnyFormulation> formulations) : formulations_(std::move(formulations)) {
    for (const AnyFormulation& one : formulations_) name_ += format("{}{}", name_.empty() ? "" : " + ", one.name());
  }
  template <class... F>
  requires(sizeof...(F) > 1 ||
           !(std::same_as<std::remove_cvref_t<F>, PerConstraint> && ...)) explicit PerConstraint(F&&... formulations)
      : PerConstraint(std::vector<AnyFormulation>{AnyFormulation(std::forward<F>(formulations))...}) {}

  /// "duccio + nu-pi".
  std::string_view name() const { return name_; }
  std::string to_string() const {
    std::string all;
    for (const AnyFormulation& one : formulations_) all += format("{}{}", all.empty() ? "" : " + ", one.to_string());
    return all;
  }
  void expect(std::size_t constraints) const {
    require<ArgumentError>(constraints == formulations_.size(),
                           "PerConstraint: expected a formulation for each of {} constraints, got {} ({}); one formulation "
                           "for all is given alone",
                           constraints, formulations_.size(), name_);
  }
  const AnyFormulation& of(std::size_t constraint) const { return formulations_[constraint]; }

 private:
  std::vector<AnyFormulation> formulations_;
  std::string name_;
};
static_assert(FormulatesEach<PerConstraint>);

}  // namespace siena
