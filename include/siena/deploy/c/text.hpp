// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "siena/core/error.hpp"

// Words of others in files of C.

namespace siena::deploy::c {

/// A name of small letters, digits and underscores that begins with a letter: of files and of all that a network declares.
/// ArgumentError where nothing is left of it.
inline std::string identifier(std::string_view name) {
  std::string result;
  for (const char character : name) {
    const auto byte = static_cast<unsigned char>(character);
    const bool plain = byte < 128 && std::isalnum(byte) != 0;
    if (plain) result += static_cast<char>(std::tolower(byte));
    if (!plain && !result.empty() && result.back() != '_') result += '_';
  }
  while (!result.empty() && result.back() == '_') result.pop_back();
  require<ArgumentError>(!result.empty(), "c_source: expected a name with letters or digits, got '{}'", name);
  // A header of the name would hide one of the language.
  constexpr std::array<std::string_view, 30> taken = {
      "assert", "complex", "ctype",  "errno",  "features", "fenv",   "float",  "inttypes", "iso646",  "limits",
      "locale", "malloc",  "math",   "memory", "setjmp",   "signal", "stdarg", "stdbool",  "stddef",  "stdint",
      "stdio",  "stdlib",  "string", "tgmath", "strings",  "time",   "wchar",  "wctype",   "threads", "unistd"};
  const bool hides = std::find(taken.begin(), taken.end(), result) != taken.end();
  return hides || std::isdigit(static_cast<unsigned char>(result[0])) != 0 ? "network_" + result : result;
}

/// As part of a comment: what would end it, begin another one, be a trigraph or join two lines is taken apart.
inline std::string comment(std::string_view text) {
  std::string result;
  for (const char character : text) {
    const char last = result.empty() ? ' ' : result.back();
    const bool joins = last == '\n' && (character == '/' || character == '*' || character == '?');  // behind a backslash
    if ((last == '*' && character == '/') || (last == '/' && character == '*') || (last == '?' && character == '?') || joins)
      result += ' ';
    result += character == '\n' || static_cast<unsigned char>(character) >= 32 ? character : ' ';
  }
  return result;
}

/// A literal that stands for these bytes, in any encoding of the compiler, without a `$`.
inline std::string literal(std::string_view text) {
  std::string result = "\"";
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 32 || byte > 126 || character == '$') {
      for (const int shift : {6, 3, 0}) result += shift == 6 ? format("\\{}", byte >> 6) : format("{}", (byte >> shift) & 7);
    } else {
      if (character == '"' || character == '\\' || character == '?') result += '\\';
      result += character;
    }
  }
  return result + '"';
}

/// Words in lines of at most 120 characters, of which all but the first begin with so many spaces.
inline std::string wrapped(std::string_view head, std::span<const std::string> words, std::string_view tail, int spaces) {
  std::string result(head);
  std::size_t column = head.size();
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i] + std::string(i + 1 < words.size() ? "," : tail);
    const bool starts = i == 0 && (head.empty() || head.back() != '\n');
    if (!starts && (column + 1 + word.size() > 120 || column == 0 || result.back() == '\n')) {
      if (result.back() != '\n') result += '\n';
      result += std::string(static_cast<std::size_t>(spaces), ' ');
      column = static_cast<std::size_t>(spaces);
    } else if (!starts) {
      result += ' ', ++column;
    }
    result += word, column += word.size();
  }
  return result + (words.empty() ? std::string(tail) : "");
}

}  // namespace siena::deploy::c
