// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "siena/core/buffer.hpp"
#include "siena/core/config.hpp"
#include "siena/kernels/correlation.hpp"
#include "siena/kernels/depthwise_band.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/simd.hpp"

// Depthwise windows of 3x3, by far the most common ones, at stride 1 and 2. A window slides along a row with its columns in
// registers, so that every input of a row of windows is loaded once; rows outside the image are read from zeros, and what the
// windows at both ends of a row miss is known statically where it is one column. One vector of channels goes over a band of
// rows after the other. Weights and gradients are finite: they are multiplied with the zeros.

namespace siena::kernels::detail {

/// Whether a window is one of 3x3 at stride 1 or 2.
inline bool slides(const Correlation& c) {
  const auto fits = [&](const Axis& axis) { return axis.taps == 3 && axis.step == c.width.step && axis.tap_step == 1; };
  return fits(c.height) && fits(c.width) && c.width.step <= 2;
}

/// What the windows of a row miss: the first one its first column; the last one its last column; both of that; or anything
/// else, where every column is checked.
enum class RowEnds { left, right, both, any };

/// Of windows of three taps.
inline RowEnds row_ends(const Axis& width) {
  const std::int64_t before = -width.start, after = width.start + (width.out - 1) * width.step + 3 - width.in;
  if (before < 0 || before > 1 || after > 1 || before + std::max<std::int64_t>(after, 0) > width.out) return RowEnds::any;
  if (before == 1) return after == 1 ? RowEnds::both : RowEnds::left;
  return after == 1 ? RowEnds::right : RowEnds::any;
}

template <int Value>
inline constexpr std::integral_constant<int, Value> constant{};

/// Walks along a row of windows that move by Step. Calls next_column(slot) for every column, and output(slot, first, last) for
/// every output: its taps [first, last) are to be computed, and tap t is in slot (slot + t) % 3. All of these are constants.
template <int Step, RowEnds Ends, class Column, class Output>
SIENA_INLINE void slide_along(std::int64_t outputs, const Column& next_column, const Output& output) {
  constexpr bool left = Ends == RowEnds::left || Ends == RowEnds::both, right = Ends == RowEnds::right || Ends == RowEnds::both;
  const auto move_to = [&](auto phase, auto last) SIENA_INLINE_LAMBDA {
    constexpr int slot = Step * phase % 3;
    if constexpr (Step == 2) next_column(constant<(slot + 1) % 3>);
    if constexpr (last == 3) next_column(constant<(slot + 2) % 3>);
    output(constant<slot>, constant<0>, last);
  };
  if constexpr (left) {
    next_column(constant<(4 - Step) % 3>);
    next_column(constant<(5 - Step) % 3>);
    output(constant<3 - Step>, constant<1>, constant<3>);
  } else {
    next_column(constant<0>);
    if constexpr (Step == 1) next_column(constant<1>);
  }
  std::int64_t whole = outputs - left - right;
  for (; whole >= 3; whole -= 3) {
    move_to(constant<0>, constant<3>);
    move_to(constant<1>, constant<3>);
    move_to(constant<2>, constant<3>);
  }
  if (whole == 0) {
    if constexpr (right) move_to(constant<0>, constant<2>);
  } else if (whole == 1) {
    move_to(constant<0>, constant<3>);
    if constexpr (right) move_to(constant<1>, constant<2>);
  } else {
    move_to(constant<0>, constant<3>);
    move_to(constant<1>, constant<3>);
    if constexpr (right) move_to(constant<2>, constant<2>);
  }
}

/// The columns of a window that walks along three rows, one vector of channels.
template <class T, class Arch, RowEnds Ends>
struct SlidingWindow {
  const T *top, *middle, *bottom;     // column 0
  std::int64_t pixel, column, count;  // the next column, and how many there are
  simd::Batch<T, Arch> slots[3][3] = {};

