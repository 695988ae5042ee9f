// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "siena/core/error.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/rows.hpp"

namespace siena::kernels {

namespace detail {
/// The part of a window that lies on the image.
struct Window {
  std::int64_t top, bottom, left, right;
  std::int64_t pixels() const { return (bottom - top) * (right - left); }
};
inline Window window_at(const ConvGeometry& g, std::int64_t oh, std::int64_t ow) {
  const std::int64_t top = oh * g.stride_height - g.pad_top, left = ow * g.stride_width - g.pad_left;
  return {std::max<std::int64_t>(0, top), std::min(g.in_height, top + g.kernel_height), std::max<std::int64_t>(0, left),
          std::min(g.in_width, left + g.kernel_width)};
}

/// body(n) for every image, several to a task.
template <class Body>
void for_images(const ConvGeometry& g, std::int64_t batch, Body&& body) {
  parallel_ranges(batch, elements_grain(g.in_rows() * g.in_stride()), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t n = first; n < last; ++n) body(n);
  });
}
/// body(window, o) for every output pixel of an image.
template <class Body>
void for_windows(const ConvGeometry& g, Body&& body) {
  std::int64_t o = 0;
  for (std::int64_t oh = 0; oh < g.out_height; ++oh) {
    for (std::int64_t ow = 0; ow < g.out_width; ++ow) body(window_at(g, oh, ow), o++);
  }
}
inline bool global_pool(const ConvGeometry& g) { return g.out_rows() == 1 && window_at(g, 0, 0).pixels() == g.in_rows(); }
}  // namespace detail

/// Largest element of every window; `indices`, as large as y's storage, gets its pixel within the image (h * in_width + w). Of
/// equal elements the first counts; a NaN beats everything.
template <class Arch = simd::native, class T>
void max_pool_forward(const ConvGeometry& g, std::int64_t batch, std::span<const T> x, std::span<T> y,
                      std::span<std::int32_t> indices) {
  // Pixel numbers travel in vectors of T beside the values, which is exact up to 2^24.
  require<ShapeError>(g.in_rows() <= (std::int64_t{1} << 24), "max_pool: expected an image of at most 2^24 pixels, got {}x{}",
                      g.in_height, g.in_width);
  SIENA_ASSERT(indices.size() >= static_cast<std::size_t>(batch * g.out_rows() * g.in_stride()));
  const std::int64_t stride = g.in_stride();
  detail::for_images(g, batch, [&](std::int64_t n) {
    const T* image = x.data() + n * g.in_rows() * stride;
    detail::for_windows(g, [&](const detail::Window& window, std::int64_t o) {
      const std::int64_t out = (n * g.out_rows() + o) * stride;
      T* best_at = y.data() + out;
      std::int32_t* index_at = indices.data() + out;
      simd::for_each_vector<T, Arch>(stride, [&](auto tag, std::int64_t c) {
        using A = typename decltype(tag)::type;
        const std::int64_t first = window.top * g.in_width + window.left;
        auto best = simd::load<T, A>(image + first * stride + c), index = simd::broadcast<T, A>(static_cast<T>(first));
        for (std::int64_t h = window.top; h < window.bottom; ++h) {
          for (std::int64_t pixel = h * g.in_width + window.left; pixel < h * g.in_width + window.right; ++pixel) {
            const auto value = simd::load<T, A>(image + pixel * stride + c);
            const auto number = simd::broadcast<T, A>(static_cast<T>(pixel));
            const auto better = value > best, ordered = value == value;  // `!=` of some vectors calls a NaN equal to itself
            best = simd::select(ordered, simd::select(better, value, best), value);
            index = simd::select(ordered, simd::select(better, number, index), number);
          }
        }
        simd::store(best_at + c, best);
        std::array<T, simd::width<T, A>> numbers;
        simd::store(numbers.data(), index);
        for (std::size_t j = 0; j < numbers.size(); ++j)
          index_at[c + static_cast<std::int64_t>(j)] = static_cast<std::int32_t>(numbers[j]);
      });
    });
  });
}

/// Gives every dy to the pixel that won its window.
template <class Arch = simd::native, class T>
void max_pool_backward(const ConvGeometry& g, std::int64_t batch, std::span<const T> dy, std::span<const std::int32_t> indices,
                       std::span<T> dx, Write mode) {
  const std::int64_t stride = g.in_stride();
  detail::for_images(g, batch, [&](std::int64_t n) {
    T* image = dx.data() + n * g.in_rows() * stride;
    if (mode == Write::overwrite) std::fill_n(image, g.in_rows() * stride, T(0));
    detail::for_windows(g, [&](const detail::Window& window, std::int64_t o) {
      const std::int64_t out = (n * g.out_rows() + o) * stride;
      simd::for_each_vector<T, Arch>(stride, [&](auto tag, std::int64_t c) {
        using A = typename decltype(tag)::type;
        // Every pixel of the window takes the lanes it won: no scattered writes, and nothing can go out of bounds.
        std::array<T, simd::width<T, A>> numbers;
        for (std::size_t j = 0; j < numbers.size(); ++j) {
          numbers[j] = static_cast<T>(indices[static_cast<std::size_t>(out + c) + j]);
        }
        const auto index = simd::load<T, A>(numbers.data()), gradient = simd::load<T, A>(dy.data() + out + c);
        for (std::int64_t h = window.top; h < window.bottom; ++h) {
          for (std::int64_t pixel = h * g.in_width + window.left; pixel < h * g.in_width + window.right; ++pixel) {
            T* at = image + pixel * stride + c;
            const auto won = index == simd::broadcast<T, A>(static_cast<T>(pixel));
            simd::store(at, simd::load<T, A>(at) + simd::select(won, gradient, simd::zero<T, A>()));
          }
        }
      });
    });
  });
}

