// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "siena/core/error.hpp"
#include "siena/core/no_class.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/rows.hpp"

namespace siena::kernels {

/// How many rows are of a class.
inline std::int64_t rows_of_a_class(std::span<const std::int32_t> labels) {
  return static_cast<std::int64_t>(labels.size()) - std::count(labels.begin(), labels.end(), no_class);
}

namespace detail {
/// Calls body(tag, c, valid) for the vectors of a row; `valid` is a mask of the lanes that are classes, not padding.
template <class T, class Arch, class Body>
SIENA_INLINE void for_classes(std::int64_t classes, Body&& body) {
  simd::for_each_vector<T, Arch>(padded(classes), [&](auto tag, std::int64_t c) {
    using A = typename decltype(tag)::type;
    std::array<T, simd::width<T, A>> numbers;
    for (std::size_t j = 0; j < numbers.size(); ++j) numbers[j] = static_cast<T>(c + static_cast<std::int64_t>(j));
    body(tag, c, simd::load<T, A>(numbers.data()) < simd::broadcast<T, A>(static_cast<T>(classes)));
  });
}

/// What softmax knows of a row: sum(exp(x - shift)) and, for label smoothing, sum(x - shift).
template <class T>
struct SoftmaxRow {
  T shift, exponentials, total;
};

/// probabilities = exp(x - max) / sum; the padding becomes 0. y may be x.
template <class Arch, class T>
SoftmaxRow<T> softmax_row(std::int64_t classes, const T* x, T* y) {
  T largest = x[0];
  for (std::int64_t c = 1; c < classes; ++c) largest = largest < x[c] ? x[c] : largest;
  T exponentials = 0, total = 0;
  for_classes<T, Arch>(classes, [&](auto tag, std::int64_t c, auto valid) {
    using A = typename decltype(tag)::type;
    const auto zero = simd::zero<T, A>();
    const auto shifted = simd::select(valid, simd::load<T, A>(x + c) - simd::broadcast<T, A>(largest), zero);
    const auto e = simd::select(valid, simd::exp(shifted), zero);
    simd::store(y + c, e);
    exponentials += simd::sum(e);
    total += simd::sum(shifted);
  });
  const T factor = T(1) / exponentials;
  simd::for_each_vector<T, Arch>(padded(classes), [&](auto tag, std::int64_t c) {
    using A = typename decltype(tag)::type;
    simd::store(y + c, simd::load<T, A>(y + c) * simd::broadcast<T, A>(factor));
  });
  return {largest, exponentials, total};
}

/// exp is dear: a row counts as sixteen times its elements.
inline std::int64_t softmax_grain(std::int64_t classes) { return elements_grain(padded(classes) * 16); }
}  // namespace detail

/// Softmax of every row.
template <class Arch = simd::native, class T>
void softmax_forward(std::int64_t rows, std::int64_t classes, std::span<const T> x, std::span<T> y) {
  require<ShapeError>(classes > 0, "softmax: expected at least one class, got {}", classes);
  const std::int64_t stride = padded(classes);
  parallel_ranges(rows, detail::softmax_grain(classes), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r)
      detail::softmax_row<Arch, T>(classes, x.data() + r * stride, y.data() + r * stride);
  });
}

/// Mean over the rows that are of a class of -sum_k t_k log p_k, where p is the softmax of the logits and t =
/// (1 - label_smoothing) at the label plus label_smoothing / classes everywhere; 0 where no row is. Also writes p, of all rows.
/// DataError for a label that is neither a class nor no_class.
template <class Arch = simd::native, class T>
double cross_entropy_forward(std::int64_t rows, std::int64_t classes, std::span<const T> logits,
                             std::span<const std::int32_t> labels, std::span<T> probabilities, double label_smoothing = 0) {
  require<ShapeError>(rows > 0 && classes > 0, "cross_entropy: expected rows and classes, got {} rows of {}", rows, classes);
  require<ShapeError>(static_cast<std::int64_t>(labels.size()) == rows, "cross_entropy: expected {} labels, one a row, got {}",
                      rows, labels.size());
  require<ArgumentError>(label_smoothing >= 0 && label_smoothing <= 1,
                         "cross_entropy: expected label smoothing in [0, 1], got {}", label_smoothing);
  for (std::int64_t r = 0; r < rows; ++r) {
    require<DataError>(labels[r] >= no_class && labels[r] < classes,
                       "cross_entropy: expected labels from -1 (no class) to {}, got {} in row {}", classes - 1, labels[r], r);
  }
  const std::int64_t stride = padded(classes), grain = detail::softmax_grain(classes);
  Buffer<double> partial(static_cast<std::size_t>((rows + grain - 1) / grain));
  parallel_ranges(rows, grain, [&](std::int64_t first, std::int64_t last) {
    double loss = 0;
    for (std::int64_t r = first; r < last; ++r) {
      const T* x = logits.data() + r * stride;
      const T at_label = x[std::max(labels[r], 0)];  // before p, which may be the same memory
      const auto row = detail::softmax_row<Arch, T>(classes, x, probabilities.data() + r * stride);
      if (labels[r] == no_class) continue;
      loss += std::log(static_cast<double>(row.exponentials)) -
              (1 - label_smoothing) * (static_cast<double>(at_label) - static_cast<double>(row.shift)) -
              label_smoothing / static_cast<double>(classes) * static_cast<double>(row.total);
    }
    partial[static_cast<std::size_t>(first / grain)] = loss;
  });
  double total = 0;
  for (double loss : partial) total += loss;
  return total / static_cast<double>(std::max<std::int64_t>(rows_of_a_class(labels), 1));
}

