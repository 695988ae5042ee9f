// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "siena/core/error.hpp"

namespace siena {

/// An amount of memory.
struct Bytes {
  double value = 0;
  auto operator<=>(const Bytes&) const = default;
};
/// A duration.
struct Seconds {
  double value = 0;
  auto operator<=>(const Seconds&) const = default;
};
/// Clock cycles of the device.
struct Cycles {
  double value = 0;
  auto operator<=>(const Cycles&) const = default;
};
/// A clock frequency.
struct Hertz {
  double value = 0;
  auto operator<=>(const Hertz&) const = default;
};

/// Six digits that matter, and no exponent for what people count: "0.00398", "39372", "4871460".
inline std::string amount_text(double value) {
  return value >= 1e6 && value < 1e15 ? format("{:.0f}", value) : format("{:.6g}", value);
}

/// A unit to show amounts in, and how many of the metric's own it is.
struct ShownUnit {
  double size = 1;
  std::string_view name = {};

  std::string_view space() const { return name.empty() ? "" : " "; }
  /// "3.98", where the metric's own is 0.00398.
  std::string amount(double value) const { return amount_text(value / size); }
};
/// Seconds in the multiple that suits `amount`: s, ms or us. Any other unit stays as it is.
inline ShownUnit shown_unit(std::string_view unit, double amount) {
  if (unit != "s" || !(amount < 1)) return {1, unit};
  return amount < 1e-3 ? ShownUnit{1e-6, "us"} : ShownUnit{1e-3, "ms"};
}

constexpr Seconds operator/(Cycles cycles, Hertz clock) { return {cycles.value / clock.value}; }
constexpr Cycles operator*(Seconds time, Hertz clock) { return {time.value * clock.value}; }

inline namespace literals {
constexpr Bytes operator""_B(unsigned long long n) { return {static_cast<double>(n)}; }
constexpr Bytes operator""_kB(unsigned long long n) { return {static_cast<double>(n) * 1e3}; }
constexpr Bytes operator""_KiB(unsigned long long n) { return {static_cast<double>(n) * 1024}; }
constexpr Bytes operator""_MiB(unsigned long long n) { return {static_cast<double>(n) * 1024 * 1024}; }
constexpr Bytes operator""_KiB(long double n) { return {static_cast<double>(n) * 1024}; }
constexpr Bytes operator""_MiB(long double n) { return {static_cast<double>(n) * 1024 * 1024}; }
constexpr Seconds operator""_s(unsigned long long n) { return {static_cast<double>(n)}; }
constexpr Seconds operator""_ms(unsigned long long n) { return {static_cast<double>(n) * 1e-3}; }
constexpr Seconds operator""_us(unsigned long long n) { return {static_cast<double>(n) * 1e-6}; }
constexpr Seconds operator""_s(long double n) { return {static_cast<double>(n)}; }
constexpr Seconds operator""_ms(long double n) { return {static_cast<double>(n) * 1e-3}; }
constexpr Seconds operator""_us(long double n) { return {static_cast<double>(n) * 1e-6}; }
constexpr Cycles operator""_cycles(unsigned long long n) { return {static_cast<double>(n)}; }
constexpr Hertz operator""_MHz(unsigned long long n) { return {static_cast<double>(n) * 1e6}; }
constexpr Hertz operator""_MHz(long double n) { return {static_cast<double>(n) * 1e6}; }
constexpr Hertz operator""_GHz(long double n) { return {static_cast<double>(n) * 1e9}; }
}  // namespace literals

}  // namespace siena
