// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "siena/core/config.hpp"  // also for what it refuses to be compiled with

namespace siena {

/// What a caller can get wrong. Every message reads "where: expected ..., got ...; hint".
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Tensors, layers or networks whose sizes do not fit together.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// Data that is missing, out of range or not a number.
class DataError : public Error {
 public:
  using Error::Error;
};

/// A file that is not what it should be: truncated, oversized, of another format or version.
class FormatError : public Error {
 public:
  using Error::Error;
};

/// A bound that no architecture can keep, or that is no bound at all.
class ConstraintError : public Error {
 public:
  using Error::Error;
};

/// An argument or option out of its range.
class ArgumentError : public Error {
 public:
  using Error::Error;
};

namespace detail {
/// A value to be formatted. A few kinds stand for all types: formatting is then compiled once, and not for every call.
class FormatArgument {
 public:
  template <class T>
  FormatArgument(const T& value) {  // NOLINT(google-explicit-constructor)
    if constexpr (std::is_same_v<T, bool>) {
      argument_ = argument(value);
    } else if constexpr (std::is_same_v<T, char>) {
      argument_ = argument(value);
    } else if constexpr (std::is_same_v<T, float>) {
      argument_ = argument(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      argument_ = argument(static_cast<double>(value));
    } else if constexpr (std::is_integral_v<T> && std::is_unsigned_v<T>) {
      argument_ = argument(static_cast<unsigned long long>(value));
    } else if constexpr (std::is_integral_v<T>) {
      argument_ = argument(static_cast<long long>(value));
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      const std::string_view view(value);
      argument_ = argument(fmt::string_view(view.data(), view.size()));
    } else {
      text_ = value.to_string();
      argument_ = argument(fmt::string_view(text_));
    }
  }
  FormatArgument(const FormatArgument&) = delete;

  const fmt::basic_format_arg<fmt::format_context>& get() const { return argument_; }

 private:
  template <class T>
  static fmt::basic_format_arg<fmt::format_context> argument(const T& value) {
    return fmt::format_args(fmt::make_format_args(value)).get(0);
  }

  std::string text_;
  fmt::basic_format_arg<fmt::format_context> argument_;
};

inline std::string format_all(std::string_view text, std::initializer_list<FormatArgument> arguments) {
  std::vector<fmt::basic_format_arg<fmt::format_context>> list;
  for (const FormatArgument& argument : arguments) list.push_back(argument.get());
  return fmt::vformat(fmt::string_view(text.data(), text.size()), fmt::format_args(list.data(), static_cast<int>(list.size())));
}

/// From here on: the next brace of a text, or its end. g++ takes long to interpret loops over letters, and knows this function.
constexpr const char* next_brace(const char* text) {
#if defined(__GNUC__) && !defined(__clang__)
  return text + __builtin_strcspn(text, "{}");
#else
  while (*text != 0 && *text != '{' && *text != '}') ++text;
  return text;
#endif
}

/// A text with as many replacement fields as there are arguments, which is checked when it is compiled; whether a format such
/// as {:.3f} suits its argument shows when it is used.
template <class... Args>
struct CheckedText {
  // Plain pointers: the compiler would interpret every call of a string_view, letter by letter of all texts.
  // NOLINTNEXTLINE(google-explicit-constructor)
  consteval CheckedText(const char* literal) : text(literal, __builtin_strlen(literal)) {
    std::size_t fields = 0, open = 0;
    for (const char* at = next_brace(literal); *at != 0; at = next_brace(at + 1)) {
      if (*at == '{' && at[1] != '{') {
        ++fields;
        ++open;
      } else if (*at == '}' && open > 0) {
        --open;
      } else {
        if (at[1] != *at) throw "siena: expected {{ and }} for braces in a text";
        ++at;
      }
    }
    if (fields != sizeof...(Args)) throw "siena: expected one argument for each {} of the text";
  }
  std::string_view text;
};
}  // namespace detail

template <class... Args>
using FormatText = detail::CheckedText<std::type_identity_t<Args>...>;

/// The text with its fields replaced, as {fmt} does; types of one's own need a `to_string()`.
template <class... Args>
std::string format(FormatText<Args...> text, const Args&... args) {
  return detail::format_all(text.text, {detail::FormatArgument(args)...});
}

namespace detail {
/// Whether a type is of siena: the compiler writes its name with all namespaces.
template <class T>
constexpr bool is_of_siena() {
  return std::string_view(__PRETTY_FUNCTION__).find("T = siena::") != std::string_view::npos;
}
}  // namespace detail
/// A type of siena that says itself what it is in words: {fmt} prints it by that, too.
template <class T>
concept HasText = detail::is_of_siena<T>() && requires(const T& value) {
  { value.to_string() } -> std::convertible_to<std::string>;
};

/// Throws `E` with a formatted message: `fail<ShapeError>("Linear: expected {} features, got {}", 4, 5)`.
template <class E, class... Args>
[[noreturn]] void fail(FormatText<Args...> text, const Args&... args) {
  throw E(detail::format_all(text.text, {detail::FormatArgument(args)...}));
}

/// Throws `E` unless `condition` holds; the arguments are formatted only then.
template <class E, class... Args>
void require(bool condition, FormatText<Args...> text, const Args&... args) {
  if (!condition) throw E(detail::format_all(text.text, {detail::FormatArgument(args)...}));
}

}  // namespace siena

template <siena::HasText T>
struct fmt::formatter<T, char> {
  constexpr auto parse(fmt::format_parse_context& context) { return text.parse(context); }
  auto format(const T& value, fmt::format_context& context) const { return text.format(value.to_string(), context); }

  fmt::formatter<std::string> text;  // a member, for lists quote what inherits from it
};
