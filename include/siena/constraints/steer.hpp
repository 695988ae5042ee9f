// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "siena/constraints/formulation.hpp"
#include "siena/constraints/nonnegative.hpp"

namespace siena {

/// No strength at all: the loss stays the task's, and each step of the architecture's parameters is steered just so far that it
/// does not lead into what the constraints forbid (in the spirit of ConNAS, ICLR 2026). Of all steps s with
///
///     grad g_j . s <= -rate_j g_j   for every constraint j,
///
/// `steer` takes the one nearest to the optimizer's p: s = p - sum mu_j grad g_j, mu >= 0, with mu_j above 0 only where
/// constraint j binds; mu is the exact solution of the dual, a quadratic problem in as many unknowns as there are constraints.
/// To first order g_j is then at most (1 - rate_j) g_j after the step. What is broken has the rate 1 / (steps left until
/// `deadline`), so that it comes down to its limit in equal parts, and after the deadline in `shortest` steps; what holds may
/// use up the part `approach` of its slack in one step, so that it closes in on its limit without crossing it. Works on steps,
/// not on gradients, so that it holds for any optimizer: rescaling each coordinate, as Adam does, would undo what was done to
/// the gradient. Constraints that contradict each other get the step that breaks them least, in least squares.
struct Steer {
  double deadline = 0.5;  ///< part of the search after which every constraint should hold
  double shortest = 1;    ///< steps in which a violation is undone at the soonest
  double approach = 0.5;  ///< part of the slack that one step may use up

  std::string_view name() const { return "steer"; }
  std::string to_string() const { return format("steer, deadline {}, shortest {}, approach {}", deadline, shortest, approach); }

  NoMemory start(double, double) const {
    require<ArgumentError>(deadline > 0 && deadline <= 1 && shortest >= 1 && approach > 0 && approach <= 1,
                           "Steer: expected a deadline in (0, 1], shortest >= 1 and approach in (0, 1], got {}, {} and {}",
                           deadline, shortest, approach);
    return {};
  }
  void steer(std::span<double> step, const Linearized& constraints) const {
    const std::size_t n = step.size(), count = constraints.violations.size();
    require<ArgumentError>(constraints.gradients.size() == n * count && constraints.length > 0,
                           "Steer: expected {} gradients of {} numbers and steps longer than 0, got {} numbers and {}", count,
                           n, constraints.gradients.size(), constraints.length);
    std::vector<double> rows, excess;  // unit gradients; how far the step goes beyond what each of them allows
    for (std::size_t j = 0; j < count; ++j) {
      const auto gradient = constraints.gradients.subspan(j * n, n);
      const double size = std::sqrt(dot(gradient, gradient));
      if (size == 0) continue;  // nothing that a step can do
      const double violation = constraints.violations[j];
      excess.push_back((dot(gradient, step) + rate(violation, constraints) * violation) / size);
      require<ArgumentError>(std::isfinite(excess.back()),
                             "Steer: expected steps, violations and gradients that are numbers, got {} for constraint {}",
                             excess.back(), j);
      for (const double slope : gradient) rows.push_back(slope / size);
    }
    if (std::all_of(excess.begin(), excess.end(), [](double beyond) { return beyond <= 0; })) return;
    const std::size_t rank = excess.size();
    const auto row = [&](std::size_t j) { return std::span<const double>(rows.data() + j * n, n); };
    std::vector<double> gram(rank * rank);
    for (std::size_t i = 0; i < rank; ++i) {
      for (std::size_t j = 0; j <= i; ++j)
        gram[i * rank + j] = gram[j * rank + i] = dot(row(i), row(j)) + (i == j ? softness : 0);
    }
    const std::vector<double> multipliers = nonnegative_minimum(gram, excess);
    for (std::size_t j = 0; j < rank; ++j) {
      for (std::size_t i = 0; i < n; ++i) step[i] -= multipliers[j] * row(j)[i];
    }
  }

 private:
  static constexpr double softness = 1e-9;  // keeps the problem solvable where constraints are alike or contradict each other

  double rate(double violation, const Linearized& at) const {
    if (violation <= 0) return approach;
    return at.length / std::max(deadline - at.progress, shortest * at.length);
  }
  static double dot(std::span<const double> a, std::span<const double> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  }
};
static_assert(SteersSteps<Steer> && !Formulation<Steer>);

}  // namespace siena
