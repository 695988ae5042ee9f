// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "siena/core/error.hpp"
#include "siena/core/random.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/rows.hpp"

namespace siena::kernels {

namespace detail {
/// Calls row(r, c, count, keep) with the fate of `count` elements of a row from column c on: keep[j] != 0. Two elements share the 64
/// bits of one place of the stream: element e has the low half (e even) or the high half (e odd) of place e / 2.
template <class Arch, class Row>
void dropout_rows(std::int64_t rows, std::int64_t channels, double probability, const Random& random, std::uint64_t offset,
                  Row&& row) {
  require<ArgumentError>(probability >= 0 && probability < 1, "dropout: expected a probability in [0, 1), got {}", probability);
  constexpr std::int64_t block = 256;
  const auto threshold = static_cast<std::uint32_t>(std::min(probability * 0x1p32, 0x1p32 - 1));
  parallel_ranges(rows, elements_grain(padded(channels)), [&, random](std::int64_t first, std::int64_t last) {
    std::array<std::uint32_t, block + 2> keep;
    for (std::int64_t r = first; r < last; ++r) {
      for (std::int64_t c = 0; c < channels; c += block) {
        const std::int64_t count = std::min(block, channels - c);
        const std::uint64_t start = offset + static_cast<std::uint64_t>(r * channels + c), odd = start % 2;
        const auto words = static_cast<std::size_t>((static_cast<std::uint64_t>(count) + odd + 1) / 2);
        for (std::size_t w = 0; w < words; ++w) {
          const std::uint64_t bits = random.at(start / 2 + w);
          keep[2 * w] = static_cast<std::uint32_t>(bits) >= threshold;
          keep[2 * w + 1] = static_cast<std::uint32_t>(bits >> 32) >= threshold;
        }
        row(r, c, count, keep.data() + odd);
      }
    }
  });
}
}  // namespace detail

/// y = x / (1 - probability), or 0 with the probability given. The fate of an element is a pure function of the stream and of `offset`
/// plus its row-major number without padding; nothing is stored. The padding of y becomes 0. y may be x.
template <class Arch = simd::native, class T>
void dropout_forward(std::int64_t rows, std::int64_t channels, std::span<const T> x, std::span<T> y, double probability,
                     const Random& random, std::uint64_t offset = 0) {
  const std::int64_t stride = padded(channels);
  const T factor = static_cast<T>(1 / (1 - probability));
  detail::dropout_rows<Arch>(rows, channels, probability, random, offset,
                             [&](std::int64_t r, std::int64_t c, std::int64_t count, const std::uint32_t* keep) {
                               const T* in = x.data() + r * stride + c;
                               T* out = y.data() + r * stride + c;
                               for (std::int64_t j = 0; j < count; ++j) out[j] = keep[j] ? in[j] * factor : T(0);
                               if (c + count == channels) std::fill_n(out + count, stride - channels, T(0));
                             });
}

/// The same fates for the gradient: dx = dy / (1 - probability) or 0.
template <class Arch = simd::native, class T>
void dropout_backward(std::int64_t rows, std::int64_t channels, std::span<const T> dy, std::span<T> dx, double probability,
                      const Random& random, std::uint64_t offset, Write mode) {
  if (mode == Write::overwrite) return dropout_forward<Arch, T>(rows, channels, dy, dx, probability, random, offset);
  const std::int64_t stride = padded(channels);
  const T factor = static_cast<T>(1 / (1 - probability));
  detail::dropout_rows<Arch>(rows, channels, probability, random, offset,
                             [&](std::int64_t r, std::int64_t c, std::int64_t count, const std::uint32_t* keep) {
                               const T* in = dy.data() + r * stride + c;
                               T* out = dx.data() + r * stride + c;
                               for (std::int64_t j = 0; j < count; ++j) out[j] += keep[j] ? in[j] * factor : T(0);
                             });
}

}  // namespace siena::kernels
