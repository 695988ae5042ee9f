// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "siena/kernels/dropout.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/reductions.hpp"
#include "siena/kernels/rows.hpp"

// Spans without sizes beside them are whole storages, padding included; the others come with their rows and channels.

namespace siena::kernels {

namespace detail {
template <class A, class T>
SIENA_INLINE void write(T* at, simd::Batch<T, A> value, bool add) {
  simd::store(at, add ? value + simd::load<T, A>(at) : value);
}

/// y[i] = f(tag, i), or += where `mode` says so.
template <class Arch, class T, class F>
void fill(std::span<T> y, Write mode, F&& f) {
  T* out = y.data();
  const bool add = mode == Write::accumulate;
  for_elements<Arch, T>(static_cast<std::int64_t>(y.size()),
                        [=](auto tag, std::int64_t i) { write<typename decltype(tag)::type, T>(out + i, f(tag, i), add); });
}
}  // namespace detail

/// y = a + b
template <class Arch = simd::native, class T>
void add(std::span<const T> a, std::span<const T> b, std::span<T> y) {
  detail::fill<Arch, T>(y, Write::overwrite, [a = a.data(), b = b.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    return simd::load<T, A>(a + i) + simd::load<T, A>(b + i);
  });
}

/// y += x
template <class Arch = simd::native, class T>
void add_to(std::span<const T> x, std::span<T> y) {
  detail::fill<Arch, T>(y, Write::accumulate, [x = x.data()](auto tag, std::int64_t i) {
    return simd::load<T, typename decltype(tag)::type>(x + i);
  });
}

/// y = alpha * x
template <class Arch = simd::native, class T>
void scale(std::type_identity_t<T> alpha, std::span<const T> x, std::span<T> y) {
  detail::fill<Arch, T>(y, Write::overwrite, [alpha, x = x.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    return simd::broadcast<T, A>(alpha) * simd::load<T, A>(x + i);
  });
}

/// y += alpha * x
template <class Arch = simd::native, class T>
void axpy(std::type_identity_t<T> alpha, std::span<const T> x, std::span<T> y) {
  detail::fill<Arch, T>(y, Write::overwrite, [alpha, x = x.data(), y = y.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    return simd::fma(simd::broadcast<T, A>(alpha), simd::load<T, A>(x + i), simd::load<T, A>(y + i));
  });
}

/// y = a * b, or += where `mode` says so.
template <class Arch = simd::native, class T>
void multiply(std::span<const T> a, std::span<const T> b, std::span<T> y, Write mode = Write::overwrite) {
  detail::fill<Arch, T>(y, mode, [a = a.data(), b = b.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    return simd::load<T, A>(a + i) * simd::load<T, A>(b + i);
  });
}

/// y = max(x, 0); NaN stays NaN. y may be x.
template <class Arch = simd::native, class T>
void relu_forward(std::span<const T> x, std::span<T> y) {
  detail::fill<Arch, T>(y, Write::overwrite, [x = x.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    return simd::max(simd::zero<T, A>(), simd::load<T, A>(x + i));
  });
}

/// dx = dy where y > 0, otherwise 0. An overwritten dx may be dy; so for the other backward passes of this file.
template <class Arch = simd::native, class T>
void relu_backward(std::span<const T> y, std::span<const T> dy, std::span<T> dx, Write mode) {
  detail::fill<Arch, T>(dx, mode, [y = y.data(), dy = dy.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    return simd::select(simd::load<T, A>(y + i) > simd::zero<T, A>(), simd::load<T, A>(dy + i), simd::zero<T, A>());
  });
}

/// y = 1 / (1 + exp(-x))
template <class Arch = simd::native, class T>
void sigmoid_forward(std::span<const T> x, std::span<T> y) {
  detail::fill<Arch, T>(y, Write::overwrite, [x = x.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    const auto one = simd::broadcast<T, A>(T(1));
    const auto v = simd::load<T, A>(x + i);
    const auto e = simd::exp(-simd::abs(v));  // never overflows
    return simd::select(v < simd::zero<T, A>(), e, one) / (one + e);
  });
}

/// dx = dy * y * (1 - y)
template <class Arch = simd::native, class T>
void sigmoid_backward(std::span<const T> y, std::span<const T> dy, std::span<T> dx, Write mode) {
  detail::fill<Arch, T>(dx, mode, [y = y.data(), dy = dy.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    const auto v = simd::load<T, A>(y + i);
    return simd::load<T, A>(dy + i) * v * (simd::broadcast<T, A>(T(1)) - v);
  });
}

namespace detail {
/// tanh from exp(-2 |x|), and near 0, where that would lose digits, from the first eight terms of its series.
template <class A, class T>
SIENA_INLINE simd::Batch<T, A> tanh(const simd::Batch<T, A>& x) {
  constexpr double series[] = {-929569.0 / 638512875, 21844.0 / 6081075, -1382.0 / 155925, 62.0 / 2835,
                               -17.0 / 315,           2.0 / 15,          -1.0 / 3,         1.0};
  const auto one = simd::broadcast<T, A>(T(1)), magnitude = simd::abs(x), square = x * x;
  const auto e = simd::exp(simd::broadcast<T, A>(T(-2)) * magnitude);
  const auto large = (one - e) / (one + e);
  auto small = simd::broadcast<T, A>(static_cast<T>(series[0]));
  for (int k = 1; k < 8; ++k) small = simd::fma(small, square, simd::broadcast<T, A>(static_cast<T>(series[k])));
  return simd::select(magnitude < simd::broadcast<T, A>(T(0.125)), x * small,
                      simd::select(x < simd::zero<T, A>(), -large, large));
}
}  // namespace detail

/// y = tanh(x)
template <class Arch = simd::native, class T>
void tanh_forward(std::span<const T> x, std::span<T> y) {
  detail::fill<Arch, T>(y, Write::overwrite, [x = x.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    return detail::tanh<A, T>(simd::load<T, A>(x + i));
  });
}

/// dx = dy * (1 - y^2)
template <class Arch = simd::native, class T>
void tanh_backward(std::span<const T> y, std::span<const T> dy, std::span<T> dx, Write mode) {
  detail::fill<Arch, T>(dx, mode, [y = y.data(), dy = dy.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    const auto v = simd::load<T, A>(y + i);
    return simd::load<T, A>(dy + i) * (simd::broadcast<T, A>(T(1)) - v * v);
  });
}

/// A straight line between two levels: scale * (x + shift), but never below `low` or above `high`.
template <class T>
struct ClippedLine {
  T scale = 1, shift = 0, low = 0, high = 1;
};

/// y = the line at x; NaN stays NaN.
template <class Arch = simd::native, class T>
void clip_forward(const ClippedLine<T>& line, std::span<const T> x, std::span<T> y) {
  detail::fill<Arch, T>(y, Write::overwrite, [line, x = x.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    const auto v = simd::broadcast<T, A>(line.scale) * (simd::load<T, A>(x + i) + simd::broadcast<T, A>(line.shift));
    return simd::min(simd::broadcast<T, A>(line.high), simd::max(simd::broadcast<T, A>(line.low), v));
  });
}

/// dx = scale * dy where low < y < high, otherwise 0.
template <class Arch = simd::native, class T>
void clip_backward(const ClippedLine<T>& line, std::span<const T> y, std::span<const T> dy, std::span<T> dx, Write mode) {
  detail::fill<Arch, T>(dx, mode, [line, y = y.data(), dy = dy.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    const auto v = simd::load<T, A>(y + i);
    const auto slope = simd::select(v > simd::broadcast<T, A>(line.low), simd::broadcast<T, A>(line.scale), simd::zero<T, A>());
    return simd::load<T, A>(dy + i) * simd::select(v < simd::broadcast<T, A>(line.high), slope, simd::zero<T, A>());
  });
}

/// y = x * min(max((x + 3) / 6, 0), 1)
template <class Arch = simd::native, class T>
void hard_swish_forward(std::span<const T> x, std::span<T> y) {
  detail::fill<Arch, T>(y, Write::overwrite, [x = x.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    const auto v = simd::load<T, A>(x + i);
    const auto line = simd::broadcast<T, A>(T(1) / 6) * (v + simd::broadcast<T, A>(T(3)));
    return v * simd::min(simd::broadcast<T, A>(T(1)), simd::max(simd::zero<T, A>(), line));
  });
}

/// dx = dy * (x / 3 + 1 / 2) where -3 < x < 3, below that 0, above it dy.
template <class Arch = simd::native, class T>
void hard_swish_backward(std::span<const T> x, std::span<const T> dy, std::span<T> dx, Write mode) {
  detail::fill<Arch, T>(dx, mode, [x = x.data(), dy = dy.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    const auto v = simd::load<T, A>(x + i), one = simd::broadcast<T, A>(T(1));
    const auto line = simd::fma(simd::broadcast<T, A>(T(1) / 3), v, simd::broadcast<T, A>(T(0.5)));
    const auto low = simd::select(v > simd::broadcast<T, A>(T(-3)), line, simd::zero<T, A>());
    return simd::load<T, A>(dy + i) * simd::select(v < simd::broadcast<T, A>(T(3)), low, one);
  });
}

/// y = x where x > 0, otherwise slope * x
template <class Arch = simd::native, class T>
void leaky_relu_forward(std::type_identity_t<T> slope, std::span<const T> x, std::span<T> y) {
  detail::fill<Arch, T>(y, Write::overwrite, [slope, x = x.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    const auto v = simd::load<T, A>(x + i);
    return simd::select(v > simd::zero<T, A>(), v, v * simd::broadcast<T, A>(slope));
  });
}

/// dx = dy where y > 0, otherwise slope * dy; for slopes of 0 or more, which leave y the sign of x.
template <class Arch = simd::native, class T>
void leaky_relu_backward(std::type_identity_t<T> slope, std::span<const T> y, std::span<const T> dy, std::span<T> dx,
                         Write mode) {
  detail::fill<Arch, T>(dx, mode, [slope, y = y.data(), dy = dy.data()](auto tag, std::int64_t i) {
    using A = typename decltype(tag)::type;
    const auto g = simd::load<T, A>(dy + i);
    return simd::select(simd::load<T, A>(y + i) > simd::zero<T, A>(), g, g * simd::broadcast<T, A>(slope));
  });
}

/// y = x where x > 0, otherwise slope * x with the slope of the channel.
template <class Arch = simd::native, class T>
void prelu_forward(std::int64_t rows, std::int64_t channels, std::span<const T> x, std::span<const T> slope, std::span<T> y) {
  const RowFold fold(channels);
  const PerChannel<T> slopes(fold, slope);
  for_rows<Arch, T>(rows, fold, [x = x.data(), s = slopes.data(), y = y.data()](auto tag, std::int64_t i, std::int64_t p) {
    using A = typename decltype(tag)::type;
    const auto v = simd::load<T, A>(x + i);
    simd::store(y + i, simd::select(v > simd::zero<T, A>(), v, v * simd::load<T, A>(s + p)));
  });
}

/// dx = dy * (x > 0 ? 1 : slope), and dslope += the sums of dy * min(x, 0) over the rows (its padding is left alone).
template <class Arch = simd::native, class T>
void prelu_backward(std::int64_t rows, std::int64_t channels, std::span<const T> x, std::span<const T> slope,
                    std::span<const T> dy, std::span<T> dx, Write mode, std::span<T> dslope) {
  const RowFold fold(channels);
  const PerChannel<T> slopes(fold, slope);
  const bool add = mode == Write::accumulate;
  const auto totals = column_totals<1, Arch, T>(
      rows, channels,
      [x = x.data(), s = slopes.data(), dy = dy.data(), dx = dx.data(), add](auto tag, std::int64_t i, std::int64_t p,
                                                                             auto& sum) {
        using A = typename decltype(tag)::type;
        const auto zero = simd::zero<T, A>(), v = simd::load<T, A>(x + i), g = simd::load<T, A>(dy + i);
        sum[0] = simd::fma(g, simd::min(v, zero), sum[0]);
        detail::write<A, T>(dx + i, simd::select(v > zero, g, g * simd::load<T, A>(s + p)), add);
      });
  for (std::int64_t c = 0; c < channels; ++c) dslope[c] += static_cast<T>(totals[c]);
}

/// out += the sums of x over its rows: the gradient of a bias. The padding of out is left alone.
template <class Arch = simd::native, class T>
void column_sums(std::int64_t rows, std::int64_t channels, std::span<const T> x, std::span<T> out) {
  const auto totals =
      column_totals<1, Arch, T>(rows, channels, [x = x.data()](auto tag, std::int64_t i, std::int64_t, auto& sum) {
        sum[0] += simd::load<T, typename decltype(tag)::type>(x + i);
      });
  for (std::int64_t c = 0; c < channels; ++c) out[c] += static_cast<T>(totals[c]);
}

namespace detail {
template <class T>
void copy_run(const T* SIENA_RESTRICT from, T* SIENA_RESTRICT to, std::int64_t count, Write mode) {
  if (mode == Write::overwrite) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
  } else {
    for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
  }
}
}  // namespace detail

