// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "siena/autograd/tape.hpp"
#include "siena/kernels/pool.hpp"
#include "siena/kernels/simd.hpp"

namespace siena::ops {

/// Largest value of each window; of equals, the first one gets the gradient.
template <class T, class Arch = simd::native>
BasicVar<T> max_pool(const BasicVar<T>& x, const kernels::ConvGeometry& geometry, const Shape& output_shape) {
  const std::int64_t batch = x.shape()[0];
  auto y = BasicTensor<T>::uninitialized(output_shape);
  auto indices = Buffer<std::int32_t>::uninitialized(y.storage().size());
  kernels::max_pool_forward<Arch, T>(geometry, batch, x.value().storage(), y.storage(), indices.span());
  const BasicVar<T> output = x.tape().result(std::move(y), x);
  if (!output.needs_grad()) return output;
  const std::int32_t saved = x.tape().keep(std::move(indices));
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(x);
    kernels::max_pool_backward<Arch, T>(geometry, batch, t.grad(output).storage(), t.kept(saved), slot.storage(), slot.mode);
  });
  return output;
}

/// Mean of each window; of the elements inside the image only, or with the padding as zeros.
template <class T, class Arch = simd::native>
BasicVar<T> avg_pool(const BasicVar<T>& x, const kernels::ConvGeometry& geometry, bool count_padding,
                     const Shape& output_shape) {
  const std::int64_t batch = x.shape()[0];
  auto y = BasicTensor<T>::uninitialized(output_shape);
  kernels::avg_pool_forward<Arch, T>(geometry, batch, x.value().storage(), y.storage(), count_padding);
  const BasicVar<T> output = x.tape().result(std::move(y), x);
  x.tape().record(output, [=](BasicTape<T>& t) {
    const auto slot = t.slot(x);
    kernels::avg_pool_backward<Arch, T>(geometry, batch, t.grad(output).storage(), slot.storage(), slot.mode, count_padding);
  });
  return output;
}

/// Mean over all positions: N x H x W x C or N x T x C -> N x C.
template <class T, class Arch = simd::native>
BasicVar<T> global_avg_pool(const BasicVar<T>& x) {
  const Shape& s = x.shape();
  const std::int64_t height = s.rank() == 4 ? s[1] : 1;
  const kernels::ConvGeometry whole{.in_height = height,
                                    .in_width = s[-2],
                                    .in_channels = s[-1],
                                    .out_channels = s[-1],
                                    .kernel_height = static_cast<int>(height),
                                    .kernel_width = static_cast<int>(s[-2])};
  return avg_pool<T, Arch>(x, whole, false, Shape{s[0], s[-1]});
}

}  // namespace siena::ops
