// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "siena/core/buffer.hpp"
#include "siena/core/parallel.hpp"
#include "siena/kernels/conv2d_backward_data.hpp"
#include "siena/kernels/conv2d_forward.hpp"
#include "siena/kernels/conv2d_groups.hpp"
#include "siena/kernels/correlate.hpp"
#include "siena/kernels/depthwise_any.hpp"
#include "siena/kernels/depthwise_slide.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/outer_tile.hpp"

// Convolutions of every channel with filters of its own: vectors run along the channels. With a multiplier (several
// filters a channel) the input is spread to one channel a filter first, and its gradient gathered after.

namespace siena::kernels::detail {

template <class Arch, class T>
void correlate_depthwise(const Correlation& c, std::int64_t batch, const CorrelationData<T>& d) {
  if (slides(c)) return slide_forward<Arch, T>(c, batch, d);
  depthwise_any_forward<Arch, T>(c, batch, d);
}

template <class Arch, class T>
void correlate_depthwise_weights(const Correlation& c, std::int64_t batch, const T* x, const T* dy, T* dw) {
  const std::int64_t size = c.height.taps * c.width.taps * c.columns;
  const std::int64_t pixels = batch * c.height.out * c.width.out;
  constexpr std::int64_t least = 16;  // channels of a slice
  constexpr std::int64_t worth = 4;   // a multiply-add moves more memory: it counts as so many of a dense product
  const std::int64_t most_tasks = std::min<std::int64_t>(16, worthwhile_tasks(worth * pixels * size));
  const std::int64_t wanted = std::clamp<std::int64_t>(pixels / 256, 1, std::min<std::int64_t>(batch, most_tasks));
  const std::int64_t images = ceil_div(batch, wanted), parts = ceil_div(batch, images);
  const std::int64_t most_slices = std::clamp<std::int64_t>(most_tasks / parts, 1, ceil_div(c.columns, least));
  const std::int64_t channels = ceil_div(ceil_div(c.columns, most_slices), least) * least,
                     slices = ceil_div(c.columns, channels);
  const bool slide = slides(c);
  const Buffer<T> zeros(static_cast<std::size_t>(slide ? c.in_row : 0));
  Buffer<T> partial(static_cast<std::size_t>(parts * size));
  parallel_for(parts * slices, [&](std::int64_t task) {
    const std::int64_t part = task / slices, first = task % slices * channels;
    const DepthwiseShare share{.first_image = part * images,
                               .last_image = std::min(batch, (part + 1) * images),
                               .channels = std::min(channels, c.columns - first)};
    T* sums = partial.data() + part * size + first;
    if (slide) {
      slide_weights<Arch, T>(c, share, x + first, dy + first, zeros.data(), sums);
    } else {
      depthwise_any_weights<Arch, T>(c, share, x + first, dy + first, sums);
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
  if (const Correlation c = forward_correlation(g, 1); slides(c) && c.width.step == 2)
    return slide_back<Arch, T>(c, batch, dy, w, dx, mode);
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
