// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

#include "siena/autograd/tape.hpp"
#include "siena/kernels/rearrange.hpp"
#include "siena/kernels/simd.hpp"

namespace siena::ops {

/// The box of every image.
template <class T, class Arch = simd::native>
BasicVar<T> take_box(const BasicVar<T>& x, const kernels::BoxGeometry& geometry, const Shape& output_shape) {
  const std::int64_t batch = x.shape()[0];
  auto y = BasicTensor<T>::uninitialized(output_shape);
  kernels::take_box<Arch, T>(geometry, batch, x.value().storage(), y.storage(), kernels::Write::overwrite);
  const BasicVar<T> output = x.tape().result(std::move(y), x);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(x);
    kernels::put_box<Arch, T>(geometry, batch, t.grad(output).storage(), slot.storage(), slot.mode);
  });
  return output;
}

/// Images of 0 with x in their box.
template <class T, class Arch = simd::native>
BasicVar<T> put_box(const BasicVar<T>& x, const kernels::BoxGeometry& geometry, const Shape& output_shape) {
  const std::int64_t batch = x.shape()[0];
  auto y = BasicTensor<T>::uninitialized(output_shape);
  kernels::put_box<Arch, T>(geometry, batch, x.value().storage(), y.storage(), kernels::Write::overwrite);
  const BasicVar<T> output = x.tape().result(std::move(y), x);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(x);
    kernels::take_box<Arch, T>(geometry, batch, t.grad(output).storage(), slot.storage(), slot.mode);
  });
  return output;
}

/// Every pixel as often as the geometry says, side by side.
template <class T, class Arch = simd::native>
BasicVar<T> upsample(const BasicVar<T>& x, const kernels::UpsampleGeometry& geometry, const Shape& output_shape) {
  const std::int64_t batch = x.shape()[0];
  auto y = BasicTensor<T>::uninitialized(output_shape);
  kernels::upsample_forward<Arch, T>(geometry, batch, x.value().storage(), y.storage());
  const BasicVar<T> output = x.tape().result(std::move(y), x);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(x);
    kernels::upsample_backward<Arch, T>(geometry, batch, t.grad(output).storage(), slot.storage(), slot.mode);
  });
  return output;
}

/// The channels of `parts` equal parts in turns.
template <class T, class Arch = simd::native>
BasicVar<T> interleave_channels(const BasicVar<T>& x, std::int64_t parts) {
  const std::int64_t rows = x.value().rows(), channels = x.value().columns();
  auto y = BasicTensor<T>::uninitialized(x.shape());
  kernels::interleave_channels<Arch, T>(rows, channels, parts, x.value().storage(), y.storage(), kernels::Write::overwrite);
  const BasicVar<T> output = x.tape().result(std::move(y), x);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(x);  // those that were neighbours are so again in as many parts as there were channels in one
    kernels::interleave_channels<Arch, T>(rows, channels, channels / parts, t.grad(output).storage(), slot.storage(),
                                          slot.mode);
  });
  return output;
}

}  // namespace siena::ops
