// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::json (nlohmann-json): the options of layers as JSON. Not part of the umbrella header.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "siena/core/attributes.hpp"
#include "siena/core/error.hpp"
#include "siena/core/json.hpp"
#include "siena/nn/layers/conv1d.hpp"
#include "siena/nn/layers/conv2d.hpp"

namespace siena::deploy {

namespace detail {
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;

inline std::int64_t whole_number(const nlohmann::json& json, const std::string& where, std::int64_t least, std::int64_t most) {
  const bool fits = json.is_number_unsigned() ? json.get<std::uint64_t>() <= static_cast<std::uint64_t>(most)
                                              : json.is_number_integer() && json.get<std::int64_t>() <= most;
  require<FormatError>(fits && json.get<std::int64_t>() >= least, "{}: expected a whole number from {} to {}, got {}", where,
                       least, most, json_excerpt(json));
  return json.get<std::int64_t>();
}

/// Exactly as many numbers as there are places.
inline void read_numbers(const nlohmann::json& json, std::initializer_list<int*> places, const std::string& where,
                         std::string_view expected) {
  require<FormatError>(json.is_array() && json.size() == places.size(), "{}: expected {}, got {}", where, expected,
                       json_excerpt(json));
  for (std::size_t i = 0; i < places.size(); ++i) {
    *places.begin()[i] =
        static_cast<int>(whole_number(json[i], where, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
  }
}
}  // namespace detail

/// One option: a bool, an int, a double, a text, a Size2 ([height, width]), a padding ("same", "causal" or numbers), a struct
/// with `attributes`, or a std::vector or std::optional of one of these. `where` names it in the ArgumentError for a number
/// that is not finite, which JSON has no word for.
template <class T>
nlohmann::json option_to_json(const T& value, const std::string& where) {
  if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, int> || std::is_same_v<T, std::string>) {
    return value;
  } else if constexpr (std::is_same_v<T, double>) {
    require<ArgumentError>(std::isfinite(value), "{}: expected a finite number, got {}", where, value);
    return value;
  } else if constexpr (std::is_same_v<T, Size2>) {
    return {value.height, value.width};
  } else if constexpr (std::is_same_v<T, ImagePadding>) {
    return value.is_same ? nlohmann::json("same") : nlohmann::json{value.top, value.bottom, value.left, value.right};
  } else if constexpr (std::is_same_v<T, TimePadding>) {
    if (value.is_same || value.is_causal) return value.is_same ? "same" : "causal";
    return {value.before, value.after};
  } else if constexpr (detail::is_optional<T>) {
    return value ? option_to_json(*value, where) : nlohmann::json();
  } else if constexpr (detail::is_vector<T>) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& element : value) list.push_back(option_to_json(element, where));
    return list;
  } else {
    static_assert(HasAttributes<T>,
                  "siena: an option in a file is a bool, an int, a double, a std::string, a Size2, a padding, a struct with "
                  "`attributes`, or a std::vector or std::optional of one of these");
    nlohmann::json object = nlohmann::json::object();
    T::attributes(value, [&](std::string_view name, const auto& field) {
      nlohmann::json json = option_to_json(field, where + "." + std::string(name));
      if (!json.is_null()) object[std::string(name)] = std::move(json);
    });
    return object;
  }
}

/// The other way round. What a struct is not told keeps its default. Throws FormatError, which `where` begins, for another form
/// and for options that a struct does not have.
template <class T>
void option_from_json(const nlohmann::json& json, T& value, const std::string& where) {
  const auto expect = [&](bool fits, std::string_view expected) {
    require<FormatError>(fits, "{}: expected {}, got {}", where, expected, json_excerpt(json));
  };
  if constexpr (std::is_same_v<T, bool>) {
    expect(json.is_boolean(), "true or false");
    value = json.get<bool>();
  } else if constexpr (std::is_same_v<T, int>) {
    value =
        static_cast<int>(detail::whole_number(json, where, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
  } else if constexpr (std::is_same_v<T, double>) {
    expect(json.is_number(), "a number");
    value = json.get<double>();
    expect(std::isfinite(value), "a finite number");
  } else if constexpr (std::is_same_v<T, std::string>) {
    expect(json.is_string(), "a text");
    value = json.get<std::string>();
  } else if constexpr (std::is_same_v<T, Size2>) {
    detail::read_numbers(json, {&value.height, &value.width}, where, "[height, width]");
  } else if constexpr (std::is_same_v<T, ImagePadding>) {
    if (json == "same") {
      value = same;
    } else {
      value = 0;
      detail::read_numbers(json, {&value.top, &value.bottom, &value.left, &value.right}, where,
                           "\"same\" or [top, bottom, left, right]");
    }
  } else if constexpr (std::is_same_v<T, TimePadding>) {
    if (json == "same" || json == "causal") {
      value = json == "same" ? TimePadding(same) : TimePadding(causal);
    } else {
      value = 0;
      detail::read_numbers(json, {&value.before, &value.after}, where, "\"same\", \"causal\" or [before, after]");
    }
  } else if constexpr (detail::is_optional<T>) {
    option_from_json(json, value.emplace(), where);
  } else if constexpr (detail::is_vector<T>) {
    expect(json.is_array(), "a list");
    value.assign(json.size(), {});
    for (std::size_t i = 0; i < json.size(); ++i) option_from_json(json[i], value[i], siena::format("{}[{}]", where, i));
  } else {
    expect(json.is_object(), "an object of options");
    std::vector<std::string_view> known;
    T::attributes(value, [&](std::string_view name, auto& field) {
      known.push_back(name);
      const auto found = json.find(std::string(name));
      if (found != json.end()) option_from_json(*found, field, where + "." + std::string(name));
    });
    for (const auto& [name, unused] : json.items()) {
      std::string all;
      for (const std::string_view k : known) all += (all.empty() ? "" : ", ") + std::string(k);
      require<FormatError>(std::find(known.begin(), known.end(), name) != known.end(),
                           "{}: expected no options but {}, got '{}'; was this written by a newer siena?", where,
                           known.empty() ? "none" : all, name);
    }
  }
}

}  // namespace siena::deploy
