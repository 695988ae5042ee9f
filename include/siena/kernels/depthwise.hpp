// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "siena/core/buffer.hpp"
#include "siena/core/parallel.hpp"
#include "siena/kernels/conv2d_backward_data.hpp"
#include "siena/kernels/conv2d_backward_weights.hpp"
#include "siena/kernels/conv2d_forward.hpp"
#include "siena/kernels/conv2d_groups.hpp"
#include "siena/kernels/correlate.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/tile.hpp"

// Convolutions of every channel with filters of its own: vectors run along the channels. With a multiplier (several
// filters a channel) the input is spread to one channel a filter first, and its gradient gathered after.

namespace siena::kernels::detail {

/// Rows of one image and one vector of channels, with the zeros of the border: [row][pixel][lane].
template <class T, class Arch>
class Plane {
 public:
  static constexpr std::int64_t lanes = simd::width<T, Arch>;

  /// The input of output rows [begin, end); `storage` holds plane_size elements.
  Plane(const Correlation& c, const T* x, std::int64_t begin, std::int64_t end, T* storage)
      : data_(storage), row_(plane_pixels(c.width, 0, c.width.out) * lanes) {
    const std::int64_t first = c.height.start + begin * c.height.step, rows = plane_pixels(c.height, begin, end);
    const std::int64_t pixels = row_ / lanes, left = std::clamp<std::int64_t>(-c.width.start, 0, pixels);
    const std::int64_t right = std::clamp<std::int64_t>(c.width.in - c.width.start, left, pixels);
    const auto nothing = simd::zero<T, Arch>();
    for (std::int64_t h = 0; h < rows; ++h) {
      T* out = data_ + h * row_;
      const std::int64_t ih = first + h;
      const bool inside = ih >= 0 && ih < c.height.in;
      const T* from = x + ih * c.in_row + c.width.start * c.in_pixel;
      for (std::int64_t i = 0; i < pixels; ++i) {
        const bool pixel = inside && i >= left && i < right;
        simd::store(out + i * lanes, pixel ? simd::load<T, Arch>(from + i * c.in_pixel) : nothing);
      }
    }
  }

  const T* data() const { return data_; }
  std::int64_t row() const { return row_; }

  /// Positions that outputs [begin, end) meet.
  static std::int64_t plane_pixels(const Axis& axis, std::int64_t begin, std::int64_t end) {
    return (end - begin - 1) * axis.step + (axis.taps - 1) * axis.tap_step + 1;
  }