/// Copies columns [x_begin, x_begin + count) of every row of x to columns [y_begin, ...) of y, or adds
/// them. When overwriting, a piece that reaches into the last eight columns of y's storage also zeroes
/// what lies behind it: write the pieces from left to right.
template <class Arch = simd::native, class T>
void copy_columns(std::int64_t rows, std::span<const T> x, std::int64_t x_stride, std::int64_t x_begin, std::span<T> y,
                  std::int64_t y_stride, std::int64_t y_begin, std::int64_t count, Write mode) {
  SIENA_ASSERT(x_begin + count <= x_stride && y_begin + count <= y_stride);
  const std::int64_t end = y_begin + count;
  const std::int64_t rest = mode == Write::overwrite && padded(end) == y_stride ? y_stride - end : 0;
  parallel_ranges(rows, elements_grain(count), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      T* to = y.data() + r * y_stride;
      detail::copy_run(x.data() + r * x_stride + x_begin, to + y_begin, count, mode);
      std::fill_n(to + end, rest, T(0));
    }
  });
}

/// Rows of pixels to one row an image: x has batch * positions rows of `channels`, y has `batch` rows of positions * channels.
template <class Arch = simd::native, class T>
void flatten_forward(std::int64_t batch, std::int64_t positions, std::int64_t channels, std::span<const T> x, std::span<T> y) {
  const std::int64_t x_stride = padded(channels), columns = positions * channels, y_stride = padded(columns);
  parallel_ranges(batch, elements_grain(y_stride), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t n = first; n < last; ++n) {
      T* to = y.data() + n * y_stride;
      const T* from = x.data() + n * positions * x_stride;
      for (std::int64_t p = 0; p < positions; ++p)
        detail::copy_run(from + p * x_stride, to + p * channels, channels, Write::overwrite);
      std::fill_n(to + columns, y_stride - columns, T(0));
    }
  });
}

template <class Arch = simd::native, class T>
void flatten_backward(std::int64_t batch, std::int64_t positions, std::int64_t channels, std::span<const T> dy, std::span<T> dx,
                      Write mode) {
  const std::int64_t x_stride = padded(channels), y_stride = padded(positions * channels);
  parallel_ranges(batch, elements_grain(y_stride), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t n = first; n < last; ++n) {
      for (std::int64_t p = 0; p < positions; ++p) {
        T* to = dx.data() + (n * positions + p) * x_stride;
        detail::copy_run(dy.data() + n * y_stride + p * channels, to, channels, mode);
        if (mode == Write::overwrite) std::fill_n(to + channels, x_stride - channels, T(0));
      }
    }
  });
}

}  // namespace siena::kernels
