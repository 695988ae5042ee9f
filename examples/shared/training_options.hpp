// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optimizers, schedules and augmentations as people write them on a command line: adam, step:30,0.1, flip,crop:4.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <siena/data.hpp>
#include <siena/train.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "validators.hpp"

namespace siena::examples {

/// "step:30,0.1": a name, and numbers behind a colon.
struct NamedNumbers {
  std::string_view name;
  std::vector<double> numbers;
};

/// Throws ArgumentError where what is behind the colon are not up to `most` numbers.
inline NamedNumbers named_numbers(std::string_view option, std::string_view text, std::size_t most) {
  const std::size_t colon = text.find(':');
  NamedNumbers result{.name = text.substr(0, colon), .numbers = {}};
  for (std::string_view rest = colon == text.npos ? "" : text.substr(colon); !rest.empty();) {
    const std::size_t comma = std::min(rest.find(',', 1), rest.size());
    double number = 0;
    require<ArgumentError>(is_number(rest.substr(1, comma - 1), number) && result.numbers.size() < most,
                           "{}: expected up to {} numbers behind '{}:', with commas between, got '{}'", option, most,
                           result.name, text);
    result.numbers.push_back(number);
    rest.remove_prefix(comma);
  }
  return result;
}

inline constexpr std::string_view optimizer_names = "sgd, adam or adamw";

inline AnyOptimizer parse_optimizer(std::string_view text) {
  if (text == "sgd") return Sgd{.lr = 0.1, .momentum = 0.9, .weight_decay = 5e-4, .nesterov = true};
  if (text == "adam") return Adam{};
  if (text == "adamw") return AdamW{};
  fail<ArgumentError>("--optimizer: expected {}, got '{}'", optimizer_names, text);
}

inline constexpr std::string_view schedule_forms =
    "constant, cosine[:FLOOR], step[:EVERY,GAMMA], exponential[:GAMMA] or plateau[:PATIENCE,GAMMA]";

/// A schedule that begins with so many epochs of warm-up.
inline AnySchedule parse_schedule(std::string_view text, double warmup) {
  const auto read = [&](std::size_t most) { return named_numbers("--schedule", text, most).numbers; };
  const auto at = [](const std::vector<double>& numbers, std::size_t i, double usual) {
    return i < numbers.size() ? numbers[i] : usual;
  };
  const std::string_view name = text.substr(0, text.find(':'));
  const AnySchedule schedule = [&]() -> AnySchedule {
    if (name == "constant") return (void)read(0), ConstantLr{.warmup = warmup};
    if (name == "cosine") return CosineLr{.floor = at(read(1), 0, 0), .warmup = warmup};
    if (name == "step") return StepLr{.every = at(read(2), 0, 30), .gamma = at(read(2), 1, 0.1), .warmup = warmup};
    if (name == "exponential") return ExponentialLr{.gamma = at(read(1), 0, 0.99), .warmup = warmup};
    if (name == "plateau") {
      const double patience = at(read(2), 0, 5);
      require<ArgumentError>(patience == std::floor(patience) && patience >= 1 && patience < 1e6,
                             "--schedule: expected a whole number of epochs to wait, 1 or more, got '{}'", text);
      return PlateauLr{.patience = static_cast<int>(patience), .gamma = at(read(2), 1, 0.1), .warmup = warmup};
    }
    fail<ArgumentError>("--schedule: expected {}, got '{}'", schedule_forms, text);
  }();
  try {
    schedule.check();
  } catch (const ArgumentError& error) {
    fail<ArgumentError>("--schedule: {}", error.what());
  }
  return schedule;
}

inline constexpr std::string_view augment_forms = "none, or any of flip, crop:PIXELS, shift:PART, turn:DEGREES and versions";

/// What is named, and nothing else. "versions" are those that a dataset may hold of each sample.
inline data::Augment parse_augment(const std::vector<std::string>& parts) {
  data::Augment augment;
  if (parts == std::vector<std::string>{"none"}) return augment;
  for (const std::string& part : parts) {
    const NamedNumbers named = named_numbers("--augment", part, 1);
    const std::string_view name = named.name;
    const std::vector<double>& numbers = named.numbers;
    const double number = numbers.empty() ? -1 : numbers[0];
    const auto amount = [&](double most) {
      require<ArgumentError>(number > 0 && number <= most,
                             "--augment: expected a number above 0, up to {}, behind '{}:', got '{}'", most, name, part);
      return number;
    };
    if (part == "flip") {
      augment.flip = true;
    } else if (part == "versions") {
      augment.versions = true;
    } else if (name == "crop") {
      augment.crop_padding = static_cast<int>(amount(1024));
      require<ArgumentError>(augment.crop_padding == number, "--augment: expected whole pixels behind 'crop:', got '{}'", part);
    } else if (name == "shift") {
      augment.shift = amount(1);
    } else if (name == "turn") {
      augment.rotation_degrees = amount(180);
    } else {
      fail<ArgumentError>("--augment: expected {}, got '{}'", augment_forms, part);
    }
  }
  return augment;
}

}  // namespace siena::examples
