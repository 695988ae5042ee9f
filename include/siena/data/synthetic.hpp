// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/parallel.hpp"
#include "siena/core/random.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/measure.hpp"
#include "siena/data/room.hpp"

namespace siena::data {

struct SyntheticOptions {
  std::int64_t classes = 10;                           ///< 2 to 276
  std::int64_t height = 32, width = 32, channels = 3;  ///< sides from 8; small ones leave room for fewer classes
  std::int64_t train = 4000, validation = 500, test = 1000;
  std::uint64_t seed = 0;  ///< of all of it
  double noise = 0.15;     ///< standard deviation of what is added to every value, where 1 is from black to white
};

namespace detail {

inline constexpr int orientations = 4;
inline constexpr std::int64_t stripe_kinds = 24, most_classes = stripe_kinds * (stripe_kinds - 1) / 2;
inline constexpr std::array<double, 6> stripe_periods{2.8, 4.6, 7.6, 12.5, 20.5, 33.7};  // pixels

/// A class: how far apart its stripes lie and how they lean.
struct Stripes {
  double period;  // pixels
  double lean;    // radians from the upright; to which side, each patch draws
  double leeway;  // of a patch about `lean`, radians
};

// As many periods as fit into the image four times; orientations share the rest of the classes.
inline std::int64_t stripe_periods_used(const SyntheticOptions& options) {
  const double side = static_cast<double>(std::min(options.height, options.width));
  std::int64_t fit = 0;
  while (fit < static_cast<std::int64_t>(stripe_periods.size()) && 4 * stripe_periods[static_cast<std::size_t>(fit)] <= side)
    ++fit;
  return std::clamp<std::int64_t>((options.classes + orientations - 1) / orientations, 1, std::max<std::int64_t>(fit, 1));
}

inline Stripes stripes_of_class(const SyntheticOptions& options, std::int64_t label) {
  const std::int64_t periods = stripe_periods_used(options);
  const std::int64_t leans = (options.classes + periods - 1) / periods;
  const double step = leans > 1 ? std::numbers::pi / 2 / static_cast<double>(leans - 1) : 0;
  return {.period = stripe_periods[static_cast<std::size_t>(label / leans)],
          .lean = step * static_cast<double>(label % leans),
          .leeway = step / 4};
}

// Class 0 is kinds 0 and 1, then come 0 and 2, 1 and 2, 0 and 3, ...
inline std::pair<std::int64_t, std::int64_t> kinds_of_class(std::int64_t label) {
  std::int64_t second = 1;
  for (; label >= second; ++second) label -= second;
  return {label, second};
}

/// Normal to a fair approximation, from one draw: the sum of eight uniform bytes.
inline double noise_at(const Random& random, std::uint64_t place) {
  std::uint64_t bits = random.at(place);
  std::int64_t sum = 0;
  for (int k = 0; k < 8; ++k, bits >>= 8) sum += static_cast<std::int64_t>(bits & 255);
  return (static_cast<double>(sum) - 1020.0) / 209.02;  // 8 * 127.5 and sqrt(8 * (256^2 - 1) / 12)
}

// Adds a round patch of stripes to an image. It swings along any direction of colour space, and fades towards its rim.
inline void add_patch(const SyntheticOptions& options, const Stripes& stripes, Random random, std::vector<double>& image) {
  const double height = static_cast<double>(options.height), width = static_cast<double>(options.width);
  const double lean = (random.chance(0.5) ? 1 : -1) * (stripes.lean + stripes.leeway * random.uniform(-1, 1));
  const double rate = 2 * std::numbers::pi / (stripes.period * random.uniform(0.85, 1.15));
  const double phase = random.uniform(0, 2 * std::numbers::pi);
  const double radius = std::min(height, width) * random.uniform(0.2, 0.3);
  const double middle_y = random.uniform(0.5 * radius, height - 0.5 * radius);
  const double middle_x = random.uniform(0.5 * radius, width - 0.5 * radius);
  const auto channels = static_cast<std::size_t>(options.channels);
  std::vector<double> swing(channels);
  double length = 0;
  for (double& value : swing) {
    value = random.normal();
    length += value * value;
  }
  const double contrast = random.uniform(0.15, 0.3) * std::sqrt(static_cast<double>(channels) / std::max(length, 1e-12));
  for (double& value : swing) value *= contrast;

  std::size_t at = 0;
  for (std::int64_t y = 0; y < options.height; ++y) {
    for (std::int64_t x = 0; x < options.width; ++x, at += channels) {
      const double down = static_cast<double>(y) - middle_y, right = static_cast<double>(x) - middle_x;
      const double edge = (down * down + right * right) / (radius * radius);
      if (edge >= 1) continue;
      const double wave = (1 - edge * edge) * std::sin(rate * (right * std::cos(lean) + down * std::sin(lean)) + phase);
      for (std::size_t c = 0; c < channels; ++c) image[at + c] += swing[c] * wave;
    }
  }
}

// A background of any colour that slopes any way, three patches of one class, and noise.
inline void draw_image(const SyntheticOptions& options, std::int64_t label, Random random, std::uint8_t* out) {
  const double height = static_cast<double>(options.height), width = static_cast<double>(options.width);
  const auto channels = static_cast<std::size_t>(options.channels);
  std::vector<double> image(static_cast<std::size_t>(options.height * options.width) * channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const double base = random.uniform(0.35, 0.65), slope_y = random.uniform(-0.15, 0.15),
                 slope_x = random.uniform(-0.15, 0.15);
    std::size_t at = c;
    for (std::int64_t y = 0; y < options.height; ++y) {
      for (std::int64_t x = 0; x < options.width; ++x, at += channels) {
        image[at] =
            base + slope_y * (2 * static_cast<double>(y) / height - 1) + slope_x * (2 * static_cast<double>(x) / width - 1);
      }
    }
  }
  if (options.classes <= stripe_kinds) {
    const Stripes stripes = stripes_of_class(options, label);
    for (std::uint64_t patch = 1; patch <= 3; ++patch) add_patch(options, stripes, random.split(patch), image);
  } else {
    const auto [first, second] = kinds_of_class(label);
    SyntheticOptions kinds = options;
    for (kinds.classes = 2; kinds.classes * (kinds.classes - 1) / 2 < options.classes;) ++kinds.classes;
    for (std::uint64_t patch = 1; patch <= 4; ++patch) {
      add_patch(options, stripes_of_class(kinds, patch % 2 == 1 ? first : second), random.split(patch), image);
    }
  }

  const Random grain = random.split(0);
  for (std::size_t at = 0; at < image.size(); ++at) {
    const double value = image[at] + options.noise * noise_at(grain, at);
    out[at] = static_cast<std::uint8_t>(std::clamp(255 * value + 0.5, 0.0, 255.0));
  }
}

inline Dataset synthetic_part(const SyntheticOptions& options, std::int64_t size, std::uint64_t part, std::string name) {
  const Shape shape{options.height, options.width, options.channels};
  const std::int64_t elements = shape.elements();
  auto pixels = room_for<std::uint8_t>(size, shape, name);
  std::vector<std::int32_t> labels(static_cast<std::size_t>(size));
  parallel_for(size, [&](std::int64_t i) {
    labels[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i % options.classes);
    const Random random = Random(options.seed, part).split(static_cast<std::uint64_t>(i));
    draw_image(options, i % options.classes, random, pixels.data() + i * elements);
  });
  return Dataset::from_bytes(std::move(pixels),
                             {.shape = shape,
                              .labels = std::move(labels),
                              .classes = options.classes,
                              .name = std::move(name),
                              .preparation = {.colours = options.channels == 3 ? Colours::rgb : Colours::none}});
}

}  // namespace detail

/// Images that need a convolution: three round patches of stripes lie anywhere on a sloping background, under noise. The class
/// says how wide the stripes are and how they lean; place, size, phase, sign, colours and the side they lean to are drawn
/// anew for each patch. Every image is as likely as its negative, so that all classes have the same mean and a linear model of
/// the pixels stays near chance. Mirroring keeps the class; so do turns of a few degrees. Classes take turns: image i is of
/// class i % classes. More than 24 classes are pairs of such stripes, two patches of each.
inline Splits synthetic_images(const SyntheticOptions& options = {}) {
  require<ArgumentError>(options.classes >= 2 && options.classes <= detail::most_classes,
                         "synthetic_images: expected 2 to {} classes, got {}", detail::most_classes, options.classes);
  require<ArgumentError>(options.height >= 8 && options.width >= 8 && options.channels >= 1,
                         "synthetic_images: expected at least 8 x 8 pixels and a channel, got {} x {} x {}", options.height,
                         options.width, options.channels);
  require<ArgumentError>(options.train >= 1 && options.validation >= 0 && options.test >= 0,
                         "synthetic_images: expected at least 1 image to train with and 0 or more of the others, got {}, {} "
                         "and {}",
                         options.train, options.validation, options.test);
  require<ArgumentError>(options.noise >= 0 && options.noise <= 1, "synthetic_images: expected noise from 0 to 1, got {}",
                         options.noise);
  const auto train = detail::synthetic_part(options, options.train, 0, "synthetic train");
  const auto normalization = measure(train);
  return {
      .train = train.normalized(normalization),
      .validation = detail::synthetic_part(options, options.validation, 1, "synthetic validation").normalized(normalization),
      .test = detail::synthetic_part(options, options.test, 2, "synthetic test").normalized(normalization)};
}

}  // namespace siena::data
