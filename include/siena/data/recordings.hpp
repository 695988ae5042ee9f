// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/measure.hpp"

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

/// How recordings become samples: each has as many frames of as many bands, and every `window` frames in a row are a sample.
struct WindowLayout {
  std::int64_t frames = 200, bands = 128, window = 5;

  std::int64_t windows() const { return frames - window + 1; }  ///< of a recording
};

/// The windows of recordings, whose frames `values` holds one after the other: those of the first, then those of the next.
/// Class 1 are the windows of anomalies (`anomaly`: a number for each recording). Windows overlap in memory.
inline Dataset window_dataset(std::vector<float> values, const WindowLayout& layout, std::span<const std::int32_t> anomaly) {
  require<ArgumentError>(
      layout.window >= 1 && layout.frames >= layout.window && layout.frames <= 1 << 20 && layout.bands >= 1 &&
          layout.bands <= 1 << 20,
      "window_dataset: expected windows of 1 frame or more within 2^20 frames of 1 to 2^20 bands, got {} of {} "
      "frames of {}",
      layout.window, layout.frames, layout.bands);
  std::vector<std::int32_t> labels;
  std::vector<std::int64_t> places;
  for (const std::int32_t label : anomaly) {
    for (std::int64_t w = 0; w < layout.windows(); ++w) places.push_back(static_cast<std::int64_t>(labels.size()) + w);
    labels.insert(labels.end(), static_cast<std::size_t>(layout.frames), label);
  }
  // The last ones would reach beyond the last recording; others reach into the next one, and nobody looks at them.
  labels.resize(labels.size() - static_cast<std::size_t>(anomaly.empty() ? 0 : layout.window - 1));
  return Dataset::from_floats(std::move(values), {.shape = {layout.window * layout.bands},
                                                  .labels = std::move(labels),
                                                  .classes = 2,
                                                  .name = "recordings",
                                                  .step = layout.bands,
                                                  .preparation = {.classes = {"normal", "anomaly"}}})
      .subset(places);
}

/// The windows of some of the recordings.
inline Dataset take_recordings(const Dataset& dataset, const WindowLayout& layout, std::span<const std::int64_t> recordings) {
  std::vector<std::int64_t> places;
  for (const std::int64_t recording : recordings) {
    for (std::int64_t w = 0; w < layout.windows(); ++w) places.push_back(recording * layout.windows() + w);
  }
  return dataset.subset(places);
}

/// The mean of the windows' scores, for each recording.
inline std::vector<double> mean_by_recording(const std::vector<double>& scores, const std::vector<Recording>& recordings) {
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
