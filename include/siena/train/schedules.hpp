// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/train/schedule.hpp"

namespace siena {

// How the learning rate changes over a phase. All times are in epochs and may be fractions. Each schedule can begin with a
// warm-up, during which the rate rises linearly from 0 to what the schedule says.

namespace detail {
inline double rise(double epoch, double warmup) { return warmup > 0 ? std::min(1.0, epoch / warmup) : 1.0; }
inline std::string rise_text(double warmup) { return warmup > 0 ? format(", warm-up {} epochs", warmup) : ""; }
inline void check_rise(double warmup) {
  require<ArgumentError>(warmup >= 0, "Schedule: expected a warm-up of 0 epochs or more, got {}", warmup);
}
}  // namespace detail

/// The same rate all the time.
struct ConstantLr {
  double warmup = 0;  ///< epochs over which the rate rises to its begin

  double factor(const TrainingProgress& at) const { return detail::rise(at.epoch, warmup); }
  std::string to_string() const { return "constant" + detail::rise_text(warmup); }
  void check() const { detail::check_rise(warmup); }
};

/// Times gamma every so many epochs.
struct StepLr {
  double every = 30;   ///< epochs from one step to the next
  double gamma = 0.1;  ///< factor of a step
  double warmup = 0;   ///< epochs over which the rate rises to its begin

  double factor(const TrainingProgress& at) const {
    return detail::rise(at.epoch, warmup) * std::pow(gamma, std::floor(at.epoch / every));
  }
  std::string to_string() const { return format("times {} every {} epochs", gamma, every) + detail::rise_text(warmup); }
  void check() const {
    require<ArgumentError>(every > 0 && gamma > 0, "StepLr: expected every > 0 and gamma > 0, got {} and {}", every, gamma);
    detail::check_rise(warmup);
  }
};

/// Times gamma at each of these epochs.
struct MilestoneLr {
  std::vector<double> at = {};  ///< epochs, in any order
  double gamma = 0.1;           ///< factor at each
  double warmup = 0;            ///< epochs over which the rate rises to its begin

  double factor(const TrainingProgress& now) const {
    const auto passed = std::count_if(at.begin(), at.end(), [&](double epoch) { return epoch <= now.epoch; });
    return detail::rise(now.epoch, warmup) * std::pow(gamma, static_cast<double>(passed));
  }
  std::string to_string() const {
    std::string text = format("times {} at epochs", gamma);
    for (const double epoch : at) text += format(" {}", epoch);
    return text + detail::rise_text(warmup);
  }
  void check() const {
    require<ArgumentError>(gamma > 0, "MilestoneLr: expected gamma > 0, got {}", gamma);
    detail::check_rise(warmup);
  }
};

/// From each of these epochs on, this factor; 1 before the first.
struct PiecewiseLr {
  struct Piece {
    double epoch, factor;
  };
  std::vector<Piece> pieces = {};  ///< in the order of their epochs
  double warmup = 0;               ///< epochs over which the rate rises to its begin

  double factor(const TrainingProgress& at) const {
    double factor = 1;
    for (const Piece& piece : pieces) factor = piece.epoch <= at.epoch ? piece.factor : factor;
    return detail::rise(at.epoch, warmup) * factor;
  }
  std::string to_string() const {
    std::string text;
    for (const Piece& piece : pieces)
      text += text.empty() ? format("times {} from epoch {} on", piece.factor, piece.epoch)
                           : format(", {} from {} on", piece.factor, piece.epoch);
    return (text.empty() ? "constant" : text) + detail::rise_text(warmup);
  }
  void check() const {
    double last = 0;
    for (const Piece& piece : pieces) {
      require<ArgumentError>(
          piece.epoch >= last && piece.factor >= 0,
          "PiecewiseLr: expected increasing epochs from 0 on and factors of 0 or more, got factor {} from epoch {} "
          "after one from epoch {}",
          piece.factor, piece.epoch, last);
      last = piece.epoch;
    }
    detail::check_rise(warmup);
  }
};

/// gamma^epoch.
struct ExponentialLr {
  double gamma = 0.99;  ///< factor of an epoch
  double warmup = 0;    ///< epochs over which the rate rises to its begin

