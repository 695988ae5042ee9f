// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "siena/constraints/multi_constraint.hpp"
#include "siena/space/describe.hpp"
#include "siena/space/search_space.hpp"

namespace siena {

/// What a formulation that steers steps (SteersSteps) needs of each step of a search: the violations and their gradients where
/// the step begins, and what the optimizer makes of the alphas.
class StepSteering {
 public:
  StepSteering(Network& network, const SearchSpace& space) : network_(network), space_(space) {}

  /// Before the update: remembers the alphas, and how each violation changes with them. Gradients of the task stay as they are.
  void begin(const ConstraintSet& constraints) {
    alphas_ = network_.parameters(Role::architecture);
    before_ = values();
    std::vector<Tensor> task;
    for (Parameter* alpha : alphas_) task.push_back(alpha->grad);
    violations_.clear();
    gradients_.clear();
    for (std::size_t j = 0, count = 1; j < count; ++j) {
      for (Parameter* alpha : alphas_) alpha->zero_grad();
      tape_.clear();
      const std::vector<Scalar> violations = constraints.violations(describe(tape_, network_, space_));
      count = violations.size();
      if (count == 0) break;
      violations_.push_back(violations[j].value());
      tape_.backward({}, violations[j]);
      for (const Parameter* alpha : alphas_) {
        for (const float slope : alpha->grad.row(0)) gradients_.push_back(static_cast<double>(slope));
      }
    }
    for (std::size_t a = 0; a < alphas_.size(); ++a) alphas_[a]->grad = std::move(task[a]);
  }
  /// After the update: lets the formulation steer what the alphas were changed by. A step takes the part `length` of the
  /// search.
  template <class F>
  void steer(const MultiConstraint<F>& constraints, double length) {
    space_.project(network_);  // what that takes away must not count
    std::vector<double> step = values();
    for (std::size_t i = 0; i < step.size(); ++i) step[i] -= before_[i];
    constraints.steer(step, {.violations = violations_, .gradients = gradients_, .length = length});
    std::size_t i = 0;
    for (Parameter* alpha : alphas_) {
      for (float& x : alpha->value.row(0)) x = static_cast<float>(before_[i] + step[i]), ++i;
    }
  }

 private:
  std::vector<double> values() const {
    std::vector<double> all;
    for (const Parameter* alpha : alphas_) {
      for (const float x : alpha->value.row(0)) all.push_back(static_cast<double>(x));
    }
    return all;
  }

  Network& network_;
  const SearchSpace& space_;
  Tape tape_;
  std::vector<Parameter*> alphas_;
  std::vector<double> before_, violations_, gradients_;
};

}  // namespace siena
