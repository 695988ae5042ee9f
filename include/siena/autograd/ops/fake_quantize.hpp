// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

#include "siena/autograd/tape.hpp"
#include "siena/kernels/fake_quantize.hpp"
#include "siena/kernels/simd.hpp"

namespace siena::ops {

/// step * (q - zero), q the whole number from low to high that is nearest to x / step + zero: what an integer network computes
/// with. Gradients pass straight through where neither end holds q, and are 0 elsewhere.
template <class T, class Arch = simd::native>
BasicVar<T> fake_quantize(const BasicVar<T>& x, const kernels::Levels<T>& levels) {
  auto y = BasicTensor<T>::uninitialized(x.shape());
  kernels::fake_quantize_forward<Arch, T>(levels, x.value().storage(), y.storage());
  const BasicVar<T> output = x.tape().result(std::move(y), x);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto in = t.value(x).storage();
    const auto [dy, slot] = t.slot_over(x, output);
    kernels::fake_quantize_backward<Arch, T>(levels, in, dy, slot.storage(), slot.mode);
  });
  return output;
}

/// What learned steps that fall to 0 or below count as.
template <class T>
inline constexpr T least_step = T(1e-12);

/// The same with a step that is learned, one element, in place of that of `levels`. Its gradient is that of Esser et al.
/// (2020), Learned Step Size Quantization, divided by sqrt(elements of a sample * levels) as there.
template <class T, class Arch = simd::native>
BasicVar<T> fake_quantize(const BasicVar<T>& x, const BasicVar<T>& step, kernels::Levels<T> levels) {
  levels.step = std::max(*step.value().data(), least_step<T>);
  auto y = BasicTensor<T>::uninitialized(x.shape());
  kernels::fake_quantize_forward<Arch, T>(levels, x.value().storage(), y.storage());
  const BasicVar<T> output = x.tape().result(std::move(y), x, step);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const BasicTensor<T>& in = t.value(x);
    if (const auto slot = t.accumulating_slot(step)) {
      const double features = static_cast<double>(in.elements() / in.shape()[0]), count = levels.high - levels.low;
      const double slope =
          kernels::step_gradient<Arch, T>(levels, in.rows(), in.columns(), in.storage(), t.grad(output).storage());
      *slot.grad->data() += static_cast<T>(slope / std::sqrt(features * count));
    }
    if (!x.needs_grad()) return;
    const auto [dy, slot] = t.slot_over(x, output);
    kernels::fake_quantize_backward<Arch, T>(levels, in.storage(), dy, slot.storage(), slot.mode);
  });
  return output;
}

/// Weights as whole numbers of bits[c] bits, 2 to 8, times a step for each column c, the output channel (see
/// kernels::column_levels). Symmetric, so that 0 is one of them. Gradients pass straight through.
template <class T, class Arch = simd::native>
BasicVar<T> fake_quantize_weights(const BasicVar<T>& weight, std::span<const int> bits) {
  const BasicTensor<T>& w = weight.value();
  SIENA_ASSERT(static_cast<std::int64_t>(bits.size()) == w.columns());
  const auto levels = kernels::column_levels<T>(w.rows(), w.columns(), w.storage(), bits);
  auto y = BasicTensor<T>::uninitialized(w.shape());
  kernels::fake_quantize_columns<Arch, T>(w.rows(), w.columns(), w.storage(), levels, y.storage());
  const BasicVar<T> output = weight.tape().result(std::move(y), weight);
  weight.tape().record(output, [=](BasicTape<T>& t) {
    const auto dy = t.grad(output).storage();
    if (const auto slot = t.accumulating_slot(weight)) kernels::add_to<Arch, T>(dy, slot.storage());
  });
  return output;
}

}  // namespace siena::ops
