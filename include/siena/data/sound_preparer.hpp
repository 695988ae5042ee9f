// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/data/front_end.hpp"
#include "siena/data/preparation.hpp"
#include "siena/data/resample.hpp"

namespace siena::data {

/// Makes samples of sound as they were made for training.
class SoundPreparer {
 public:
  explicit SoundPreparer(const SoundPreparation& preparation) : preparation_(preparation), front_end_(preparation.front_end) {
    require<ArgumentError>(preparation.seconds >= 0 && preparation.seconds <= 3600 && preparation.window >= 0,
                           "SoundPreparer: expected 0 to 3600 seconds and a window of 0 frames or more, got {} and {}",
                           preparation.seconds, preparation.window);
  }

  /// Samples of one channel, from -1 to 1, `rate` of them a second, to values as Dataset::sample gives them: one sample, or
  /// those of every window, one after the other. Throws DataError where the sound is too short for one.
  std::vector<float> operator()(std::span<const float> sound, std::int64_t rate) const {
    std::vector<float> samples = resample(sound, {.from = rate, .to = front_end_.sample_rate()});
    const auto length = std::llround(preparation_.seconds * static_cast<double>(front_end_.sample_rate()));
    if (length > 0) samples.resize(static_cast<std::size_t>(length));
    std::vector<float> features = front_end_(samples);
    if (preparation_.window == 0) return features;

    const Shape shape = front_end_.shape(static_cast<std::int64_t>(samples.size()));
    require<DataError>(shape[0] >= preparation_.window, "SoundPreparer: expected a sound of {} frames or more, got {}",
                       preparation_.window, shape[0]);
    std::vector<float> windows;
    for (std::int64_t first = 0; first + preparation_.window <= shape[0]; ++first) {
      const auto from = features.begin() + first * shape[1];
      windows.insert(windows.end(), from, from + preparation_.window * shape[1]);
    }
    return windows;
  }

 private:
  SoundPreparation preparation_;
  FrontEnd front_end_;
};

}  // namespace siena::data
