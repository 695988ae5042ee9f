// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "siena/core/error.hpp"

// What front-ends for sound can be told. Apart from the front-ends, which need Eigen: whoever only says or keeps the settings
// of one includes this. Options name themselves in one place (`attributes`): caches and files tell them apart by these names.

namespace siena::data {

/// How the mel scale bends frequencies. `htk`: 2595 log10(1 + f / 700), triangles of height 1. `slaney`: linear up to 1 kHz and
/// logarithmic above, triangles of area 1 (what librosa takes by default).
enum class MelScale { htk, slaney };
inline std::span<const std::string_view> names_of(MelScale) {
  static constexpr std::string_view names[] = {"htk", "slaney"};
  return names;
}

struct MelOptions {
  double sample_rate = 16000;    ///< of the samples, Hz
  std::int64_t window = 480;     ///< samples of a frame, weighed by a periodic Hann window
  std::int64_t hop = 320;        ///< samples from frame to frame
  std::int64_t fft = 512;        ///< the frame is filled up with zeros to this many
  std::int64_t bands = 40;       ///< of the spectrogram
  double low = 20, high = 4000;  ///< where the first triangle begins and the last one ends, Hz
  double power = 2;              ///< of the magnitudes that a band adds up: 1 or 2
  bool centred = false;  ///< frame t is centred at sample t * hop, the signal mirrored at its ends; else it begins there
  MelScale scale = MelScale::htk;  ///< how frequencies become mel
  bool straight_in_mel = false;    ///< the triangles' sides, as TensorFlow draws them; else straight in Hz

  bool operator==(const MelOptions&) const = default;
  static void attributes(auto& self, auto&& visit) {
    visit("sample_rate", self.sample_rate);
    visit("window", self.window);
    visit("hop", self.hop);
    visit("fft", self.fft);
    visit("bands", self.bands);
    visit("low", self.low);
    visit("high", self.high);
    visit("power", self.power);
    visit("centred", self.centred);
    visit("scale", self.scale);
    visit("straight_in_mel", self.straight_in_mel);
  }
};

/// The defaults have the shape of MLPerf Tiny's keyword spotting, 49 frames x 10 coefficients of a second at 16 kHz, but powers
/// where that takes magnitudes, and an orthonormal DCT: networks trained with the one are not for the other.
struct MfccOptions {
  MelOptions mel = {};             ///< the spectrogram that it is made from
  std::int64_t coefficients = 10;  ///< of a frame
  double floor = 1e-6;             ///< added to the energy of a band before its logarithm is taken
  bool scale_to_largest = false;   ///< divide the samples by their largest value, so that loudness does not count
  bool orthonormal = true;         ///< else coefficient 0 is sqrt(2) times that, as TensorFlow's

  /// What MLPerf Tiny's reference code computes for keyword spotting (benchmark/training/keyword_spotting/get_dataset.py).
  static MfccOptions mlperf_tiny() {
    return {.mel = {.power = 1, .straight_in_mel = true}, .scale_to_largest = true, .orthonormal = false};
  }

  bool operator==(const MfccOptions&) const = default;
  static std::string_view kind() { return "mfcc"; }
  static void attributes(auto& self, auto&& visit) {
    visit("coefficients", self.coefficients);
    visit("floor", self.floor);
    visit("scale_to_largest", self.scale_to_largest);
    visit("orthonormal", self.orthonormal);
    visit("mel", self.mel);
  }
};

/// The defaults are those of DCASE 2020 task 2 and of MLPerf Tiny's anomaly detection, which took them from librosa.
struct LogMelOptions {
  MelOptions mel = {.window = 1024,
                    .hop = 512,
                    .fft = 1024,
                    .bands = 128,
                    .low = 0,
                    .high = 8000,
                    .centred = true,
                    .scale = MelScale::slaney};
  double floor = std::numeric_limits<double>::epsilon();  ///< added to the energy of a band before its logarithm is taken

  bool operator==(const LogMelOptions&) const = default;
  static std::string_view kind() { return "log_mel"; }
  static void attributes(auto& self, auto&& visit) {
    visit("floor", self.floor);
    visit("mel", self.mel);
  }
};

using FrontEndOptions = std::variant<MfccOptions, LogMelOptions>;

/// "mfcc coefficients=10 ... sample_rate=16000 ...": every option of a front-end by its name.
inline std::string to_string(const FrontEndOptions& options) {
  std::string text;
  const auto add = [&](const auto& self, std::string_view name, const auto& value) -> void {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, MelOptions>) {
      Value::attributes(value, [&](std::string_view inner, const auto& field) { self(self, inner, field); });
    } else if constexpr (std::is_enum_v<Value>) {
      text += format(" {}={}", name, names_of(value)[static_cast<std::size_t>(value)]);
    } else {
      text += format(" {}={}", name, value);
    }
  };
  std::visit(
      [&](const auto& chosen) {
        text = chosen.kind();
        chosen.attributes(chosen, [&](std::string_view name, const auto& field) { add(add, name, field); });
      },
      options);
  return text;
}

}  // namespace siena::data
