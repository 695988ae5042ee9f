// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "siena/core/state.hpp"
#include "siena/train/events.hpp"
#include "siena/train/optimizer_rule.hpp"

namespace siena {

/// How far a phase has come.
struct TrainingProgress {
  double epoch = 0;                         ///< 0 at the start, 2.5 in the middle of the third
  double epochs = 0;                        ///< of the whole phase
  std::span<const EpochEvent> before = {};  ///< the epochs that have ended, those before a break included
};

/// Says what the learning rate is multiplied by.
template <class S>
concept HasFactor = requires(const S& schedule, const TrainingProgress& progress) {
  { schedule.factor(progress) } -> std::convertible_to<double>;
};
/// Says whether it looks at validation results.
template <class S>
concept SaysWhatItNeeds = requires(const S& schedule) {
  { schedule.needs_validation() } -> std::same_as<bool>;
};

/// How the learning rate changes over a phase: `factor(progress)`, what it is multiplied by, and `to_string()` with every
/// option (by which a checkpoint is recognised). Stateless: what it goes by is in the epochs before, which checkpoints keep.
/// Optional: `check()`, called before training; `bool needs_validation()`.
template <class S>
concept Schedule = HasFactor<S> && Described<S>;

/// Explains in one sentence what `S` lacks to be a Schedule; entry points call it instead of constraining their templates.
template <class S>
constexpr void assert_schedule() {
  static_assert(HasFactor<S>,
                "siena: a schedule needs `double factor(const TrainingProgress& progress) const`, what the learning rate is "
                "multiplied by");
  static_assert(Described<S>,
                "siena: a schedule needs `std::string to_string() const`, a text with every option, by which a checkpoint is "
                "recognised");
}

/// Any schedule, by value: `.schedule = CosineLr{}`. Copies share the schedule, which is never changed.
class AnySchedule {
 public:
  template <class S>
  requires(!std::same_as<std::remove_cvref_t<S>, AnySchedule>)
      AnySchedule(S&& schedule) {  // NOLINT(google-explicit-constructor): `.schedule = CosineLr{}`
    using Held = std::remove_cvref_t<S>;
    assert_schedule<Held>();
    if constexpr (Schedule<Held>) held_ = std::make_shared<const Model<Held>>(std::forward<S>(schedule));
  }

  double factor(const TrainingProgress& progress) const { return held_->factor(progress); }
  std::string to_string() const { return held_->to_string(); }
  bool needs_validation() const { return held_->needs_validation(); }
  /// Throws ArgumentError where the schedule makes no sense.
  void check() const { held_->check(); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual double factor(const TrainingProgress& progress) const = 0;
    virtual std::string to_string() const = 0;
    virtual bool needs_validation() const = 0;
    virtual void check() const = 0;
  };
  template <class S>
  struct Model final : Interface {
    explicit Model(S its_schedule) : schedule(std::move(its_schedule)) {}
    double factor(const TrainingProgress& progress) const override { return schedule.factor(progress); }
    std::string to_string() const override { return schedule.to_string(); }
    bool needs_validation() const override {
      if constexpr (SaysWhatItNeeds<S>) return schedule.needs_validation();
      return false;
    }
    void check() const override {
      if constexpr (ChecksOptions<S>) schedule.check();
    }
    S schedule;
  };

  std::shared_ptr<const Interface> held_;
};

}  // namespace siena