 private:
  T* data_;
  std::int64_t row_;
};

/// Output rows whose input stays in the first-level cache.
template <class T, class Arch>
std::int64_t band_rows(const Correlation& c) {
  using P = Plane<T, Arch>;
  constexpr std::int64_t cache = 32 * 1024;
  const std::int64_t row = P::plane_pixels(c.width, 0, c.width.out) * P::lanes * static_cast<std::int64_t>(sizeof(T));
  return std::clamp<std::int64_t>((cache / row - (c.height.taps - 1) * c.height.tap_step) / c.height.step, 1, c.height.out);
}

template <class T, class Arch>
Buffer<T> plane_storage(const Correlation& c, std::int64_t rows) {
  using P = Plane<T, Arch>;
  return scratch<T>(P::plane_pixels(c.height, 0, rows) * P::plane_pixels(c.width, 0, c.width.out) * P::lanes);
}

/// The taps of a window: known to the compiler (and their weights in registers), or 0: any number.
template <int Height, int Width>
struct StaticWindow {
  static constexpr int height = Height, width = Width;
};

/// Pixels neighbouring outputs of one vector of channels: output[i] = bias + sum over the taps of input * weight.
template <class T, class Arch, class Taps, int Pixels>
SIENA_INLINE void depthwise_tile(const Correlation& c, const T* x, std::int64_t row, const T* w, const TileTarget<T>& t) {
  using V = simd::Batch<T, Arch>;
  const std::int64_t step = c.width.step * Plane<T, Arch>::lanes, tap_step = c.width.tap_step * Plane<T, Arch>::lanes;
  const std::int64_t taps_h = Taps::height > 0 ? Taps::height : c.height.taps,
                     taps_w = Taps::width > 0 ? Taps::width : c.width.taps;
  V sums[Pixels];
  const V start = t.bias ? simd::load<T, Arch>(t.bias) : simd::zero<T, Arch>();
  SIENA_UNROLL
  for (int i = 0; i < Pixels; ++i) {
    sums[i] = t.mode == Write::accumulate ? simd::load<T, Arch>(t.output + i * t.row_stride) : start;
  }
  for (std::int64_t h = 0; h < taps_h; ++h) {
    for (std::int64_t k = 0; k < taps_w; ++k) {
      const V weight = simd::load<T, Arch>(w + (h * taps_w + k) * c.columns);
      const T* input = x + h * c.height.tap_step * row + k * tap_step;
      SIENA_UNROLL
      for (int i = 0; i < Pixels; ++i) sums[i] = simd::fma(simd::load<T, Arch>(input + i * step), weight, sums[i]);
    }
  }
  SIENA_UNROLL
  for (int i = 0; i < Pixels; ++i) simd::store(t.output + i * t.row_stride, sums[i]);
}

/// One output row, in tiles of about equal numbers of pixels.
template <class T, class Arch, class Taps>
void depthwise_row(const Correlation& c, const T* x, std::int64_t row, const T* w, TileTarget<T> t) {
  constexpr int most = 8;
  const std::int64_t tiles = ceil_div(c.width.out, most), step = c.width.step * Plane<T, Arch>::lanes;
  for (std::int64_t tile = 0, ow = 0; tile < tiles; ++tile) {
    const std::int64_t pixels = (tile + 1) * c.width.out / tiles - ow;
    const auto run = [&]<int... Less>(std::integer_sequence<int, Less...>) {
      static_cast<void>(((pixels == Less + 1 && (depthwise_tile<T, Arch, Taps, Less + 1>(c, x, row, w, t), true)) || ...));
    };
    run(std::make_integer_sequence<int, most>{});
    x += pixels * step;
    t.output += pixels * t.row_stride;
    ow += pixels;
  }
}

/// Output rows [begin, end) of one image and one vector of channels.
template <class T, class Arch>
void depthwise_band(const Correlation& c, const CorrelationData<T>& d, std::int64_t begin, std::int64_t end, T* storage) {
  const Plane<T, Arch> plane(c, d.x, begin, end, storage);
  for (std::int64_t oh = begin; oh < end; ++oh) {
    const T* x = plane.data() + (oh - begin) * c.height.step * plane.row();
    const TileTarget<T> t{
        .output = d.y + c.out_first + oh * c.out_row, .row_stride = c.out_pixel, .bias = d.bias, .mode = d.mode};
    if (c.height.taps == 3 && c.width.taps == 3) {
      depthwise_row<T, Arch, StaticWindow<3, 3>>(c, x, plane.row(), d.w, t);
    } else {
      depthwise_row<T, Arch, StaticWindow<0, 0>>(c, x, plane.row(), d.w, t);
    }
  }
}

template <class Arch, class T>
void correlate_depthwise(const Correlation& c, std::int64_t batch, const CorrelationData<T>& d) {
  const std::int64_t rows = band_rows<T, Arch>(c), bands = ceil_div(c.height.out, rows);
  parallel_ranges(batch * bands, std::max<std::int64_t>(1, batch * bands / wanted_tasks),
                  [&](std::int64_t begin, std::int64_t end) {
                    Buffer<T> storage = plane_storage<T, Arch>(c, rows);
                    for (std::int64_t i = begin; i < end; ++i) {
                      const std::int64_t first = i % bands * rows, last = std::min(c.height.out, first + rows);
                      simd::for_each_vector<T, Arch>(c.columns, [&](auto arch, std::int64_t column) {
                        CorrelationData<T> part = d;
                        part.x += i / bands * c.in_image + column;
                        part.y += i / bands * c.out_image + column;
                        part.w += column;
                        part.bias = d.bias ? d.bias + column : nullptr;
                        depthwise_band<T, typename decltype(arch)::type>(c, part, first, last, storage.data());
                      });
                    }
                  });
}

/// Height x Width neighbouring taps at once: sums[tap] += sum over the pixels of x[tap] * dy, for one vector of
/// channels.
template <class T, class Arch, int Height, int Width>
void depthwise_outer(const Correlation& c, const Plane<T, Arch>& plane, const T* x, const T* dy, std::int64_t rows, T* dw) {
  using V = simd::Batch<T, Arch>;
  constexpr std::int64_t lanes = Plane<T, Arch>::lanes;
  const std::int64_t step = c.width.step * lanes, tap_w = c.width.tap_step * lanes, tap_h = c.height.tap_step * plane.row();
  V sums[Height][Width];
  SIENA_UNROLL
  for (int h = 0; h < Height; ++h) {
    SIENA_UNROLL
    for (int w = 0; w < Width; ++w) sums[h][w] = simd::load<T, Arch>(dw + (h * c.width.taps + w) * c.columns);
  }
  for (std::int64_t oh = 0; oh < rows; ++oh) {
    const T *in = x + oh * c.height.step * plane.row(), *out = dy + oh * c.out_row;
    for (std::int64_t i = 0; i < c.width.out; ++i, in += step, out += c.out_pixel) {
      const V gradient = simd::load<T, Arch>(out);
      SIENA_UNROLL
      for (int h = 0; h < Height; ++h) {
        SIENA_UNROLL
        for (int w = 0; w < Width; ++w)
          sums[h][w] = simd::fma(simd::load<T, Arch>(in + h * tap_h + w * tap_w), gradient, sums[h][w]);
      }
    }
  }
  SIENA_UNROLL
  for (int h = 0; h < Height; ++h) {
    SIENA_UNROLL
    for (int w = 0; w < Width; ++w) simd::store(dw + (h * c.width.taps + w) * c.columns, sums[h][w]);
  }
}

/// Adds the share of output rows [begin, end) of one image to the gradient of one vector of channels.
template <class T, class Arch>
void depthwise_weights_band(const Correlation& c, const T* x, const T* dy, std::int64_t begin, std::int64_t end, T* dw,
                            T* storage) {
  const Plane<T, Arch> plane(c, x, begin, end, storage);
  const T* gradient = dy + begin * c.out_row;
  const std::int64_t rows = end - begin;
  if (c.height.taps == 3 && c.width.taps == 3)
    return depthwise_outer<T, Arch, 3, 3>(c, plane, plane.data(), gradient, rows, dw);
  for (std::int64_t kh = 0; kh < c.height.taps; ++kh) {
    const auto at = [&](std::int64_t kw) {
      return plane.data() + kh * c.height.tap_step * plane.row() + kw * c.width.tap_step * Plane<T, Arch>::lanes;
    };
    T* row = dw + kh * c.width.taps * c.columns;
    std::int64_t kw = 0;
    for (; kw + 5 <= c.width.taps; kw += 5)
      depthwise_outer<T, Arch, 1, 5>(c, plane, at(kw), gradient, rows, row + kw * c.columns);
    for (; kw + 2 <= c.width.taps; kw += 2)
      depthwise_outer<T, Arch, 1, 2>(c, plane, at(kw), gradient, rows, row + kw * c.columns);
    for (; kw < c.width.taps; ++kw) depthwise_outer<T, Arch, 1, 1>(c, plane, at(kw), gradient, rows, row + kw * c.columns);
  }
}

template <class Arch, class T>
void correlate_depthwise_weights(const Correlation& c, std::int64_t batch, const T* x, const T* dy, T* dw) {
  const std::int64_t size = c.height.taps * c.width.taps * c.columns, rows = band_rows<T, Arch>(c);
  const std::int64_t pixels = batch * c.height.out * c.width.out;
  const std::int64_t wanted = std::clamp<std::int64_t>(pixels / 256, 1, std::min<std::int64_t>(batch, 16));
  const std::int64_t images = ceil_div(batch, wanted), parts = ceil_div(batch, images);
  Buffer<T> partial(static_cast<std::size_t>(parts * size));
  parallel_for(parts, [&](std::int64_t part) {
    Buffer<T> storage = plane_storage<T, Arch>(c, rows);
    for (std::int64_t n = part * images; n < std::min(batch, (part + 1) * images); ++n) {
      simd::for_each_vector<T, Arch>(c.columns, [&](auto arch, std::int64_t column) {
        for (std::int64_t begin = 0; begin < c.height.out; begin += rows) {
          depthwise_weights_band<T, typename decltype(arch)::type>(
              c, x + n * c.in_image + column, dy + n * c.out_image + column, begin, std::min(c.height.out, begin + rows),
              partial.data() + part * size + column, storage.data());
        }
      });
    }
  });
  add_parts<Arch, T>(partial.data(), parts, size, dw);
}

/// The geometry once every output channel has an input channel of its own.
inline ConvGeometry spread_geometry(ConvGeometry g) {
  g.in_channels = g.groups = static_cast<int>(g.out_channels);
  return g;
}

/// Every channel of x as often as it has filters.
template <class T>
Buffer<T> spread_channels(const ConvGeometry& g, std::int64_t batch, const T* x) {
  const std::int64_t times = g.group_out_channels();
  auto spread = scratch<T>(batch * g.in_rows() * g.out_stride());
  parallel_ranges(batch * g.in_rows(), 256, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      T* row = spread.data() + r * g.out_stride();
      for (std::int64_t o = 0; o < g.out_channels; ++o) row[o] = x[r * g.in_stride() + o / times];
      std::fill(row + g.out_channels, row + g.out_stride(), T(0));
    }
  });
  return spread;
}

