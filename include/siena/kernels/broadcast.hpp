// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "siena/core/buffer.hpp"
#include "siena/kernels/elementwise.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/rows.hpp"

// Images and one value for each of their channels: x has `batch` images of `positions` rows, the values are one row an image.

namespace siena::kernels {

/// How many images, of how many pixels and channels.
struct ImageRows {
  std::int64_t batch = 0, positions = 0, channels = 0;
};

/// y = x * factor of the image and the channel, or += where `mode` says so.
template <class Arch = simd::native, class T>
void scale_channels(const ImageRows& images, std::span<const T> x, std::span<const T> factors, std::span<T> y, Write mode) {
  const std::int64_t stride = padded(images.channels), rows = images.batch * images.positions;
  parallel_ranges(rows, elements_grain(stride), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const T *from = x.data() + r * stride, *factor = factors.data() + r / images.positions * stride;
      T* to = y.data() + r * stride;
      simd::for_each_vector<T, Arch>(stride, [&](auto tag, std::int64_t c) {
        using A = typename decltype(tag)::type;
        detail::write<A, T>(to + c, simd::load<T, A>(from + c) * simd::load<T, A>(factor + c), mode == Write::accumulate);
      });
    }
  });
}

/// out = sums of a * b over the pixels of each image, channel by channel, or += where `mode` says so.
template <class Arch = simd::native, class T>
void channel_dots(const ImageRows& images, std::span<const T> a, std::span<const T> b, std::span<T> out, Write mode) {
  const RowFold fold(images.channels);
  const std::int64_t elements = images.positions * fold.stride;
  parallel_ranges(images.batch, elements_grain(elements), [&](std::int64_t first, std::int64_t last) {
    auto sums = Buffer<T>::uninitialized(static_cast<std::size_t>(fold.period()));
    for (std::int64_t n = first; n < last; ++n) {
      const T *left = a.data() + n * elements, *right = b.data() + n * elements;
      sum_rows<1, Arch, T>(0, elements, fold.period(), sums.data(), [=](auto tag, std::int64_t i, std::int64_t, auto& sum) {
        using A = typename decltype(tag)::type;
        sum[0] = simd::fma(simd::load<T, A>(left + i), simd::load<T, A>(right + i), sum[0]);
      });
      T* to = out.data() + n * fold.stride;
      for (std::int64_t c = 0; c < fold.stride; ++c) {
        T total = mode == Write::accumulate ? to[c] : T(0);
        for (std::int64_t k = 0; k < fold.copies; ++k) total += sums[static_cast<std::size_t>(k * fold.stride + c)];
        to[c] = total;
      }
    }
  });
}

}  // namespace siena::kernels
