// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::json (nlohmann-json): how inputs are prepared, as JSON. Not part of the umbrella header.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "siena/core/attributes.hpp"
#include "siena/core/json.hpp"
#include "siena/core/shape.hpp"
#include "siena/data/preparation.hpp"

namespace siena::data {

namespace detail {

/// A value, or the options of a struct by their names; an enumeration by the name of its value.
template <class T>
nlohmann::ordered_json setting_to_json(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return names_of(value)[static_cast<std::size_t>(value)];
  } else if constexpr (HasAttributes<T>) {
    nlohmann::ordered_json json;
    T::attributes(value, [&](std::string_view name, const auto& field) { json[std::string(name)] = setting_to_json(field); });
    return json;
  } else {
    return value;
  }
}

/// Reads the fields of an object. Each error says which field it is.
class PreparationReader {
 public:
  PreparationReader(const nlohmann::json& json, std::string where) : json_(json), where_(std::move(where)) {
    expect(json.is_object(), "an object", json);
  }

  bool has(const char* name) const { return json_.contains(name); }
  /// The object in a field.
  PreparationReader inner(const char* name) const { return {at(name), where_ + "." + name}; }

  template <class T>
  void read(const char* name, T& value) const {
    PreparationReader::read(at(name), where_ + "." + name, value);
  }
  /// The options of a struct; one that the object does not have keeps its default. `besides` may stand there, too.
  template <class T>
  void read_settings(T& settings, std::string_view besides = "") const {
    std::vector<std::string_view> known{besides};
    T::attributes(settings, [&](std::string_view name, auto& field) {
      known.push_back(name);
      if (const auto found = json_.find(std::string(name)); found != json_.end())
        PreparationReader::read(*found, siena::format("{}.{}", where_, name), field);
    });
    for (const auto& [name, unused] : json_.items()) {
      require<FormatError>(std::find(known.begin(), known.end(), name) != known.end(),
                           "{}: expected settings that there are, got '{}'; was this written by a newer siena?", where_, name);
    }
  }
  template <class T>
  void expect(bool fits, std::string_view expected, const T& got) const {
    expect_at(where_, fits, expected, got);
  }

 private:
  const nlohmann::json& at(const char* name) const {
    const auto found = json_.find(name);
    require<FormatError>(found != json_.end(), "{}: expected '{}', got none", where_, name);
    return *found;
  }
  static void expect_at(const std::string& where, bool fits, std::string_view expected, const nlohmann::json& got) {
    require<FormatError>(fits, "{}: expected {}, got {}", where, expected, json_excerpt(got));
  }

  static void read(const nlohmann::json& json, const std::string& where, bool& value) {
    expect_at(where, json.is_boolean(), "true or false", json);
    value = json.get<bool>();
  }
  static void read(const nlohmann::json& json, const std::string& where, std::int64_t& value) {
    const bool fits = json.is_number_integer() && std::abs(json.get<double>()) <= 1e15;
    expect_at(where, fits, "a whole number", json);
    value = json.get<std::int64_t>();
  }
  static void read(const nlohmann::json& json, const std::string& where, double& value) {
    expect_at(where, json.is_number(), "a number", json);
    value = json.get<double>();
  }
  static void read(const nlohmann::json& json, const std::string& where, float& value) {
    const bool fits = json.is_number() && std::isfinite(json.get<float>());
    expect_at(where, fits, "a number of 32 bits", json);
    value = json.get<float>();
  }
  static void read(const nlohmann::json& json, const std::string& where, std::string& value) {
    expect_at(where, json.is_string(), "a text", json);
    value = json.get<std::string>();
  }
  template <class T>
  static void read(const nlohmann::json& json, const std::string& where, std::vector<T>& values) {
    expect_at(where, json.is_array(), "a list", json);
    values.assign(json.size(), {});
    for (std::size_t i = 0; i < json.size(); ++i) read(json[i], siena::format("{}[{}]", where, i), values[i]);
  }
  template <class T>
  requires std::is_enum_v<T>
  static void read(const nlohmann::json& json, const std::string& where, T& value) {
    std::string known, name = json.is_string() ? json.get<std::string>() : "";
    const auto names = names_of(T{});
    for (const std::string_view one : names) known += (known.empty() ? "one of " : ", ") + std::string(one);
    const auto found = std::find(names.begin(), names.end(), name);
    expect_at(where, found != names.end(), known, json);
    value = static_cast<T>(found - names.begin());
  }
  template <HasAttributes T>
  static void read(const nlohmann::json& json, const std::string& where, T& value) {
    PreparationReader(json, where).read_settings(value);
  }

