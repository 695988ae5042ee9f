// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bounds as people write them on a command line: 40000B, 48KiB, 3ms, 800000cycles, 50%.

#include <cctype>
#include <charconv>
#include <siena/constraints.hpp>
#include <string>
#include <string_view>

namespace siena::examples {

struct Quantity {
  double value = 0;
  std::string_view unit;
};

/// A positive number with a unit behind it.
inline Quantity parse_quantity(std::string_view option, std::string_view text, std::string_view units) {
  Quantity quantity;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), quantity.value);
  quantity.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  require<ArgumentError>(error == std::errc{} && quantity.value > 0, "{}: expected a number above 0 with a unit ({}), got '{}'",
                         option, units, text);
  return quantity;
}

/// Bytes: "40000B", "40kB", "48KiB", "1MiB", or percent of what the seed network takes.
inline Bytes memory_limit(std::string_view text, double seed_bytes) {
  constexpr std::string_view units = "B, kB, KiB, MiB or %";
  const auto [value, unit] = parse_quantity("--memory", text, units);
  if (unit == "B") return {value};
  if (unit == "kB") return {value * 1e3};
  if (unit == "KiB") return {value * 1024};
  if (unit == "MiB") return {value * 1024 * 1024};
  if (unit == "%") return {value / 100 * seed_bytes};
  fail<ArgumentError>("--memory: expected a unit ({}), got '{}' in '{}'; write e.g. 48KiB or 50%", units, unit, text);
}

/// "3ms", "500us", "0.01s", "800000cycles", or percent of the seed network's cycles.
inline LatencyBound<Gap8> latency_bound(std::string_view text, const Gap8& gap8, double seed_cycles) {
  constexpr std::string_view units = "s, ms, us, cycles or %";
  const auto [value, unit] = parse_quantity("--latency", text, units);
  if (unit == "s") return {gap8, Seconds{value}};
  if (unit == "ms") return {gap8, Seconds{value * 1e-3}};
  if (unit == "us") return {gap8, Seconds{value * 1e-6}};
  if (unit == "cycles") return {gap8, Cycles{value}};
  if (unit == "%") return {gap8, Cycles{value / 100 * seed_cycles}};
  fail<ArgumentError>("--latency: expected a unit ({}), got '{}' in '{}'; write e.g. 3ms or 50%", units, unit, text);
}

}  // namespace siena::examples
