// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "siena/autograd/parameter.hpp"
#include "siena/core/config.hpp"
#include "siena/core/error.hpp"
#include "siena/core/parallel.hpp"
#include "siena/core/state.hpp"
#include "siena/kernels/update.hpp"

namespace siena {

/// Stochastic gradient descent: v = momentum v + g, w -= lr v, with g = gradient + weight_decay w; with Nesterov's look-ahead
/// w -= lr (g + momentum v).
struct Sgd {
  double lr = 0.1;
  double momentum = 0.9;
  double weight_decay = 0;
  bool nesterov = false;
};

/// Adam (Kingma and Ba 2015). Weight decay is part of the gradient, or, decoupled, shrinks the weights by lr * weight_decay.
struct Adam {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool decoupled = false;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
struct AdamW {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 1e-2;

  operator Adam() const {  // NOLINT(google-explicit-constructor): `.optimizer = AdamW{}`
    return {.lr = lr, .beta1 = beta1, .beta2 = beta2, .epsilon = epsilon, .weight_decay = weight_decay, .decoupled = true};
  }
};

using OptimizerOptions = std::variant<Sgd, Adam>;

/// The same optimizer with its learning rate times `factor`.
inline OptimizerOptions scaled(OptimizerOptions options, double factor) {
  std::visit([&](auto& o) { o.lr *= factor; }, options);
  return options;
}

namespace detail {
inline void check_rates(const char* where, double lr, double weight_decay) {
  require<ArgumentError>(std::isfinite(lr) && lr > 0, "{}: expected a learning rate above 0, got {}", where, lr);
  require<ArgumentError>(std::isfinite(weight_decay) && weight_decay >= 0, "{}: expected a weight decay of 0 or more, got {}",
                         where, weight_decay);
}
inline void check(const Sgd& o) {
  check_rates("Sgd", o.lr, o.weight_decay);
  require<ArgumentError>(o.momentum >= 0 && o.momentum < 1, "Sgd: expected a momentum in [0, 1), got {}", o.momentum);
  require<ArgumentError>(!o.nesterov || o.momentum > 0, "Sgd: expected a momentum above 0 for Nesterov's look-ahead, got 0");
}
inline void check(const Adam& o) {
  check_rates("Adam", o.lr, o.weight_decay);
  require<ArgumentError>(o.beta1 >= 0 && o.beta1 < 1 && o.beta2 >= 0 && o.beta2 < 1,
                         "Adam: expected beta1 and beta2 in [0, 1), got {} and {}", o.beta1, o.beta2);
  require<ArgumentError>(std::isfinite(o.epsilon) && o.epsilon > 0, "Adam: expected an epsilon above 0, got {}", o.epsilon);
}
}  // namespace detail

/// Throws ArgumentError for options out of their range.
inline void check(const OptimizerOptions& options) {
  std::visit([](const auto& o) { detail::check(o); }, options);
}

/// "SGD, lr 0.1, momentum 0.9, weight decay 0.0005, Nesterov": every option, so that different ones read differently.
inline std::string to_string(const OptimizerOptions& options) {
  if (const Sgd* o = std::get_if<Sgd>(&options)) {
    return format("SGD, lr {}, momentum {}, weight decay {}{}", o->lr, o->momentum, o->weight_decay,
                  o->nesterov ? ", Nesterov" : "");
  }
  const Adam& o = std::get<Adam>(options);
  return format("Adam{}, lr {}, beta {} and {}, epsilon {}, weight decay {}", o.decoupled ? "W" : "", o.lr, o.beta1, o.beta2,
                o.epsilon, o.weight_decay);
}

/// Moves parameters against their gradients. Refers to the parameters, which are distinct and keep their shapes; keeps its
/// moments. Weight decay acts only where `Parameter::decay` says so.
class Optimizer {
 public:
  Optimizer(OptimizerOptions options, std::vector<Parameter*> parameters)
      : options_((check(options), std::move(options))), parameters_(std::move(parameters)) {
    starts_.reserve(parameters_.size() + 1);
    starts_.push_back(0);
    for (const Parameter* parameter : parameters_) {
      starts_.push_back(starts_.back() + static_cast<std::int64_t>(parameter->value.storage().size()));
      if (needs_first()) first_.emplace_back(parameter->value.shape());
      if (needs_second()) second_.emplace_back(parameter->value.shape());
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
  double base_lr() const {
    return std::visit([](const auto& o) { return o.lr; }, options_);
  }
  std::int64_t steps() const { return steps_; }
  const OptimizerOptions& options() const { return options_; }

  /// Moments under the names of their parameters.
  void save(State& state, const std::string& prefix = "") const {
    state.put(prefix + "steps", steps_);
    for (std::size_t p = 0; p < first_.size(); ++p) state.put(prefix + parameters_[p]->name + ".first_moment", first_[p]);
    for (std::size_t p = 0; p < second_.size(); ++p) state.put(prefix + parameters_[p]->name + ".second_moment", second_[p]);
  }
  /// Checks everything before it changes anything.
  void load(const State& state, const std::string& prefix = "") {
    const auto steps = state.get<std::int64_t>(prefix + "steps");
    const auto moments = [&](std::size_t count, const char* which) {
      std::vector<Tensor> found;
      for (std::size_t p = 0; p < count; ++p) {
        found.push_back(state.tensor(prefix + parameters_[p]->name + which, parameters_[p]->value.shape()));
      }
      return found;
    };
    auto first = moments(first_.size(), ".first_moment");
    auto second = moments(second_.size(), ".second_moment");
    steps_ = steps;
    first_ = std::move(first);
    second_ = std::move(second);
  }

 private:
  /// The step for `count` elements of parameter p.
  void update(std::size_t p, std::int64_t first, std::int64_t count) {
    Parameter& parameter = *parameters_[p];
    SIENA_ASSERT(static_cast<std::int64_t>(parameter.value.storage().size()) == starts_[p + 1] - starts_[p]);
    SIENA_ASSERT(parameter.grad.storage().size() == parameter.value.storage().size());
    const auto part = [&](auto storage) {
      return storage.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    };
    const std::span<float> value = part(parameter.value.storage());
    const std::span<const float> grad = part(std::as_const(parameter.grad).storage());
    if (const Sgd* sgd = std::get_if<Sgd>(&options_)) {
      kernels::sgd_update<simd::native, float>(value, grad, first_.empty() ? std::span<float>() : part(first_[p].storage()),
                                               {.lr = lr_,
                                                .momentum = sgd->momentum,
                                                .weight_decay = parameter.decay ? sgd->weight_decay : 0,
                                                .nesterov = sgd->nesterov});
    } else {
      const Adam& adam = std::get<Adam>(options_);
      kernels::adam_update<simd::native, float>(value, grad, part(first_[p].storage()), part(second_[p].storage()),
                                                {.lr = lr_,
                                                 .beta1 = adam.beta1,
                                                 .beta2 = adam.beta2,
                                                 .eps = adam.epsilon,
                                                 .weight_decay = parameter.decay ? adam.weight_decay : 0,
                                                 .decoupled = adam.decoupled,
                                                 .step = steps_});
    }
  }

  bool needs_first() const {
    const Sgd* sgd = std::get_if<Sgd>(&options_);
    return sgd == nullptr || sgd->momentum > 0;
  }
  bool needs_second() const { return std::holds_alternative<Adam>(options_); }

  OptimizerOptions options_;
  std::vector<Parameter*> parameters_;
  std::vector<std::int64_t> starts_;    // where each one's elements begin in the row of them all, and where that ends
  std::vector<Tensor> first_, second_;  // of each parameter: velocity or mean of gradients; mean of their squares
  std::int64_t steps_ = 0;
  double lr_ = base_lr();
};

}  // namespace siena
