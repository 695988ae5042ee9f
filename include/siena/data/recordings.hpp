// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/data/dataset.hpp"

namespace siena::data {

/// A recording of which the windows are samples: [first, first + windows) of a dataset.
struct Recording {
  std::string name = {};
  std::string machine = {};
  bool anomaly = false;
  std::int64_t first = 0, windows = 0;
};

/// Windows of recordings of machines: what is learnt is normal, what is tested may not be.
struct MonitoredMachines : Splits {
  std::vector<Recording> recordings = {};  ///< of the test part, in its order
};

/// The mean of the windows' scores, for each recording.
inline std::vector<double> mean_by_recording(std::span<const double> scores, std::span<const Recording> recordings) {
  std::vector<double> means;
  for (const Recording& recording : recordings) {
    require<ShapeError>(recording.first >= 0 && recording.windows > 0 &&
                            recording.first + recording.windows <= static_cast<std::int64_t>(scores.size()),
                        "mean_by_recording: expected a score for each window, got {} for windows {} to {} of '{}'",
                        scores.size(), recording.first, recording.first + recording.windows - 1, recording.name);
    double sum = 0;
    for (std::int64_t w = 0; w < recording.windows; ++w) sum += scores[static_cast<std::size_t>(recording.first + w)];
    means.push_back(sum / static_cast<double>(recording.windows));
  }
  return means;
}

/// The mean and standard deviation over all values of all samples, the same for every feature.
inline Normalization one_for_all_features(const Dataset& dataset) {
  Normalization normalization = measure(dataset);
  const auto count = static_cast<double>(normalization.mean.size());
  double mean = 0, variance = 0;
  for (const float value : normalization.mean) mean += double{value} / count;
  for (std::size_t c = 0; c < normalization.mean.size(); ++c) {
    const double deviation = normalization.deviation[c], distance = normalization.mean[c] - mean;
    variance += (deviation * deviation + distance * distance) / count;
  }
  normalization.mean.assign(normalization.mean.size(), static_cast<float>(mean));
  normalization.deviation.assign(normalization.mean.size(), static_cast<float>(std::sqrt(variance)));
  return normalization;
}

}  // namespace siena::data
