// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers of a command line that CLI11 would take amiss.

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <siena/core.hpp>
#include <string>
#include <string_view>
#include <system_error>

namespace siena::examples {

/// Whether all of a text is one number, which `value` becomes.
template <class T>
bool is_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

/// Takes numbers from `low` to `high`, and nothing else: CLI::Range takes "nan", too.
inline CLI::Validator between(double low, double high) {
  const auto refusal = [=](const std::string& text) {
    double value = 0;
    return is_number(text, value) && value >= low && value <= high
               ? ""
               : format("expected a number from {} to {}, got '{}'", low, high, text);
  };
  return {refusal, format("FLOAT in [{} - {}]", low, high)};
}

/// Takes whole numbers of 64 bits: CLI11 makes -1 and what is too large some other number.
inline const CLI::Validator whole_number(
    [](const std::string& text) {
      std::uint64_t value = 0;
      return is_number(text, value) ? "" : format("expected a whole number of 64 bits, 0 or more, got '{}'", text);
    },
    "");

}  // namespace siena::examples
