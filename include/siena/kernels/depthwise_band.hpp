// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "siena/core/parallel.hpp"
#include "siena/kernels/correlate.hpp"
#include "siena/kernels/correlation.hpp"

// Bands of rows that depthwise convolutions take at once, one vector of channels after the other.

namespace siena::kernels::detail {

/// What a task adds to the gradient of the weights: images [first, last), and so many channels from where its pointers are.
struct DepthwiseShare {
  std::int64_t first_image, last_image, channels;
};

/// Rows of outputs whose inputs stay in the first-level cache while all channels go by.
inline std::int64_t depthwise_band(const Correlation& c, std::int64_t element) {
  const std::int64_t bytes = c.height.out * (c.height.step * c.in_row + c.out_row) * element;
  return ceil_div(c.height.out, std::max<std::int64_t>(1, bytes / (16 * 1024)));
}

/// Calls body(image, first, last) for bands of rows of a batch, in parallel.
template <class Body>
void for_each_band(std::int64_t batch, std::int64_t rows, std::int64_t band, const Body& body) {
  const std::int64_t bands = ceil_div(rows, band), tasks = batch * bands;
  parallel_ranges(tasks, std::max<std::int64_t>(1, tasks / wanted_tasks), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(i / bands, i % bands * band, std::min(rows, (i % bands + 1) * band));
  });
}

}  // namespace siena::kernels::detail