template <class Arch, class T>
void depthwise_forward(const ConvGeometry& g, std::int64_t batch, const T* x, const T* w, const T* bias, T* y) {
  if (g.out_channels != g.in_channels) {
    const Buffer<T> spread = spread_channels(g, batch, x);
    return depthwise_forward<Arch, T>(spread_geometry(g), batch, spread.data(), w, bias, y);
  }
  correlate_depthwise<Arch, T>(forward_correlation(g, 1), batch,
                               {.x = x, .w = w, .bias = bias, .y = y, .mode = Write::overwrite});
}

template <class Arch, class T>
void depthwise_backward_data(const ConvGeometry& g, std::int64_t batch, const T* dy, const T* w, T* dx, Write mode) {
  if (g.out_channels != g.in_channels) {
    const ConvGeometry spread = spread_geometry(g);
    auto gradient = scratch<T>(batch * spread.in_storage());
    depthwise_backward_data<Arch, T>(spread, batch, dy, w, gradient.data(), Write::overwrite);
    const std::int64_t times = g.group_out_channels();
    parallel_ranges(batch * g.in_rows(), 256, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        T* row = dx + i * g.in_stride();
        for (std::int64_t c = 0; c < g.in_channels; ++c) {
          T sum = mode == Write::accumulate ? row[c] : T(0);
          for (std::int64_t k = 0; k < times; ++k) sum += gradient[i * spread.in_stride() + c * times + k];
          row[c] = sum;
        }
        std::fill(row + g.in_channels, row + g.in_stride(), T(0));
      }
    });
    return;
  }
  const std::int64_t columns = g.in_stride();
  if (mode == Write::overwrite) clear_unreached(g, batch, dx);
  auto turned = scratch<T>(g.taps() * columns);
  for_each_residue(g, 1, columns, [&](const ResidueClass& c) {
    for (std::int64_t t = 0; t < c.taps(); ++t) {
      const std::int64_t kh = c.height.kernel_tap(t / c.width.axis.taps), kw = c.width.kernel_tap(t % c.width.axis.taps);
      std::copy_n(w + (kh * g.kernel_width + kw) * columns, columns, turned.data() + c.first_weight + t * columns);
    }
    if (c.taps() == 0) return;
    correlate_depthwise<Arch, T>(residue_correlation(g, c, 1), batch,
                                 {.x = dy, .w = turned.data() + c.first_weight, .bias = nullptr, .y = dx, .mode = mode});
  });
}

template <class Arch, class T>
void depthwise_backward_weights(const ConvGeometry& g, std::int64_t batch, const T* x, const T* dy, T* dw) {
  if (g.out_channels != g.in_channels) {
    const Buffer<T> spread = spread_channels(g, batch, x);
    return depthwise_backward_weights<Arch, T>(spread_geometry(g), batch, spread.data(), dy, dw);
  }
  correlate_depthwise_weights<Arch, T>(forward_correlation(g, 1), batch, x, dy, dw);
}

}  // namespace siena::kernels::detail
