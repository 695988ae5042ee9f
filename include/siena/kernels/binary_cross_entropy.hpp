// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "siena/core/error.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/rows.hpp"
#include "siena/kernels/softmax.hpp"

namespace siena::kernels {

/// Mean over all elements of -(t log p + (1 - t) log(1 - p)), where p is the sigmoid of the logit, for logits of any size.
template <class Arch = simd::native, class T>
double binary_cross_entropy_forward(std::int64_t rows, std::int64_t columns, std::span<const T> logits,
                                    std::span<const T> targets) {
  require<ShapeError>(rows > 0 && columns > 0, "binary_cross_entropy: expected at least one element, got {} rows of {}", rows,
                      columns);
  const double total = sum_elements<Arch>(rows, columns, [x = logits.data(), t = targets.data()](std::int64_t i) {
    const double logit = static_cast<double>(x[i]);
    return std::max(logit, 0.0) - logit * static_cast<double>(t[i]) + std::log1p(std::exp(-std::abs(logit)));
  });
  return total / (static_cast<double>(rows) * static_cast<double>(columns));
}

/// dlogits = seed (p - t) / (n * columns); the padding of its rows becomes 0. The loss is a mean over n rows; 0: these.
template <class Arch = simd::native, class T>
void binary_cross_entropy_backward(std::int64_t rows, std::int64_t columns, std::span<const T> logits,
                                   std::span<const T> targets, double seed, std::span<T> dlogits, Write mode,
                                   std::int64_t counted = 0) {
  const std::int64_t stride = padded(columns);
  const double n = static_cast<double>(counted > 0 ? counted : rows);
  const T factor = static_cast<T>(seed / (n * static_cast<double>(columns)));
  const bool add = mode == Write::accumulate;
  parallel_ranges(rows, detail::softmax_grain(columns), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const T *x = logits.data() + r * stride, *t = targets.data() + r * stride;
      T* out = dlogits.data() + r * stride;
      for (std::int64_t c = 0; c < columns; ++c) {
        const T probability = T(1) / (T(1) + std::exp(-x[c]));
        out[c] = (add ? out[c] : T(0)) + factor * (probability - t[c]);
      }
      std::fill_n(out + columns, stride - columns, T(0));
    }
  });
}

}  // namespace siena::kernels
