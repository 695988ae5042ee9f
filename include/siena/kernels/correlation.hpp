// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "siena/core/buffer.hpp"
#include "siena/kernels/geometry.hpp"

// A sliding window over images, as strides: what the loops of correlate.hpp and their tiles work on.

namespace siena::kernels::detail {

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return -floor_div(-a, b); }

/// One dimension of a sliding window: tap t of output o meets input start + o * step + t * tap_step, if that lies in
/// [0, in).
struct Axis {
  std::int64_t in = 1, out = 1, taps = 1, start = 0, step = 1, tap_step = 1;

  /// The taps [first, last) of output o that meet the input; empty ones have first == last.
  std::int64_t first_tap(std::int64_t o) const {
    return std::clamp(ceil_div(-(start + o * step), tap_step), std::int64_t{0}, taps);
  }
  std::int64_t last_tap(std::int64_t o) const {
    return std::max(first_tap(o), std::min(taps, floor_div(in - 1 - start - o * step, tap_step) + 1));
  }
  /// The outputs [first, last) whose tap t meets the input.
  std::int64_t first_output(std::int64_t t) const {
    return std::clamp(ceil_div(-(start + t * tap_step), step), std::int64_t{0}, out);
  }
  std::int64_t last_output(std::int64_t t) const {
    return std::max(first_output(t), std::min(out, floor_div(in - 1 - start - t * tap_step, step) + 1));
  }
};

/// A convolution as strides: weights are [height.taps][width.taps][depth] rows of `columns` elements.
struct Correlation {
  Axis height, width;
  std::int64_t depth = 1, columns = 8;
  std::int64_t in_pixel = 8, in_row = 8, in_image = 8;                    // elements from one to the next
  std::int64_t out_pixel = 8, out_row = 8, out_image = 8, out_first = 0;  // elements from one to the next; of output (0, 0)
};

template <class T>
struct CorrelationData {
  const T *x, *w, *bias;
  T* y;
  Write mode;
  std::int64_t blocked_rows = 0;  // of the weights, where they lie block by block of columns (see BlockedWeights)

  /// Where the weights of a block of columns start, and how far apart its rows are.
  const T* block(std::int64_t column) const { return w + (blocked_rows > 0 ? column * blocked_rows : column); }
  std::int64_t block_stride(std::int64_t width, std::int64_t columns) const { return blocked_rows > 0 ? width : columns; }
};

/// The valid taps of an output position along one dimension.
struct TapRange {
  std::int64_t first, last;
  bool operator==(const TapRange&) const = default;
};

/// The valid taps of every position: worked out once a call, since the divisions cost more than a small tile.
inline Buffer<TapRange> tap_ranges(const Axis& axis) {
  auto ranges = Buffer<TapRange>::uninitialized(static_cast<std::size_t>(axis.out));
  for (std::int64_t o = 0; o < axis.out; ++o) ranges[o] = {axis.first_tap(o), axis.last_tap(o)};
  return ranges;
}

/// A stretch of output rows: images, rows, pixels and columns, each as [begin, end); `heights` and `widths` hold the
/// tap ranges.
struct Stretch {
  std::int64_t images, first_row, last_row, first_pixel, last_pixel, first_column, last_column;
  const TapRange *heights, *widths;
};

}  // namespace siena::kernels::detail
