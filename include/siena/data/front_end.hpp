// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "siena/core/shape.hpp"
#include "siena/data/front_end_options.hpp"
#include "siena/data/log_mel.hpp"
#include "siena/data/mfcc.hpp"

namespace siena::data {

/// The front-end that options name.
class FrontEnd {
 public:
  explicit FrontEnd(const FrontEndOptions& options) : front_end_(make(options)) {}

  /// Of the samples, Hz, rounded.
  std::int64_t sample_rate() const {
    return std::visit([](const auto& chosen) { return std::llround(chosen.sample_rate()); }, front_end_);
  }
  /// Of the features of this many samples: frames x features of a frame x 1, an image of one channel.
  Shape shape(std::int64_t samples) const {
    return std::visit([&](const auto& chosen) { return chosen.shape(samples); }, front_end_);
  }
  /// Samples of one channel, from -1 to 1, to features. May be called from several threads at once.
  std::vector<float> operator()(std::span<const float> samples) const {
    return std::visit([&](const auto& chosen) { return chosen(samples); }, front_end_);
  }

 private:
  using Made = std::variant<Mfcc, LogMel>;
  static Made make(const FrontEndOptions& options) {
    if (const auto* mfcc = std::get_if<MfccOptions>(&options)) return Mfcc(*mfcc);
    return LogMel(std::get<LogMelOptions>(options));
  }

  Made front_end_;
};

}  // namespace siena::data
