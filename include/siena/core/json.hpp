// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Needs nlohmann-json: an optional header, in no umbrella. CMake: link siena::json.

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/core/utf8.hpp"

namespace siena {

/// What a document may be. Whoever copies, prints or walks one calls itself once a level, so depth is stack.
struct JsonLimits {
  std::size_t bytes = std::size_t{64} << 20;
  std::size_t depth = 16;  ///< objects and lists within each other
};

/// What a message shows of a value: its JSON as far as it is short and of few levels.
inline std::string json_excerpt(const nlohmann::json& value, int levels = 3) {
  constexpr std::size_t most = 60;
  if (!value.is_structured()) return excerpt(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), most);
  std::string text(1, value.is_object() ? '{' : '[');
  for (auto item = value.begin(); item != value.end(); ++item) {
    if (item != value.begin()) text += ',';
    if (text.size() >= most || levels == 0) {
      text += "...";
      break;
    }
    if (value.is_object()) text += '"' + excerpt(item.key(), most) + "\":";
    text += json_excerpt(*item, levels - 1);
  }
  return text + (value.is_object() ? '}' : ']');
}

/// A JSON document from elsewhere. Throws FormatError, "<where>: expected ..., got ...", for what is no JSON (with the place),
/// is not UTF-8, is longer or deeper than the limits, or says a name of an object twice. Everything that reads JSON reads it by
/// this.
inline nlohmann::json parse_json(std::string_view text, std::string_view where, const JsonLimits& limits = {}) {
  using Json = nlohmann::json;
  require<FormatError>(text.size() <= limits.bytes, "{}: expected JSON of at most {} bytes, got {}", where, limits.bytes,
                       text.size());
  const std::size_t bad = find_not_utf8(text);
  require<FormatError>(bad == std::string_view::npos, "{}: expected JSON in UTF-8, got another byte at {}; convert it", where,
                       bad);
  std::vector<std::set<std::string>> names;  // of each object that is open; none in those of lists
  const auto observe = [&](int, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      require<FormatError>(names.size() < limits.depth, "{}: expected JSON of at most {} levels, got deeper nesting", where,
                           limits.depth);
      names.emplace_back();
    }
    if (event == Event::object_end || event == Event::array_end) names.pop_back();
    if (event == Event::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      require<FormatError>(names.back().insert(name).second, "{}: expected every name once, got '{}' twice", where,
                           excerpt(name));
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), observe);
  } catch (const Json::exception& error) {
    std::string_view reason = error.what();  // "[json.exception.parse_error.101] parse error at line 1, ..."
    if (const auto end = reason.find("] "); reason.starts_with('[') && end != std::string_view::npos)
      reason.remove_prefix(end + 2);
    fail<FormatError>("{}: expected JSON, got: {}", where, excerpt(reason, 300));
  }
}

/// The JSON document in a file; `where` in messages is its path. Throws DataError where there is no file, and as `parse_json`.
inline nlohmann::json read_json(const std::filesystem::path& path, const JsonLimits& limits = {}) {
  return parse_json(read_file(path, limits.bytes), path.string(), limits);
}

}  // namespace siena
