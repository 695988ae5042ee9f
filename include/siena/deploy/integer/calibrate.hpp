// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/tensor.hpp"
#include "siena/deploy/run_lowered.hpp"

namespace siena::deploy {

/// What of a value's numbers its 256 steps span.
enum class Calibration {
  min_max,            ///< all that came up
  percentile,         ///< all but the outermost few
  mean_squared_error  ///< so much that rounding inside and clipping outside, together, are off by least
};
inline std::span<const std::string_view> names_of(Calibration) {
  static constexpr std::string_view names[] = {"min-max", "percentile", "mean-squared-error"};
  return names;
}

/// From where to where the numbers of a value go; 0 is among them.
struct ValueRange {
  double low = 0, high = 0;

  void hold(double number) { low = std::min(low, number), high = std::max(high, number); }
  /// Of 255 steps; 1 where all numbers are 0, which any step holds exactly.
  double scale() const { return high > low ? (high - low) / 255 : 1; }
  /// The integer of 0. Numbers that are never below 0 begin at -128, so that holding an int8 is their ReLU.
  int zero_point() const { return static_cast<int>(std::clamp(std::floor(-128 - low / scale() + 0.5), -128.0, 127.0)); }
};

namespace detail {

/// How often the numbers of a value came up, in equal parts of its range.
class Histogram {
 public:
  explicit Histogram(ValueRange range) : range_(range) {}

  void add(double number) {
    const double part = (number - range_.low) / (range_.high - range_.low) * bins;
    ++counts_[static_cast<std::size_t>(std::clamp(part, 0.0, bins - 1.0))], ++total_;
  }
  /// Without the outermost numbers, of all that share on the two sides together.
  ValueRange without(double share) const {
    const double most = static_cast<double>(total_) * share / 2;
    std::size_t first = 0, last = bins;
    for (double gone = 0; first < last && (gone += counts_[first]) <= most;) ++first;
    for (double gone = 0; last > first && (gone += counts_[last - 1]) <= most;) --last;
    return {std::min(0.0, edge(first)), std::max(0.0, edge(last))};
  }
  /// The part of the range, both ends drawn in alike, in which numbers are off by least.
  ValueRange nearest() const {
    ValueRange best = range_;
    double least = std::numeric_limits<double>::infinity();
    for (int percent = 100; percent >= 20; percent -= 2) {
      const ValueRange range{range_.low * percent / 100, range_.high * percent / 100};
      const double error = squared_error(range);
      if (error < least) least = error, best = range;
    }
    return best;
  }

 private:
  static constexpr std::size_t bins = 2048;

  double edge(std::size_t bin) const {
    return range_.low + (range_.high - range_.low) * static_cast<double>(bin) / static_cast<double>(bins);
  }
  double squared_error(const ValueRange& range) const {
    const double rounding = range.scale() * range.scale() / 12;
    double sum = 0;
    for (std::size_t bin = 0; bin < bins; ++bin) {
      const double number = (edge(bin) + edge(bin + 1)) / 2, beyond = number - std::clamp(number, range.low, range.high);
      sum += static_cast<double>(counts_[bin]) * (rounding + beyond * beyond);
    }
    return sum;
  }

  ValueRange range_;
  std::array<std::int64_t, bins> counts_{};
  std::int64_t total_ = 0;
};

}  // namespace detail

struct CalibrationOptions {
  Calibration method = Calibration::min_max;
  double percentile = 99.99;  ///< of the numbers of a value that its steps span: of the method of this name
};

/// The range of each value of a network over batches of calibration data: what its inputs look like, some hundred of them.
/// DataError where there are none, or one is not finite.
inline std::vector<ValueRange> calibrate(const LoweredNetwork& network, std::span<const Tensor> batches,
                                         const CalibrationOptions& options = {}) {
  require<ArgumentError>(options.percentile > 50 && options.percentile <= 100,
                         "calibrate: expected a percentile above 50, up to 100, got {}", options.percentile);
  std::vector<ValueRange> ranges(network.values.size());
  std::int64_t samples = 0;
  // body(value, number) for all of them
  const auto for_numbers = [&](auto&& body) {
    for (const Tensor& batch : batches) {
      const std::vector<Tensor> values = run_lowered(network, batch);
      for (std::size_t v = 0; v < values.size(); ++v) {
        require<DataError>(values[v].finite(), "calibrate: expected finite numbers in '{}', got NaN or infinity",
                           network.values[v].name);
        for (std::int64_t r = 0; r < values[v].rows(); ++r)
          for (const float number : values[v].row(r)) body(v, number);
      }
    }
  };
  for (const Tensor& batch : batches) samples += batch.empty() ? 0 : batch.shape()[0];
  require<DataError>(samples > 0,
                     "calibrate: expected samples to calibrate with, got none; hint: some hundred of the training "
                     "part are enough");
  for_numbers([&](std::size_t v, float number) { ranges[v].hold(number); });
  if (options.method == Calibration::min_max) return ranges;
  std::vector<detail::Histogram> histograms(ranges.begin(), ranges.end());
  for_numbers([&](std::size_t v, float number) {
    if (ranges[v].high > ranges[v].low) histograms[v].add(number);
  });
  for (std::size_t v = 0; v < ranges.size(); ++v) {
    if (ranges[v].high <= ranges[v].low) continue;
    ranges[v] = options.method == Calibration::percentile ? histograms[v].without(1 - options.percentile / 100)
                                                          : histograms[v].nearest();
  }
  return ranges;
}

}  // namespace siena::deploy
