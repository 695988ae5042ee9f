// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/parallel.hpp"
#include "siena/core/random.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/keywords.hpp"
#include "siena/data/measure.hpp"
#include "siena/data/recordings.hpp"
#include "siena/data/room.hpp"
#include "siena/data/synthetic.hpp"

// Data of the shapes of the benchmarks, so that everything runs without a download. What is learnt from them says nothing about
// the real ones.

namespace siena::data {

struct SyntheticSizes {
  std::int64_t train = 2000, validation = 250, test = 500;
  std::uint64_t seed = 0;  ///< of all of it
};

namespace detail {
inline Splits synthetic_squares(std::int64_t side, std::int64_t classes, const SyntheticSizes& sizes) {
  return synthetic_images({.classes = classes,
                           .height = side,
                           .width = side,
                           .train = sizes.train,
                           .validation = sizes.validation,
                           .test = sizes.test,
                           .seed = sizes.seed});
}
}  // namespace detail

/// As Visual Wake Words: 96 x 96 x 3, two classes.
inline Splits synthetic_wake_words(const SyntheticSizes& sizes = {}) {
  Splits splits = detail::synthetic_squares(96, 2, sizes);
  for (Dataset* part : {&splits.train, &splits.validation, &splits.test}) {
    Preparation preparation = part->preparation();
    preparation.classes = {"nobody", "person"};
    *part = part->described(std::move(preparation));
  }
  return splits;
}

/// As Tiny ImageNet: 64 x 64 x 3, 200 classes.
inline Splits synthetic_tiny_imagenet(const SyntheticSizes& sizes = {.train = 8000, .validation = 1000, .test = 1000}) {
  return detail::synthetic_squares(64, 200, sizes);
}

namespace detail {

inline constexpr std::int64_t keyword_frames = 49, keyword_coefficients = 10, keyword_classes = 12;
inline constexpr std::int64_t keyword_silence = 10, keyword_unknown = 11, keyword_words = 40;

/// Coefficient k of a word at a time from 0 to 1: three waves of the word's own.
inline double keyword_wave(std::int64_t word, std::int64_t k, double time) {
  const Random random = Random(2310).split(static_cast<std::uint64_t>(word)).split(static_cast<std::uint64_t>(k));
  double sum = 0;
  for (std::uint64_t wave = 0; wave < 3; ++wave) {
    const double strength = 2 * random.uniform_at(3 * wave) - 1, turns = 0.3 + 2 * random.uniform_at(3 * wave + 1);
    sum += strength * std::sin(2 * std::numbers::pi * (turns * time + random.uniform_at(3 * wave + 2)));
  }
  return sum;
}

/// A word that begins anywhere, as fast and as loud as it likes, of a speaker's own colour, under noise.
inline void draw_keyword(std::int64_t label, Random random, float* out) {
  const std::int64_t word = label == keyword_unknown
                                ? keyword_classes + static_cast<std::int64_t>(random.below(keyword_words - keyword_classes))
                                : label;
  const double length = random.uniform(0.5, 0.7), begin = random.uniform(0.05, 0.25), loudness = random.uniform(0.8, 1.2);
  std::array<double, keyword_coefficients> colour{};
  for (double& value : colour) value = 2 * random.normal();
  for (std::int64_t t = 0; t < keyword_frames; ++t) {
    const double time = (static_cast<double>(t) / keyword_frames - begin) / length;
    const bool spoken = label != keyword_silence && time > 0 && time < 1;
    const double envelope = spoken ? loudness * std::sin(std::numbers::pi * time) : 0;
    for (std::int64_t k = 0; k < keyword_coefficients; ++k) {
      const double mean = k == 0 ? -50 + 40 * envelope : 0, swing = 12 / (1 + 0.2 * static_cast<double>(k));
      const double value = spoken ? envelope * swing * keyword_wave(word, k, time) : 0;
      *out++ = static_cast<float>(mean + value + colour[static_cast<std::size_t>(k)] + 2 * random.normal());
    }
  }
}

inline Dataset keyword_part(std::int64_t size, const Random& random, std::string name) {
  constexpr std::int64_t each = keyword_frames * keyword_coefficients;
  auto values = room_for<float>(size, {each}, name);
  std::vector<std::int32_t> labels(static_cast<std::size_t>(size));
  parallel_for(size, [&](std::int64_t i) {
    labels[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i % keyword_classes);
    draw_keyword(i % keyword_classes, random.split(static_cast<std::uint64_t>(i)), values.data() + i * each);
  });
  return Dataset::from_floats(std::move(values), {.shape = {keyword_frames, keyword_coefficients, 1},
                                                  .labels = std::move(labels),
                                                  .classes = keyword_classes,
                                                  .name = std::move(name),
                                                  .preparation = {.classes = mlperf_keywords()}});
}

}  // namespace detail

/// As the MFCCs of Speech Commands: 49 x 10 x 1, ten words, silence and unknown words. Classes take turns.
inline Splits synthetic_keywords(const SyntheticSizes& sizes = {}) {
  require<ArgumentError>(
      sizes.train >= 1 && sizes.validation >= 0 && sizes.test >= 0,
      "synthetic_keywords: expected at least 1 clip to train with and 0 or more of the others, got {}, {} and {}", sizes.train,
      sizes.validation, sizes.test);
  const Dataset train = detail::keyword_part(sizes.train, Random(sizes.seed, 0), "synthetic keywords train");
  const Normalization normalization = measure(train);
  const auto part = [&](std::int64_t size, std::uint64_t stream, const char* name) {
    return detail::keyword_part(size, Random(sizes.seed, stream), name).normalized(normalization);
  };
  return {.train = train.normalized(normalization),
          .validation = part(sizes.validation, 1, "synthetic keywords validation"),
          .test = part(sizes.test, 2, "synthetic keywords test")};
}

/// Recordings of each machine; 20 windows each.
struct SyntheticMachinesOptions {
  std::int64_t machines = 4;                 ///< 1 to 99
  std::int64_t train = 24, validation = 4;   ///< all normal
  std::int64_t normal = 12, anomalies = 12;  ///< to test
  std::uint64_t seed = 0;                    ///< of all of it
};

namespace detail {

inline constexpr std::int64_t machine_bands = 128;

/// A motor under a load of its own: a falling spectrum with lines at multiples of a pitch, all of a strength that the load
/// sets, slowly beating. An anomaly has a line where no normal machine has one, and lacks another.
inline void draw_machine(std::int64_t machine, bool anomaly, Random random, std::vector<float>& out, std::int64_t frames) {
  const Random make = Random(7).split(static_cast<std::uint64_t>(machine));  // the same for every data set
  const double pitch = 9 + 6 * make.uniform_at(0);
  const double load = random.uniform(0, 1), level = 2 * random.normal(), beat = random.uniform(0, 1);
  const double stray = pitch * (1.4 + static_cast<double>(random.below(5)) + 0.2 * random.uniform());
  const auto missing = 1 + random.below(6);
  std::array<double, machine_bands> spectrum{};
  for (std::int64_t b = 0; b < machine_bands; ++b) {
    const double band = static_cast<double>(b);
    const auto line = [&](double at) { return std::exp(-0.5 * (band - at) * (band - at) / 2.25); };
    double value = -30 - 0.2 * band + level;
    for (std::uint64_t k = 1; k <= 6; ++k) {
      const double strength = (8 + 10 * make.uniform_at(k)) * (0.5 + 0.5 * load);
      if (!anomaly || k != missing) value += strength * line(pitch * static_cast<double>(k));
    }
    spectrum[static_cast<std::size_t>(b)] = value + (anomaly ? 10 * line(stray) : 0);
  }
  for (std::int64_t t = 0; t < frames; ++t) {
    const double swell = 1.5 * std::sin(2 * std::numbers::pi * (beat + 0.07 * static_cast<double>(t)));
    for (const double value : spectrum) out.push_back(static_cast<float>(value + swell + 1.5 * random.normal()));
  }
}

}  // namespace detail

/// As the windows of ToyCar: 640 values, 5 frames of 128 bands in decibels, of four machines by default.
inline MonitoredMachines synthetic_machines(const SyntheticMachinesOptions& options = {}) {
  const auto& o = options;
  require<ArgumentError>(
      o.machines >= 1 && o.machines <= 99 && o.train >= 1 && o.validation >= 0 && o.normal >= 1 && o.anomalies >= 1,
      "synthetic_machines: expected 1 to 99 machines with recordings to train with, normal ones and anomalies to "
      "test, got {} with {}, {} and {}",
      o.machines, o.train, o.normal, o.anomalies);
  const std::int64_t most = std::max({o.train, o.validation, o.normal, o.anomalies});
  require<ArgumentError>(most <= 100'000, "synthetic_machines: expected at most 100000 recordings of each kind, got {}", most);
  const WindowLayout layout{.frames = 24};
  MonitoredMachines result;
  const auto part = [&](std::uint64_t stream, std::int64_t normal, std::int64_t anomalies) {
    std::vector<float> values;
    std::vector<std::int32_t> anomaly;
    for (std::int64_t machine = 1; machine <= o.machines; ++machine) {
      const Random random = Random(o.seed, stream).split(static_cast<std::uint64_t>(machine));
      for (std::int64_t i = 0; i < normal + anomalies; ++i) {
        anomaly.push_back(i >= normal ? 1 : 0);
        detail::draw_machine(machine, i >= normal, random.split(static_cast<std::uint64_t>(i)), values, layout.frames);
        if (stream != 2) continue;
        const std::string id = format("{:02}", machine);
        result.recordings.push_back({.name = format("{}_id_{}_{:08}", i >= normal ? "anomaly" : "normal", id, i),
                                     .machine = id,
                                     .anomaly = i >= normal,
                                     .first = static_cast<std::int64_t>(result.recordings.size()) * layout.windows(),
                                     .windows = layout.windows()});
      }
    }
    return window_dataset(std::move(values), layout, anomaly);
  };
  const Dataset train = part(0, o.train, 0);
  const Normalization normalization = one_for_all_features(train);
  result.train = train.normalized(normalization).named("synthetic machines train");
  result.validation = part(1, o.validation, 0).normalized(normalization).named("synthetic machines validation");
  result.test = part(2, o.normal, o.anomalies).normalized(normalization).named("synthetic machines test");
  return result;
}

}  // namespace siena::data