  double factor(const TrainingProgress& at) const { return detail::rise(at.epoch, warmup) * std::pow(gamma, at.epoch); }
  std::string to_string() const { return format("times {} each epoch", gamma) + detail::rise_text(warmup); }
  void check() const {
    require<ArgumentError>(gamma > 0, "ExponentialLr: expected gamma > 0, got {}", gamma);
    detail::check_rise(warmup);
  }
};

/// Half a cosine, from 1 at the end of the warm-up to `floor` at the end of the phase.
struct CosineLr {
  double floor = 0;   ///< part of the rate that is left in the end
  double warmup = 0;  ///< epochs over which the rate rises to its begin

  double factor(const TrainingProgress& at) const {
    const double length = at.epochs - warmup;
    const double progress = length > 0 ? std::clamp((at.epoch - warmup) / length, 0.0, 1.0) : 0.0;
    return detail::rise(at.epoch, warmup) * (floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * progress)));
  }
  std::string to_string() const { return (floor > 0 ? format("cosine to {}", floor) : "cosine") + detail::rise_text(warmup); }
  void check() const {
    require<ArgumentError>(floor >= 0 && floor <= 1, "CosineLr: expected a floor from 0 to 1, got {}", floor);
    detail::check_rise(warmup);
  }
};

/// Times gamma whenever so many epochs in a row brought no better validation result (accuracy; loss where there is none), down
/// to `floor`. Epochs of the warm-up are not waited for.
struct PlateauLr {
  int patience = 5;     ///< epochs without a better result that are waited for
  double gamma = 0.1;   ///< factor of a step
  double floor = 1e-3;  ///< least part of the rate
  double warmup = 0;    ///< epochs over which the rate rises to its begin

  bool needs_validation() const { return true; }
  double factor(const TrainingProgress& at) const {
    double factor = 1, best = -std::numeric_limits<double>::infinity();
    int waited = 0;
    for (const EpochEvent& epoch : at.before) {
      const double worth = epoch.validation.worth();
      waited = worth > best || epoch.epoch <= warmup ? 0 : waited + 1;
      best = std::max(best, worth);
      if (waited < patience) continue;
      factor = std::max(gamma * factor, floor);
      waited = 0;
    }
    return detail::rise(at.epoch, warmup) * factor;
  }
  std::string to_string() const {
    return format("times {} after {} epochs without a better validation result, down to {}", gamma, patience, floor) +
           detail::rise_text(warmup);
  }
  void check() const {
    require<ArgumentError>(patience >= 1 && gamma > 0 && gamma < 1 && floor >= 0 && floor <= 1,
                           "PlateauLr: expected a patience of 1 or more, gamma in (0, 1) and a floor from 0 to 1, got {}, {} "
                           "and {}",
                           patience, gamma, floor);
    detail::check_rise(warmup);
  }
};

static_assert(Schedule<ConstantLr> && Schedule<StepLr> && Schedule<MilestoneLr> && Schedule<PiecewiseLr> &&
              Schedule<ExponentialLr> && Schedule<CosineLr> && Schedule<PlateauLr>);

/// A part of a longer schedule: phases that follow each other with these come down a single time, from the first epoch of the
/// first to the last of the last.
struct PartOf {
  AnySchedule whole = CosineLr{};
  double begin = 0;   ///< epochs of the phases before
  double epochs = 0;  ///< of all phases together

  double factor(const TrainingProgress& at) const { return whole.factor({.epoch = begin + at.epoch, .epochs = epochs}); }
  std::string to_string() const { return format("{}, from epoch {} of {}", whole.to_string(), begin, epochs); }
  void check() const {
    whole.check();
    require<ArgumentError>(!whole.needs_validation(),
                           "PartOf: expected a schedule that goes by epochs, got one that looks at results, {}",
                           whole.to_string());
    require<ArgumentError>(begin >= 0 && begin <= epochs, "PartOf: expected a begin from 0 to the {} epochs of all, got {}",
                           epochs, begin);
  }
};

}  // namespace siena
