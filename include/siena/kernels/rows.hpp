// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include "siena/core/buffer.hpp"
#include "siena/core/parallel.hpp"
#include "siena/core/shape.hpp"
#include "siena/kernels/simd.hpp"

// How kernels walk over elements and rows: in vectors, split into tasks by a rule that does not know the number of threads.

namespace siena::kernels {

/// Elements of a task: enough to be worth a thread, few enough to stay in its second-level cache. Less work is done serially.
inline constexpr std::int64_t task_elements = 16'384;

/// Tasks to cut `elements` elements into: as few as task_elements allows and, where they are more than two, 8 or a multiple of
/// 16, which threads share evenly. Where whole rows are many elements it may come to fewer.
inline std::int64_t even_tasks(std::int64_t elements) {
  const std::int64_t tasks = std::max<std::int64_t>(1, (elements + task_elements - 1) / task_elements);
  return tasks <= 2 ? tasks : tasks <= 8 ? 8 : (tasks + 15) / 16 * 16;
}

/// Elements of a task where `count` of them, a whole number of row paddings, are cut evenly.
inline std::int64_t even_grain(std::int64_t count) {
  SIENA_ASSERT(count % row_padding == 0);
  const std::int64_t blocks = count / row_padding, tasks = even_tasks(count);
  return std::max<std::int64_t>(1, (blocks + tasks - 1) / tasks) * row_padding;
}

/// Items of a task where one item has `elements` elements.
inline std::int64_t elements_grain(std::int64_t elements) {
  return std::max<std::int64_t>(1, task_elements / std::max<std::int64_t>(1, elements));
}

/// Calls body(tag, i) for vectors starting at every i of [0, count), count a whole number of row paddings; the instruction set
/// of a vector is the `type` of the tag.
template <class Arch, class T, class Body>
void for_elements(std::int64_t count, Body&& body) {
  parallel_ranges(count, even_grain(count), [&body](std::int64_t begin, std::int64_t end) {
    simd::for_each_vector<T, Arch>(end - begin, [&body, begin](auto tag, std::int64_t i) { body(tag, begin + i); });
  });
}

/// Takes narrow rows several at a time: `copies` rows of `stride` elements are one period, at least 64 elements long. So
/// vectors are full whatever the number of channels, and sums have several accumulators.
struct RowFold {
  std::int64_t stride = row_padding, copies = 1;

  explicit RowFold(std::int64_t channels) : stride(padded(channels)) {
    while (copies * stride < 64) copies *= 2;
  }
  std::int64_t period() const { return copies * stride; }
  std::int64_t rows_per_task(std::int64_t rows) const {
    const std::int64_t periods = (rows + copies - 1) / copies, tasks = even_tasks(periods * period());
    return std::max<std::int64_t>(1, (periods + tasks - 1) / tasks) * copies;
  }
};

/// The values of a vector of channels, repeated over a period. Of no values: none.
template <class T>
class PerChannel {
 public:
  PerChannel(const RowFold& fold, std::span<const T> values) : data_(values.data()) {
    SIENA_ASSERT(values.empty() || static_cast<std::int64_t>(values.size()) >= fold.stride);
    if (fold.copies == 1 || values.empty()) return;
    copies_ = Buffer<T>::uninitialized(static_cast<std::size_t>(fold.period()));
    for (std::int64_t k = 0; k < fold.copies; ++k) std::copy_n(values.data(), fold.stride, copies_.data() + k * fold.stride);
    data_ = copies_.data();
  }
  PerChannel(const PerChannel&) = delete;
  PerChannel& operator=(const PerChannel&) = delete;
  const T* data() const { return data_; }

