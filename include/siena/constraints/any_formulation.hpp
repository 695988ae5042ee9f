// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "siena/constraints/formulation.hpp"

namespace siena {

/// Any formulation, by value: where one is chosen at run time. Copies share the formulation, which is never changed.
class AnyFormulation {
  struct Interface;

 public:
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, AnyFormulation>) AnyFormulation(F&& formulation) {
    using Held = std::remove_cvref_t<F>;
    assert_formulation<Held>();
    static_assert(!(SteersSteps<Held> || FormulatesEach<Held>) || Formulation<Held>,
                  "siena: a formulation that steers steps, or has one for each constraint, holds all constraints at once; it "
                  "cannot be one "
                  "of several, nor be held by AnyFormulation: give it to MultiConstraint or search as it is");
    if constexpr (Formulation<Held>) {
      name_ = std::string_view(formulation.name());
      held_ = std::make_shared<const Model<Held>>(std::forward<F>(formulation));
    }
  }

  /// That of the formulation which is held.
  class Memory {
   public:
    void save(State& state, const std::string& prefix) const { held_->save(value_, state, prefix); }
    void load(const State& state, const std::string& prefix) { held_->load(value_, state, prefix); }

   private:
    friend AnyFormulation;
    std::shared_ptr<const Interface> held_;
    std::any value_;
  };

  std::string_view name() const { return name_; }
  std::string to_string() const { return held_->to_string(); }
  Memory start(double violation, double task_loss) const {
    Memory memory;
    memory.held_ = held_;
    memory.value_ = held_->start(violation, task_loss);
    return memory;
  }
  /// Does nothing where the formulation moves no multipliers.
  void update(Memory& memory, double violation) const { held_->update(memory.value_, violation); }
  double strength(const Memory& memory, double progress) const { return held_->strength(memory.value_, progress); }
  double term(double violation, const Memory& memory, double progress) const {
    return held_->term(violation, memory.value_, progress);
  }
  Scalar term(const Scalar& violation, const Memory& memory, double progress) const {
    return held_->term(violation, memory.value_, progress);
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::string to_string() const = 0;
    virtual std::any start(double violation, double task_loss) const = 0;
    virtual void update(std::any& memory, double violation) const = 0;
    virtual double strength(const std::any& memory, double progress) const = 0;
    virtual double term(double violation, const std::any& memory, double progress) const = 0;
    virtual Scalar term(const Scalar& violation, const std::any& memory, double progress) const = 0;
    virtual void save(const std::any& memory, State& state, const std::string& prefix) const = 0;
    virtual void load(std::any& memory, const State& state, const std::string& prefix) const = 0;
  };
  template <class F>
  struct Model final : Interface {
    explicit Model(F its_formulation) : formulation(std::move(its_formulation)) {}
    static const MemoryOf<F>& of(const std::any& memory) { return *std::any_cast<MemoryOf<F>>(&memory); }
    static MemoryOf<F>& of(std::any& memory) { return *std::any_cast<MemoryOf<F>>(&memory); }

    std::string to_string() const override { return formulation.to_string(); }
    std::any start(double violation, double loss) const override { return formulation.start(violation, loss); }
    void update([[maybe_unused]] std::any& memory, [[maybe_unused]] double violation) const override {
      if constexpr (UpdatesMemory<F>) formulation.update(of(memory), violation);
    }
    double strength(const std::any& memory, double progress) const override {
      return formulation.strength(of(memory), progress);
    }
    double term(double violation, const std::any& memory, double progress) const override {
      return formulation.term(violation, of(memory), progress);
    }
    Scalar term(const Scalar& violation, const std::any& memory, double progress) const override {
      return formulation.term(violation, of(memory), progress);
    }
    void save(const std::any& memory, State& state, const std::string& prefix) const override {
      detail::save_memory(of(memory), state, prefix);
    }
    void load(std::any& memory, const State& state, const std::string& prefix) const override {
      detail::load_memory(of(memory), state, prefix);
    }
    F formulation;
  };

  std::shared_ptr<const Interface> held_;
  std::string name_;
};
static_assert(Formulation<AnyFormulation> && UpdatesMemory<AnyFormulation>);

}  // namespace siena
