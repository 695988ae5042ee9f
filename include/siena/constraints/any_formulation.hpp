// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "siena/constraints/dual_state.hpp"

namespace siena {

/// Any formulation, by value: where one is chosen at run time. Copies share the formulation, which is never changed.
class AnyFormulation {
 public:
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, AnyFormulation>) AnyFormulation(F&& formulation) {
    using Held = std::remove_cvref_t<F>;
    assert_formulation<Held>();
    static_assert(
        !TurnsSteps<Held> || Formulation<Held>,
        "siena: a formulation that turns steps holds all constraints at once; it cannot be one of several, nor be held "
        "by AnyFormulation: give it to MultiConstraint or search as it is");
    if constexpr (Formulation<Held>) {
      name_ = std::string_view(formulation.name());
      held_ = std::make_shared<const Model<Held>>(std::forward<F>(formulation));
    }
  }

  std::string_view name() const { return name_; }
  void start(DualState& dual, double violation, double task_loss) const { held_->start(dual, violation, task_loss); }
  /// Does nothing where the formulation moves no multipliers.
  void update(DualState& dual, double violation) const { held_->update(dual, violation); }
  double strength(const DualState& dual, double progress) const { return held_->strength(dual, progress); }
  double term(double violation, const DualState& dual, double progress) const { return held_->term(violation, dual, progress); }
  Scalar term(const Scalar& violation, const DualState& dual, double progress) const {
    return held_->term(violation, dual, progress);
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual void start(DualState& dual, double violation, double task_loss) const = 0;
    virtual void update(DualState& dual, double violation) const = 0;
    virtual double strength(const DualState& dual, double progress) const = 0;
    virtual double term(double violation, const DualState& dual, double progress) const = 0;
    virtual Scalar term(const Scalar& violation, const DualState& dual, double progress) const = 0;
  };
  template <class F>
  struct Model final : Interface {
    explicit Model(F its_formulation) : formulation(std::move(its_formulation)) {}
    void start(DualState& dual, double violation, double loss) const override { formulation.start(dual, violation, loss); }
    void update(DualState& dual, double violation) const override {
      if constexpr (UpdatesDuals<F>) formulation.update(dual, violation);
    }
    double strength(const DualState& dual, double progress) const override { return formulation.strength(dual, progress); }
    double term(double violation, const DualState& dual, double progress) const override {
      return formulation.term(violation, dual, progress);
    }
    Scalar term(const Scalar& violation, const DualState& dual, double progress) const override {
      return formulation.term(violation, dual, progress);
    }
    F formulation;
  };

  std::shared_ptr<const Interface> held_;
  std::string name_;
};
static_assert(Formulation<AnyFormulation> && UpdatesDuals<AnyFormulation>);

}  // namespace siena
