// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "siena/core/error.hpp"

namespace siena {

// How the learning rate changes over a phase. All times are in epochs and may be fractions. Each schedule can begin with a
// warm-up, during which the rate rises linearly from 0 to what the schedule says.

/// The same rate all the time.
struct ConstantLr {
  double warmup = 0;
};

/// Times gamma every so many epochs.
struct StepLr {
  double every = 30;
  double gamma = 0.1;
  double warmup = 0;
};

/// Times gamma at each of these epochs.
struct MilestoneLr {
  std::vector<double> at = {};
  double gamma = 0.1;
  double warmup = 0;
};

/// From each of these epochs on, this factor; 1 before the first.
struct PiecewiseLr {
  struct Piece {
    double epoch, factor;
  };
  std::vector<Piece> pieces = {};
  double warmup = 0;
};

/// gamma^epoch.
struct ExponentialLr {
  double gamma = 0.99;
  double warmup = 0;
};

/// Half a cosine, from 1 at the end of the warm-up to `floor` at the end of the phase.
struct CosineLr {
  double floor = 0;
  double warmup = 0;
};

using Schedule = std::variant<ConstantLr, StepLr, MilestoneLr, PiecewiseLr, ExponentialLr, CosineLr>;

namespace detail {
inline double decay(const ConstantLr&, double, double) { return 1; }
inline double decay(const StepLr& s, double epoch, double) { return std::pow(s.gamma, std::floor(epoch / s.every)); }
inline double decay(const MilestoneLr& s, double epoch, double) {
  return std::pow(s.gamma,
                  static_cast<double>(std::count_if(s.at.begin(), s.at.end(), [&](double at) { return at <= epoch; })));
}
inline double decay(const PiecewiseLr& s, double epoch, double) {
  double factor = 1;
  for (const auto& piece : s.pieces) factor = piece.epoch <= epoch ? piece.factor : factor;
  return factor;
}
inline double decay(const ExponentialLr& s, double epoch, double) { return std::pow(s.gamma, epoch); }
inline double decay(const CosineLr& s, double epoch, double epochs) {
  const double length = epochs - s.warmup;
  const double progress = length > 0 ? std::clamp((epoch - s.warmup) / length, 0.0, 1.0) : 0.0;
  return s.floor + (1 - s.floor) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

inline std::string text_of(const ConstantLr&) { return "constant"; }
inline std::string text_of(const StepLr& s) { return format("times {} every {} epochs", s.gamma, s.every); }
inline std::string text_of(const MilestoneLr& s) {
  std::string text = format("times {} at epochs", s.gamma);
  for (const double at : s.at) text += format(" {}", at);
  return text;
}
inline std::string text_of(const PiecewiseLr& s) {
  std::string text;
  for (const auto& piece : s.pieces)
    text += text.empty() ? format("times {} from epoch {} on", piece.factor, piece.epoch)
                         : format(", {} from {} on", piece.factor, piece.epoch);
  return text.empty() ? "constant" : text;
}
inline std::string text_of(const ExponentialLr& s) { return format("times {} each epoch", s.gamma); }
inline std::string text_of(const CosineLr& s) { return s.floor > 0 ? format("cosine to {}", s.floor) : "cosine"; }

inline void check(const ConstantLr&) {}
inline void check(const StepLr& s) {
  require<ArgumentError>(s.every > 0 && s.gamma > 0, "StepLr: expected every > 0 and gamma > 0, got {} and {}", s.every,
                         s.gamma);
}
inline void check(const MilestoneLr& s) {
  require<ArgumentError>(s.gamma > 0, "MilestoneLr: expected gamma > 0, got {}", s.gamma);
}
inline void check(const PiecewiseLr& s) {
  double last = 0;
  for (const auto& piece : s.pieces) {
    require<ArgumentError>(
        piece.epoch >= last && piece.factor >= 0,
        "PiecewiseLr: expected increasing epochs from 0 on and factors of 0 or more, got factor {} from epoch {} "
        "after one from epoch {}",
        piece.factor, piece.epoch, last);
    last = piece.epoch;
  }
}
inline void check(const ExponentialLr& s) {
  require<ArgumentError>(s.gamma > 0, "ExponentialLr: expected gamma > 0, got {}", s.gamma);
}
inline void check(const CosineLr& s) {
  require<ArgumentError>(s.floor >= 0 && s.floor <= 1, "CosineLr: expected a floor from 0 to 1, got {}", s.floor);
}
}  // namespace detail

/// Throws ArgumentError where a schedule makes no sense.
inline void check(const Schedule& schedule) {
  std::visit(
      [](const auto& s) {
        detail::check(s);
        require<ArgumentError>(s.warmup >= 0, "Schedule: expected a warm-up of 0 epochs or more, got {}", s.warmup);
      },
      schedule);
}

/// "cosine, warm-up 0.5 epochs": every option, so that different ones read differently.
inline std::string to_string(const Schedule& schedule) {
  return std::visit(
      [](const auto& s) { return detail::text_of(s) + (s.warmup > 0 ? format(", warm-up {} epochs", s.warmup) : ""); },
      schedule);
}

/// What the base rate is multiplied by, `epoch` (0 at the start, any real number) into a phase of `epochs`.
inline double factor(const Schedule& schedule, double epoch, double epochs) {
  return std::visit(
      [&](const auto& s) {
        const double rise = s.warmup > 0 ? std::min(1.0, epoch / s.warmup) : 1.0;
        return rise * detail::decay(s, epoch, epochs);
      },
      schedule);
}

}  // namespace siena
