// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/cost/packed_weights.hpp"
#include "siena/deploy/c/body.hpp"
#include "siena/deploy/integer/network.hpp"

// Weights of 2 and 4 bits in files of C: the first of a byte lies highest.

namespace siena::deploy::c {

/// Filters whose weights take as many bits in flash.
struct PackedSlice {
  int bits;
  std::vector<std::int64_t> filters;
};

inline int packed_width(int bits) { return static_cast<int>(packed_bits<double>(bits)); }

/// The filters of a convolution by the bits that their weights take, those of most first.
inline std::vector<PackedSlice> packed_slices(const integer::Convolution& what) {
  std::vector<PackedSlice> slices;
  for (const int width : {8, 4, 2}) {
    PackedSlice slice{width, {}};
    for (std::int64_t o = 0; o < what.geometry.out_channels; ++o)
      if (packed_width(what.bits[static_cast<std::size_t>(o)]) == width) slice.filters.push_back(o);
    if (!slice.filters.empty()) slices.push_back(std::move(slice));
  }
  return slices;
}

/// Numbers that fit into so many bits, in bytes.
class PackedBytes {
 public:
  explicit PackedBytes(std::vector<std::int8_t>& to) : to_(to) {}

  void put(int number, int bits) {
    byte_ = byte_ << bits | (static_cast<unsigned>(number) & ((1u << bits) - 1));
    filled_ += bits;
    if (filled_ < 8) return;
    to_.push_back(static_cast<std::int8_t>(static_cast<std::uint8_t>(byte_)));
    byte_ = 0, filled_ = 0;
  }
  /// What follows begins at a byte.
  void end() {
    if (filled_ > 0) put(0, 8 - filled_);
  }

 private:
  std::vector<std::int8_t>& to_;
  unsigned byte_ = 0;
  int filled_ = 0;
};

/// Filters one after the other, each from a byte on.
inline std::vector<std::int8_t> packed_filters(const integer::Convolution& what) {
  std::vector<std::int8_t> bytes;
  PackedBytes packed(bytes);
  const std::int64_t each = what.geometry.weight_rows();
  for (std::int64_t o = 0; o < what.geometry.out_channels; ++o) {
    const int width = packed_width(what.bits[static_cast<std::size_t>(o)]);
    for (std::int64_t i = 0; i < each; ++i) packed.put(what.weights[static_cast<std::size_t>(o * each + i)], width);
    packed.end();
  }
  return bytes;
}

/// The binary logarithm of the bits that weights take: 1 to 3; of filters that differ one for each, 2 bits a filter, from the
/// lowest of a byte on.
inline int bits_code(int bits) { return bits == 2 ? 1 : bits == 4 ? 2 : 3; }
inline std::vector<std::int8_t> bits_codes(const integer::Convolution& what) {
  std::vector<std::int8_t> bytes;
  unsigned byte = 0;
  for (std::int64_t o = 0; o < what.geometry.out_channels; ++o) {
    const auto code = static_cast<unsigned>(bits_code(packed_width(what.bits[static_cast<std::size_t>(o)])));
    byte |= code << (2 * (o % 4));
    if (o % 4 < 3 && o + 1 < what.geometry.out_channels) continue;
    bytes.push_back(static_cast<std::int8_t>(static_cast<std::uint8_t>(byte)));
    byte = 0;
  }
  return bytes;
}

// What bodies call: texts that stand before them. `code` is a bits_code.

inline constexpr std::string_view packed_code = R"(static inline int32_t siena_code(const int8_t *codes, int32_t filter) {
  return (codes[filter >> 2] >> (2 * (filter & 3))) & 3;
}
)";
/// Number i of weights.
inline constexpr std::string_view packed_weight =
    R"(static inline int32_t siena_weight(const int8_t *w, int32_t i, int32_t code) {
  return (int32_t)((uint32_t)w[i >> (3 - code)] << (24 + ((i << code) & 7))) >> (32 - (1 << code));
}
)";
inline constexpr std::string_view packed_sum = R"(/* Adds up n inputs times weights, of which i is the first. */
SIENA_FUNCTION int32_t siena_sum(const int8_t *x, int32_t zero, const int8_t *w, int32_t i, int32_t n, int32_t code,
                                 int32_t sum) {
  for (; n > 0 && ((i << code) & 7) != 0; --n, ++x) sum += (x[0] - zero) * siena_weight(w, i++, code);
  w += i >> (3 - code);
  if (code == 3) {
    for (; n > 0; --n, ++x) sum += (x[0] - zero) * *w++;
  } else if (code == 2) {
    for (; n > 1; n -= 2, x += 2, ++w) {
      sum += (x[0] - zero) * siena_weight(w, 0, 2);
      sum += (x[1] - zero) * siena_weight(w, 1, 2);
    }
  } else {
    for (; n > 3; n -= 4, x += 4, ++w) {
      sum += (x[0] - zero) * siena_weight(w, 0, 1);
      sum += (x[1] - zero) * siena_weight(w, 1, 1);
      sum += (x[2] - zero) * siena_weight(w, 2, 1);
      sum += (x[3] - zero) * siena_weight(w, 3, 1);
    }
  }
  for (i = 0; i < n; ++i) sum += (x[i] - zero) * siena_weight(w, i, code);
  return sum;
}
)";
/// Writes n weights of a filter, and gives where the next one begins.
inline constexpr std::string_view packed_take =
    R"(SIENA_FUNCTION const int8_t *siena_take(const int8_t *w, int32_t n, int32_t code, int8_t *to) {
  for (int32_t i = 0; i < n; ++i) to[i] = (int8_t)siena_weight(w, i, code);
  return w + (((n << code) + 7) >> 3);
}
)";

/// Coarse weights have large steps, so that sums are shifted in some layers and not in others: an argument of packed bodies,
/// that layers alike may share one.
inline constexpr std::string_view shift_factor = "(1 << shift)";
inline Argument shift_of(const integer::Convolution& what) { return {"shift", std::int32_t{what.shift}}; }

/// Gives a body the codes of its filters, as `code` or `codes`, and what it takes weights out with.
inline void add_code(Body& body, const integer::Convolution& what) {
  const std::vector<PackedSlice> slices = packed_slices(what);
  if (slices.size() == 1) {
    body.arguments.push_back({"code", std::int32_t{bits_code(slices[0].bits)}});
  } else {
    body.arguments.push_back({"codes", bits_codes(what)});
    body.preambles.push_back(packed_code);
  }
  body.arguments.push_back(shift_of(what));
  body.preambles.push_back(packed_weight);
}

}  // namespace siena::deploy::c
