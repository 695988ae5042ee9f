// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/data/dataset.hpp"

namespace siena::data {

namespace detail {

// Sums are of whole numbers, hence exact in any order. Adding image rows up position by position keeps the loop free of
// dependences; 32 bits hold the squares of 65,536 rows.
inline void measure_bytes(const Dataset& dataset, std::vector<double>& sum, std::vector<double>& squares) {
  const auto row =
      static_cast<std::size_t>(dataset.shape().rank() > 2 ? dataset.shape()[-2] * dataset.channels() : dataset.channels());
  const auto channels = static_cast<std::size_t>(dataset.channels());
  std::vector<std::uint32_t> sums(row), products(row);
  std::vector<std::uint64_t> total(channels), total_squares(channels);
  std::size_t pending = 0;
  const auto flush = [&] {
    for (std::size_t j = 0; j < row; ++j) {
      total[j % channels] += std::exchange(sums[j], 0u);
      total_squares[j % channels] += std::exchange(products[j], 0u);
    }
    pending = 0;
  };
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const auto bytes = dataset.bytes(i);
    for (std::size_t start = 0; start < bytes.size(); start += row) {
      const std::uint8_t* values = bytes.data() + start;
      for (std::size_t j = 0; j < row; ++j) {
        const std::uint32_t value = values[j];
        sums[j] += value;
        products[j] += value * value;
      }
      if (++pending == 65536) flush();
    }
  }
  flush();
  for (std::size_t c = 0; c < channels; ++c) {
    sum[c] = static_cast<double>(total[c]) / 255.0;
    squares[c] = static_cast<double>(total_squares[c]) / (255.0 * 255.0);
  }
}

}  // namespace detail

/// Mean and standard deviation of every channel over all samples; call it on the training split and on nothing else. A channel
/// that never changes gets deviation 1, so that normalising it gives zeros.
inline Normalization measure(const Dataset& dataset) {
  require<DataError>(!dataset.empty(), "measure: expected at least one sample, got none in '{}'", dataset.name());
  const auto channels = static_cast<std::size_t>(dataset.channels());
  const double count = static_cast<double>(dataset.size()) * static_cast<double>(dataset.shape().rows());
  std::vector<double> mean(channels), squares(channels), variance(channels);
  if (dataset.holds_bytes()) {
    detail::measure_bytes(dataset, mean, squares);
    for (std::size_t c = 0; c < channels; ++c) {
      mean[c] /= count;
      squares[c] /= count;
      variance[c] = squares[c] - mean[c] * mean[c];
    }
  } else {  // two passes: features may lie far from zero
    const auto each = [&](auto&& visit) {
      for (std::int64_t i = 0; i < dataset.size(); ++i) {
        const auto values = dataset.floats(i);
        for (std::size_t at = 0; at < values.size(); at += channels) {
          for (std::size_t c = 0; c < channels; ++c) visit(c, double{values[at + c]});
        }
      }
    };
    each([&](std::size_t c, double value) { mean[c] += value / count; });
    each([&](std::size_t c, double value) {
      squares[c] += value * value / count;
      variance[c] += (value - mean[c]) * (value - mean[c]) / count;
    });
  }
  Normalization result{.mean = std::vector<float>(channels), .deviation = std::vector<float>(channels)};
  for (std::size_t c = 0; c < channels; ++c) {
    const bool constant = variance[c] <= 1e-12 * squares[c];
    result.mean[c] = static_cast<float>(mean[c]);
    result.deviation[c] =
        constant ? 1.0f : std::max(static_cast<float>(std::sqrt(variance[c])), std::numeric_limits<float>::min());
  }
  return result;
}

}  // namespace siena::data
