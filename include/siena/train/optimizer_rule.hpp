// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "siena/core/error.hpp"
#include "siena/core/state.hpp"

namespace siena {

/// One update of some elements of one parameter, padding included. A parameter may come in several pieces, on several threads.
struct OptimizerStep {
  static constexpr int most_moments = 4;

  std::span<float> value;       ///< to be changed
  std::span<const float> grad;  ///< of the loss
  /// What the rule remembers of each element, 0 before the first step: as many spans as its `moments()`, as long as `value`.
  std::array<std::span<float>, most_moments> moments = {};
  double lr = 0;           ///< that of the rule times the factor of the schedule
  bool decay = true;       ///< whether weight decay acts on this parameter
  std::int64_t count = 1;  ///< of steps, this one included
};

/// Has a learning rate, which schedules and searches multiply.
template <class O>
concept HasLearningRate = requires(O& rule) {
  { rule.lr } -> std::same_as<double&>;
};
/// Moves elements against their gradients.
template <class O>
concept UpdatesElements = requires(const O& rule, const OptimizerStep& step) {
  rule.update(step);
};
/// Remembers something of each element.
template <class O>
concept HasMoments = requires(const O& rule) {
  { rule.moments() } -> std::convertible_to<int>;
};
/// Looks through its options and throws ArgumentError where they make no sense.
template <class O>
concept ChecksOptions = requires(const O& rule) {
  rule.check();
};

/// How parameters move: `double lr`, `to_string()` with every option (by which a checkpoint is recognised) and
/// `update(step)`, stateless itself. Optional: `int moments()`, numbers of each element that are kept, saved and handed to
/// `update`; `check()`, called before training.
template <class O>
concept OptimizerRule = HasLearningRate<O> && Described<O> && UpdatesElements<O>;

/// Explains in one sentence what `O` lacks to be an OptimizerRule; entry points call it instead of constraining their
/// templates.
template <class O>
constexpr void assert_optimizer_rule() {
  static_assert(HasLearningRate<O>,
                "siena: an optimizer needs a member `double lr`, its learning rate, which schedules multiply");
  static_assert(Described<O>,
                "siena: an optimizer needs `std::string to_string() const`, a text with every option, by which a checkpoint is "
                "recognised");
  static_assert(UpdatesElements<O>,
                "siena: an optimizer needs `void update(const OptimizerStep& step) const`, which changes `step.value` by "
                "`step.grad` and `step.lr`");
  static_assert(
      HasMoments<O> || !requires(const O& rule) { rule.moments(); },
      "siena: the `moments()` of an optimizer is `int moments() const`, how many numbers it keeps of each element");
}

/// Any optimizer rule, by value: `.optimizer = Adam{}`. Copies share the rule, which is never changed.
class AnyOptimizer {
 public:
  template <class O>
  requires(!std::same_as<std::remove_cvref_t<O>, AnyOptimizer>)
      AnyOptimizer(O&& rule) {  // NOLINT(google-explicit-constructor): `.optimizer = Adam{}`
    using Held = std::remove_cvref_t<O>;
    assert_optimizer_rule<Held>();
    if constexpr (OptimizerRule<Held>) held_ = std::make_shared<const Model<Held>>(std::forward<O>(rule));
  }

  double lr() const { return held_->lr(); }
  std::string to_string() const { return held_->to_string(); }
  int moments() const { return held_->moments(); }
  void update(const OptimizerStep& step) const { held_->update(step); }
  /// Throws ArgumentError for options out of their range.
  void check() const {
    require<ArgumentError>(moments() >= 0 && moments() <= OptimizerStep::most_moments,
                           "'{}': expected an optimizer with 0 to {} moments, got {}", to_string(), OptimizerStep::most_moments,
                           moments());
    held_->check();
  }
  /// The same with its learning rate times `factor`.
  AnyOptimizer scaled(double factor) const { return AnyOptimizer(held_->scaled(factor)); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual double lr() const = 0;
    virtual std::string to_string() const = 0;
    virtual int moments() const = 0;
    virtual void update(const OptimizerStep& step) const = 0;
    virtual void check() const = 0;
    virtual std::shared_ptr<const Interface> scaled(double factor) const = 0;
  };
  template <class O>
  struct Model final : Interface {
    explicit Model(O its_rule) : rule(std::move(its_rule)) {}
    double lr() const override { return rule.lr; }
    std::string to_string() const override { return rule.to_string(); }
    int moments() const override {
      if constexpr (HasMoments<O>) return rule.moments();
      return 0;
    }
    void update(const OptimizerStep& step) const override { rule.update(step); }
    void check() const override {
      if constexpr (ChecksOptions<O>) rule.check();
    }
    std::shared_ptr<const Interface> scaled(double factor) const override {
      O copy = rule;
      copy.lr *= factor;
      return std::make_shared<const Model>(std::move(copy));
    }
    O rule;
  };
  explicit AnyOptimizer(std::shared_ptr<const Interface> held) : held_(std::move(held)) {}

  std::shared_ptr<const Interface> held_;
};

}  // namespace siena
