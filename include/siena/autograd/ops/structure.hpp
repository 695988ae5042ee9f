// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "siena/autograd/tape.hpp"
#include "siena/kernels/broadcast.hpp"
#include "siena/kernels/elementwise.hpp"
#include "siena/kernels/reductions.hpp"
#include "siena/kernels/simd.hpp"

namespace siena::ops {

/// a + b of equal shapes.
template <class T, class Arch = simd::native>
BasicVar<T> add(const BasicVar<T>& a, const BasicVar<T>& b) {
  require<ShapeError>(a.shape() == b.shape(), "add: expected equal shapes, got {} and {}", a.shape(), b.shape());
  auto y = BasicTensor<T>::uninitialized(a.shape());
  kernels::add<Arch, T>(a.value().storage(), b.value().storage(), y.storage());
  const BasicVar<T> output = a.tape().result(std::move(y), a, b);
  a.tape().record(output, [=](BasicTape<T>& t) {
    for (const BasicVar<T>& input : {a, b}) {
      const auto slot = t.slot(input);
      if (!slot) continue;
      const auto dy = t.grad(output).storage();
      if (slot.mode == kernels::Write::accumulate) {
        kernels::add_to<Arch, T>(dy, slot.storage());
      } else {
        std::copy(dy.begin(), dy.end(), slot.storage().begin());
      }
    }
  });
  return output;
}

/// factor * x
template <class T, class Arch = simd::native>
BasicVar<T> scale(const BasicVar<T>& x, double factor) {
  auto y = BasicTensor<T>::uninitialized(x.shape());
  kernels::scale<Arch, T>(static_cast<T>(factor), x.value().storage(), y.storage());
  const BasicVar<T> output = x.tape().result(std::move(y), x);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(x);
    const std::span<const T> dy = t.grad(output).storage();
    if (slot.mode == kernels::Write::accumulate) {
      kernels::axpy<Arch, T>(static_cast<T>(factor), dy, slot.storage());
    } else {
      kernels::scale<Arch, T>(static_cast<T>(factor), dy, slot.storage());
    }
  });
  return output;
}

namespace detail {
template <class T>
bool is_value_per_channel(const BasicVar<T>& factors, const BasicVar<T>& x) {
  const Shape &few = factors.shape(), &many = x.shape();
  return few[0] == many[0] && few[-1] == many[-1] && few.rows() == few[0];
}
/// N x H x W x C times one value for each channel of each sample.
template <class T, class Arch>
BasicVar<T> multiply_channels(const BasicVar<T>& x, const BasicVar<T>& factors) {
  const kernels::ImageRows images{x.shape()[0], x.shape().rows() / std::max<std::int64_t>(x.shape()[0], 1), x.shape()[-1]};
  auto y = BasicTensor<T>::uninitialized(x.shape());
  kernels::scale_channels<Arch, T>(images, x.value().storage(), factors.value().storage(), y.storage(),
                                   kernels::Write::overwrite);
  const BasicVar<T> output = x.tape().result(std::move(y), x, factors);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto dy = t.grad(output).storage();
    if (const auto slot = t.slot(x))
      kernels::scale_channels<Arch, T>(images, dy, t.value(factors).storage(), slot.storage(), slot.mode);
    if (const auto slot = t.slot(factors))
      kernels::channel_dots<Arch, T>(images, dy, t.value(x).storage(), slot.storage(), slot.mode);
  });
  return output;
}
}  // namespace detail

/// a * b of equal shapes, or of N x H x W x C and one value for each channel of each sample (N x C, N x 1 x 1 x C).
template <class T, class Arch = simd::native>
BasicVar<T> multiply(const BasicVar<T>& a, const BasicVar<T>& b) {
  if (a.shape() != b.shape() && detail::is_value_per_channel(b, a)) return detail::multiply_channels<T, Arch>(a, b);
  require<ShapeError>(a.shape() == b.shape(),
                      "multiply: expected equal shapes, or one value a channel as the second, got {} and {}", a.shape(),
                      b.shape());
  auto y = BasicTensor<T>::uninitialized(a.shape());
  kernels::multiply<Arch, T>(a.value().storage(), b.value().storage(), y.storage());
  const BasicVar<T> output = a.tape().result(std::move(y), a, b);
  a.tape().record(output, [=](BasicTape<T>& t) {
    for (const auto& [input, other] : {std::pair{a, b}, std::pair{b, a}}) {
      const auto slot = t.slot(input);
      if (slot) kernels::multiply<Arch, T>(t.grad(output).storage(), t.value(other).storage(), slot.storage(), slot.mode);
    }
  });
  return output;
}

