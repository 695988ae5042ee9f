// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "siena/core/config.hpp"
#include "siena/core/error.hpp"

namespace siena {

/// Rows of every tensor are padded to a multiple of this many elements: vector loads never cross the end of a row.
inline constexpr std::int64_t row_padding = 8;

/// `n` rounded up to a whole number of `row_padding` elements.
constexpr std::int64_t padded(std::int64_t n) { return (n + row_padding - 1) / row_padding * row_padding; }

/// Sizes of a tensor, outermost first; activations are N x H x W x C or N x C, images H x W x C. At most 5 dimensions, and few
/// enough elements (`most_elements`) that whoever counts them, or their bytes, never overflows.
class Shape {
 public:
  static constexpr int max_rank = 5;
  static constexpr std::int64_t most_elements = std::int64_t{1} << 48;  ///< with the padding of rows; no machine holds more

  constexpr Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const std::int64_t> sizes) : rank_(static_cast<int>(sizes.size())) {
    require<ShapeError>(sizes.size() <= max_rank, "Shape: expected at most {} dimensions, got {}", max_rank, sizes.size());
    for (int i = 0; i < rank_; ++i) {
      require<ShapeError>(sizes[i] >= 0, "Shape: expected sizes of 0 or more, got {} in dimension {}", sizes[i], i);
      sizes_[i] = sizes[i];
    }
    std::int64_t product = 1;
    for (int i = rank_ - 1; i >= 0; --i) {
      // A size of 0 does not excuse the others: loops run over them.
      const std::int64_t size = std::max<std::int64_t>(sizes_[i], 1);
      require<ShapeError>(size <= most_elements / product, "Shape: expected at most 2^48 elements, got {}", *this);
      product *= i == rank_ - 1 ? padded(size) : size;
    }
  }

  int rank() const { return rank_; }
  /// Size of dimension `i`; negative `i` counts from the innermost one.
  std::int64_t operator[](int i) const {
    SIENA_ASSERT(i < rank_ && i >= -rank_);
    return sizes_[i < 0 ? rank_ + i : i];
  }
  std::span<const std::int64_t> sizes() const { return {sizes_.data(), static_cast<std::size_t>(rank_)}; }

  /// Number of elements, without padding.
  std::int64_t elements() const { return rank_ == 0 ? 0 : rows() * columns(); }
  /// Product of all sizes but the innermost: a tensor is `rows` rows of `columns` elements.
  std::int64_t rows() const {
    std::int64_t product = 1;
    for (int i = 0; i + 1 < rank_; ++i) product *= sizes_[i];
    return rank_ == 0 ? 0 : product;
  }
  /// Innermost size: channels or features.
  std::int64_t columns() const { return rank_ == 0 ? 0 : sizes_[rank_ - 1]; }

  /// The shape of a batch of `n` things of this shape.
  Shape batch(std::int64_t n) const {
    std::array<std::int64_t, max_rank + 1> sizes{n};
    for (int i = 0; i < rank_; ++i) sizes[i + 1] = sizes_[i];
    return Shape(std::span<const std::int64_t>(sizes.data(), rank_ + 1));
  }
  /// The shape of one thing of a batch: the outermost dimension dropped.
  Shape sample() const { return Shape(sizes().subspan(rank_ > 0 ? 1 : 0)); }

  bool operator==(const Shape&) const = default;

  std::string to_string() const {
    std::string text;
    for (int i = 0; i < rank_; ++i) text += format("{}{}", i ? "x" : "", sizes_[i]);
    return rank_ == 0 ? "(empty)" : text;
  }

 private:
  std::array<std::int64_t, max_rank> sizes_{};
  int rank_ = 0;
};

}  // namespace siena
