// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "siena/core/shape.hpp"
#include "siena/kernels/elementwise.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/rows.hpp"

// Elements that go to other places: nothing is computed on the way, so whole rows are copied.

namespace siena::kernels {

/// Where a box lies in an image that holds it: the part that a slice keeps, the image that padding surrounds.
struct BoxGeometry {
  std::int64_t height = 1, width = 1, channels = 1;              ///< of the whole image
  std::int64_t top = 0, left = 0, first = 0;                     ///< where the box begins
  std::int64_t box_height = 1, box_width = 1, box_channels = 1;  ///< of the box

  std::int64_t stride() const { return padded(channels); }
  std::int64_t box_stride() const { return padded(box_channels); }
};

namespace detail {
/// Copies `count` pixels in a row, `channels` of each, from pixels of one stride to those of another.
template <class T>
void copy_pixels(const T* from, std::int64_t from_stride, T* to, std::int64_t to_stride, std::int64_t count,
                 std::int64_t channels, Write mode) {
  for (std::int64_t p = 0; p < count; ++p) copy_run(from + p * from_stride, to + p * to_stride, channels, mode);
}
}  // namespace detail

/// box = that part of the whole, or += where `mode` says so.
template <class Arch = simd::native, class T>
void take_box(const BoxGeometry& g, std::int64_t batch, std::span<const T> whole, std::span<T> box, Write mode) {
  const std::int64_t stride = g.stride(), box_stride = g.box_stride(), rest = box_stride - g.box_channels;
  parallel_ranges(batch * g.box_height, elements_grain(g.box_width * box_stride), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const std::int64_t n = r / g.box_height, row = (n * g.height + g.top + r % g.box_height) * g.width + g.left;
      const T* from = whole.data() + row * stride + g.first;
      T* to = box.data() + r * g.box_width * box_stride;
      if (g.box_channels == g.channels) {
        detail::copy_run(from, to, g.box_width * stride, mode);
        continue;
      }
      detail::copy_pixels(from, stride, to, box_stride, g.box_width, g.box_channels, mode);
      for (std::int64_t p = 0; p < g.box_width && mode == Write::overwrite; ++p)
        std::fill_n(to + p * box_stride + g.box_channels, rest, T(0));
    }
  });
}

/// whole = 0 but for the box within it; or that part += box where `mode` says so.
template <class Arch = simd::native, class T>
void put_box(const BoxGeometry& g, std::int64_t batch, std::span<const T> box, std::span<T> whole, Write mode) {
  const std::int64_t stride = g.stride(), box_stride = g.box_stride();
  parallel_ranges(batch * g.height, elements_grain(g.width * stride), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      T* to = whole.data() + r * g.width * stride;
      if (mode == Write::overwrite) std::fill_n(to, g.width * stride, T(0));
      const std::int64_t n = r / g.height, row = r % g.height - g.top;
      if (row < 0 || row >= g.box_height) continue;
      const T* from = box.data() + (n * g.box_height + row) * g.box_width * box_stride;
      to += g.left * stride + g.first;
      if (g.box_channels == g.channels) {
        detail::copy_run(from, to, g.box_width * stride, mode);
      } else {
        detail::copy_pixels(from, box_stride, to, stride, g.box_width, g.box_channels, mode);
      }
    }
  });
}

/// An image of which every pixel becomes `vertical` x `horizontal` pixels.
struct UpsampleGeometry {
  std::int64_t height = 1, width = 1, channels = 1;  ///< of the input
  int vertical = 1, horizontal = 1;

  std::int64_t stride() const { return padded(channels); }
};

/// y = x, every pixel as often as the geometry says.
template <class Arch = simd::native, class T>
void upsample_forward(const UpsampleGeometry& g, std::int64_t batch, std::span<const T> x, std::span<T> y) {
  const std::int64_t stride = g.stride(), length = g.width * g.horizontal * stride;  // of a row of outputs
  parallel_ranges(batch * g.height, elements_grain(g.vertical * length), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const T* from = x.data() + r * g.width * stride;
      T* const first = y.data() + r * g.vertical * length;
      T* to = first;
      for (std::int64_t p = 0; p < g.width * g.horizontal; ++p, to += stride)
        std::copy_n(from + p / g.horizontal * stride, stride, to);
      for (int copy = 1; copy < g.vertical; ++copy, to += length) std::copy_n(first, length, to);
    }
  });
}

/// dx = the sums of dy over the pixels that each has become, or += where `mode` says so.
template <class Arch = simd::native, class T>
void upsample_backward(const UpsampleGeometry& g, std::int64_t batch, std::span<const T> dy, std::span<T> dx, Write mode) {
  const std::int64_t stride = g.stride(), length = g.width * g.horizontal * stride;
  parallel_ranges(batch * g.height, elements_grain(g.vertical * length), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin * g.width; p < end * g.width; ++p) {
      const T* from = dy.data() + p / g.width * g.vertical * length + p % g.width * g.horizontal * stride;
      simd::for_each_vector<T, Arch>(stride, [&](auto tag, std::int64_t c) {
        using A = typename decltype(tag)::type;
        auto sum = simd::zero<T, A>();
        for (int v = 0; v < g.vertical; ++v) {
          for (int h = 0; h < g.horizontal; ++h) sum += simd::load<T, A>(from + v * length + h * stride + c);
        }
        detail::write<A, T>(dx.data() + p * stride + c, sum, mode == Write::accumulate);
      });
    }
  });
}

/// y = x with the channels of every row in turns: the first of each of `parts` equal parts, then the second of each, and so on;
/// or += where `mode` says so.
template <class Arch = simd::native, class T>
void interleave_channels(std::int64_t rows, std::int64_t channels, std::int64_t parts, std::span<const T> x, std::span<T> y,
                         Write mode) {
  const std::int64_t stride = padded(channels), size = channels / parts;
  parallel_ranges(rows, elements_grain(stride), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const T* from = x.data() + r * stride;
      T* to = y.data() + r * stride;
      for (std::int64_t p = 0; p < parts; ++p) {
        for (std::int64_t c = 0; c < size; ++c) {
          const T value = from[p * size + c];
          to[c * parts + p] = mode == Write::overwrite ? value : to[c * parts + p] + value;
        }
      }
      if (mode == Write::overwrite) std::fill_n(to + channels, stride - channels, T(0));
    }
  });
}

}  // namespace siena::kernels
