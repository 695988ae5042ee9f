// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <type_traits>

#include "siena/core/config.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/simd.hpp"

// Register tiles: the innermost loops of dense convolutions (see also row_tile.hpp). A tile keeps Rows x Columns vectors of
// sums in registers; each step loads Columns vectors of weights and multiplies them by Rows numbers of the input.

namespace siena::kernels::detail {

/// Sums along the rows of a tile of `Columns` vectors at most: as many as keep the multipliers busy and still fit the
/// registers.
template <class Arch, int Columns>
inline constexpr int tile_rows = (simd::registers<Arch> >= 32 ? 16 : 8) / Columns;

/// Calls body(instruction set tag, number of vectors, first column) for every block of columns that a tile covers at
/// once: two vectors, one vector, half a vector.
template <class T, class Arch, class Body>
void for_each_block(std::int64_t begin, std::int64_t end, Body&& body) {
  constexpr std::int64_t step = simd::width<T, Arch>;
  std::int64_t c = begin;
  for (; c + 2 * step <= end; c += 2 * step) body(std::type_identity<Arch>{}, std::integral_constant<int, 2>{}, c);
  for (; c + step <= end; c += step) body(std::type_identity<Arch>{}, std::integral_constant<int, 1>{}, c);
  if constexpr (!std::is_same_v<simd::half<T, Arch>, Arch>) {
    if (c < end) body(std::type_identity<simd::half<T, Arch>>{}, std::integral_constant<int, 1>{}, c);
  }
}

/// The products of one tile: input[row * row_stride + h * input_h + w * input_w + k] * weights[h * weights_h + w *
/// weights_w + k * weight_stride + column], summed over h, w and k.
template <class T>
struct TileProducts {
  const T* input = nullptr;
  std::int64_t row_stride = 0, input_h = 0, input_w = 0;
  const T* weights = nullptr;
  std::int64_t weight_stride = 0, weights_h = 0, weights_w = 0;
  std::int64_t taps_h = 0, taps_w = 0, depth = 0;
};

/// Where the sums of a tile go, and what they start from.
template <class T>
struct TileTarget {
  T* output = nullptr;
  std::int64_t row_stride = 0;
  const T* bias = nullptr;  // one value a column, or none
  Write mode = Write::overwrite;
};

/// What the sums of a tile start from: its output, or the bias.
template <class T, class Arch, int Rows, int Columns>
SIENA_INLINE void start_sums(const TileTarget<T>& t, simd::Batch<T, Arch> (&sums)[Rows][Columns]) {
  constexpr std::int64_t step = simd::width<T, Arch>;
  if (t.mode == Write::accumulate) {
    const T* from = t.output;
    SIENA_UNROLL
    for (int r = 0; r < Rows; ++r, from += t.row_stride) {
      SIENA_UNROLL
      for (int c = 0; c < Columns; ++c) sums[r][c] = simd::load<T, Arch>(from + c * step);
    }
    return;
  }
  SIENA_UNROLL
  for (int c = 0; c < Columns; ++c) {
    const auto start = t.bias ? simd::load<T, Arch>(t.bias + c * step) : simd::zero<T, Arch>();
    SIENA_UNROLL
    for (int r = 0; r < Rows; ++r) sums[r][c] = start;
  }
}

template <class T, class Arch, int Rows, int Columns>
SIENA_INLINE void store_sums(const TileTarget<T>& t, const simd::Batch<T, Arch> (&sums)[Rows][Columns]) {
  T* to = t.output;
  SIENA_UNROLL
  for (int r = 0; r < Rows; ++r, to += t.row_stride) {
    SIENA_UNROLL
    for (int c = 0; c < Columns; ++c) simd::store(to + c * simd::width<T, Arch>, sums[r][c]);
  }
}

template <class T, class Arch, int Rows, int Columns>
void product_tile(const TileProducts<T>& p, const TileTarget<T>& t) {
  using V = simd::Batch<T, Arch>;
  constexpr std::int64_t step = simd::width<T, Arch>;
  constexpr int quads = (Rows + 3) / 4;
  V sums[Rows][Columns];
  start_sums<T, Arch>(t, sums);
  const std::int64_t stride = p.row_stride, weight_stride = p.weight_stride, depth = p.depth;
  for (std::int64_t h = 0; h < p.taps_h; ++h) {
    for (std::int64_t w = 0; w < p.taps_w; ++w) {
      const T* input = p.input + h * p.input_h + w * p.input_w;
      const T* weights = p.weights + h * p.weights_h + w * p.weights_w;
      const T* quad[quads];  // a pointer for every four rows: what the addressing modes of the machine reach
      SIENA_UNROLL
      for (int i = 0; i < quads; ++i) quad[i] = input + i * 4 * stride;
      for (std::int64_t k = 0; k < depth; ++k) {
        V column[Columns];
        SIENA_UNROLL
        for (int c = 0; c < Columns; ++c) column[c] = simd::load<T, Arch>(weights + c * step);
        SIENA_UNROLL
        for (int r = 0; r < Rows; ++r) {
          const V value = simd::broadcast<T, Arch>(quad[r / 4][r % 4 * stride]);
          SIENA_UNROLL
          for (int c = 0; c < Columns; ++c) sums[r][c] = simd::fma(value, column[c], sums[r][c]);
        }
        SIENA_UNROLL
        for (int i = 0; i < quads; ++i) ++quad[i];
        weights += weight_stride;
      }
    }
  }
  store_sums<T, Arch>(t, sums);
}

/// Any number of rows: as many whole tiles as there are, then ever smaller ones. A sum is the same chain of operations
/// in all.
template <class T, class Arch, int Columns, int Rows = tile_rows<Arch, Columns>>
void product_rows(TileProducts<T> p, TileTarget<T> t, std::int64_t rows) {
  for (; rows >= Rows; rows -= Rows) {
    product_tile<T, Arch, Rows, Columns>(p, t);
    p.input += Rows * p.row_stride;
    t.output += Rows * t.row_stride;
  }
  if constexpr (Rows > 1) {
    if (rows > 0) product_rows<T, Arch, Columns, Rows / 2>(p, t, rows);
  }
}

/// Rows of a matrix product: y[row] = start + x[row] * w for the columns of one tile. A row of x is `runs` runs of `depth`
/// numbers, `x_run` apart.
template <class T>
struct MatrixRows {
  const T *x = nullptr, *x_end = nullptr;  // the end of the matrix, which may have more rows than the product
  std::int64_t x_stride = 0, depth = 0, runs = 1, x_run = 0;
  const T* w = nullptr;
  std::int64_t w_stride = 0;
  TileTarget<T> target;
};

/// Rows of a tile of a matrix product; `Arch` is that of the whole vectors, whatever the width of the tile.
template <class Arch, int Columns>
inline constexpr int matrix_tile_rows = simd::registers<Arch> >= 32 ? (Columns == 2 ? 12 : 16) : (Columns == 2 ? 6 : 8);

/// One tile of a matrix product. Without the loops over taps of product_tile the addresses fit the registers. While it
/// runs it asks for the rows of the next tile, `next`: left to itself, the machine only looks ahead within a page.
template <class T, class Arch, int Rows, int Columns>
void matrix_tile(const MatrixRows<T>& m, const T* next) {
  using V = simd::Batch<T, Arch>;
  constexpr std::int64_t step = simd::width<T, Arch>;
  constexpr int quads = (Rows + 3) / 4;
  const std::int64_t stride = m.x_stride;
  V sums[Rows][Columns];
  start_sums<T, Arch>(m.target, sums);
  const T* quad[quads];  // a pointer for every four rows: what the addressing modes of the machine reach
  SIENA_UNROLL
  for (int i = 0; i < quads; ++i) quad[i] = m.x + i * 4 * stride;
  const T* w = m.w;
  for (std::int64_t run = 0; run < m.runs; ++run) {
    SIENA_UNROLL_BY_2
    for (std::int64_t k = 0; k < m.depth; ++k) {
      V column[Columns];
      SIENA_UNROLL
      for (int c = 0; c < Columns; ++c) column[c] = simd::load<T, Arch>(w + c * step);
      SIENA_UNROLL
      for (int r = 0; r < Rows; ++r) {
        const V value = simd::broadcast<T, Arch>(quad[r / 4][r % 4 * stride + k]);
        SIENA_UNROLL
        for (int c = 0; c < Columns; ++c) sums[r][c] = simd::fma(value, column[c], sums[r][c]);
      }
      simd::prefetch(next + k * Rows);
      w += m.w_stride;
    }
    SIENA_UNROLL
    for (int i = 0; i < quads; ++i) quad[i] += m.x_run;
  }
  store_sums<T, Arch>(m.target, sums);
}

/// Any number of rows: as many whole tiles as there are, then ever smaller ones. A sum is the same chain of operations
/// in all, and in product_rows.
template <class T, class Arch, int Columns, int Rows>
void matrix_rows(MatrixRows<T> m, std::int64_t rows) {
  for (; rows >= Rows; rows -= Rows) {
    const T* following = m.x + Rows * m.x_stride;
    matrix_tile<T, Arch, Rows, Columns>(m, m.x_end - following >= Rows * m.x_stride ? following : m.x);
    m.x = following;
    m.target.output += Rows * m.target.row_stride;
  }
  if constexpr (Rows > 1) {
    if (rows > 0) matrix_rows<T, Arch, Columns, (Rows > 8 ? 8 : Rows > 4 ? 4 : Rows / 2)>(m, rows);
  }
}

}  // namespace siena::kernels::detail