  const nlohmann::json& json_;
  std::string where_;
};

/// One number stands for as many equal ones as there are channels.
inline std::vector<float> shortest(const std::vector<float>& numbers) {
  const bool equal = std::equal(numbers.begin() + (numbers.empty() ? 0 : 1), numbers.end(), numbers.begin());
  return equal && !numbers.empty() ? std::vector<float>{numbers[0]} : numbers;
}
inline void read_numbers(const PreparationReader& reader, const char* name, const Shape& shape, std::vector<float>& numbers) {
  reader.read(name, numbers);
  const auto channels = static_cast<std::size_t>(shape.columns());
  if (numbers.size() == 1) numbers.assign(channels, numbers[0]);
  reader.expect(numbers.size() == channels, siena::format("a {} for each of {} channels, or one for all", name, channels),
                numbers.size());
}

inline SoundPreparation read_sound_preparation(const PreparationReader& reader) {
  SoundPreparation sound;
  reader.read("seconds", sound.seconds);
  reader.read("window", sound.window);
  const PreparationReader settings = reader.inner("front_end");
  std::string kind;
  settings.read("kind", kind);
  if (kind == LogMelOptions::kind()) sound.front_end = LogMelOptions{};
  settings.expect(kind == LogMelOptions::kind() || kind == MfccOptions::kind(), "the kind mfcc or log_mel", kind);
  std::visit([&](auto& options) { settings.read_settings(options, "kind"); }, sound.front_end);
  return sound;
}

}  // namespace detail

inline constexpr int preparation_version = 1;
/// The name of this text in files of networks and weights.
inline constexpr std::string_view preparation_key = "siena.preparation";

/// {"version", "shape", "layout": [name of each size], "values": "bytes" or "numbers", "scale", "mean": [of each channel, or
/// one for all], "deviation", "classes": [name], "colours", "resize": {its options}, "sound": {"seconds", "window",
/// "front_end": {"kind", its options}}}; the last two where there are such. What a network sees is (value * scale - mean) /
/// deviation.
inline nlohmann::ordered_json to_json(const Preparation& preparation) {
  const Preparation& p = preparation;
  const auto sizes = p.shape.sizes();
  const auto layout = p.layout();
  nlohmann::ordered_json json{{"version", preparation_version},
                              {"shape", std::vector<std::int64_t>(sizes.begin(), sizes.end())},
                              {"layout", std::vector<std::string>(layout.begin(), layout.end())},
                              {"values", p.bytes ? "bytes" : "numbers"},
                              {"scale", p.scale()},
                              {"mean", detail::shortest(p.mean)},
                              {"deviation", detail::shortest(p.deviation)},
                              {"classes", p.classes},
                              {"colours", detail::setting_to_json(p.colours)}};
  if (p.resize) json["resize"] = detail::setting_to_json(*p.resize);
  if (!p.sound) return json;
  nlohmann::ordered_json front_end;
  std::visit(
      [&](const auto& options) {
        front_end["kind"] = options.kind();
        front_end.update(detail::setting_to_json(options));
      },
      p.sound->front_end);
  json["sound"] = {{"seconds", p.sound->seconds}, {"window", p.sound->window}, {"front_end", std::move(front_end)}};
  return json;
}

/// A line of it, for files that keep texts. What is not UTF-8, as names of folders may be, becomes U+FFFD.
inline std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// The other way round. Throws FormatError, which `where` begins, for what to_json does not write.
inline Preparation preparation_from_json(const nlohmann::json& json, const std::string& where = "preparation") {
  const detail::PreparationReader reader(json, where);
  std::int64_t version = 0;
  reader.read("version", version);
  reader.expect(version == preparation_version, siena::format("version {}", preparation_version), version);

  Preparation p;
  std::vector<std::int64_t> sizes;
  reader.read("shape", sizes);
  const bool possible = !sizes.empty() && sizes.size() < Shape::max_rank &&
                        std::all_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size >= 1 && size < 1 << 24; });
  reader.expect(possible, "a shape of a sample", sizes);
  p.shape = Shape(sizes);
  std::string values;
  reader.read("values", values);
  reader.expect(values == "bytes" || values == "numbers", "values that are bytes or numbers", values);
  p.bytes = values == "bytes";
  detail::read_numbers(reader, "mean", p.shape, p.mean);
  detail::read_numbers(reader, "deviation", p.shape, p.deviation);
  for (const float deviation : p.deviation) reader.expect(deviation > 0, "deviations above 0", deviation);
  reader.read("classes", p.classes);
  reader.read("colours", p.colours);
  if (reader.has("resize")) reader.inner("resize").read_settings(p.resize.emplace());
  if (reader.has("sound")) p.sound = detail::read_sound_preparation(reader.inner("sound"));
  return p;
}

}  // namespace siena::data
