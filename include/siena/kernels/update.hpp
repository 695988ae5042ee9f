// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include "siena/core/error.hpp"
#include "siena/kernels/rows.hpp"

// Optimiser steps over whole storages, one pass over memory each. The formulas are PyTorch's.

namespace siena::kernels {

struct SgdStep {
  double lr = 0.01, momentum = 0, weight_decay = 0;
  bool nesterov = false;
};

/// g = grad + weight_decay * value; velocity = momentum * velocity + g;
/// value -= lr * (nesterov ? g + momentum * velocity : velocity).
/// Without momentum the velocity may be empty and is left alone.
template <class Arch = simd::native, class T>
void sgd_update(std::span<T> value, std::span<const T> grad, std::span<T> velocity, const SgdStep& o) {
  const T lr = static_cast<T>(o.lr), momentum = static_cast<T>(o.momentum), decay = static_cast<T>(o.weight_decay);
  T *w_at = value.data(), *v_at = velocity.data();
  const T* g_at = grad.data();
  const auto size = static_cast<std::int64_t>(value.size());
  SIENA_ASSERT(grad.size() == value.size());
  if (o.momentum == 0) {
    for_elements<Arch, T>(size, [=](auto tag, std::int64_t i) {
      using A = typename decltype(tag)::type;
      const auto w = simd::load<T, A>(w_at + i);
      const auto g = simd::fma(simd::broadcast<T, A>(decay), w, simd::load<T, A>(g_at + i));
      simd::store(w_at + i, simd::fma(simd::broadcast<T, A>(-lr), g, w));
    });
    return;
  }
  require<ShapeError>(velocity.size() == value.size(), "sgd_update: expected a velocity of {} elements, got {}", value.size(),
                      velocity.size());
  for_elements<Arch, T>(size, [=, nesterov = o.nesterov](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    const auto w = simd::load<T, A>(w_at + i), m = simd::broadcast<T, A>(momentum);
    const auto g = simd::fma(simd::broadcast<T, A>(decay), w, simd::load<T, A>(g_at + i));
    const auto v = simd::fma(m, simd::load<T, A>(v_at + i), g);
    simd::store(v_at + i, v);
    simd::store(w_at + i, simd::fma(simd::broadcast<T, A>(-lr), nesterov ? simd::fma(m, v, g) : v, w));
  });
}

struct AdamStep {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  /// AdamW (Loshchilov and Hutter 2019): the decay acts on the value, not through the moments.
  bool decoupled = false;
  /// 1 in the first step.
  std::int64_t step = 1;
};

/// Adam (Kingma and Ba 2015): m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
/// value -= lr / (1 - beta1^step) * m / (sqrt(v / (1 - beta2^step)) + eps).
template <class Arch = simd::native, class T>
void adam_update(std::span<T> value, std::span<const T> grad, std::span<T> m, std::span<T> v, const AdamStep& o) {
  require<ArgumentError>(o.step >= 1, "adam_update: expected a step of 1 or more, got {}", o.step);
  SIENA_ASSERT(grad.size() == value.size() && m.size() == value.size() && v.size() == value.size());
  const double correction1 = 1 - std::pow(o.beta1, static_cast<double>(o.step));
  const double correction2 = 1 - std::pow(o.beta2, static_cast<double>(o.step));
  const T decay = static_cast<T>(o.decoupled ? 0 : o.weight_decay),
          keep = static_cast<T>(o.decoupled ? 1 - o.lr * o.weight_decay : 1);
  const T beta1 = static_cast<T>(o.beta1), rest1 = static_cast<T>(1 - o.beta1);
  const T beta2 = static_cast<T>(o.beta2), rest2 = static_cast<T>(1 - o.beta2);
  const T rate = static_cast<T>(-o.lr / correction1), spread = static_cast<T>(1 / std::sqrt(correction2)),
          eps = static_cast<T>(o.eps);
  for_elements<Arch, T>(static_cast<std::int64_t>(value.size()), [=, w_at = value.data(), g_at = grad.data(), m_at = m.data(),
                                                                  v_at = v.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    auto all = [](T number) { return simd::broadcast<T, A>(number); };
    const auto w = simd::load<T, A>(w_at + i);
    const auto g = simd::fma(all(decay), w, simd::load<T, A>(g_at + i));
    const auto first = simd::fma(all(beta1), simd::load<T, A>(m_at + i), all(rest1) * g);
    const auto second = simd::fma(all(beta2), simd::load<T, A>(v_at + i), all(rest2) * g * g);
    simd::store(m_at + i, first);
    simd::store(v_at + i, second);
    const auto step = first / simd::fma(simd::sqrt(second), all(spread), all(eps));
    simd::store(w_at + i, simd::fma(all(rate), step, all(keep) * w));
  });
}

}  // namespace siena::kernels
