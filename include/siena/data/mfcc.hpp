// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/shape.hpp"
#include "siena/data/mel_spectrogram.hpp"

namespace siena::data {

/// Mel-frequency cepstral coefficients: the orthonormal DCT-II of ln(mel + floor), of which the first few are kept:
/// c[k] = s(k) sum_b ln(mel[b] + floor) cos(pi k (b + 1/2) / bands), s(0) = sqrt(1 / bands), else sqrt(2 / bands). Options
/// change s(0) and scale the samples.
class Mfcc {
 public:
  explicit Mfcc(const MfccOptions& options = {}) : options_(options), mel_(options.mel) {
    require<ArgumentError>(options.coefficients >= 1 && options.coefficients <= options.mel.bands && options.floor > 0,
                           "Mfcc: expected 1 to {} coefficients, as many as bands, and a floor above 0, got {} and {}",
                           options.mel.bands, options.coefficients, options.floor);
    const double bands = static_cast<double>(options.mel.bands);
    for (std::int64_t k = 0; k < options.coefficients; ++k) {
      for (std::int64_t b = 0; b < options.mel.bands; ++b) {
        const double angle = std::numbers::pi * static_cast<double>(k) * (static_cast<double>(b) + 0.5) / bands;
        cosines_.push_back(std::sqrt((k == 0 && options.orthonormal ? 1 : 2) / bands) * std::cos(angle));
      }
    }
  }

  const MfccOptions& options() const { return options_; }
  double sample_rate() const { return options_.mel.sample_rate; }
  /// Of the features of this many samples: frames x coefficients x 1, an image of one channel.
  Shape shape(std::int64_t samples) const { return {mel_.frames(samples), options_.coefficients, 1}; }

  /// Samples of one channel, from -1 to 1, to features. May be called from several threads at once.
  std::vector<float> operator()(std::span<const float> samples) const {
    auto mel = options_.scale_to_largest ? mel_(scaled_to_largest(samples)) : mel_(samples);
    for (double& energy : mel) energy = std::log(energy + options_.floor);
    const auto bands = static_cast<std::size_t>(options_.mel.bands);
    std::vector<float> result;
    result.reserve(mel.size() / bands * static_cast<std::size_t>(options_.coefficients));
    for (std::size_t frame = 0; frame < mel.size(); frame += bands) {
      for (std::size_t row = 0; row < cosines_.size(); row += bands) {
        double sum = 0;
        for (std::size_t b = 0; b < bands; ++b) sum += cosines_[row + b] * mel[frame + b];
        result.push_back(static_cast<float>(sum));
      }
    }
    return result;
  }

 private:
  /// Divided by their largest value; silence stays what it is.
  static std::vector<float> scaled_to_largest(std::span<const float> samples) {
    std::vector<float> scaled(samples.begin(), samples.end());
    const float largest = scaled.empty() ? 0 : *std::max_element(scaled.begin(), scaled.end());
    if (largest != 0) {
      for (float& sample : scaled) sample /= largest;
    }
    return scaled;
  }

  MfccOptions options_;
  MelSpectrogram mel_;
  std::vector<double> cosines_;  // coefficients x bands
};

}  // namespace siena::data
