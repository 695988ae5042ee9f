// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/constraints/constraint.hpp"
#include "siena/constraints/minimize.hpp"
#include "siena/core/state.hpp"
#include "siena/core/units.hpp"

namespace siena {

/// Where one constraint stands. Constraints that are no bounds have neither value nor limit; a cost that is minimized has an
/// infinite limit, and a violation of minus infinity.
struct ConstraintStatus {
  std::string name = {};
  std::string unit = {};
  std::string model = {};  ///< the name of the cost model that it counts by, where it shows one
  std::optional<double> value = {}, limit = {};
  double violation = 0;    ///< 0 or less where it holds; of several entries, that of the worst
  double strength = 0;     ///< weight of the violation in the loss, where a search is on; relative, as violations are
  std::size_t entry = 0;   ///< which is the worst, where the constraint has several
  std::string worst = {};  ///< its name

  bool feasible() const { return holds(violation); }
  /// What value and limit are best shown in.
  ShownUnit shown() const { return shown_unit(unit, limit && *limit < HUGE_VAL ? *limit : value.value_or(1)); }
  /// "memory 14000 of 16384 B (14.6 % slack): kept", with the worst entry where there are several; "gap8 383304 cycles
  /// (minimized)"; "capacity: BROKEN (violation 0.5)" where there is no value.
  std::string to_string() const {
    const ShownUnit in = shown();
    if (value && limit == HUGE_VAL) return format("{} {}{}{} (minimized)", name, in.amount(*value), in.space(), in.name);
    const std::string_view verdict = feasible() ? "kept" : "BROKEN";
    const std::string where = worst.empty() ? "" : ", worst: " + worst;
    if (!value || !limit) return format("{}: {} (violation {:.4g}{})", name, verdict, violation, where);
    return format("{} {} of {}{}{} ({:.1f} % slack{}): {}", name, in.amount(*value), in.amount(*limit), in.space(), in.name,
                  feasible() ? std::max(0.0, -100 * violation) : -100 * violation, where, verdict);
  }
};

/// Any constraint, by value. Copies share the constraint, which is never changed.
class AnyConstraint {
 public:
  template <class C>
  requires(!std::is_same_v<std::remove_cvref_t<C>, AnyConstraint>) AnyConstraint(C&& constraint) {
    using Held = std::remove_cvref_t<C>;
    assert_constraint<Held>();
    if constexpr (Constraint<Held>) {
      held_ = std::make_shared<const Model<Held>>(std::forward<C>(constraint));
      name_ = held_->name();
    }
  }

  const std::string& name() const { return name_; }
  /// The same constraint under another name: for reports and logs where there are two of a kind.
  AnyConstraint named(std::string name) const {
    AnyConstraint renamed = *this;
    renamed.name_ = std::move(name);
    return renamed;
  }
  /// The violation, the largest where there are several entries. Throws ConstraintError where it is not a number.
  template <class N>
  N violation(const Architecture<N>& network) const {
    N worst = -HUGE_VAL;
    for (const N& violation : violations(network)) worst = max_of(worst, violation);
    return worst;
  }
  /// The violation of every entry: one, for most constraints. Throws ConstraintError where one is not a number.
  template <class N>
  std::vector<N> violations(const Architecture<N>& network) const {
    std::vector<N> all;
    held_->violations(network, all);
    for (const N& violation : all) {
      require<ConstraintError>(!std::isnan(value_of(violation)),
                               "constraint '{}': expected its violation to be a number, got nan; check its formula", name());
    }
    return all;
  }

  /// Whether there is a value and a limit to show.
  bool is_bound() const { return held_->limit().has_value(); }
  std::optional<double> value(const Architecture<double>& network) const { return held_->value(network); }
  std::optional<double> limit() const { return held_->limit(); }
  std::string unit() const { return held_->unit(); }
  /// All that it depends on, as text: what the constraint says of itself, or else name, limit and cost model.
  std::string to_string() const { return format("{}: {}", name(), held_->to_string()); }
  /// The name of the cost model that it counts by; "" where it shows none.
  std::string model() const { return held_->model(); }
  /// The part of one layer in the value; nothing where the value is no sum over layers.
  std::optional<double> layer_value(const LayerDesc<double>& layer) const { return held_->layer_value(layer); }
  /// Whether `check` has anything to say.
  bool checks_networks() const { return held_->checks_networks(); }
  /// Throws what its cost model throws that cannot price these networks and those between them.
  void check(const std::vector<Architecture<double>>& networks) const { held_->check(networks); }

