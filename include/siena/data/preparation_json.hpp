// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::json (nlohmann-json): how inputs are prepared, as JSON. Not part of the umbrella header.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "siena/core/attributes_json.hpp"
#include "siena/core/json.hpp"
#include "siena/core/shape.hpp"
#include "siena/data/preparation.hpp"

namespace siena::data {

namespace detail {

/// One number stands for as many equal ones as there are channels.
inline std::vector<float> shortest(const std::vector<float>& numbers) {
  const bool equal = std::equal(numbers.begin() + (numbers.empty() ? 0 : 1), numbers.end(), numbers.begin());
  return equal && !numbers.empty() ? std::vector<float>{numbers[0]} : numbers;
}
/// One for each channel, or one for all.
inline void channels_from_json(const nlohmann::json& json, const char* name, const Shape& shape, std::vector<float>& numbers,
                               const std::string& where) {
  field_from_json(json, name, numbers, where);
  const auto channels = static_cast<std::size_t>(shape.columns());
  if (numbers.size() == 1) numbers.assign(channels, numbers[0]);
  require<FormatError>(numbers.size() == channels, "{}: expected a {} for each of {} channels, or one for all, got {}", where,
                       name, channels, numbers.size());
}

inline SoundPreparation sound_from_json(const nlohmann::json& json, const std::string& where) {
  require<FormatError>(json.is_object(), "{}: expected an object, got {}", where, json_excerpt(json));
  SoundPreparation sound;
  field_from_json(json, "seconds", sound.seconds, where);
  field_from_json(json, "window", sound.window, where);
  const std::string place = where + ".front_end";
  nlohmann::json settings = json.value("front_end", nlohmann::json());
  require<FormatError>(settings.is_object(), "{}: expected an object, got {}", place, json_excerpt(settings));
  std::string kind;
  field_from_json(settings, "kind", kind, place);
  settings.erase("kind");
  if (kind == LogMelOptions::kind()) sound.front_end = LogMelOptions{};
  require<FormatError>(kind == LogMelOptions::kind() || kind == MfccOptions::kind(),
                       "{}: expected the kind mfcc or log_mel, got {}", place, json_excerpt(kind));
  std::visit([&](auto& options) { option_from_json(settings, options, place); }, sound.front_end);
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
                              {"colours", option_to_json<nlohmann::ordered_json>(p.colours, "preparation")}};
  if (p.resize) json["resize"] = option_to_json<nlohmann::ordered_json>(*p.resize, "preparation.resize");
  if (!p.sound) return json;
  nlohmann::ordered_json front_end;
  std::visit(
      [&](const auto& options) {
        front_end["kind"] = options.kind();
        front_end.update(option_to_json<nlohmann::ordered_json>(options, "preparation.sound"));
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
  const auto expect = [&](bool fits, std::string_view expected, const nlohmann::json& got) {
    require<FormatError>(fits, "{}: expected {}, got {}", where, expected, json_excerpt(got));
  };
  const auto read = [&](const char* name, auto& value) { field_from_json(json, name, value, where); };
  expect(json.is_object(), "an object", json);
  std::int64_t version = 0;
  read("version", version);
  expect(version == preparation_version, siena::format("version {}", preparation_version), version);

  Preparation p;
  std::vector<std::int64_t> sizes;
  read("shape", sizes);
  const bool possible = !sizes.empty() && sizes.size() < Shape::max_rank &&
                        std::all_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size >= 1 && size < 1 << 24; });
  expect(possible, "a shape of a sample", sizes);
  p.shape = Shape(sizes);
  std::string values;
  read("values", values);
  expect(values == "bytes" || values == "numbers", "values that are bytes or numbers", values);
  p.bytes = values == "bytes";
  detail::channels_from_json(json, "mean", p.shape, p.mean, where);
  detail::channels_from_json(json, "deviation", p.shape, p.deviation, where);
  for (const float deviation : p.deviation) expect(deviation > 0, "deviations above 0", deviation);
  read("classes", p.classes);
  read("colours", p.colours);
  if (json.contains("resize")) read("resize", p.resize);
  if (json.contains("sound")) p.sound = detail::sound_from_json(json.at("sound"), where + ".sound");
  return p;
}

}  // namespace siena::data
