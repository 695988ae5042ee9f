// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include "siena/constraints/constraint.hpp"

namespace siena {

/// A cost that is wanted small, beside the constraints: "as fast as possible within 64 KiB" is
/// `subject_to(MemoryBound{64_KiB}, Minimize{Gap8{}})`. It adds weight L c / c0 to the loss, with L the loss after warm-up and
/// c0 the cost of the seed, so that at the start it weighs `weight` times as much as the task. It is a bound without a limit:
/// it is always kept, has nothing to violate, and no formulation has a part in it. Throws ArgumentError for a weight that is
/// not a positive number.
template <class Model>
class Minimize {
 public:
  explicit Minimize(Model model, double weight = 1) : model_(std::move(model)), weight_(weight) {
    assert_cost_model<Model>();
    require<ArgumentError>(std::isfinite(weight) && weight > 0, "Minimize: expected a weight above 0, got {}", weight);
  }

  auto name() const { return model_.name(); }
  auto unit() const { return unit_of(model_); }
  double limit() const { return HUGE_VAL; }
  double weight() const { return weight_; }
  const Model& model() const { return model_; }

  template <class N>
  N value(const Architecture<N>& network) const {
    return total(model_, network);
  }
  /// The part of one layer in the value, where that is their sum.
  double layer_value(const LayerDesc<double>& layer) const requires SumsLayers<Model> { return layer_total(model_, layer); }
  template <class N>
  std::vector<N> violations(const Architecture<N>&) const {
    return {};
  }

 private:
  Model model_;
  double weight_;
};

}  // namespace siena
