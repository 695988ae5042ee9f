// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "siena/constraints/constraint.hpp"
#include "siena/core/units.hpp"
#include "siena/cost/model_size.hpp"

namespace siena {

namespace detail {
inline double checked_limit(std::string_view what, std::string_view cost, double limit, std::string_view unit) {
  require<ConstraintError>(std::isfinite(limit) && limit > 0,
                           "{}: expected a limit of '{}' that is finite and above 0, got {}{}{}; every network costs more",
                           what, cost, limit, unit.empty() ? "" : " ", unit);
  return limit;
}
template <class>
inline constexpr bool has_unit = false;
}  // namespace detail

/// A cost that may be `limit` at most, in the unit of the model: `AtMost{Macs{}, 2e6}`. Throws ConstraintError for a limit
/// that is not a positive number.
template <class Model>
class AtMost {
 public:
  AtMost(Model model, double limit) : model_(std::move(model)), limit_(limit) {
    assert_cost_model<Model>();
    if constexpr (CostModel<Model>) detail::checked_limit("AtMost", name(), limit, unit());
  }

  auto name() const { return model_.name(); }
  auto unit() const { return unit_of(model_); }
  double limit() const { return limit_; }
  const Model& model() const { return model_; }
  std::string to_string() const { return format("at most {} {}, by {}", limit_, unit(), text_of(model_)); }

  template <class N>
  N value(const Architecture<N>& network) const {
    return total(model_, network);
  }
  /// The part of one layer in the value, where that is their sum.
  double layer_value(const LayerDesc<double>& layer) const requires SumsLayers<Model> { return layer_total(model_, layer); }
  template <class N>
  N violation(const Architecture<N>& network) const {
    return value(network) / limit_ - 1.0;
  }

 private:
  Model model_;
  double limit_;
};

/// The parameters as deployed may take this many bytes at most (see ModelSize): `MemoryBound{16_KiB}`.
class MemoryBound {
 public:
  explicit MemoryBound(Bytes limit) : limit_(detail::checked_limit("MemoryBound", "memory", limit.value, "B")) {}
  template <class Number>
  requires std::is_arithmetic_v<Number>
  explicit MemoryBound(Number) : limit_(0) {
    static_assert(detail::has_unit<Number>,
                  "siena: a memory bound has a unit: write `MemoryBound{16_KiB}`, or `MemoryBound{Bytes{n}}` for a number that "
                  "is known when the program runs");
  }

  std::string_view name() const { return "memory"; }
  std::string_view unit() const { return "B"; }
  double limit() const { return limit_; }
  ModelSize model() const { return {}; }
  std::string to_string() const { return format("at most {} B, by {}", limit_, text_of(model())); }

  template <class N>
  N value(const Architecture<N>& network) const {
    return total(ModelSize{}, network);
  }
  template <class N>
  N violation(const Architecture<N>& network) const {
    return value(network) / limit_ - 1.0;
  }

 private:
  double limit_;
};
static_assert(Bound<MemoryBound>);

/// One inference may take this long at most: `LatencyBound{Gap8{.clock = 100_MHz}, 3_ms}`, or in cycles. A model with a
/// member `clock` (Hertz) counts cycles, any other one seconds. Throws ConstraintError for a limit that is not a positive
/// number, and for a time where the clock of the model was not set.
template <class Model>
class LatencyBound {
 public:
  LatencyBound(Model model, Seconds limit) : model_(std::move(model)), limit_(limit.value), unit_("s") {
    assert_cost_model<Model>();
    if constexpr (has_clock) {
      require<ConstraintError>(std::isfinite(model_.clock.value) && model_.clock.value > 0,
                               "LatencyBound: expected '{}' to have a clock, for a limit in seconds, got {} Hz; "
                               "write e.g. {{.clock = 100_MHz}}, or give the limit in cycles",
                               model_.name(), model_.clock.value);
      scale_ = model_.clock.value;
    } else {
      require<ConstraintError>(unit_of(model_).empty() || unit_of(model_) == "s",
                               "LatencyBound: expected '{}' to count seconds or cycles, got a model that counts {}; write "
                               "AtMost{{model, limit}}",
                               model_.name(), unit_of(model_));
    }
    detail::checked_limit("LatencyBound", "latency", limit_, unit_);
  }
  LatencyBound(Model model, Cycles limit) : model_(std::move(model)), limit_(limit.value), unit_("cycles") {
    assert_cost_model<Model>();
    static_assert(has_clock,
                  "siena: a latency bound in cycles needs a cost model that counts cycles, with a member `Hertz clock`; "
                  "this one counts seconds, so give the limit as a time such as `3_ms`");
    detail::checked_limit("LatencyBound", "latency", limit_, unit_);
  }

  template <class Number>
  requires std::is_arithmetic_v<Number> LatencyBound(Model model, Number) : model_(std::move(model)), limit_(0) {
    static_assert(
        detail::has_unit<Number>,
        "siena: a latency bound has a unit: write `LatencyBound{model, 3_ms}` or `LatencyBound{model, Seconds{s}}` for "
        "a time, `LatencyBound{model, Cycles{n}}` for cycles");
  }

  std::string_view name() const { return "latency"; }
  std::string_view unit() const { return unit_; }
  double limit() const { return limit_; }
  const Model& model() const { return model_; }
  std::string to_string() const { return format("at most {} {}, by {} / {}", limit_, unit_, text_of(model_), scale_); }

  template <class N>
  N value(const Architecture<N>& network) const {
    return total(model_, network) / scale_;
  }
  /// The part of one layer in the value, where that is their sum.
  double layer_value(const LayerDesc<double>& layer) const requires SumsLayers<Model> {
    return layer_total(model_, layer) / scale_;
  }
  template <class N>
  N violation(const Architecture<N>& network) const {
    return value(network) / limit_ - 1.0;
  }

 private:
  static constexpr bool has_clock = requires(const Model& model) { model.clock.value; };

  Model model_;
  double limit_;
  std::string_view unit_;
  double scale_ = 1;  // of the model's unit to the limit's
};

}  // namespace siena