 private:
  Buffer<T> copies_;
  const T* data_;
};

/// Calls body(tag, i, p) for the vectors of `rows` rows: i counts elements of storage, p is the place in the period.
template <class Arch, class T, class Body>
void for_rows(std::int64_t rows, const RowFold& fold, Body&& body) {
  parallel_ranges(rows, fold.rows_per_task(rows), [&body, &fold](std::int64_t begin, std::int64_t end) {
    const std::int64_t period = fold.period(), last = end * fold.stride;
    for (std::int64_t at = begin * fold.stride; at < last; at += period) {
      simd::for_each_vector<T, Arch>(std::min(period, last - at),
                                     [&body, at](auto tag, std::int64_t p) { body(tag, at + p, p); });
    }
  });
}

/// Sums over a run of rows, in registers: terms(tag, i, p, sums) adds the terms of the vector at i to an array of `Sums`
/// vectors. Writes `Sums` periods to `out`, one after the other.
template <int Sums, class Arch, class T, class Terms>
void sum_rows(std::int64_t begin, std::int64_t end, std::int64_t period, T* out, Terms terms) {  // a copy: in registers
  constexpr std::int64_t width = simd::width<T, Arch>;
  constexpr int block = Sums > 2 ? 2 : 4;  // more would not stay in registers
  const std::int64_t full_end = begin + (end - begin) / period * period;
  std::fill_n(out, Sums * period, T(0));
  std::int64_t p = 0;
  for (; p + block * width <= period; p += block * width) {
    std::array<std::array<simd::Batch<T, Arch>, Sums>, block> sums;
    for (auto& row : sums) row.fill(simd::zero<T, Arch>());
    [&]<std::size_t... V>(std::index_sequence<V...>) {
      for (std::int64_t i = begin + p; i < full_end; i += period) {
        (terms(std::type_identity<Arch>{}, i + std::int64_t{V} * width, p + std::int64_t{V} * width, sums[V]), ...);
      }
    }
    (std::make_index_sequence<block>{});
    for (int v = 0; v < block; ++v) {
      for (int s = 0; s < Sums; ++s) simd::store(out + s * period + p + v * width, sums[v][s]);
    }
  }
  auto add = [&](auto tag, std::int64_t at, std::int64_t from, std::int64_t to) {
    using A = typename decltype(tag)::type;
    std::array<simd::Batch<T, A>, Sums> sums;
    for (int s = 0; s < Sums; ++s) sums[s] = simd::load<T, A>(out + s * period + at);
    for (std::int64_t i = from + at; i < to; i += period) terms(tag, i, at, sums);
    for (int s = 0; s < Sums; ++s) simd::store(out + s * period + at, sums[s]);
  };
  simd::for_each_vector<T, Arch>(period - p, [&](auto tag, std::int64_t at) { add(tag, p + at, begin, full_end); });
  simd::for_each_vector<T, Arch>(end - full_end, [&](auto tag, std::int64_t at) { add(tag, at, full_end, end); });
}

/// `Sums` sums per channel over all rows, one array of padded(channels) after the other: in T
/// within a task, in double across tasks and in their order.
template <int Sums, class Arch, class T, class Terms>
Buffer<double> column_totals(std::int64_t rows, std::int64_t channels, Terms&& terms) {
  const RowFold fold(channels);
  const std::int64_t grain = fold.rows_per_task(rows), tasks = (rows + grain - 1) / grain, size = Sums * fold.stride;
  auto totals = Buffer<double>(static_cast<std::size_t>(std::max<std::int64_t>(tasks, 1) * size));
  // For all tasks at once: asking for memory in each, threads would wait for each other.
  auto scratch = Buffer<T>::uninitialized(static_cast<std::size_t>(tasks * Sums * fold.period()));
  parallel_for(tasks, [&](std::int64_t task) {
    const std::int64_t begin = task * grain, end = std::min(rows, begin + grain);
    T* sums = scratch.data() + task * Sums * fold.period();
    sum_rows<Sums, Arch, T>(begin * fold.stride, end * fold.stride, fold.period(), sums, terms);
    for (int s = 0; s < Sums; ++s) {
      double* out = totals.data() + task * size + s * fold.stride;
      for (std::int64_t k = 0; k < fold.copies; ++k) {
        const T* in = sums + s * fold.period() + k * fold.stride;
        for (std::int64_t c = 0; c < fold.stride; ++c) out[c] += static_cast<double>(in[c]);
      }
    }
  });
  for (std::int64_t task = 1; task < tasks; ++task) {
    for (std::int64_t c = 0; c < size; ++c) totals[c] += totals[task * size + c];
  }
  return totals;
}

/// Sum of term(i) over the logical elements of `rows` rows, in double: eight accumulators a task, tasks in their order.
template <class Arch, class Term>
double sum_elements(std::int64_t rows, std::int64_t columns, Term&& term) {
  const std::int64_t stride = padded(columns), rows_per_task = elements_grain(stride);
  const std::int64_t tasks = (rows + rows_per_task - 1) / rows_per_task;
  Buffer<double> partial(static_cast<std::size_t>(tasks));
  parallel_for(tasks, [&](std::int64_t task) {
    std::array<double, row_padding> sums{};
    const std::int64_t begin = task * rows_per_task, end = std::min(rows, begin + rows_per_task);
    const bool dense = columns == stride;  // then the rows of a task are one long row
    const std::int64_t length = dense ? (end - begin) * stride : columns, rest = length % row_padding;
    for (std::int64_t r = begin; r < (dense ? begin + 1 : end); ++r) {
      const std::int64_t full = r * stride + length - rest;
      for (std::int64_t i = r * stride; i < full; i += row_padding) {
        for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += term(i + static_cast<std::int64_t>(j));
      }
      for (std::int64_t j = 0; j < rest; ++j) sums[static_cast<std::size_t>(j)] += term(full + j);
    }
    for (double sum : sums) partial[task] += sum;
  });
  double total = 0;
  for (double sum : partial) total += sum;
  return total;
}

}  // namespace siena::kernels