  ConstraintStatus status(const Architecture<double>& network) const {
    ConstraintStatus status{
        .name = name(), .unit = unit(), .model = model(), .value = value(network), .limit = limit(), .violation = -HUGE_VAL};
    const std::vector<double> all = violations(network);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i] > status.violation) status.violation = all[i], status.entry = i;
    }
    if (!all.empty()) status.worst = held_->entry_name(status.entry);
    return status;
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::string name() const = 0;
    virtual void violations(const Architecture<double>& network, std::vector<double>& all) const = 0;
    virtual void violations(const Architecture<Scalar>& network, std::vector<Scalar>& all) const = 0;
    virtual std::string entry_name(std::size_t i) const = 0;
    virtual std::optional<double> value(const Architecture<double>& network) const = 0;
    virtual std::optional<double> limit() const = 0;
    virtual std::string unit() const = 0;
    virtual std::string model() const = 0;
    virtual std::string to_string() const = 0;
    virtual std::optional<double> layer_value(const LayerDesc<double>& layer) const = 0;
    virtual bool checks_networks() const = 0;
    virtual void check(const std::vector<Architecture<double>>& networks) const = 0;
  };
  template <class C>
  struct Model final : Interface {
    explicit Model(C its_constraint) : constraint(std::move(its_constraint)) {}
    std::string name() const override { return std::string(std::string_view(constraint.name())); }
    void violations(const Architecture<double>& network, std::vector<double>& all) const override { of(network, all); }
    void violations(const Architecture<Scalar>& network, std::vector<Scalar>& all) const override { of(network, all); }
    template <class N>
    void of(const Architecture<N>& network, std::vector<N>& all) const {
      if constexpr (ViolableByEntry<C, N>) {
        all = constraint.violations(network);
      } else {
        all.push_back(constraint.violation(network));
      }
    }
    std::string entry_name(std::size_t i) const override {
      if constexpr (requires { std::string(constraint.entry_name(i)); }) return std::string(constraint.entry_name(i));
      return {};
    }
    std::optional<double> value(const Architecture<double>& network) const override {
      if constexpr (Bound<C>) return constraint.value(network);
      return std::nullopt;
    }
    std::optional<double> limit() const override {
      if constexpr (Bound<C>) return constraint.limit();
      return std::nullopt;
    }
    std::string unit() const override {
      if constexpr (Bound<C>) return std::string(std::string_view(constraint.unit()));
      return {};
    }
    std::string model() const override {
      if constexpr (ShowsModel<C>) return std::string(std::string_view(constraint.model().name()));
      return {};
    }
    std::string to_string() const override {
      if constexpr (Described<C>) {
        return constraint.to_string();
      } else {
        std::string text = name();
        if (const auto most = limit()) text += format(", limit {} {}", *most, unit());
        if constexpr (ShowsModel<C>) text += format(", by {}", text_of(constraint.model()));
        return text;
      }
    }
    std::optional<double> layer_value([[maybe_unused]] const LayerDesc<double>& layer) const override {
      if constexpr (ValuesLayers<C>) return constraint.layer_value(layer);
      return std::nullopt;
    }
    bool checks_networks() const override { return ChecksNetworks<C>; }
    void check([[maybe_unused]] const std::vector<Architecture<double>>& networks) const override {
      if constexpr (ChecksNetworks<C>) constraint.model().check(networks);
    }
    C constraint;
  };

  std::shared_ptr<const Interface> held_;
  std::string name_;
};

/// Constraints that must hold together, in the order in which they were given, and beside them the costs that are wanted small.
/// A second one of a name becomes "name 2", and so on.
class ConstraintSet {
 public:
  ConstraintSet() = default;

  ConstraintSet& add(AnyConstraint constraint) {
    constraints_.push_back(constraint.named(free_name(constraint.name())));
    return *this;
  }
  ConstraintSet& add(Minimize cost) {
    minimized_.push_back(cost.named(free_name(cost.name())));
    return *this;
  }

  std::size_t size() const { return constraints_.size(); }
  bool empty() const { return constraints_.empty(); }
  const AnyConstraint& operator[](std::size_t i) const { return constraints_[i]; }
  auto begin() const { return constraints_.begin(); }
  auto end() const { return constraints_.end(); }
  /// The costs that are wanted small.
  const std::vector<Minimize>& minimized() const { return minimized_; }

  /// The violations of every entry of every constraint, in order.
  template <class N>
  std::vector<N> violations(const Architecture<N>& network) const {
    std::vector<N> result;
    result.reserve(size());
    for (const auto& constraint : constraints_) {
      for (const N& violation : constraint.violations(network)) result.push_back(violation);
    }
    return result;
  }
  /// The largest violation; minus infinity where there are no constraints.
  double worst_violation(const Architecture<double>& network) const {
    double worst = -HUGE_VAL;
    for (const auto& constraint : constraints_) worst = std::max(worst, constraint.violation(network));
    return worst;
  }
  /// Whether every constraint holds, by exact costs.
  bool feasible(const Architecture<double>& network) const { return holds(worst_violation(network)); }

  /// Of every constraint, then of every cost that is minimized.
  std::vector<ConstraintStatus> status(const Architecture<double>& network) const {
    std::vector<ConstraintStatus> result;
    for (const auto& constraint : constraints_) result.push_back(constraint.status(network));
    for (const Minimize& cost : minimized_) {
      result.push_back({.name = cost.name(),
                        .unit = cost.unit(),
                        .model = cost.model(),
                        .value = cost.value(network),
                        .limit = HUGE_VAL,
                        .violation = -HUGE_VAL});
    }
    return result;
  }

 private:
  std::string free_name(const std::string& wanted) const {
    std::string name = wanted;
    const auto taken = [&](const auto& other) { return other.name() == name; };
    for (int number = 2; std::any_of(constraints_.begin(), constraints_.end(), taken) ||
                         std::any_of(minimized_.begin(), minimized_.end(), taken);
         ++number)
      name = format("{} {}", wanted, number);
    return name;
  }

  std::vector<AnyConstraint> constraints_;
  std::vector<Minimize> minimized_;
};

/// The constraints of a search, and the costs that it minimizes:
/// `subject_to(MemoryBound{16_KiB}, LatencyBound{Gap8{.clock = 100_MHz}, 3_ms})`.
template <class... C>
ConstraintSet subject_to(C&&... constraints) {
  ConstraintSet set;
  (set.add(std::forward<C>(constraints)), ...);
  return set;
}

}  // namespace siena
