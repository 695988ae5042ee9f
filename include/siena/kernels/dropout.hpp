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
/// Calls run(i, count, factors) for runs of elements of storage from i on: factors[j] is what element i + j is multiplied
/// with. Two elements share the 64 bits of one place of the stream: element e has the low half (e even) or the high half
/// (e odd) of place e / 2.
template <class Arch, class T, class Run>
void dropout_runs(std::int64_t rows, std::int64_t channels, double probability, const Random& random, std::uint64_t offset,
                  Run&& run) {
  require<ArgumentError>(probability >= 0 && probability < 1, "dropout: expected a probability in [0, 1), got {}", probability);
  constexpr std::int64_t block = 256;
  const std::int64_t stride = padded(channels);
  const bool dense = channels == stride;  // then the rows of a task are one long row
  const auto threshold = static_cast<std::int64_t>(probability * 0x1p32);
  const T kept = static_cast<T>(1 / (1 - probability));
  parallel_ranges(rows, elements_grain(stride), [&, random](std::int64_t first, std::int64_t last) {
    std::array<std::uint32_t, block + 2> halves;
    std::array<T, block> factors;
    const std::int64_t length = dense ? (last - first) * channels : channels;
    for (std::int64_t r = first; r < (dense ? first + 1 : last); ++r) {
      for (std::int64_t c = 0; c < length; c += block) {
        const std::int64_t count = std::min(block, length - c);
        const std::uint64_t start = offset + static_cast<std::uint64_t>(r * channels + c), odd = start % 2;
        const auto words = static_cast<std::size_t>((static_cast<std::uint64_t>(count) + odd + 1) / 2);
        for (std::size_t w = 0; w < words; ++w) {
          const std::uint64_t bits = random.at(start / 2 + w);
          halves[2 * w] = static_cast<std::uint32_t>(bits);
          halves[2 * w + 1] = static_cast<std::uint32_t>(bits >> 32);
        }
        for (std::int64_t k = 0; k < count; ++k) {  // the sign of a difference, because branches would be mispredicted
          const auto j = static_cast<std::size_t>(k);
          const std::int64_t below = (std::int64_t{halves[j + odd]} - threshold) >> 63;  // -1 or 0
          factors[j] = kept * static_cast<T>(static_cast<std::int32_t>(below) + 1);
        }
        run(r * stride + c, count, factors.data());
      }
    }
  });
}
}  // namespace detail

/// y = x / (1 - probability), or 0 with the probability given. The fate of an element is a pure function of the stream and of
/// `offset` plus its row-major number without padding; nothing is stored. The padding of y becomes 0. y may be x.
template <class Arch = simd::native, class T>
void dropout_forward(std::int64_t rows, std::int64_t channels, std::span<const T> x, std::span<T> y, double probability,
                     const Random& random, std::uint64_t offset = 0) {
  detail::dropout_runs<Arch, T>(rows, channels, probability, random, offset,
                                [x = x.data(), y = y.data()](std::int64_t i, std::int64_t count, const T* factors) {
                                  for (std::int64_t j = 0; j < count; ++j) y[i + j] = x[i + j] * factors[j];
                                });
  const std::int64_t stride = padded(channels);
  if (channels == stride) return;
  for (std::int64_t r = 0; r < rows; ++r) std::fill_n(y.data() + r * stride + channels, stride - channels, T(0));
}

/// The same fates for the gradient: dx = dy / (1 - probability) or 0. Accumulating leaves the padding of dx alone;
/// an overwritten dx may be dy.
template <class Arch = simd::native, class T>
void dropout_backward(std::int64_t rows, std::int64_t channels, std::span<const T> dy, std::span<T> dx, double probability,
                      const Random& random, std::uint64_t offset, Write mode) {
  if (mode == Write::overwrite) return dropout_forward<Arch, T>(rows, channels, dy, dx, probability, random, offset);
  detail::dropout_runs<Arch, T>(rows, channels, probability, random, offset,
                                [dy = dy.data(), dx = dx.data()](std::int64_t i, std::int64_t count, const T* factors) {
                                  for (std::int64_t j = 0; j < count; ++j) dx[i + j] += dy[i + j] * factors[j];
                                });
}

}  // namespace siena::kernels
