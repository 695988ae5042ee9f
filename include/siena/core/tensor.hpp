// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <new>
#include <span>
#include <utility>

#include "siena/core/buffer.hpp"
#include "siena/core/shape.hpp"

namespace siena {

/// Owns numbers of a shape; holds no maths. A tensor is a matrix of `rows` x `columns` (columns = innermost size: channels),
/// each row starting `stride = padded(columns)` elements after the one before. The elements between are padding: readable,
/// finite, and without meaning. Batches of images are N x H x W x C. Copies are deep; moves are free.
template <class T>
class BasicTensor {
 public:
  using value_type = T;

  BasicTensor() = default;
  /// Zeros. ShapeError where there is no memory for as many.
  explicit BasicTensor(const Shape& shape) : BasicTensor(uninitialized(shape)) {
    if (!buffer_.empty()) std::memset(static_cast<void*>(data()), 0, storage().size_bytes());
  }
  BasicTensor(const Shape& shape, T value) : BasicTensor(uninitialized(shape)) { fill(value); }
  /// Row-major values without padding.
  BasicTensor(const Shape& shape, std::span<const T> values) : BasicTensor(shape) { assign(values); }
  BasicTensor(const Shape& shape, std::initializer_list<T> values)
      : BasicTensor(shape, std::span<const T>(values.begin(), values.size())) {}

  /// Elements unspecified: for results that are written whole. The padding of each row must be written too, or left to luck
  /// but finite; kernels that store whole vectors do so.
  static BasicTensor uninitialized(const Shape& shape) {
    BasicTensor tensor;
    tensor.shape_ = shape;
    try {
      tensor.buffer_ = Buffer<T>::uninitialized(storage_size(shape));
    } catch (const std::bad_alloc&) {
      fail<ShapeError>("Tensor: expected memory for the {} elements of shape {}, got none", storage_size(shape), shape);
    }
    return tensor;
  }

  /// A shape without elements: `storage()` is empty until whole tensors are moved in.
  static BasicTensor outline(const Shape& shape) {
    BasicTensor tensor;
    tensor.shape_ = shape;
    return tensor;
  }

  const Shape& shape() const { return shape_; }
  bool empty() const { return shape_.elements() == 0; }
  std::int64_t elements() const { return shape_.elements(); }
  std::int64_t rows() const { return shape_.rows(); }
  std::int64_t columns() const { return shape_.columns(); }
  /// Elements from one row to the next.
  std::int64_t stride() const { return padded(shape_.columns()); }

  /// All elements with the padding: `rows() * stride()` of them.
  T* data() { return buffer_.data(); }
  const T* data() const { return buffer_.data(); }
  std::span<T> storage() { return buffer_.span(); }
  std::span<const T> storage() const { return buffer_.span(); }

  /// One row without its padding.
  std::span<T> row(std::int64_t r) { return {data() + r * stride(), static_cast<std::size_t>(columns())}; }
  std::span<const T> row(std::int64_t r) const { return {data() + r * stride(), static_cast<std::size_t>(columns())}; }

  /// Element by its indices, outermost first; fewer indices than dimensions leave out leading ones of size 1.
  template <class... I>
  T& operator()(I... index) {
    return data()[offset(index...)];
  }
  template <class... I>
  const T& operator()(I... index) const {
    return data()[offset(index...)];
  }

  void fill(T value) { std::fill(buffer_.begin(), buffer_.end(), value); }

  /// Copies row-major values without padding in.
  void assign(std::span<const T> values) {
    require<ShapeError>(static_cast<std::int64_t>(values.size()) == elements(),
                        "Tensor: expected {} values for shape {}, got {}", elements(), shape_, values.size());
    for (std::int64_t r = 0; r < rows(); ++r) {
      std::copy_n(values.begin() + r * columns(), columns(), row(r).begin());
    }
  }
  /// Row-major values without padding.
  template <class Container>
  void copy_to(Container& out) const {
    out.resize(static_cast<std::size_t>(elements()));
    for (std::int64_t r = 0; r < rows(); ++r) std::copy_n(row(r).begin(), columns(), out.begin() + r * columns());
  }

  /// The same elements under another shape that keeps the innermost size (no copy).
  BasicTensor reshaped(const Shape& shape) && {
    require<ShapeError>(shape.elements() == elements() && shape.columns() == columns(),
                        "Tensor::reshaped: expected a shape of {} rows of {}, got {}", rows(), columns(), shape);
    shape_ = shape;
    return std::move(*this);
  }

  bool finite() const {
    for (std::int64_t r = 0; r < rows(); ++r) {
      for (T value : row(r)) {
        if (!std::isfinite(value)) return false;
      }
    }
    return true;
  }

 private:
  static std::size_t storage_size(const Shape& shape) {
    return static_cast<std::size_t>(shape.rows() * padded(shape.columns()));
  }
  template <class... I>
  std::int64_t offset(I... index) const {
    const std::int64_t at[] = {static_cast<std::int64_t>(index)...};
    constexpr int count = sizeof...(I);
    const int skip = shape_.rank() - count;
    SIENA_ASSERT(skip >= 0);
    std::int64_t r = 0;
    for (int i = 0; i + 1 < count; ++i) {
      SIENA_ASSERT(at[i] >= 0 && at[i] < shape_[skip + i]);
      r = r * shape_[skip + i] + at[i];
    }
    SIENA_ASSERT(at[count - 1] >= 0 && at[count - 1] < columns());
    return r * stride() + at[count - 1];
  }

  Shape shape_;
  Buffer<T> buffer_;
};

using Tensor = BasicTensor<float>;

}  // namespace siena
