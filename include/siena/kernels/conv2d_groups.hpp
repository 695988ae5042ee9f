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
#include "siena/kernels/geometry.hpp"

// Convolutions in groups: the channels of each group are copied out, convolved densely, and copied back.

namespace siena::kernels::detail {

inline ConvGeometry group_geometry(ConvGeometry g) {
  g.in_channels = g.group_in_channels();
  g.out_channels = g.group_out_channels();
  g.groups = 1;
  return g;
}

/// to[r] = columns [first, first + count) of from[r], its padding zeroed.
template <class T>
void take_columns(const T* from, std::int64_t rows, std::int64_t stride, std::int64_t first, std::int64_t count, T* to) {
  parallel_ranges(rows, 1024, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      T* row = to + r * padded(count);
      std::copy_n(from + r * stride + first, count, row);
      std::fill(row + count, row + padded(count), T(0));
    }
  });
}

/// Columns [first, first + count) of to[r] = from[r], or += from[r].
template <class T>
void put_columns(const T* from, std::int64_t rows, std::int64_t stride, std::int64_t first, std::int64_t count, T* to,
                 Write mode) {
  parallel_ranges(rows, 1024, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const T* row = from + r * padded(count);
      T* out = to + r * stride + first;
      for (std::int64_t c = 0; c < count; ++c) out[c] = mode == Write::accumulate ? out[c] + row[c] : row[c];
    }
  });
}

/// The padding of every row = 0: rows that are put together column by column must not keep what memory held.
template <class T>
void clear_row_padding(T* data, std::int64_t rows, std::int64_t columns) {
  if (columns == padded(columns)) return;
  for (std::int64_t r = 0; r < rows; ++r)
    std::fill(data + r * padded(columns) + columns, data + (r + 1) * padded(columns), T(0));
}

template <class T>
Buffer<T> scratch(std::int64_t size) {
  return Buffer<T>::uninitialized(static_cast<std::size_t>(size));
}

template <class Arch, class T>
void grouped_forward(const ConvGeometry& g, std::int64_t batch, const T* x, const T* w, const T* bias, T* y) {
  const ConvGeometry one = group_geometry(g);
  auto xg = scratch<T>(batch * one.in_storage()), wg = scratch<T>(one.weight_storage()), bg = scratch<T>(one.out_stride()),
       yg = scratch<T>(batch * one.out_storage());
  for (int i = 0; i < g.groups; ++i) {
    const std::int64_t in = i * one.in_channels, out = i * one.out_channels;
    take_columns(x, batch * g.in_rows(), g.in_stride(), in, one.in_channels, xg.data());
    take_columns(w, g.weight_rows(), g.out_stride(), out, one.out_channels, wg.data());
    if (bias) take_columns(bias, 1, g.out_stride(), out, one.out_channels, bg.data());
    dense_forward<Arch, T>(one, batch, xg.data(), wg.data(), bias ? bg.data() : nullptr, yg.data());
    put_columns(yg.data(), batch * g.out_rows(), g.out_stride(), out, one.out_channels, y, Write::overwrite);
  }
  clear_row_padding(y, batch * g.out_rows(), g.out_channels);
}

template <class Arch, class T>
void grouped_backward_data(const ConvGeometry& g, std::int64_t batch, const T* dy, const T* w, T* dx, Write mode) {
  const ConvGeometry one = group_geometry(g);
  auto dyg = scratch<T>(batch * one.out_storage()), wg = scratch<T>(one.weight_storage()),
       dxg = scratch<T>(batch * one.in_storage());
  for (int i = 0; i < g.groups; ++i) {
    const std::int64_t in = i * one.in_channels, out = i * one.out_channels;
    take_columns(dy, batch * g.out_rows(), g.out_stride(), out, one.out_channels, dyg.data());
    take_columns(w, g.weight_rows(), g.out_stride(), out, one.out_channels, wg.data());
    dense_backward_data<Arch, T>(one, batch, dyg.data(), wg.data(), dxg.data(), Write::overwrite);
    put_columns(dxg.data(), batch * g.in_rows(), g.in_stride(), in, one.in_channels, dx, mode);
  }
  if (mode == Write::overwrite) clear_row_padding(dx, batch * g.in_rows(), g.in_channels);
}

template <class Arch, class T>
void grouped_backward_weights(const ConvGeometry& g, std::int64_t batch, const T* x, const T* dy, T* dw) {
  const ConvGeometry one = group_geometry(g);
  auto xg = scratch<T>(batch * one.in_storage()), dyg = scratch<T>(batch * one.out_storage()),
       dwg = scratch<T>(one.weight_storage());
  for (int i = 0; i < g.groups; ++i) {
    const std::int64_t in = i * one.in_channels, out = i * one.out_channels;
    take_columns(x, batch * g.in_rows(), g.in_stride(), in, one.in_channels, xg.data());
    take_columns(dy, batch * g.out_rows(), g.out_stride(), out, one.out_channels, dyg.data());
    std::fill(dwg.begin(), dwg.end(), T(0));
    dense_backward_weights<Arch, T>(one, batch, xg.data(), dyg.data(), dwg.data());
    put_columns(dwg.data(), g.weight_rows(), g.out_stride(), out, one.out_channels, dw, Write::accumulate);
  }
}

}  // namespace siena::kernels::detail
