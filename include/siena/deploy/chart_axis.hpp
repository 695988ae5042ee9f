// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "siena/core/error.hpp"

namespace siena::deploy {

/// One direction of a chart. On a logarithmic axis only what is above 0 is drawn.
struct Axis {
  std::string label = {};
  bool log = false;
  bool whole = false;                         ///< counts something: no parts of 1 along it
  std::optional<double> low = {}, high = {};  ///< otherwise from the data, to the next round number
};

namespace detail {

struct Tick {
  double at = 0;
  std::string label;
};

/// From values to pixels, and the numbers that stand along the axis.
class Scale {
 public:
  /// `low` and `high` are those of the data. Throws DataError where no such axis can be drawn.
  Scale(const Axis& axis, double low, double high) : log_(axis.log) {
    low_ = axis.low.value_or(low), high_ = axis.high.value_or(high);
    const auto fits = [&](double end) { return std::abs(end) <= 1e300 && (!log_ || end >= 1e-300); };
    require<DataError>(fits(low_) && fits(high_), "chart: expected an axis '{}' of {}, got {:.3g} to {:.3g}", axis.label,
                       log_ ? "positive numbers, from 1e-300 to 1e300" : "numbers up to 1e300", low_, high_);
    if (high_ - low_ <= 1e-9 * std::max(std::abs(low_), std::abs(high_))) {  // one value only: it comes to stand in the middle
      const double around = log_ ? 0 : low_ == 0 ? 1 : 0.1 * std::abs(low_);
      const double middle = low_;
      low_ = axis.low.value_or(log_ ? middle / 2 : middle - around);
      high_ = axis.high.value_or(log_ ? middle * 2 : middle + around);
      if (!(low_ < high_)) high_ = low_ + std::max(1.0, std::abs(low_));
    }
    if (log_) {
      make_log_ticks(axis);
    } else {
      make_ticks(axis);
    }
  }

  /// Where a value is between the ends of the axis, 0 to 1; NaN where it cannot be drawn.
  double operator()(double value) const {
    if (!std::isfinite(value) || (log_ && value <= 0)) return std::numeric_limits<double>::quiet_NaN();
    return log_ ? decades(low_, value) / decades(low_, high_) : (value - low_) / (high_ - low_);
  }
  const std::vector<Tick>& ticks() const { return ticks_; }

 private:
  /// A quotient of such numbers may be too large for any number.
  static double decades(double from, double to) { return std::log10(to) - std::log10(from); }
  /// 1, 2 or 5 times a power of ten: the largest up to `value`.
  static double round_down(double value) {
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double factor : {10.0, 5.0, 2.0})
      if (factor * power <= value * (1 + 1e-9)) return factor * power;
    return power;
  }
  static double round_up(double value) {
    const double down = round_down(value);
    return down >= value * (1 - 1e-9) ? down : round_down(down * 2.5 * (1 + 1e-9));
  }

  /// "0.25", "20k", "1.5M": as many decimals as the step needs, one suffix for all.
  static std::string label(double value, double step, double largest) {
    constexpr std::string_view suffixes = " kMGT";
    if (largest >= 1e16 || largest < 1e-3) return format("{:.3g}", value);
    std::size_t thousands = 0;
    if (largest >= 1e4)
      while (largest >= 1e3 && thousands + 1 < suffixes.size()) largest /= 1e3, step /= 1e3, value /= 1e3, ++thousands;
    const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 9);
    std::string text = format("{:.{}f}", value == 0 ? 0.0 : value, decimals);
    if (thousands > 0 && value != 0) text += suffixes[thousands];
    return text;
  }

  void make_ticks(const Axis& axis) {
    const double step = std::max(round_up((high_ - low_) / 6), axis.whole ? 1.0 : 0.0);
    if (!axis.low) low_ = std::floor(low_ / step + 1e-9) * step;
    if (!axis.high) high_ = std::ceil(high_ / step - 1e-9) * step;
    const double first = std::ceil(low_ / step - 1e-9);
    for (int i = 0; i < 20 && (first + i) * step <= high_ + 1e-9 * (high_ - low_); ++i) {
      const double at = (first + i) * step;
      ticks_.push_back({at, label(std::abs(at) < 1e-9 * step ? 0 : at, step, std::max(std::abs(low_), std::abs(high_)))});
    }
  }

  void make_log_ticks(const Axis& axis) {
    if (!axis.low) low_ = round_down(low_);
    if (!axis.high) high_ = round_up(high_);
    const double all = decades(low_, high_);
    const int every = std::max(1, static_cast<int>(std::ceil(all / 8)));
    const int first = static_cast<int>(std::floor(std::log10(low_))), last = static_cast<int>(std::ceil(std::log10(high_)));
    for (int exponent = first; exponent <= last; exponent += every) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double at = factor * std::pow(10, exponent);
        if ((factor > 1 && all > 3) || at < low_ * (1 - 1e-9) || at > high_ * (1 + 1e-9)) continue;
        ticks_.push_back({at, label(at, at, at)});
      }
    }
  }

  bool log_;
  double low_ = 0, high_ = 1;
  std::vector<Tick> ticks_;
};

/// The smallest and the largest number of those that an axis can show.
class Range {
 public:
  explicit Range(const Axis& axis) : log_(axis.log) {}
  void add(double value) {
    if (!std::isfinite(value) || (log_ && value <= 0)) return;
    low_ = std::min(low_, value), high_ = std::max(high_, value);
  }
  bool empty() const { return low_ > high_; }
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  bool log_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -std::numeric_limits<double>::infinity();
};

}  // namespace detail

}  // namespace siena::deploy
