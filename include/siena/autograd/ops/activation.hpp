// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "siena/autograd/tape.hpp"
#include "siena/core/random.hpp"
#include "siena/kernels/dropout.hpp"
#include "siena/kernels/elementwise.hpp"
#include "siena/kernels/simd.hpp"

namespace siena::ops {

namespace detail {
// An elementwise y = f(x) whose derivative is known from y.
template <class T, class Forward, class Backward>
BasicVar<T> elementwise(const BasicVar<T>& x, Forward forward, Backward backward) {
  auto y = BasicTensor<T>::uninitialized(x.shape());
  forward(x.value().storage(), y.storage());
  const BasicVar<T> output = x.tape().result(std::move(y), x);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto [dy, slot] = t.slot_over(x, output);
    backward(t.value(output).storage(), dy, slot.storage(), slot.mode);
  });
  return output;
}
}  // namespace detail

/// max(x, 0); the derivative at 0 is 0.
template <class T, class Arch = simd::native>
BasicVar<T> relu(const BasicVar<T>& x) {
  return detail::elementwise(
      x, [](auto in, auto y) { kernels::relu_forward<Arch, T>(in, y); },
      [](auto y, auto dy, auto dx, kernels::Write mode) { kernels::relu_backward<Arch, T>(y, dy, dx, mode); });
}

/// 1 / (1 + exp(-x)).
template <class T, class Arch = simd::native>
BasicVar<T> sigmoid(const BasicVar<T>& x) {
  return detail::elementwise(
      x, [](auto in, auto y) { kernels::sigmoid_forward<Arch, T>(in, y); },
      [](auto y, auto dy, auto dx, kernels::Write mode) { kernels::sigmoid_backward<Arch, T>(y, dy, dx, mode); });
}

template <class T, class Arch = simd::native>
BasicVar<T> tanh(const BasicVar<T>& x) {
  return detail::elementwise(
      x, [](auto in, auto y) { kernels::tanh_forward<Arch, T>(in, y); },
      [](auto y, auto dy, auto dx, kernels::Write mode) { kernels::tanh_backward<Arch, T>(y, dy, dx, mode); });
}

/// scale (x + shift), but never below `low` or above `high`; the derivative at both edges is 0.
template <class T, class Arch = simd::native>
BasicVar<T> clip(const BasicVar<T>& x, const kernels::ClippedLine<T>& line) {
  return detail::elementwise(
      x, [line](auto in, auto y) { kernels::clip_forward<Arch, T>(line, in, y); },
      [line](auto y, auto dy, auto dx, kernels::Write mode) { kernels::clip_backward<Arch, T>(line, y, dy, dx, mode); });
}

/// (x + 3) / 6, in [0, 1] (as in MobileNetV3, arXiv 1905.02244).
template <class T, class Arch = simd::native>
BasicVar<T> hard_sigmoid(const BasicVar<T>& x) {
  return clip<T, Arch>(x, {.scale = T(1) / 6, .shift = 3, .low = 0, .high = 1});
}

/// x hard_sigmoid(x).
template <class T, class Arch = simd::native>
BasicVar<T> hard_swish(const BasicVar<T>& x) {
  auto y = BasicTensor<T>::uninitialized(x.shape());
  kernels::hard_swish_forward<Arch, T>(x.value().storage(), y.storage());
  const BasicVar<T> output = x.tape().result(std::move(y), x);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto in = t.value(x).storage();
    const auto [dy, slot] = t.slot_over(x, output);
    kernels::hard_swish_backward<Arch, T>(in, dy, slot.storage(), slot.mode);
  });
  return output;
}

/// x where x > 0, else slope x, with one slope of 0 or more for all.
template <class T, class Arch = simd::native>
BasicVar<T> leaky_relu(const BasicVar<T>& x, double slope) {
  const T factor = static_cast<T>(slope);
  return detail::elementwise(
      x, [factor](auto in, auto y) { kernels::leaky_relu_forward<Arch, T>(factor, in, y); },
      [factor](auto y, auto dy, auto dx, kernels::Write mode) {
        kernels::leaky_relu_backward<Arch, T>(factor, y, dy, dx, mode);
      });
}

/// x where x > 0, else slope x, with one slope a channel (He et al. 2015).
template <class T, class Arch = simd::native>
BasicVar<T> prelu(const BasicVar<T>& x, const BasicVar<T>& slope) {
  const std::int64_t rows = x.value().rows(), channels = x.value().columns();
  auto y = BasicTensor<T>::uninitialized(x.shape());
  kernels::prelu_forward<Arch, T>(rows, channels, x.value().storage(), slope.value().storage(), y.storage());
  const BasicVar<T> output = x.tape().result(std::move(y), x, slope);
  x.tape().record(output, [=](BasicTape<T>& t) {
    // The kernel makes both gradients in one pass: one that nobody wants goes to scratch.
    auto dx = t.shards() ? t.accumulating_slot(x) : t.slot(x);  // not all samples need be in a shard
    BasicTensor<T> unwanted_x, unwanted_slope;
    if (!dx) {
      unwanted_x = BasicTensor<T>(t.value(x).shape());
      dx = {&unwanted_x, kernels::Write::overwrite};
    }
    const std::span<const T> in = t.value(x).storage(), slopes = t.value(slope).storage(), dy = t.grad(output).storage();
    const std::int64_t batch = t.shape(x.id())[0];
    const auto run = [&](std::int64_t first, std::int64_t count, std::span<T> sum) {
      kernels::prelu_backward<Arch, T>(rows / batch * count, channels, samples_of(in, batch, first, count), slopes,
                                       samples_of(dy, batch, first, count), samples_of(dx.storage(), batch, first, count),
                                       dx.mode, sum);
    };
    if (slope.needs_grad()) return t.add_batch_sum(slope, batch, run);
    unwanted_slope = BasicTensor<T>(t.value(slope).shape());
    run(0, batch, unwanted_slope.storage());
  });
  return output;
}

/// Zeroes each element with a probability and scales the others by 1 / (1 - probability). Which ones is a pure function of
/// `random` and the element's number in the batch, so that it depends neither on threads nor on ranks.
template <class T, class Arch = simd::native>
BasicVar<T> dropout(const BasicVar<T>& x, double probability, const Random& random) {
  const std::int64_t rows = x.value().rows(), channels = x.value().columns();
  auto y = BasicTensor<T>::uninitialized(x.shape());
  const std::int64_t elements = rows / std::max<std::int64_t>(x.shape()[0], 1) * channels;  // of a sample
  const auto offset = static_cast<std::uint64_t>(x.tape().first_sample() * elements);
  kernels::dropout_forward<Arch, T>(rows, channels, x.value().storage(), y.storage(), probability, random, offset);
  const BasicVar<T> output = x.tape().result(std::move(y), x);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto [dy, slot] = t.slot_over(x, output);
    kernels::dropout_backward<Arch, T>(rows, channels, dy, slot.storage(), probability, random, offset, slot.mode);
  });
  return output;
}

}  // namespace siena::ops
