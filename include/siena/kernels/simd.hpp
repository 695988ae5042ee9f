// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

// g++ 12 takes the deliberately undefined operands of the AVX-512 intrinsics for mistakes (its bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include "siena/core/config.hpp"

// The only door to xsimd. The instruction set is fixed by the compile flags; whatever depends on it carries `Arch` in
// its type, so that two translation units with other flags never share a function by accident. Rows of tensors are
// padded to eight elements: a row is a whole number of vectors of `width` elements, or, where vectors hold sixteen, of
// such vectors and at most one of half.

namespace siena::simd {

/// One element in the clothes of a batch: for types and machines without vectors.
template <class T>
struct Single {
  using value_type = T;
  static constexpr std::size_t size = 1;

  T value;
  Single() = default;
  Single(T v) : value(v) {}  // NOLINT(google-explicit-constructor): as xsimd does
  static Single load_unaligned(const T* p) { return *p; }
  void store_unaligned(T* p) const { *p = value; }
  Single& operator+=(Single o) { return *this = *this + o; }
  Single& operator-=(Single o) { return *this = *this - o; }
  Single& operator*=(Single o) { return *this = *this * o; }
  friend Single operator+(Single a, Single b) { return a.value + b.value; }
  friend Single operator-(Single a, Single b) { return a.value - b.value; }
  friend Single operator*(Single a, Single b) { return a.value * b.value; }
  friend Single operator/(Single a, Single b) { return a.value / b.value; }
  friend Single operator-(Single a) { return -a.value; }
  friend bool operator<(Single a, Single b) { return a.value < b.value; }
  friend bool operator<=(Single a, Single b) { return a.value <= b.value; }
  friend bool operator>(Single a, Single b) { return a.value > b.value; }
  friend bool operator>=(Single a, Single b) { return a.value >= b.value; }
  friend bool operator==(Single a, Single b) { return a.value == b.value; }
  friend bool operator!=(Single a, Single b) { return a.value != b.value; }
  friend Single fma(Single a, Single b, Single c) { return a.value * b.value + c.value; }
  friend Single max(Single a, Single b) { return a.value > b.value ? a : b; }
  friend Single min(Single a, Single b) { return a.value < b.value ? a : b; }
  friend Single sqrt(Single a) { return std::sqrt(a.value); }
  friend Single exp(Single a) { return std::exp(a.value); }
  friend Single log(Single a) { return std::log(a.value); }
  friend Single abs(Single a) { return std::abs(a.value); }
  friend Single floor(Single a) { return std::floor(a.value); }
  friend Single select(bool mask, Single a, Single b) { return mask ? a : b; }
  friend T reduce_add(Single a) { return a.value; }
};

/// The widest instruction set that the compile flags enable.
using native = xsimd::default_arch;

namespace detail {
template <class T, class Arch>
struct BatchOf {
  using type = Single<T>;
};
template <class T, class Arch>
requires(xsimd::types::has_simd_register<T, Arch>::value) struct BatchOf<T, Arch> {
  using type = xsimd::batch<T, Arch>;
};

template <class Arch>
struct HalfOf {
  using type = Arch;
};
template <class Arch>
requires(std::is_base_of_v<xsimd::avx512f, Arch>&&
             xsimd::types::has_simd_register<float, xsimd::fma3<xsimd::avx2>>::value) struct HalfOf<Arch> {
  using type = xsimd::fma3<xsimd::avx2>;
};
}  // namespace detail

/// A vector register of elements of T.
template <class T, class Arch = native>
using Batch = typename detail::BatchOf<T, Arch>::type;

/// Elements of a vector.
template <class T, class Arch = native>
inline constexpr std::int64_t width = static_cast<std::int64_t>(Batch<T, Arch>::size);

/// The instruction set of vectors half as wide, where vectors of `Arch` hold more elements than rows are padded to;
/// otherwise Arch.
template <class T, class Arch = native>
using half = std::conditional_t<(width<T, Arch> > 8), typename detail::HalfOf<Arch>::type, Arch>;

static_assert(width<float, half<float>> <= 8 && width<double, half<double>> <= 8,
              "siena needs a vector type of at most eight elements: enable AVX2 and FMA together with AVX-512");

/// Vector registers of the machine: how large a tile of accumulators may be.
template <class Arch = native>
inline constexpr int registers = std::is_base_of_v<xsimd::avx512f, Arch> || std::is_base_of_v<xsimd::neon64, Arch> ? 32 : 16;

template <class T, class Arch = native>
SIENA_INLINE Batch<T, Arch> load(const T* p) {
  return Batch<T, Arch>::load_unaligned(p);
}
template <class B>
SIENA_INLINE void store(typename B::value_type* p, const B& b) {
  b.store_unaligned(p);
}
template <class T, class Arch = native>
SIENA_INLINE Batch<T, Arch> broadcast(T value) {
  return Batch<T, Arch>(value);
}
template <class T, class Arch = native>
SIENA_INLINE Batch<T, Arch> zero() {
  return Batch<T, Arch>(T(0));
}

/// Asks for the line of memory at p, which will be read soon. Any address will do.
SIENA_INLINE void prefetch([[maybe_unused]] const void* p) {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(p);
#endif
}

/// to[c * to_stride + r] = from[r * from_stride + c] for r and c in [0, 8).
template <class T, class Arch = native>
void transpose_8x8(const T* from, std::int64_t from_stride, T* to, std::int64_t to_stride) {
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
  if constexpr (std::is_same_v<T, float>) {
    using Half = float __attribute__((vector_size(16), aligned(4), may_alias));
    using Row = float __attribute__((vector_size(32), aligned(4), may_alias));
    SIENA_UNROLL
    for (int side = 0; side < 8; side += 4) {
      Row p[4];  // four columns of row r beside those of row r + 4: what follows transposes both halves at once
      SIENA_UNROLL
      for (int r = 0; r < 4; ++r) {
        const Half low = *reinterpret_cast<const Half*>(from + r * from_stride + side);
        const Half high = *reinterpret_cast<const Half*>(from + (r + 4) * from_stride + side);
        p[r] = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
      }
      const Row a = __builtin_shufflevector(p[0], p[1], 0, 8, 1, 9, 4, 12, 5, 13);
      const Row b = __builtin_shufflevector(p[0], p[1], 2, 10, 3, 11, 6, 14, 7, 15);
      const Row c = __builtin_shufflevector(p[2], p[3], 0, 8, 1, 9, 4, 12, 5, 13);
      const Row d = __builtin_shufflevector(p[2], p[3], 2, 10, 3, 11, 6, 14, 7, 15);
      T* out = to + side * to_stride;
      *reinterpret_cast<Row*>(out) = __builtin_shufflevector(a, c, 0, 1, 8, 9, 4, 5, 12, 13);
      *reinterpret_cast<Row*>(out + to_stride) = __builtin_shufflevector(a, c, 2, 3, 10, 11, 6, 7, 14, 15);
      *reinterpret_cast<Row*>(out + 2 * to_stride) = __builtin_shufflevector(b, d, 0, 1, 8, 9, 4, 5, 12, 13);
      *reinterpret_cast<Row*>(out + 3 * to_stride) = __builtin_shufflevector(b, d, 2, 3, 10, 11, 6, 7, 14, 15);
    }
    return;
  }
#endif
#endif
  for (int c = 0; c < 8; ++c) {
    for (int r = 0; r < 8; ++r) to[c * to_stride + r] = from[r * from_stride + c];
  }
}

// Found by argument: in xsimd's namespace for its batches, as friends for Single.
namespace detail {
template <class B>
SIENA_INLINE B call_fma(const B& a, const B& b, const B& c) {
#if XSIMD_WITH_AVX512F  // xsimd 8 multiplies and adds there; not every compiler makes one instruction of that
  if constexpr (requires { requires std::is_same_v<typename B::register_type, __m512>; }) return _mm512_fmadd_ps(a, b, c);
  if constexpr (requires { requires std::is_same_v<typename B::register_type, __m512d>; }) return _mm512_fmadd_pd(a, b, c);
#endif
  return fma(a, b, c);
}
template <class B>
SIENA_INLINE B call_max(const B& a, const B& b) {
  return max(a, b);
}
template <class B>
SIENA_INLINE B call_min(const B& a, const B& b) {
  return min(a, b);
}
template <class B>
SIENA_INLINE B call_sqrt(const B& a) {
  return sqrt(a);
}
template <class B>
SIENA_INLINE B call_exp(const B& a) {
  return exp(a);
}
template <class B>
SIENA_INLINE B call_log(const B& a) {
  return log(a);
}
template <class B>
SIENA_INLINE B call_abs(const B& a) {
  return abs(a);
}
template <class B>
SIENA_INLINE B call_floor(const B& a) {
  return floor(a);
}
template <class M, class B>
SIENA_INLINE B call_select(const M& mask, const B& a, const B& b) {
  return select(mask, a, b);
}
}  // namespace detail

/// a * b + c, rounded once where the machine can.
template <class B>
SIENA_INLINE B fma(const B& a, const B& b, const B& c) {
  return detail::call_fma(a, b, c);
}
template <class B>
SIENA_INLINE B max(const B& a, const B& b) {
  return detail::call_max(a, b);
}
template <class B>
SIENA_INLINE B min(const B& a, const B& b) {
  return detail::call_min(a, b);
}
template <class B>
SIENA_INLINE B sqrt(const B& a) {
  return detail::call_sqrt(a);
}
template <class B>
SIENA_INLINE B exp(const B& a) {
  return detail::call_exp(a);
}
template <class B>
SIENA_INLINE B log(const B& a) {
  return detail::call_log(a);
}
template <class B>
SIENA_INLINE B abs(const B& a) {
  return detail::call_abs(a);
}
template <class B>
SIENA_INLINE B floor(const B& a) {
  return detail::call_floor(a);
}
/// Lane by lane `mask ? a : b`; masks come from comparing batches.
template <class M, class B>
SIENA_INLINE B select(const M& mask, const B& a, const B& b) {
  return detail::call_select(mask, a, b);
}
/// Sum of the lanes.
template <class B>
SIENA_INLINE typename B::value_type sum(const B& b) {
  if constexpr (requires { reduce_add(b); }) {
    return reduce_add(b);
  } else {
    return hadd(b);  // xsimd before version 10
  }
}

/// Calls body(tag, column) for every vector of a row of `columns` padded elements; the `type` of the tag is the
/// instruction set of that vector: whole vectors first, then at most one of half the width.
template <class T, class Arch = native, class Body>
SIENA_INLINE void for_each_vector(std::int64_t columns, Body&& body) {
  std::int64_t c = 0;
  for (; c + width<T, Arch> <= columns; c += width<T, Arch>) body(std::type_identity<Arch>{}, c);
  if constexpr (!std::is_same_v<half<T, Arch>, Arch>) {
    if (c < columns) body(std::type_identity<half<T, Arch>>{}, c);
  }
}

}  // namespace siena::simd
