// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <numeric>
#include <span>
#include <vector>

#include "siena/core/error.hpp"

namespace siena::data {

struct ResampleRates {
  std::int64_t from = 0, to = 0;  ///< Hz
};

/// The same signal at another rate: each new sample is the sum of the old ones around it, weighed by a sinc of 16 zero
/// crossings to either side under a Hann window; where the rate falls the sinc is as much wider, so that what the new rate
/// cannot hold is gone. Sample 0 stays at time 0; there are ceil(count * to / from) of the new ones.
inline std::vector<float> resample(std::span<const float> samples, const ResampleRates& rates) {
  require<ArgumentError>(rates.from >= 1000 && rates.from <= 384000 && rates.to >= 1000 && rates.to <= 384000,
                         "resample: expected rates from 1000 Hz to 384000 Hz, got {} and {}", rates.from, rates.to);
  if (rates.from == rates.to) return {samples.begin(), samples.end()};
  const std::int64_t common = std::gcd(rates.from, rates.to), from = rates.from / common, to = rates.to / common;
  const auto count = static_cast<std::int64_t>(samples.size());
  const double crossings = 16, band = std::min(1.0, static_cast<double>(to) / static_cast<double>(from));
  const auto reach = static_cast<std::int64_t>(std::ceil(crossings / band));

  // New sample n lies at n * from / to: `to` different fractions, each with weights of its own. They are kept where they are
  // few; rates without a common divisor, such as 383,999 and 16,000 Hz, have 100 MB of them.
  constexpr std::int64_t most = 1 << 17;
  const bool few = to * 2 * reach <= most;
  std::map<std::int64_t, std::vector<double>> phases;
  const auto weights_of = [&](std::int64_t phase) -> const std::vector<double>& {
    auto& weights = phases[few ? phase : 0];
    if (few && !weights.empty()) return weights;
    weights.clear();
    double sum = 0;
    for (std::int64_t k = -reach + 1; k <= reach; ++k) {
      const double x = band * (static_cast<double>(k) - static_cast<double>(phase) / static_cast<double>(to));
      const double angle = std::numbers::pi * x;
      const double sinc = std::abs(x) < 1e-9 ? 1 : std::sin(angle) / angle;
      weights.push_back(std::abs(x) < crossings ? sinc * (0.5 + 0.5 * std::cos(angle / crossings)) : 0);
      sum += weights.back();
    }
    for (double& weight : weights) weight /= sum;  // a constant stays what it is
    return weights;
  };

  std::vector<float> result(static_cast<std::size_t>((count * to + from - 1) / from));
  for (std::size_t n = 0; n < result.size(); ++n) {
    const std::int64_t place = static_cast<std::int64_t>(n) * from;
    const auto& weights = weights_of(place % to);
    const std::int64_t first = place / to - reach + 1;
    double sum = 0;
    for (std::int64_t k = std::max<std::int64_t>(0, -first); k < 2 * reach && first + k < count; ++k) {
      sum += weights[static_cast<std::size_t>(k)] * double{samples[static_cast<std::size_t>(first + k)]};
    }
    result[n] = static_cast<float>(sum);
  }
  return result;
}

}  // namespace siena::data
