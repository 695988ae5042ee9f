// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "siena/kernels/geometry.hpp"

// The oracle of the kernels: plain loops over the definition, any arithmetic T, nothing clever. Sums are kept in a type
// at least as precise as double. Only logical elements are read and written, never the padding of a row.

namespace siena::kernels::reference {

namespace detail {

/// Calls body(input row, output row, tap) for every pair of pixels that a tap of the window joins.
template <class Body>
void for_each_tap(const ConvGeometry& g, std::int64_t batch, Body&& body) {
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t oh = 0; oh < g.out_height; ++oh) {
      for (std::int64_t ow = 0; ow < g.out_width; ++ow) {
        for (int kh = 0; kh < g.kernel_height; ++kh) {
          for (int kw = 0; kw < g.kernel_width; ++kw) {
            const std::int64_t ih = oh * g.stride_height - g.pad_top + std::int64_t{kh} * g.dilation_height;
            const std::int64_t iw = ow * g.stride_width - g.pad_left + std::int64_t{kw} * g.dilation_width;
            if (ih < 0 || ih >= g.in_height || iw < 0 || iw >= g.in_width) continue;
            body((n * g.in_height + ih) * g.in_width + iw, (n * g.out_height + oh) * g.out_width + ow,
                 std::int64_t{kh} * g.kernel_width + kw);
          }
        }
      }
    }
  }
}

/// Calls body(input element, output element, weight element) for every product of a convolution.
template <class Body>
void for_each_product(const ConvGeometry& g, std::int64_t batch, Body&& body) {
  const std::int64_t depth = g.group_in_channels(), width = g.group_out_channels();
  for_each_tap(g, batch, [&](std::int64_t in_row, std::int64_t out_row, std::int64_t tap) {
    for (std::int64_t o = 0; o < g.out_channels; ++o) {
      for (std::int64_t i = 0; i < depth; ++i) {
        body(in_row * g.in_stride() + o / width * depth + i, out_row * g.out_stride() + o,
             (tap * depth + i) * g.out_stride() + o);
      }
    }
  });
}

template <class T>
using Wide = std::common_type_t<T, double>;

/// Adds the sums that `body` gathers in a wide copy to the logical elements of `out`.
template <class T, class Body>
void gather(std::span<T> out, std::int64_t rows, std::int64_t columns, Write mode, Body&& body) {
  std::vector<Wide<T>> sums(out.size(), Wide<T>(0));
  body(sums);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::int64_t at = r * padded(columns) + c;
      out[at] = static_cast<T>(mode == Write::accumulate ? out[at] + sums[at] : sums[at]);
    }
  }
}

}  // namespace detail

/// y = x * w (+ bias): see kernels::conv2d_forward.
template <class T>
void conv2d_forward(const ConvGeometry& g, std::int64_t batch, std::span<const std::type_identity_t<T>> x,
                    std::span<const std::type_identity_t<T>> w, std::span<const std::type_identity_t<T>> bias, std::span<T> y) {
  detail::gather(y, batch * g.out_rows(), g.out_channels, Write::overwrite, [&](auto& sums) {
    if (!bias.empty()) {
      for (std::int64_t r = 0; r < batch * g.out_rows(); ++r) {
        for (std::int64_t c = 0; c < g.out_channels; ++c) sums[r * g.out_stride() + c] = bias[c];
      }
    }
    detail::for_each_product(g, batch, [&](std::int64_t in, std::int64_t out, std::int64_t weight) {
      sums[out] += detail::Wide<T>(x[in]) * w[weight];
    });
  });
}

/// dx = transposed convolution of dy: see kernels::conv2d_backward_data.
template <class T>
void conv2d_backward_data(const ConvGeometry& g, std::int64_t batch, std::span<const std::type_identity_t<T>> dy,
                          std::span<const std::type_identity_t<T>> w, std::span<T> dx, Write mode) {
  detail::gather(dx, batch * g.in_rows(), g.in_channels, mode, [&](auto& sums) {
    detail::for_each_product(g, batch, [&](std::int64_t in, std::int64_t out, std::int64_t weight) {
      sums[in] += detail::Wide<T>(dy[out]) * w[weight];
    });
  });
}

/// dw += correlation of x and dy: see kernels::conv2d_backward_weights.
template <class T>
void conv2d_backward_weights(const ConvGeometry& g, std::int64_t batch, std::span<const std::type_identity_t<T>> x,
                             std::span<const std::type_identity_t<T>> dy, std::span<T> dw) {
  detail::gather(dw, g.weight_rows(), g.out_channels, Write::accumulate, [&](auto& sums) {
    detail::for_each_product(g, batch, [&](std::int64_t in, std::int64_t out, std::int64_t weight) {
      sums[weight] += detail::Wide<T>(x[in]) * dy[out];
    });
  });
}

}  // namespace siena::kernels::reference