namespace detail {
template <class Arch, class T>
void global_avg_pool_forward(const ConvGeometry& g, std::int64_t batch, const T* x, T factor, T* y) {
  const RowFold fold(g.in_channels);
  for_images(g, batch, [&](std::int64_t n) {
    const T* image = x + n * g.in_rows() * fold.stride;
    T* out = y + n * fold.stride;
    auto sums = Buffer<T>::uninitialized(static_cast<std::size_t>(fold.period()));
    sum_rows<1, Arch, T>(0, g.in_rows() * fold.stride, fold.period(), sums.data(),
                         [=](auto tag, std::int64_t i, std::int64_t, auto& sum) {
                           sum[0] += simd::load<T, typename decltype(tag)::type>(image + i);
                         });
    for (std::int64_t c = 0; c < fold.stride; ++c) {
      T total = 0;
      for (std::int64_t k = 0; k < fold.copies; ++k) total += sums[static_cast<std::size_t>(k * fold.stride + c)];
      out[c] = total * factor;
    }
  });
}

/// What a window's sum is multiplied by.
template <class T>
T avg_pool_factor(const ConvGeometry& g, const Window& window, bool count_padding) {
  return T(1) / static_cast<T>(count_padding ? std::int64_t{g.kernel_height} * g.kernel_width : window.pixels());
}
}  // namespace detail

/// Mean of every window; zeros of the padding count as elements or not. A window over the whole image is the fast case.
template <class Arch = simd::native, class T>
void avg_pool_forward(const ConvGeometry& g, std::int64_t batch, std::span<const T> x, std::span<T> y, bool count_padding) {
  const std::int64_t stride = g.in_stride();
  if (detail::global_pool(g)) {
    const T factor = detail::avg_pool_factor<T>(g, detail::window_at(g, 0, 0), count_padding);
    return detail::global_avg_pool_forward<Arch, T>(g, batch, x.data(), factor, y.data());
  }
  detail::for_images(g, batch, [&](std::int64_t n) {
    const T* image = x.data() + n * g.in_rows() * stride;
    detail::for_windows(g, [&](const detail::Window& window, std::int64_t o) {
      const T factor = detail::avg_pool_factor<T>(g, window, count_padding);
      T* out = y.data() + (n * g.out_rows() + o) * stride;
      simd::for_each_vector<T, Arch>(stride, [&](auto tag, std::int64_t c) {
        using A = typename decltype(tag)::type;
        auto sum = simd::zero<T, A>();
        for (std::int64_t h = window.top; h < window.bottom; ++h) {
          const T* from = image + (h * g.in_width + window.left) * stride + c;
          for (std::int64_t w = window.left; w < window.right; ++w, from += stride) sum += simd::load<T, A>(from);
        }
        simd::store(out + c, sum * simd::broadcast<T, A>(factor));
      });
    });
  });
}

/// Spreads every dy evenly over its window.
template <class Arch = simd::native, class T>
void avg_pool_backward(const ConvGeometry& g, std::int64_t batch, std::span<const T> dy, std::span<T> dx, Write mode,
                       bool count_padding) {
  const std::int64_t stride = g.in_stride();
  const bool global = detail::global_pool(g);  // then every pixel is written once: no zeros to write before
  detail::for_images(g, batch, [&](std::int64_t n) {
    T* image = dx.data() + n * g.in_rows() * stride;
    if (mode == Write::overwrite && !global) std::fill_n(image, g.in_rows() * stride, T(0));
    const bool add = !global || mode == Write::accumulate;
    detail::for_windows(g, [&](const detail::Window& window, std::int64_t o) {
      const T factor = detail::avg_pool_factor<T>(g, window, count_padding);
      const T* gradients = dy.data() + (n * g.out_rows() + o) * stride;
      simd::for_each_vector<T, Arch>(stride, [&](auto tag, std::int64_t c) {
        using A = typename decltype(tag)::type;
        const auto share = simd::load<T, A>(gradients + c) * simd::broadcast<T, A>(factor);
        for (std::int64_t h = window.top; h < window.bottom; ++h) {
          T* to = image + (h * g.in_width + window.left) * stride + c;
          for (std::int64_t w = window.left; w < window.right; ++w, to += stride) {
            simd::store(to, add ? simd::load<T, A>(to) + share : share);
          }
        }
      });
    });
  });
}

}  // namespace siena::kernels