/// Joins along the channels: all other sizes are equal.
template <class T, class Arch = simd::native>
BasicVar<T> concat(const std::vector<BasicVar<T>>& inputs) {
  require<ShapeError>(!inputs.empty(), "concat: expected at least one input, got none");
  const Shape& first = inputs[0].shape();
  std::int64_t columns = 0;
  for (const auto& input : inputs) {
    const auto sizes = first.sizes(), others = input.shape().sizes();
    require<ShapeError>(sizes.size() == others.size() && std::equal(sizes.begin(), sizes.end() - 1, others.begin()),
                        "concat: expected shapes that differ in channels only, got {} and {}", first, input.shape());
    columns += input.shape().columns();
  }
  std::vector<std::int64_t> sizes(first.sizes().begin(), first.sizes().end());
  sizes.back() = columns;
  auto y = BasicTensor<T>::uninitialized(Shape(std::span<const std::int64_t>(sizes)));
  const std::int64_t rows = y.rows(), stride = y.stride();
  BasicTape<T>& tape = inputs[0].tape();
  std::int64_t begin = 0;
  for (const auto& input : inputs) {
    const BasicTensor<T>& x = input.value();
    kernels::copy_columns<Arch, T>(rows, x.storage(), x.stride(), 0, y.storage(), stride, begin, x.columns(),
                                   kernels::Write::overwrite);
    begin += x.columns();
  }
  const BasicVar<T> output = tape.result_of(inputs, std::move(y));
  if (!output.needs_grad()) return output;
  auto ids = Buffer<std::int32_t>::uninitialized(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) ids[i] = inputs[i].id();
  const std::int32_t saved = tape.keep(std::move(ids));
  tape.record(output, [=](BasicTape<T>& t) {
    std::int64_t from = 0;
    for (const std::int32_t id : t.kept(saved)) {
      const BasicVar<T> input(&t, id);
      const std::int64_t width = input.shape().columns();
      if (const auto slot = t.accumulating_slot(input)) {
        kernels::copy_columns<Arch, T>(rows, t.grad(output).storage(), stride, from, slot.storage(), slot.grad->stride(), 0,
                                       width, slot.mode);
      }
      from += width;
    }
  });
  return output;
}

/// N x H x W x C -> N x (H W C), position by position.
template <class T, class Arch = simd::native>
BasicVar<T> flatten(const BasicVar<T>& x) {
  const Shape& shape = x.shape();
  const std::int64_t batch = shape[0], channels = shape[-1], positions = shape.rows() / std::max<std::int64_t>(batch, 1);
  auto y = BasicTensor<T>::uninitialized(Shape{batch, positions * channels});
  kernels::flatten_forward<Arch, T>(batch, positions, channels, x.value().storage(), y.storage());
  const BasicVar<T> output = x.tape().result(std::move(y), x);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(x);
    kernels::flatten_backward<Arch, T>(batch, positions, channels, t.grad(output).storage(), slot.storage(), slot.mode);
  });
  return output;
}

/// The sum of all elements, a one-element value.
template <class T, class Arch = simd::native>
BasicVar<T> sum(const BasicVar<T>& x) {
  const double total = kernels::sum<Arch, T>(x.value().rows(), x.value().columns(), x.value().storage());
  const BasicVar<T> output = x.tape().result(BasicTensor<T>(Shape{1}, static_cast<T>(total)), x);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const T seed = *t.grad(output).data();
    if (const auto slot = t.accumulating_slot(x)) {
      for (T& element : slot.grad->storage()) element += seed;
    }
  });
  return output;
}

}  // namespace siena::ops
