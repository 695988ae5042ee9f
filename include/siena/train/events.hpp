// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/train/metrics.hpp"

namespace siena {

/// A bounded quantity as it stands: the true value, never a relaxed one, and the most it may be (infinity: it is only
/// reported).
struct BoundReading {
  std::string name = {};  ///< of the constraint
  std::string unit = {};  ///< of value and limit
  double value = 0;       ///< what it is now
  double limit = 0;       ///< what it may be at most

  /// As constraints are judged: up to the rounding of a limit that is met exactly.
  bool kept() const { return value <= limit + 1e-9 * (limit > 0 ? limit : 1); }
};

/// A phase of training (warm-up, search, ...) begins or ends.
struct PhaseEvent {
  std::string phase = {};  ///< its name
  int epochs = 0;          ///< how many it will have
};

/// A batch was learnt from. Epochs and steps count from 1. Lives only as long as the call.
struct StepEvent {
  std::string_view phase = {};
  int epoch = 0, epochs = 0;
  std::int64_t step = 0, steps = 0;           ///< within the epoch
  double loss = 0;                            ///< mean over the epoch so far, penalties left out
  double accuracy = Metrics::none;            ///< the same; NaN where there are no classes
  double seconds_left = 0;                    ///< until the phase ends, as far as can be told
  std::span<const BoundReading> bounds = {};  ///< as they stood when the last epoch ended
};

/// An epoch ended. Epochs count from 1.
struct EpochEvent {
  std::string phase = {};  ///< that it belongs to
  int epoch = 0, epochs = 0;
  Metrics train = {};                     ///< gathered while the network changed, in training mode
  Metrics validation = {};                ///< after the epoch, in inference mode
  bool has_validation = false;            ///< whether there were validation samples
  bool best = false;                      ///< the best so far (BestEpoch), in a search of those that keep every constraint
  double penalty = 0;                     ///< mean over the steps of what was added to the loss
  double lr = 0;                          ///< of the weights, in the last step
  double seconds = 0;                     ///< that the epoch took, validation included
  std::vector<BoundReading> bounds = {};  ///< as they stand after the epoch
  bool stop = false;                      ///< set before observers see it: the phase ends with this epoch

  bool feasible() const {
    for (const BoundReading& bound : bounds) {
      if (!bound.kept()) return false;
    }
    return true;
  }
};

namespace detail {
template <class O>
inline constexpr bool hears_phase = requires(O& o, const PhaseEvent& event) {
  o.on_phase(event);
};
template <class O>
inline constexpr bool hears_step = requires(O& o, const StepEvent& event) {
  o.on_step(event);
};
template <class O>
inline constexpr bool hears_epoch = requires(O& o, const EpochEvent& event) {
  o.on_epoch(event);
};
template <class O>
inline constexpr bool hears_phase_end = requires(O& o, const PhaseEvent& event) {
  o.on_phase_end(event);
};

// A hook of the right name and the wrong argument would never be called, and nobody would be told.
template <class O>
inline constexpr bool mistyped_hook = (requires { &O::on_phase; } && !hears_phase<O>) ||
                                      (requires { &O::on_step; } && !hears_step<O>) ||
                                      (requires { &O::on_epoch; } && !hears_epoch<O>) ||
                                      (requires { &O::on_phase_end; } && !hears_phase_end<O>);
template <class O>
inline constexpr bool mistyped_hook<O&> = mistyped_hook<O>;

// Nor would one of another name. Not every name can be asked for; these are slips of the pen, and what others call their hooks.
template <class O>
inline constexpr bool misnamed_hook = requires {
  &O::on_phases;
}
|| requires { &O::on_phase_begin; }
|| requires { &O::on_phase_start; }
|| requires { &O::on_phase_ends; }
|| requires { &O::on_begin; }
|| requires { &O::on_start; }
|| requires { &O::on_end; }
|| requires { &O::on_steps; }
|| requires { &O::on_setp; }
|| requires { &O::on_step_end; }
|| requires { &O::on_batch; }
|| requires { &O::on_batch_end; }
|| requires { &O::on_epochs; }
|| requires { &O::on_epcoh; }
|| requires { &O::on_epoch_begin; }
|| requires { &O::on_epoch_start; }
|| requires { &O::on_epoch_end; }
|| requires { &O::onPhase; }
|| requires { &O::onStep; }
|| requires { &O::onEpoch; }
|| requires { &O::onPhaseEnd; };
template <class O>
inline constexpr bool misnamed_hook<O&> = misnamed_hook<O>;
}  // namespace detail

/// Follows a training: has at least one of `void on_phase(const PhaseEvent&)`, `void on_step(const StepEvent&)`,
/// `void on_epoch(const EpochEvent&)` and `void on_phase_end(const PhaseEvent&)`.
template <class O>
concept Observer = !detail::mistyped_hook<O> && !detail::misnamed_hook<O> &&
                   (detail::hears_phase<O> || detail::hears_step<O> || detail::hears_epoch<O> || detail::hears_phase_end<O>);

/// A list of observers of any types, called in order. Takes them by value (copies of the
/// list share them) or, with std::ref, refers to the caller's.
class Observers {
 public:
  Observers() = default;
  template <class First, class... Rest>
  requires(sizeof...(Rest) > 0 || !std::same_as<std::remove_cvref_t<First>, Observers>)
      Observers(First&& first, Rest&&... rest) {  // NOLINT(google-explicit-constructor): fit(..., ProgressBar{})
    list_.reserve(1 + sizeof...(Rest));
    add(std::forward<First>(first));
    (add(std::forward<Rest>(rest)), ...);
  }

