// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

#include "siena/core/config.hpp"
#include "siena/kernels/conv2d_backward_data.hpp"
#include "siena/kernels/conv2d_backward_weights.hpp"
#include "siena/kernels/conv2d_forward.hpp"
#include "siena/kernels/conv2d_groups.hpp"
#include "siena/kernels/depthwise.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/simd.hpp"

// Convolutions of N x H x W x Cin images with KH x KW x (Cin / groups) x Cout weights; rows of every span are padded as
// tensors are. The padding of a row may be read, never matters, and is overwritten in rows that are written. The same
// bits at any number of threads. A linear layer is a convolution of 1 x 1 images; a 1-D convolution one of height 1.

namespace siena::kernels {

namespace detail {
inline std::size_t storage(std::int64_t elements) { return static_cast<std::size_t>(elements); }
}  // namespace detail

/// y[n, oh, ow, o] = bias[o] + sum over kh, kw, i of x[n, oh * stride + kh * dilation - pad, ..., i] * w[kh, kw, i, o].
/// An empty bias means none.
template <class Arch = simd::native, class T>
void conv2d_forward(const ConvGeometry& g, std::int64_t batch, std::span<const std::type_identity_t<T>> x,
                    std::span<const std::type_identity_t<T>> w, std::span<const std::type_identity_t<T>> bias, std::span<T> y) {
  SIENA_ASSERT(x.size() == detail::storage(batch * g.in_storage()) && y.size() == detail::storage(batch * g.out_storage()));
  SIENA_ASSERT(w.size() == detail::storage(g.weight_storage()) &&
               (bias.empty() || bias.size() == detail::storage(g.out_stride())));
  const T* start = bias.empty() ? nullptr : bias.data();
  if (g.depthwise()) {
    detail::depthwise_forward<Arch, T>(g, batch, x.data(), w.data(), start, y.data());
  } else if (g.groups > 1) {
    detail::grouped_forward<Arch, T>(g, batch, x.data(), w.data(), start, y.data());
  } else {
    detail::dense_forward<Arch, T>(g, batch, x.data(), w.data(), start, y.data());
  }
}

/// dx[n, ih, iw, i] (+)= sum of dy[n, oh, ow, o] * w[kh, kw, i, o] over the taps that join the two pixels.
template <class Arch = simd::native, class T>
void conv2d_backward_data(const ConvGeometry& g, std::int64_t batch, std::span<const std::type_identity_t<T>> dy,
                          std::span<const std::type_identity_t<T>> w, std::span<T> dx, Write mode) {
  SIENA_ASSERT(dx.size() == detail::storage(batch * g.in_storage()) && dy.size() == detail::storage(batch * g.out_storage()));
  SIENA_ASSERT(w.size() == detail::storage(g.weight_storage()));
  if (g.depthwise()) {
    detail::depthwise_backward_data<Arch, T>(g, batch, dy.data(), w.data(), dx.data(), mode);
  } else if (g.groups > 1) {
    detail::grouped_backward_data<Arch, T>(g, batch, dy.data(), w.data(), dx.data(), mode);
  } else {
    detail::dense_backward_data<Arch, T>(g, batch, dy.data(), w.data(), dx.data(), mode);
  }
}

/// dw[kh, kw, i, o] += sum over n, oh, ow of x[n, oh * stride + kh * dilation - pad, ..., i] * dy[n, oh, ow, o].
template <class Arch = simd::native, class T>
void conv2d_backward_weights(const ConvGeometry& g, std::int64_t batch, std::span<const std::type_identity_t<T>> x,
                             std::span<const std::type_identity_t<T>> dy, std::span<T> dw) {
  SIENA_ASSERT(x.size() == detail::storage(batch * g.in_storage()) && dy.size() == detail::storage(batch * g.out_storage()));
  SIENA_ASSERT(dw.size() == detail::storage(g.weight_storage()));
  if (batch == 0) return;
  if (g.depthwise()) {
    detail::depthwise_backward_weights<Arch, T>(g, batch, x.data(), dy.data(), dw.data());
  } else if (g.groups > 1) {
    detail::grouped_backward_weights<Arch, T>(g, batch, x.data(), dy.data(), dw.data());
  } else {
    detail::dense_backward_weights<Arch, T>(g, batch, x.data(), dy.data(), dw.data());
  }
}

#if defined(SIENA_COMPILED_KERNELS)
extern template void conv2d_forward<simd::native, float>(const ConvGeometry&, std::int64_t, std::span<const float>,
                                                         std::span<const float>, std::span<const float>, std::span<float>);
extern template void conv2d_backward_data<simd::native, float>(const ConvGeometry&, std::int64_t, std::span<const float>,
                                                               std::span<const float>, std::span<float>, Write);
extern template void conv2d_backward_weights<simd::native, float>(const ConvGeometry&, std::int64_t, std::span<const float>,
                                                                  std::span<const float>, std::span<float>);
#endif

}  // namespace siena::kernels
