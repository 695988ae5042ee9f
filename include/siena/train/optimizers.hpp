// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "siena/autograd/parameter.hpp"
#include "siena/core/config.hpp"
#include "siena/core/error.hpp"
#include "siena/core/parallel.hpp"
#include "siena/core/state.hpp"
#include "siena/kernels/update.hpp"
#include "siena/train/optimizer_rule.hpp"

namespace siena {

namespace detail {
inline void check_rates(const char* where, double lr, double weight_decay) {
  require<ArgumentError>(std::isfinite(lr) && lr > 0, "{}: expected a learning rate above 0, got {}", where, lr);
  require<ArgumentError>(std::isfinite(weight_decay) && weight_decay >= 0, "{}: expected a weight decay of 0 or more, got {}",
                         where, weight_decay);
}
}  // namespace detail

/// Stochastic gradient descent: v = momentum v + g, w -= lr v, with g = gradient + weight_decay w; with Nesterov's look-ahead
/// w -= lr (g + momentum v).
struct Sgd {
  double lr = 0.1;          ///< learning rate, which schedules multiply
  double momentum = 0.9;    ///< part of the last step that goes on; 0: none
  double weight_decay = 0;  ///< part of each weight that is added to its gradient
  bool nesterov = false;    ///< looks ahead by the momentum

  std::string to_string() const {
    return format("SGD, lr {}, momentum {}, weight decay {}{}", lr, momentum, weight_decay, nesterov ? ", Nesterov" : "");
  }
  int moments() const { return momentum > 0 ? 1 : 0; }
  void check() const {
    detail::check_rates("Sgd", lr, weight_decay);
    require<ArgumentError>(momentum >= 0 && momentum < 1, "Sgd: expected a momentum in [0, 1), got {}", momentum);
    require<ArgumentError>(!nesterov || momentum > 0, "Sgd: expected a momentum above 0 for Nesterov's look-ahead, got 0");
  }
  void update(const OptimizerStep& step) const {
    kernels::sgd_update<simd::native, float>(
        step.value, step.grad, step.moments[0],
        {.lr = step.lr, .momentum = momentum, .weight_decay = step.decay ? weight_decay : 0, .nesterov = nesterov});
  }
};

/// Adam (Kingma and Ba 2015). Weight decay is part of the gradient, or, decoupled, shrinks the weights by lr * weight_decay.
struct Adam {
  double lr = 1e-3;         ///< learning rate, which schedules multiply
  double beta1 = 0.9;       ///< memory of the mean of gradients
  double beta2 = 0.999;     ///< memory of the mean of their squares
  double epsilon = 1e-8;    ///< added to the root, so that nothing is divided by 0
  double weight_decay = 0;  ///< part of each weight that is added to its gradient or, decoupled, taken off it
  bool decoupled = false;   ///< weight decay acts on the weights, not on their gradients

  std::string to_string() const {
    return format("Adam{}, lr {}, beta {} and {}, epsilon {}, weight decay {}", decoupled ? "W" : "", lr, beta1, beta2, epsilon,
                  weight_decay);
  }
  int moments() const { return 2; }
  void check() const {
    detail::check_rates("Adam", lr, weight_decay);
    require<ArgumentError>(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1,
                           "Adam: expected beta1 and beta2 in [0, 1), got {} and {}", beta1, beta2);
    require<ArgumentError>(std::isfinite(epsilon) && epsilon > 0, "Adam: expected an epsilon above 0, got {}", epsilon);
  }
  void update(const OptimizerStep& step) const {
    kernels::adam_update<simd::native, float>(step.value, step.grad, step.moments[0], step.moments[1],
                                              {.lr = step.lr,
                                               .beta1 = beta1,
                                               .beta2 = beta2,
                                               .eps = epsilon,
                                               .weight_decay = step.decay ? weight_decay : 0,
                                               .decoupled = decoupled,
                                               .step = step.count});
  }
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
struct AdamW {
  double lr = 1e-3;            ///< learning rate, which schedules multiply
  double beta1 = 0.9;          ///< memory of the mean of gradients
  double beta2 = 0.999;        ///< memory of the mean of their squares
  double epsilon = 1e-8;       ///< added to the root, so that nothing is divided by 0
  double weight_decay = 1e-2;  ///< times the rate: part of each weight that is taken off it in a step

  std::string to_string() const { return adam().to_string(); }
  int moments() const { return 2; }
  void check() const { adam().check(); }
  void update(const OptimizerStep& step) const { adam().update(step); }