  /// Appends one.
  template <class O>
  void add(O&& observer) {
    using Held = std::remove_cvref_t<O>;
    using Plain = std::remove_reference_t<std::unwrap_reference_t<Held>>;
    static_assert(
        !detail::mistyped_hook<Plain>,
        "siena: an observer's hooks are called with `void on_phase(const PhaseEvent&)`, `void on_step(const StepEvent&)`, "
        "`void on_epoch(const EpochEvent&)` and `void on_phase_end(const PhaseEvent&)`; one of this observer's takes "
        "something else and would never be called");
    static_assert(
        detail::mistyped_hook<Plain> || detail::misnamed_hook<Plain> || Observer<Plain>,
        "siena: an observer needs at least one of `void on_phase(const PhaseEvent&)`, `void on_step(const StepEvent&)`, "
        "`void on_epoch(const EpochEvent&)` and `void on_phase_end(const PhaseEvent&)`; this type has none of them");
    static_assert(!detail::misnamed_hook<Plain>,
                  "siena: an observer's hooks are called on_phase, on_step, on_epoch and on_phase_end; one of this observer's "
                  "has another name and would never be called");
    if constexpr (Observer<Plain>) list_.push_back(std::make_shared<Model<Held>>(std::forward<O>(observer)));
  }

  bool empty() const { return list_.empty(); }
  void on_phase(const PhaseEvent& event) const {
    for (const auto& observer : list_) observer->on_phase(event);
  }
  void on_step(const StepEvent& event) const {
    for (const auto& observer : list_) observer->on_step(event);
  }
  void on_epoch(const EpochEvent& event) const {
    for (const auto& observer : list_) observer->on_epoch(event);
  }
  void on_phase_end(const PhaseEvent& event) const {
    for (const auto& observer : list_) observer->on_phase_end(event);
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual void on_phase(const PhaseEvent&) = 0;
    virtual void on_step(const StepEvent&) = 0;
    virtual void on_epoch(const EpochEvent&) = 0;
    virtual void on_phase_end(const PhaseEvent&) = 0;
  };
  template <class Held>
  struct Model final : Interface {
    using Plain = std::remove_reference_t<std::unwrap_reference_t<Held>>;
    explicit Model(Held its_observer) : held(std::move(its_observer)) {}
    Plain& observer() { return held; }
    void on_phase(const PhaseEvent& event) override {
      if constexpr (detail::hears_phase<Plain>) observer().on_phase(event);
    }
    void on_step(const StepEvent& event) override {
      if constexpr (detail::hears_step<Plain>) observer().on_step(event);
    }
    void on_epoch(const EpochEvent& event) override {
      if constexpr (detail::hears_epoch<Plain>) observer().on_epoch(event);
    }
    void on_phase_end(const PhaseEvent& event) override {
      if constexpr (detail::hears_phase_end<Plain>) observer().on_phase_end(event);
    }
    Held held;
  };
  std::vector<std::shared_ptr<Interface>> list_;
};

}  // namespace siena