/// dlogits = seed / n * (p - t) in rows of a class, 0 in the others; the padding of its rows becomes 0 when overwritten. The
/// loss is a mean over n rows of a class; 0: those that are here.
template <class Arch = simd::native, class T>
void cross_entropy_backward(std::int64_t rows, std::int64_t classes, std::span<const T> probabilities,
                            std::span<const std::int32_t> labels, double seed, double label_smoothing, std::span<T> dlogits,
                            Write mode, std::int64_t counted = 0) {
  const std::int64_t stride = padded(classes);
  if (counted == 0) counted = std::max<std::int64_t>(rows_of_a_class(labels), 1);
  const T factor = static_cast<T>(seed / static_cast<double>(counted));
  const T share = static_cast<T>(label_smoothing / static_cast<double>(classes)), rest = static_cast<T>(1 - label_smoothing);
  parallel_ranges(rows, elements_grain(stride), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const T* p = probabilities.data() + r * stride;
      T* out = dlogits.data() + r * stride;
      for (std::int64_t c = 0; c < classes && labels[r] != no_class; ++c) {
        const T target = share + (c == labels[r] ? rest : T(0));
        out[c] = (mode == Write::accumulate ? out[c] : T(0)) + factor * (p[c] - target);
      }
      const std::int64_t written = labels[r] == no_class ? 0 : classes;
      if (mode == Write::overwrite) std::fill_n(out + written, stride - written, T(0));
    }
  });
}

/// Mean over the rows of -sum_k t_k log p_k, where p is the softmax of the logits; also writes p. A row of targets need not add
/// up to 1: what it adds up to is what the row counts, so that a row of zeros counts nothing.
template <class Arch = simd::native, class T>
double soft_cross_entropy_forward(std::int64_t rows, std::int64_t classes, std::span<const T> logits,
                                  std::span<const T> targets, std::span<T> probabilities) {
  require<ShapeError>(rows > 0 && classes > 0, "soft_cross_entropy: expected rows and classes, got {} rows of {}", rows,
                      classes);
  const std::int64_t stride = padded(classes), grain = detail::softmax_grain(classes);
  Buffer<double> partial(static_cast<std::size_t>((rows + grain - 1) / grain));
  parallel_ranges(rows, grain, [&](std::int64_t first, std::int64_t last) {
    double loss = 0;
    for (std::int64_t r = first; r < last; ++r) {
      const T *x = logits.data() + r * stride, *t = targets.data() + r * stride;
      double weight = 0, product = 0;  // before p, which may be the same memory
      for (std::int64_t c = 0; c < classes; ++c) {
        weight += static_cast<double>(t[c]);
        if (t[c] != 0) product += static_cast<double>(t[c]) * static_cast<double>(x[c]);
      }
      const auto row = detail::softmax_row<Arch, T>(classes, x, probabilities.data() + r * stride);
      loss += weight * (std::log(static_cast<double>(row.exponentials)) + static_cast<double>(row.shift)) - product;
    }
    partial[static_cast<std::size_t>(first / grain)] = loss;
  });
  double total = 0;
  for (double loss : partial) total += loss;
  return total / static_cast<double>(rows);
}

/// dlogits = seed / n * (sum(t) p - t); the padding of its rows becomes 0 when overwritten. The loss is a mean over n rows; 0:
/// these.
template <class Arch = simd::native, class T>
void soft_cross_entropy_backward(std::int64_t rows, std::int64_t classes, std::span<const T> probabilities,
                                 std::span<const T> targets, double seed, std::span<T> dlogits, Write mode,
                                 std::int64_t counted = 0) {
  const std::int64_t stride = padded(classes);
  const T factor = static_cast<T>(seed / static_cast<double>(counted > 0 ? counted : rows));
  parallel_ranges(rows, elements_grain(stride), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const T *p = probabilities.data() + r * stride, *t = targets.data() + r * stride;
      T* out = dlogits.data() + r * stride;
      T weight = 0;
      for (std::int64_t c = 0; c < classes; ++c) weight += t[c];
      for (std::int64_t c = 0; c < classes; ++c) {
        out[c] = (mode == Write::accumulate ? out[c] : T(0)) + factor * (weight * p[c] - t[c]);
      }
      if (mode == Write::overwrite) std::fill_n(out + classes, stride - classes, T(0));
    }
  });
}

/// The column of the largest element of every row, the first of equal ones.
template <class Arch = simd::native, class T>
void argmax(std::int64_t rows, std::int64_t classes, std::span<const T> x, std::span<std::int32_t> out) {
  require<ShapeError>(classes > 0 && static_cast<std::int64_t>(out.size()) >= rows,
                      "argmax: expected classes and room for {} results, got {} classes and room for {}", rows, classes,
                      out.size());
  const std::int64_t stride = padded(classes);
  parallel_ranges(rows, elements_grain(stride), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const T* row = x.data() + r * stride;
      out[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(std::max_element(row, row + classes) - row);
    }
  });
}

}  // namespace siena::kernels
