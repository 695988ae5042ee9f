// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What CLI11 takes amiss, and what it refuses in words of its own: errors of a command line have the form of all others.

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <siena/core.hpp>
#include <string>
#include <string_view>
#include <system_error>
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

/// An error of CLI11's: what it says around two parts of it, and what we say of them.
struct Wording {
  std::string_view error, begin, middle, end;
  const char* ours;
};
inline constexpr Wording wordings[] = {
    {"ArgumentMismatch", "", ": 1 required ", " missing", "{0}: expected a value, got none"},
    {"ArgumentMismatch", "", ": At Most 1 required but received ", "", "{0}: expected one value, got {1}"},
    {"RequiresError", "", " requires ", "", "{0}: expected {1} beside it, got none"},
    {"ExcludesError", "", " excludes ", "", "{0}: expected no {1} beside it, got both"},
    {"ConversionError", "Could not convert: ", " = ", "", "{0}: expected true or false, got '{1}'"},
    {"FileError", "", " was not readable ", "", "--config: expected a file that can be read, got '{0}'"}};

/// In our words, where we know CLI11's. By hand: std::regex goes as deep as a text is long, which users may choose.
inline std::string in_our_words(const CLI::Error& error) {
  const std::string_view text = error.what();
  for (const Wording& theirs : wordings) {
    if (error.get_name() != theirs.error || !text.starts_with(theirs.begin) || !text.ends_with(theirs.end)) continue;
    const std::string_view inner = text.substr(theirs.begin.size(), text.size() - theirs.begin.size() - theirs.end.size());
    const std::size_t middle = inner.find(theirs.middle);
    if (middle == inner.npos) continue;
    return fmt::format(fmt::runtime(theirs.ours), inner.substr(0, middle), inner.substr(middle + theirs.middle.size()));
  }
  return std::string(text);
}

/// An error of CLI11's as "program: option: expected ..., got ...; hint".
inline std::string failure_text(const CLI::App* app, const CLI::Error& error) {
  const std::vector<std::string> unknown = app->remaining();
  return format("{}: {}; --help lists all options\n", std::filesystem::path(app->get_name()).filename().string(),
                unknown.empty() ? in_our_words(error)
                                : format("expected options that there are, got '{}'", CLI::detail::join(unknown, " ")));
}

}  // namespace siena::examples
