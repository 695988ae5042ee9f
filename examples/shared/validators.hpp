// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What CLI11 takes amiss, and what it refuses in words of its own: errors of a command line have the form of all others.

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <regex>
#include <siena/core.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

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

/// A check of CLI11's that says what it expects.
inline CLI::Validator expecting(const std::string& what, const CLI::Validator& check) {
  return CLI::Validator(check).operation(
      [=](std::string& text) { return check(text).empty() ? "" : format("expected {}, got '{}'", what, text); });
}
inline CLI::Validator whole_between(int low, int high) {
  return expecting(format("a whole number from {} to {}", low, high), CLI::Range(low, high));
}
inline CLI::Validator one_of(const std::vector<std::string>& names) {
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "one of " : ", ") + name;
  return expecting(known, CLI::IsMember(names));
}

/// An error of CLI11's as "program: option: expected ..., got ...; hint"; in its own words where we do not know them.
inline std::string failure_text(const CLI::App* app, const CLI::Error& error) {
  static const std::pair<std::regex, const char*> forms[] = {
      {std::regex("(\\S+): 1 required .* missing"), "$1: expected a value, got none"},
      {std::regex("(\\S+): At Most 1 required but received (\\d+)"), "$1: expected one value, got $2"},
      {std::regex("(\\S+) requires (\\S+)"), "$1: expected $2 beside it, got none"},
      {std::regex("(\\S+) excludes (\\S+)"), "$1: expected no $2 beside it, got both"},
      {std::regex("Could not convert: (\\S+) = (.*)"), "$1: expected true or false, got '$2'"},
      {std::regex("(.*) was not readable .*"), "--config: expected a file that can be read, got '$1'"}};
  const std::vector<std::string> unknown = app->remaining();
  std::string text =
      unknown.empty() ? error.what() : format("expected options that there are, got '{}'", CLI::detail::join(unknown, " "));
  for (const auto& [theirs, ours] : forms) {
    if (!std::regex_match(text, theirs)) continue;
    text = std::regex_replace(text, theirs, ours);
    break;
  }
  return format("{}: {}; --help lists all options\n", std::filesystem::path(app->get_name()).filename().string(), text);
}

}  // namespace siena::examples
