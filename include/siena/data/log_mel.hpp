// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/shape.hpp"
#include "siena/data/mel_spectrogram.hpp"

namespace siena::data {

/// The mel spectrogram in decibels: (20 / power) log10(mel + floor).
class LogMel {
 public:
  explicit LogMel(const LogMelOptions& options = {}) : options_(options), mel_(options.mel) {
    require<ArgumentError>(options.floor > 0, "LogMel: expected a floor above 0, got {}", options.floor);
  }

  const LogMelOptions& options() const { return options_; }
  double sample_rate() const { return options_.mel.sample_rate; }
  /// Of the features of this many samples: frames x bands x 1, an image of one channel.
  Shape shape(std::int64_t samples) const { return {mel_.frames(samples), options_.mel.bands, 1}; }

  /// Samples of one channel, from -1 to 1, to features. May be called from several threads at once.
  std::vector<float> operator()(std::span<const float> samples) const {
    const auto mel = mel_(samples);
    const double scale = 20 / options_.mel.power;
    std::vector<float> result;
    result.reserve(mel.size());
    for (const double energy : mel) result.push_back(static_cast<float>(scale * std::log10(energy + options_.floor)));
    return result;
  }

 private:
  LogMelOptions options_;
  MelSpectrogram mel_;
};

}  // namespace siena::data
