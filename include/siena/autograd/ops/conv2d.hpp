// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "siena/autograd/tape.hpp"
#include "siena/kernels/conv2d.hpp"
#include "siena/kernels/elementwise.hpp"
#include "siena/kernels/simd.hpp"

namespace siena::ops {

/// Cross-correlation of N x H x W x Cin with weights KH x KW x Cin/groups x Cout, plus a bias per output channel if given.
/// The geometry carries sizes, padding, stride, dilation and groups.
template <class T, class Arch = simd::native>
BasicVar<T> conv2d(const BasicVar<T>& x, const BasicVar<T>& weight, const BasicVar<T>& bias,
                   const kernels::ConvGeometry& geometry, const Shape& output_shape) {
  BasicTape<T>& tape = x.tape();
  const std::int64_t batch = x.shape()[0];
  auto y = BasicTensor<T>::uninitialized(output_shape);
  const std::span<const T> no_bias;
  kernels::conv2d_forward<Arch, T>(geometry, batch, x.value().storage(), weight.value().storage(),
                                   bias ? bias.value().storage() : no_bias, y.storage());
  const BasicVar<T> output = tape.result(std::move(y), x, weight, bias);
  const auto backward = [=](BasicTape<T>& t) {
    if (auto slot = t.slot(x)) {
      kernels::conv2d_backward_data<Arch, T>(geometry, batch, t.grad(output).storage(), t.value(weight).storage(),
                                             slot.storage(), slot.mode);
    }
  };
  const auto sums = [=](BasicTape<T>& t) {
    const auto dy = t.grad(output).storage();
    const std::int64_t pixels = t.grad(output).rows() / std::max<std::int64_t>(batch, 1), columns = t.grad(output).columns();
    if (weight.needs_grad()) {
      const std::span<const T> in = t.value(x).storage();
      t.add_batch_sum(weight, batch, [&](std::int64_t first, std::int64_t count, std::span<T> sum) {
        kernels::conv2d_backward_weights<Arch, T>(geometry, count, samples_of(in, batch, first, count),
                                                  samples_of(dy, batch, first, count), sum);
      });
    }
    t.add_batch_sum(bias, batch, [&](std::int64_t first, std::int64_t count, std::span<T> sum) {
      kernels::column_sums<Arch, T>(count * pixels, columns, samples_of(dy, batch, first, count), sum);
    });
  };
  tape.record(output, backward, sums, weight, bias);
  return output;
}

/// y = x W + b for x of N x In, W of In x Out: a 1x1 convolution of 1x1 images, and computed as one.
template <class T, class Arch = simd::native>
BasicVar<T> linear(const BasicVar<T>& x, const BasicVar<T>& weight, const BasicVar<T>& bias) {
  const std::int64_t in = weight.shape()[0], out = weight.shape()[1];
  require<ShapeError>(x.shape().rank() == 2 && x.shape()[1] == in, "linear: expected N x {} inputs, got {}; flatten first?", in,
                      x.shape());
  const kernels::ConvGeometry geometry{
      .in_height = 1, .in_width = 1, .in_channels = in, .out_height = 1, .out_width = 1, .out_channels = out};
  return conv2d<T, Arch>(x, weight, bias, geometry, Shape{x.shape()[0], out});
}

}  // namespace siena::ops
