// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Needs nlohmann-json: an optional header, in no umbrella. CMake: link siena::json.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/core/attributes.hpp"
#include "siena/core/error.hpp"
#include "siena/core/json.hpp"

namespace siena {

/// How a type is written that has a form of its own in JSON: specialised with `static nlohmann::json write(const T&)` and
/// `static void read(const nlohmann::json&, T&, const std::string& where)`, which throws FormatError.
template <class T>
struct JsonForm {};

template <class T>
concept HasJsonForm = requires(T& value, const T& constant, const nlohmann::json& json, const std::string& where) {
  JsonForm<T>::write(constant);
  JsonForm<T>::read(json, value, where);
};

/// An enumeration whose values have names: `names_of(T)`, found where T is, lists them in order.
template <class T>
concept HasNames = std::is_enum_v<T> && requires {
  names_of(T{}).begin();
};

namespace detail {
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
}  // namespace detail

/// A number of a file, if it is whole and not beyond these.
inline std::int64_t whole_number_from_json(const nlohmann::json& json, const std::string& where, std::int64_t least,
                                           std::int64_t most) {
  require<FormatError>(json.is_number_integer(), "{}: expected a whole number, got {}", where, json_excerpt(json));
  const bool fits = json.is_number_unsigned() ? json.get<std::uint64_t>() <= static_cast<std::uint64_t>(most)
                                              : json.get<std::int64_t>() <= most;
  require<FormatError>(fits && json.get<std::int64_t>() >= least, "{}: expected a whole number from {} to {}, got {}", where,
                       least, most, json_excerpt(json));
  return json.get<std::int64_t>();
}

/// Exactly as many whole numbers as there are places.
inline void whole_numbers_from_json(const nlohmann::json& json, std::initializer_list<int*> places, const std::string& where,
                                    std::string_view expected) {
  require<FormatError>(json.is_array() && json.size() == places.size(), "{}: expected {}, got {}", where, expected,
                       json_excerpt(json));
  for (std::size_t i = 0; i < places.size(); ++i) {
    *places.begin()[i] = static_cast<int>(
        whole_number_from_json(json[i], where, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
  }
}

/// One option: a bool, a number, a text, an enumeration with names, a struct with `attributes`, what has a JsonForm, or a
/// std::vector or std::optional of one of these. `where` names it in the ArgumentError for a number that is not finite, which
/// JSON has no word for.
template <class Json = nlohmann::json, class T>
Json option_to_json(const T& value, const std::string& where) {
  if constexpr (HasJsonForm<T>) {
    return JsonForm<T>::write(value);
  } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string>) {
    return value;
  } else if constexpr (std::is_arithmetic_v<T>) {
    require<ArgumentError>(std::isfinite(static_cast<double>(value)), "{}: expected a finite number, got {}", where, value);
    return value;
  } else if constexpr (HasNames<T>) {
    return names_of(value)[static_cast<std::size_t>(value)];
  } else if constexpr (detail::is_optional<T>) {
    return value ? option_to_json<Json>(*value, where) : Json();
  } else if constexpr (detail::is_vector<T>) {
    Json list = Json::array();
    for (const auto& element : value) list.push_back(option_to_json<Json>(element, where));
    return list;
  } else {
    static_assert(HasAttributes<T>,
                  "siena: an option in a file is a bool, an int, an std::int64_t, a float, a double, a std::string, an "
                  "enumeration with `names_of`, a struct with `attributes`, what has a JsonForm (a Size2, a padding), or a "
                  "std::vector or std::optional of one of these");
    Json object = Json::object();
    T::attributes(value, [&](std::string_view name, const auto& field) {
      Json json = option_to_json<Json>(field, where + "." + std::string(name));
      if (!json.is_null()) object[std::string(name)] = std::move(json);
    });
    return object;
  }
}

template <class T>
void option_from_json(const nlohmann::json& json, T& value, const std::string& where);

namespace detail {
/// The options of a struct, and no others.
template <class T>
void fields_from_json(const nlohmann::json& json, T& value, const std::string& where) {
  std::vector<std::string_view> known;
  std::string all;
  T::attributes(value, [&](std::string_view name, auto& field) {
    known.push_back(name);
    all += (all.empty() ? "" : ", ") + std::string(name);
    const auto option = json.find(std::string(name));
    if (option != json.end()) option_from_json(*option, field, where + "." + std::string(name));
  });
  for (const auto& [name, unused] : json.items()) {
    require<FormatError>(std::find(known.begin(), known.end(), name) != known.end(),
                         "{}: expected no options but {}, got '{}'; was this written by a newer siena?", where,
                         known.empty() ? "none" : all, name);
  }
}
template <class T>
void number_from_json(const nlohmann::json& json, T& value, const std::string& where) {
  if constexpr (std::is_integral_v<T>) {
    constexpr std::int64_t exact = 1'000'000'000'000'000;  // in whatever reads JSON
    value = static_cast<T>(whole_number_from_json(json, where, std::max<std::int64_t>(std::numeric_limits<T>::min(), -exact),
                                                  std::min<std::int64_t>(std::numeric_limits<T>::max(), exact)));
  } else {
    require<FormatError>(json.is_number(), "{}: expected a number, got {}", where, json_excerpt(json));
    value = json.get<T>();
    require<FormatError>(std::isfinite(value), "{}: expected a number of {} bits, got {}", where, 8 * sizeof(T),
                         json_excerpt(json));
  }
}
}  // namespace detail

/// The other way round. What a struct is not told keeps its default. Throws FormatError, which `where` begins, for another form
/// and for options that a struct does not have.
template <class T>
void option_from_json(const nlohmann::json& json, T& value, const std::string& where) {
  const auto expect = [&](bool fits, std::string_view expected) {
    require<FormatError>(fits, "{}: expected {}, got {}", where, expected, json_excerpt(json));
  };
  if constexpr (HasJsonForm<T>) {
    JsonForm<T>::read(json, value, where);
  } else if constexpr (std::is_same_v<T, bool>) {
    expect(json.is_boolean(), "true or false");
    value = json.get<bool>();
  } else if constexpr (std::is_arithmetic_v<T>) {
    detail::number_from_json(json, value, where);
  } else if constexpr (std::is_same_v<T, std::string>) {
    expect(json.is_string(), "a text");
    value = json.get<std::string>();
  } else if constexpr (HasNames<T>) {
    const auto names = names_of(T{});
    std::string known;
    for (const std::string_view name : names) known += (known.empty() ? "one of " : ", ") + std::string(name);
    const auto found = std::find(names.begin(), names.end(), json.is_string() ? json.get<std::string>() : "");
    expect(found != names.end(), known);
    value = static_cast<T>(found - names.begin());
  } else if constexpr (detail::is_optional<T>) {
    option_from_json(json, value.emplace(), where);
  } else if constexpr (detail::is_vector<T>) {
    expect(json.is_array(), "a list");
    value.assign(json.size(), {});
    for (std::size_t i = 0; i < json.size(); ++i) option_from_json(json[i], value[i], siena::format("{}[{}]", where, i));
  } else {
    expect(json.is_object(), "an object of options");
    detail::fields_from_json(json, value, where);
  }
}

/// A field that an object has to have.
template <class T>
void field_from_json(const nlohmann::json& json, const char* name, T& value, const std::string& where) {
  const auto found = json.find(name);
  require<FormatError>(found != json.end(), "{}: expected '{}', got none", where, name);
  option_from_json(*found, value, where + "." + name);
}

}  // namespace siena