  SIENA_INLINE void next_column(int slot) {
    if constexpr (Ends == RowEnds::any) {
      const bool there = column >= 0 && column < count;
      slots[0][slot] = there ? simd::load<T, Arch>(top + column * pixel) : simd::zero<T, Arch>();
      slots[1][slot] = there ? simd::load<T, Arch>(middle + column * pixel) : simd::zero<T, Arch>();
      slots[2][slot] = there ? simd::load<T, Arch>(bottom + column * pixel) : simd::zero<T, Arch>();
      ++column;
    } else {
      slots[0][slot] = simd::load<T, Arch>(top);
      slots[1][slot] = simd::load<T, Arch>(middle);
      slots[2][slot] = simd::load<T, Arch>(bottom);
      top += pixel, middle += pixel, bottom += pixel;
    }
  }
};

/// A band of output rows of one image, and the input rows that they meet.
template <class T, int Step>
struct SlideBand {
  static constexpr std::int64_t most = 32;
  std::int64_t rows;
  const T* inputs[(most - 1) * Step + 3];

  SlideBand(const Correlation& c, const T* x, std::int64_t first, std::int64_t last, const T* zeros) : rows(last - first) {
    SIENA_ASSERT(rows <= most);
    const std::int64_t top = c.height.start + first * Step;
    for (std::int64_t h = 0; h < (rows - 1) * Step + 3; ++h) {
      inputs[h] = top + h >= 0 && top + h < c.height.in ? x + (top + h) * c.in_row : zeros;
    }
  }
};

/// Calls body(step, ends) with what slide_along has to know of a window, as constants: those of paddings that keep the size or
/// halve it, for each costs a quarter of a second to compile.
template <class Body>
void with_slide(const Correlation& c, const Body& body) {
  const auto run = [&]<int Step, RowEnds Ends>() {
    body(std::integral_constant<int, Step>{}, std::integral_constant<RowEnds, Ends>{});
  };
  const RowEnds ends = row_ends(c.width);
  if (c.width.step == 1) {
    if (ends == RowEnds::both) return run.template operator()<1, RowEnds::both>();
    return run.template operator()<1, RowEnds::any>();
  }
  if (ends == RowEnds::both) return run.template operator()<2, RowEnds::both>();
  if (ends == RowEnds::left) return run.template operator()<2, RowEnds::left>();
  if (ends == RowEnds::right) return run.template operator()<2, RowEnds::right>();
  run.template operator()<2, RowEnds::any>();
}

/// What a vector of `A` knows of `ends`: at stride 2 the half vector of the last 8 channels checks every column, which is rare
/// enough to spare its compile time.
template <class Arch, class A>
constexpr RowEnds ends_for(int step, RowEnds ends) {
  return step == 1 || std::is_same_v<A, Arch> ? ends : RowEnds::any;
}

/// The outputs of a band, for the vector of channels at `column`.
template <class T, class Arch, int Step, RowEnds Ends>
void slide_forward_band(const Correlation& c, const SlideBand<T, Step>& band, const CorrelationData<T>& d, T* rows,
                        std::int64_t column) {
  using V = simd::Batch<T, Arch>;
  const std::int64_t in_pixel = c.in_pixel, out_pixel = c.out_pixel, out_row = c.out_row, outputs = c.width.out;
  const std::int64_t start = c.width.start, width = c.width.in;
  const bool accumulate = d.mode == Write::accumulate;
  V weights[9];
  SIENA_UNROLL
  for (int t = 0; t < 9; ++t) weights[t] = simd::load<T, Arch>(d.w + t * c.columns + column);
  const V bias = d.bias ? simd::load<T, Arch>(d.bias + column) : simd::zero<T, Arch>();
  for (std::int64_t r = 0; r < band.rows; ++r) {
    const T* const* inputs = band.inputs + r * Step;
    SlidingWindow<T, Arch, Ends> window{inputs[0] + column, inputs[1] + column, inputs[2] + column, in_pixel, start, width};
    T* y = rows + r * out_row + column;
    slide_along<Step, Ends>(
        outputs, [&](auto slot) SIENA_INLINE_LAMBDA { window.next_column(slot); },
        [&](auto slot, auto first, auto last) SIENA_INLINE_LAMBDA {
          V sum = accumulate ? simd::load<T, Arch>(y) : bias;
          SIENA_UNROLL
          for (int t = 0; t < 3; ++t) {
            if (t < first || t >= last) continue;
            SIENA_UNROLL
            for (int k = 0; k < 3; ++k) sum = simd::fma(window.slots[k][(slot + t) % 3], weights[k * 3 + t], sum);
          }
          simd::store(y, sum);
          y += out_pixel;
        });
  }
}

template <class Arch, class T>
void slide_forward(const Correlation& c, std::int64_t batch, const CorrelationData<T>& d) {
  const Buffer<T> zeros(static_cast<std::size_t>(c.in_row));
  with_slide(c, [&](auto step, auto ends) {
    using Band = SlideBand<T, step.value>;
    const std::int64_t rows = std::min(Band::most, depthwise_band(c, sizeof(T)));
    for_each_band(batch, c.height.out, rows, [&](std::int64_t image, std::int64_t first, std::int64_t last) {
      const Band band(c, d.x + image * c.in_image, first, last, zeros.data());
      T* y = d.y + image * c.out_image + c.out_first + first * c.out_row;
      simd::for_each_vector<T, Arch>(c.columns, [&](auto arch, std::int64_t column) {
        using A = typename decltype(arch)::type;
        slide_forward_band<T, A, step.value, ends_for<Arch, A>(step.value, ends.value)>(c, band, d, y, column);
      });
    });
  });
}

/// What a band adds to the gradient of the weights, for the vector of channels at `column`.
template <class T, class Arch, int Step, RowEnds Ends>
void slide_weights_band(const Correlation& c, const SlideBand<T, Step>& band, const T* rows, T* dw, std::int64_t column) {
  using V = simd::Batch<T, Arch>;
  const std::int64_t in_pixel = c.in_pixel, out_pixel = c.out_pixel, out_row = c.out_row, outputs = c.width.out;
  const std::int64_t start = c.width.start, width = c.width.in;
  V sums[9];
  SIENA_UNROLL
  for (int t = 0; t < 9; ++t) sums[t] = simd::load<T, Arch>(dw + t * c.columns + column);
  for (std::int64_t r = 0; r < band.rows; ++r) {
    const T* const* inputs = band.inputs + r * Step;
    SlidingWindow<T, Arch, Ends> window{inputs[0] + column, inputs[1] + column, inputs[2] + column, in_pixel, start, width};
    const T* dy = rows + r * out_row + column;
    slide_along<Step, Ends>(
        outputs, [&](auto slot) SIENA_INLINE_LAMBDA { window.next_column(slot); },
        [&](auto slot, auto first, auto last) SIENA_INLINE_LAMBDA {
          const V gradient = simd::load<T, Arch>(dy);
          dy += out_pixel;
          SIENA_UNROLL
          for (int t = 0; t < 3; ++t) {
            if (t < first || t >= last) continue;
            SIENA_UNROLL
            for (int k = 0; k < 3; ++k) sums[k * 3 + t] = simd::fma(window.slots[k][(slot + t) % 3], gradient, sums[k * 3 + t]);
          }
        });
  }
  SIENA_UNROLL
  for (int t = 0; t < 9; ++t) simd::store(dw + t * c.columns + column, sums[t]);
}

/// Adds a share to the gradient of the weights.
template <class Arch, class T>
void slide_weights(const Correlation& c, const DepthwiseShare& share, const T* x, const T* dy, const T* zeros, T* dw) {
  with_slide(c, [&](auto step, auto ends) {
    using Band = SlideBand<T, step.value>;
    const std::int64_t rows = std::min(Band::most, depthwise_band(c, sizeof(T)));
    for (std::int64_t n = share.first_image; n < share.last_image; ++n) {
      for (std::int64_t first = 0; first < c.height.out; first += rows) {
        const Band band(c, x + n * c.in_image, first, std::min(c.height.out, first + rows), zeros);
        simd::for_each_vector<T, Arch>(share.channels, [&](auto arch, std::int64_t column) {
          using A = typename decltype(arch)::type;
          slide_weights_band<T, A, step.value, ends_for<Arch, A>(step.value, ends.value)>(
              c, band, dy + n * c.out_image + first * c.out_row, dw, column);
        });
      }
    }
  });
}

/// One row of the gradient of the inputs of a window that moves by 2, from the Rows rows of gradients of its outputs that meet
/// it; `weights` are those of their taps.
template <class T, class Arch, int Rows>
SIENA_INLINE void slide_back_row(const Axis& width, const T* const (&gradients)[Rows],
                                 const simd::Batch<T, Arch> (&weights)[Rows][3], std::int64_t pixel, bool accumulate, T* dx,
                                 std::int64_t dx_pixel) {
  using V = simd::Batch<T, Arch>;
  V before[Rows], now[Rows];
  SIENA_UNROLL
  for (int r = 0; r < Rows; ++r) before[r] = simd::zero<T, Arch>();
  const std::int64_t columns = width.in;
  const auto add = [&](std::int64_t w, const auto& products) SIENA_INLINE_LAMBDA {
    if (w < 0 || w >= columns) return;
    T* pixel_at = dx + w * dx_pixel;
    simd::store(pixel_at, products(accumulate ? simd::load<T, Arch>(pixel_at) : simd::zero<T, Arch>()));
  };
  std::int64_t w = width.start;
  for (std::int64_t o = 0; o < width.out; ++o, w += 2) {
    SIENA_UNROLL
    for (int r = 0; r < Rows; ++r) now[r] = simd::load<T, Arch>(gradients[r] + o * pixel);
    add(w, [&](V sum) SIENA_INLINE_LAMBDA {  // two windows meet this column
      SIENA_UNROLL
      for (int r = 0; r < Rows; ++r) sum = simd::fma(before[r], weights[r][2], simd::fma(now[r], weights[r][0], sum));
      return sum;
    });
    add(w + 1, [&](V sum) SIENA_INLINE_LAMBDA {
      SIENA_UNROLL
      for (int r = 0; r < Rows; ++r) sum = simd::fma(now[r], weights[r][1], sum);
      return sum;
    });
    SIENA_UNROLL
    for (int r = 0; r < Rows; ++r) before[r] = now[r];
  }
  add(w, [&](V sum) SIENA_INLINE_LAMBDA {
    SIENA_UNROLL
    for (int r = 0; r < Rows; ++r) sum = simd::fma(before[r], weights[r][2], sum);
    return sum;
  });
  while (++w < columns) add(w, [](V sum) SIENA_INLINE_LAMBDA { return sum; });  // no window meets these
}

/// Rows [first, last) of the gradient of one image's inputs, for the vector of channels at `column`.
template <class T, class Arch>
void slide_back_band(const Correlation& c, const T* dy, const T* w, const T* zeros, bool accumulate, std::int64_t first,
                     std::int64_t last, T* dx, std::int64_t column) {
  using V = simd::Batch<T, Arch>;
  const Axis height = c.height, width = c.width;
  const std::int64_t in_pixel = c.in_pixel, in_row = c.in_row, out_pixel = c.out_pixel, out_row = c.out_row;
  V weights[3][3];
  SIENA_UNROLL
  for (int t = 0; t < 9; ++t) weights[t / 3][t % 3] = simd::load<T, Arch>(w + t * c.columns + column);
  const V both[2][3] = {{weights[0][0], weights[0][1], weights[0][2]}, {weights[2][0], weights[2][1], weights[2][2]}};
  const V one[1][3] = {{weights[1][0], weights[1][1], weights[1][2]}};
  const auto gradient = [&](std::int64_t oh)
                            SIENA_INLINE_LAMBDA { return oh >= 0 && oh < height.out ? dy + oh * out_row + column : zeros; };
  for (std::int64_t h = first; h < last; ++h) {
    const std::int64_t oh = floor_div(h - height.start, 2);
    T* row = dx + h * in_row + column;
    if ((h - height.start) % 2 == 0) {
      const T* const rows[2] = {gradient(oh), gradient(oh - 1)};
      slide_back_row<T, Arch, 2>(width, rows, both, out_pixel, accumulate, row, in_pixel);
    } else {
      const T* const rows[1] = {gradient(oh)};
      slide_back_row<T, Arch, 1>(width, rows, one, out_pixel, accumulate, row, in_pixel);
    }
  }
}

/// The gradient of the inputs of a window that moves by 2, `c` being its forward pass.
template <class Arch, class T>
void slide_back(const Correlation& c, std::int64_t batch, const T* dy, const T* w, T* dx, Write mode) {
  const Buffer<T> zeros(static_cast<std::size_t>(c.out_row));
  const std::int64_t rows = 2 * depthwise_band(c, sizeof(T));
  for_each_band(batch, c.height.in, rows, [&](std::int64_t image, std::int64_t first, std::int64_t last) {
    simd::for_each_vector<T, Arch>(c.columns, [&](auto arch, std::int64_t column) {
      slide_back_band<T, typename decltype(arch)::type>(c, dy + image * c.out_image, w, zeros.data(), mode == Write::accumulate,
                                                        first, last, dx + image * c.in_image, column);
    });
  });
}

}  // namespace siena::kernels::detail
