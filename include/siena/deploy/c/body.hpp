// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/deploy/integer/network.hpp"

namespace siena::deploy::c {

/// An operation, and how its output lies in the arena.
struct Site {
  const IntegerNetwork& network;
  const IntegerOperation& operation;
  bool backwards = false;   ///< the output lies over the first input and behind its beginning: it is written from the end
  bool asks_shift = false;  ///< sums are shifted by an argument `shift`, for operations alike that differ in that alone

  const IntegerValue& input(int k = 0) const { return network.input_of(operation, k); }
  const IntegerValue& output() const { return network.output_of(operation); }
};

/// What a function is called with besides its values: a table in flash, or a number.
struct Argument {
  std::string name;  ///< of the parameter; that of a table in the file is this and a number
  std::variant<std::vector<std::int8_t>, std::vector<std::int32_t>, std::int32_t> what;

  std::string_view type() const {
    constexpr std::string_view types[] = {"const int8_t *", "const int32_t *", "int32_t "};
    return types[what.index()];
  }
};

/// The C of one operation: a function, and what it is called with. Operations of which the functions are the same text share
/// one, so what differs between layers alike (weights, zero points) is an argument and what does not (shapes) a constant.
/// Its parameters are the inputs `x` (several: `x0`, `x1`, ...), all of them read, the output `y`, the arguments, and, where it
/// needs any, `int8_t *scratch`.
struct Body {
  std::string name;                      ///< of the function, before a number
  std::string about;                     ///< what it computes of which shapes; one line
  std::string code;                      ///< lines between the braces, with a width of 2 for each depth
  std::vector<Argument> arguments = {};  ///< in the order of the parameters; where operations have the same tables, once
  std::int64_t scratch = 0;              ///< bytes
  std::vector<std::string_view> preambles = {};  ///< what the code needs, in this order; each once in a file
};

/// A number or text for a place in a text.
struct Filling {
  std::string_view name;
  std::string text;
  Filling(std::string_view where, std::string what) : name(where), text(std::move(what)) {}
  Filling(std::string_view where, std::integral auto number) : name(where), text(std::to_string(number)) {}
};

/// The text with what is given for each `$name` in it; names are of letters alone.
inline std::string fill(std::string_view text, std::initializer_list<Filling> fillings) {
  std::string result;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    result += text.substr(0, dollar);
    if (dollar == text.npos) break;
    std::size_t end = dollar + 1;
    while (end < text.size() && std::isalpha(static_cast<unsigned char>(text[end])) != 0) ++end;
    const std::string_view name = text.substr(dollar + 1, end - dollar - 1);
    const Filling* found = nullptr;
    for (const Filling& filling : fillings) {
      if (filling.name == name) found = &filling;
    }
    SIENA_ASSERT(found != nullptr);
    result += found->text;
    text.remove_prefix(end);
  }
  return result;
}

/// Every line of a text moved to the right.
inline std::string indented(std::string_view text, int spaces) {
  std::string result;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    if (text.front() != '\n') result.append(static_cast<std::size_t>(spaces), ' ');
    result += text.substr(0, size);
    text.remove_prefix(size);
  }
  return result;
}

/// For comments: "16 x 16 x 3".
inline std::string size_text(std::int64_t height, std::int64_t width, std::int64_t channels) {
  return format("{} x {} x {}", height, width, channels);
}

/// A number held to 8 bits, as an int8_t.
inline std::string held(std::string_view number) { return format("(int8_t)siena_clamp({}, -128, 127)", number); }
/// A sum shifted to the left.
inline std::string shifted(const Site& site, std::string_view sum, int shift) {
  if (site.asks_shift) return format("{} * (1 << shift)", sum);
  return shift == 0 ? std::string(sum) : format("{} * {}", sum, std::int64_t{1} << shift);
}
/// A sum, shifted, requantized with `multiplier`, around the zero point.
inline std::string requantized(std::string_view sum, std::string_view multiplier) {
  return held(format("y_zero + siena_requantize({}, {})", sum, multiplier));
}

/// The bits by which an operation shifts sums or a blend; 0 where it does not.
inline int shift_bits(const IntegerOperation& operation) {
  return std::visit(
      [](const auto& what) {
        if constexpr (requires { what.shift; })
          return what.shift;
        else
          return 0;
      },
      operation.what);
}

}  // namespace siena::deploy::c