 private:
  Adam adam() const {
    return {.lr = lr, .beta1 = beta1, .beta2 = beta2, .epsilon = epsilon, .weight_decay = weight_decay, .decoupled = true};
  }
};
static_assert(OptimizerRule<Sgd> && OptimizerRule<Adam> && OptimizerRule<AdamW>);

/// Moves parameters against their gradients. Refers to the parameters, which are distinct and keep their shapes; keeps the
/// moments of its rule. Weight decay acts only where `Parameter::decay` says so.
class Optimizer {
 public:
  Optimizer(AnyOptimizer rule, std::vector<Parameter*> parameters)
      : rule_((rule.check(), std::move(rule))), parameters_(std::move(parameters)), moments_(moments_of(rule_)) {
    starts_.reserve(parameters_.size() + 1);
    starts_.push_back(0);
    for (const Parameter* parameter : parameters_) {
      starts_.push_back(starts_.back() + static_cast<std::int64_t>(parameter->value.storage().size()));
      for (auto& moment : moments_) moment.emplace_back(parameter->value.shape());
    }
  }

  /// One update by the gradients as they are, with the learning rate times `lr_factor`.
  void step(double lr_factor = 1) {
    ++steps_;
    lr_ = base_lr() * lr_factor;
    // All parameters are one row of elements, cut evenly: most are too few to be shared between threads.
    parallel_ranges(starts_.back(), kernels::even_grain(starts_.back()), [&](std::int64_t begin, std::int64_t end) {
      auto p = static_cast<std::size_t>(std::upper_bound(starts_.begin(), starts_.end(), begin) - starts_.begin()) - 1;
      for (; begin < end; begin = starts_[++p]) update(p, begin - starts_[p], std::min(end, starts_[p + 1]) - begin);
    });
  }

  /// The learning rate of the last step; before the first one that of the options.
  double lr() const { return lr_; }
  /// The learning rate of the options.
  double base_lr() const { return rule_.lr(); }
  std::int64_t steps() const { return steps_; }
  const AnyOptimizer& rule() const { return rule_; }
  const std::vector<Parameter*>& parameters() const { return parameters_; }

  /// Moments under the names of their parameters.
  void save(State& state, const std::string& prefix = "") const {
    state.put(prefix + "steps", steps_);
    for (std::size_t m = 0; m < moments_.size(); ++m) {
      for (std::size_t p = 0; p < parameters_.size(); ++p) state.put(prefix + name(p, m), moments_[m][p]);
    }
  }
  /// Checks everything before it changes anything.
  void load(const State& state, const std::string& prefix = "") {
    const auto steps = state.get<std::int64_t>(prefix + "steps");
    std::vector<std::vector<Tensor>> moments(moments_.size());
    for (std::size_t m = 0; m < moments_.size(); ++m) {
      for (std::size_t p = 0; p < parameters_.size(); ++p)
        moments[m].push_back(state.tensor(prefix + name(p, m), parameters_[p]->value.shape()));
    }
    steps_ = steps;
    moments_ = std::move(moments);
  }

 private:
  static std::vector<std::vector<Tensor>> moments_of(const AnyOptimizer& rule) {
    return std::vector<std::vector<Tensor>>(static_cast<std::size_t>(rule.moments()));
  }
  std::string name(std::size_t p, std::size_t moment) const {
    constexpr std::array<const char*, OptimizerStep::most_moments> numbers{"first", "second", "third", "fourth"};
    return format("{}.{}_moment", parameters_[p]->name, numbers[moment]);
  }

  /// The step for `count` elements of parameter p.
  void update(std::size_t p, std::int64_t first, std::int64_t count) {
    Parameter& parameter = *parameters_[p];
    SIENA_ASSERT(static_cast<std::int64_t>(parameter.value.storage().size()) == starts_[p + 1] - starts_[p]);
    SIENA_ASSERT(parameter.grad.storage().size() == parameter.value.storage().size());
    const auto part = [&](auto storage) {
      return storage.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    };
    OptimizerStep step{.value = part(parameter.value.storage()),
                       .grad = part(std::as_const(parameter.grad).storage()),
                       .lr = lr_,
                       .decay = parameter.decay,
                       .count = steps_};
    for (std::size_t m = 0; m < moments_.size(); ++m) step.moments[m] = part(moments_[m][p].storage());
    rule_.update(step);
  }

  AnyOptimizer rule_;
  std::vector<Parameter*> parameters_;
  std::vector<std::int64_t> starts_;          // where each one's elements begin in the row of them all, and where that ends
  std::vector<std::vector<Tensor>> moments_;  // first, second, ...: each of every parameter
  std::int64_t steps_ = 0;
  double lr_ = base_lr();
};

}  // namespace siena
