// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Needs nlohmann-json: an optional header, in no umbrella. CMake: link siena::json.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/core/json.hpp"
#include "siena/core/shape.hpp"
#include "siena/core/state.hpp"
#include "siena/core/tensor.hpp"

namespace siena::deploy {

static_assert(std::endian::native == std::endian::little, "siena: safetensors files are little-endian, and so is this code");

/// Text that goes with a file: a licence, a data set, an accuracy.
using Metadata = std::map<std::string, std::string>;
/// The name of the text that holds the graph, in files that stand on their own (save_network).
inline constexpr std::string_view network_metadata = "siena.network";

namespace detail {

inline constexpr std::string_view safetensors_metadata = "__metadata__";
inline constexpr std::uint64_t safetensors_longest_header = 100'000'000;  // what other readers accept
inline constexpr std::string_view safetensors_dtypes = "F64, F32, F16, BF16 and I64";

struct SafetensorsEntry {
  std::string name, dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;

  /// Bytes of an element; 0: a type that is not supported.
  std::uint64_t element_size() const {
    if (dtype == "F64" || dtype == "I64") return 8;
    if (dtype == "F32") return 4;
    return dtype == "F16" || dtype == "BF16" ? 2 : 0;
  }
};

template <class T>
T safetensors_read(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}
template <class T>
void safetensors_append(std::string& bytes, const T& value) {
  const std::size_t at = bytes.size();
  bytes.resize(at + sizeof(T));
  std::memcpy(bytes.data() + at, &value, sizeof(T));
}

/// IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. Exact.
inline float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half & 0x8000u} << 16, exponent = (half >> 10) & 31u, fraction = half & 0x3ffu;
  if (exponent == 0) return std::copysign(std::ldexp(static_cast<float>(fraction), -24), sign ? -1.0f : 1.0f);
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 127 - 15;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

/// Parses one file. Everything is checked before a state exists.
class SafetensorsReader {
 public:
  SafetensorsReader(const std::filesystem::path& file, std::string_view bytes)
      : where_(siena::format("load_safetensors: '{}'", file.string())), bytes_(bytes) {}

  State read() {
    const nlohmann::json header = parse_header();
    std::vector<SafetensorsEntry> entries;
    for (const auto& [name, fields] : header.items()) {
      if (name != safetensors_metadata) entries.push_back(entry(name, fields));
    }
    check_layout(entries);
    State state;
    for (const auto& e : entries) state.put(e.name, value(e));
    if (header.contains(safetensors_metadata)) read_metadata(header.at(std::string(safetensors_metadata)), state);
    return state;
  }

 private:
  template <class... Args>
  void check(bool condition, FormatText<Args...> text, const Args&... args) const {
    if (!condition) fail<FormatError>("{}: {}", where_, siena::format(text, args...));
  }

  nlohmann::json parse_header() {
    check(bytes_.size() >= 8, "expected at least the 8 bytes of the header's length, got {}; was the file cut off?",
          bytes_.size());
    const auto length = safetensors_read<std::uint64_t>(bytes_.data());
    check(length <= safetensors_longest_header, "expected a header of at most {} bytes, got {}; is this a safetensors file?",
          safetensors_longest_header, length);
    check(length <= bytes_.size() - 8, "expected a header of {} bytes, got {}; was the file cut off?", length,
          bytes_.size() - 8);
    const std::string_view text = bytes_.substr(8, length);
    data_ = bytes_.substr(8 + length);

    // Of name, field and list.
    nlohmann::json header = parse_json(text, where_ + ": header", {.bytes = safetensors_longest_header, .depth = 3});
    check(header.is_object(), "expected the header to be a JSON object, got: {}", json_excerpt(header));
    return header;
  }

  SafetensorsEntry entry(const std::string& name, const nlohmann::json& fields) const {
    SafetensorsEntry e{.name = name, .dtype = {}, .shape = {}};
    check(fields.is_object() && fields.contains("dtype") && fields.contains("shape") && fields.contains("data_offsets"),
          "'{}': expected dtype, shape and data_offsets, got {}", name, json_excerpt(fields));
    const auto &dtype = fields.at("dtype"), &shape = fields.at("shape"), &offsets = fields.at("data_offsets");
    check(dtype.is_string(), "'{}': expected dtype to be text, got {}", name, json_excerpt(dtype));
    e.dtype = dtype.get<std::string>();
    check(e.element_size() > 0, "'{}': expected a dtype of {}, got {}; convert it before it is saved", name, safetensors_dtypes,
          e.dtype);

    check(shape.is_array() && shape.size() <= Shape::max_rank, "'{}': expected a shape of at most {} sizes, got {}", name,
          Shape::max_rank, json_excerpt(shape));
    std::uint64_t product = 1;  // empty dimensions left out: loops run over the others
    bool empty = false;
    for (const auto& size : shape) {
      check(size.is_number_unsigned(), "'{}': expected sizes that are whole numbers of 0 or more, got {}", name,
            json_excerpt(shape));
      const auto n = size.get<std::uint64_t>();
      empty = empty || n == 0;
      constexpr std::uint64_t most = std::uint64_t{1} << 48;
      check(n <= most / product, "'{}': expected a shape that fits into memory, got {}", name, json_excerpt(shape));
      product *= std::max<std::uint64_t>(n, 1);
      e.shape.push_back(static_cast<std::int64_t>(n));
    }
    check(e.dtype != "I64" || e.shape.empty(), "'{}': expected whole numbers (I64) as single values only, got shape {}", name,
          json_excerpt(shape));

    check(offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() && offsets[1].is_number_unsigned(),
          "'{}': expected data_offsets [begin, end], got {}", name, json_excerpt(offsets));
    e.begin = offsets[0].get<std::uint64_t>();
    e.end = offsets[1].get<std::uint64_t>();
    check(e.begin <= e.end && e.end <= data_.size(),
          "'{}': expected data_offsets within the {} bytes of data, got {}; was the file cut off?", name, data_.size(),
          json_excerpt(offsets));
    const std::uint64_t bytes = empty ? 0 : product * e.element_size();
    check(e.end - e.begin == bytes, "'{}': expected {} bytes for {} of shape {}, got {}", name, bytes, e.dtype,
          json_excerpt(shape), e.end - e.begin);
    return e;
  }

  /// Every byte of the data belongs to one tensor.
  void check_layout(std::vector<SafetensorsEntry>& entries) const {
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    std::uint64_t end = 0;
    for (const auto& e : entries) {
      check(e.begin >= end, "'{}': expected data that starts at byte {}, got {}: it overlaps another tensor", e.name, end,
            e.begin);
      check(e.begin == end, "'{}': expected data that starts at byte {}, got {}: nobody owns the bytes between", e.name, end,
            e.begin);
      end = e.end;
    }
    check(end == data_.size(), "expected {} bytes of data, got {}: nobody owns the last ones", end, data_.size());
  }

  State::Value value(const SafetensorsEntry& e) const {
    const char* bytes = data_.data() + e.begin;
    if (e.dtype == "I64") return safetensors_read<std::int64_t>(bytes);
    if (e.shape.empty()) return e.dtype == "F64" ? safetensors_read<double>(bytes) : double{element(e, 0)};
    Tensor tensor{Shape(std::span<const std::int64_t>(e.shape))};
    if (tensor.empty()) return tensor;
    for (std::int64_t r = 0, i = 0; r < tensor.rows(); ++r, i += tensor.columns()) {
      const auto row = tensor.row(r);
      if (e.dtype == "F32") {
        std::memcpy(row.data(), bytes + i * 4, row.size_bytes());
      } else {
        for (std::size_t c = 0; c < row.size(); ++c) row[c] = element(e, static_cast<std::uint64_t>(i) + c);
      }
    }
    return tensor;
  }

  float element(const SafetensorsEntry& e, std::uint64_t i) const {
    const char* bytes = data_.data() + e.begin + i * e.element_size();
    if (e.dtype == "F32") return safetensors_read<float>(bytes);
    if (e.dtype == "F16") return float_from_half(safetensors_read<std::uint16_t>(bytes));
    if (e.dtype == "BF16") return std::bit_cast<float>(std::uint32_t{safetensors_read<std::uint16_t>(bytes)} << 16);
    const auto wide = safetensors_read<double>(bytes);
    check(!std::isfinite(wide) || std::abs(wide) <= std::numeric_limits<float>::max(),
          "'{}': expected numbers that fit into 32 bits, got {}", e.name, wide);
    return static_cast<float>(wide);
  }

  void read_metadata(const nlohmann::json& metadata, State& state) const {
    check(metadata.is_object(), "expected __metadata__ to be an object of texts, got {}", metadata.type_name());
    for (const auto& [name, text] : metadata.items()) {
      check(text.is_string(), "expected __metadata__ of texts, got '{}' of type {}", name, text.type_name());
      check(!state.contains(name), "expected every name once, got '{}' as a tensor and in __metadata__", name);
      state.put(name, text.get<std::string>());
    }
  }

  std::string where_;
  std::string_view bytes_, data_;
};

inline void append_safetensors_value(std::string& data, const State::Value& value) {
  if (const auto* tensor = std::get_if<Tensor>(&value)) {
    if (tensor->empty()) return;
    for (std::int64_t r = 0; r < tensor->rows(); ++r) {
      const auto row = tensor->row(r);
      data.append(reinterpret_cast<const char*>(row.data()), row.size_bytes());
    }
  } else if (const auto* number = std::get_if<double>(&value)) {
    safetensors_append(data, *number);
  } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    safetensors_append(data, *whole);
  }
}

/// The header, and the data to which it points: the 64-bit numbers first, then the tensors, each by name, so that every element
/// is aligned in a file that is mapped into memory.
inline nlohmann::json safetensors_header(const State& state, const Metadata& metadata, std::string& data,
                                         const std::string& where) {
  nlohmann::json header = nlohmann::json::object(), texts = metadata;
  for (const auto& [name, value] : state.values()) {
    require<ArgumentError>(name != safetensors_metadata, "{}: expected another name than {}, which the format keeps for itself",
                           where, name);
    require<ArgumentError>(!metadata.contains(name), "{}: expected every name once, got '{}' in the state and the metadata",
                           where, name);
    if (const auto* text = std::get_if<std::string>(&value)) texts[name] = *text;
  }
  const auto add = [&](const std::string& name, const State::Value& value, const char* dtype, const nlohmann::json& shape) {
    const std::size_t begin = data.size();
    append_safetensors_value(data, value);
    header[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {begin, data.size()}}};
  };
  for (const auto& [name, value] : state.values()) {
    if (std::holds_alternative<double>(value)) add(name, value, "F64", nlohmann::json::array());
    if (std::holds_alternative<std::int64_t>(value)) add(name, value, "I64", nlohmann::json::array());
  }
  for (const auto& [name, value] : state.values()) {
    const auto* tensor = std::get_if<Tensor>(&value);
    if (!tensor) continue;
    const auto sizes = tensor->shape().sizes();
    require<ArgumentError>(!sizes.empty(), "{}: expected '{}' to have a shape, got an empty tensor", where, name);
    add(name, value, "F32", std::vector<std::int64_t>(sizes.begin(), sizes.end()));
  }
  if (!texts.empty()) header[std::string(safetensors_metadata)] = std::move(texts);
  return header;
}

/// The whole file.
inline std::string safetensors_bytes(const State& state, const Metadata& metadata, const std::string& where) {
  std::string data, header;
  const nlohmann::json json = safetensors_header(state, metadata, data, where);
  try {
    header = json.dump();
  } catch (const nlohmann::json::exception& error) {
    fail<ArgumentError>("{}: expected names and metadata in UTF-8, got: {}", where, error.what());
  }
  header.resize((header.size() + 7) / 8 * 8, ' ');
  require<ArgumentError>(header.size() <= safetensors_longest_header,
                         "{}: expected names and metadata of at most {} bytes, got {}", where, safetensors_longest_header,
                         header.size());
  std::string bytes;
  bytes.reserve(8 + header.size() + data.size());
  safetensors_append(bytes, std::uint64_t{header.size()});
  return bytes.append(header).append(data);
}

}  // namespace detail

/// Writes a state as a safetensors file, whole or not at all: tensors as F32 (row-major, without padding),
/// numbers as F64 and I64 of shape [], text beside `metadata` under __metadata__. The same state gives the
/// same bytes. Throws ArgumentError for what the format cannot hold (names that are not UTF-8, a tensor
/// without a shape) and DataError where the file cannot be written.
inline void save_safetensors(const State& state, const std::filesystem::path& file, const Metadata& metadata = {}) {
  write_file_atomically(file,
                        detail::safetensors_bytes(state, metadata, siena::format("save_safetensors: '{}'", file.string())));
}

/// Reads a safetensors file. F32, F64, F16 and BF16 become tensors of float (F64 is rounded), or doubles where the shape is [];
/// I64 of shape [] become whole numbers, __metadata__ becomes text. Throws FormatError with the file and the tensor for
/// anything that is not as the format demands, and DataError where the file cannot be read.
inline State load_safetensors(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  return detail::SafetensorsReader(file, bytes).read();
}

/// Writes the weights and running statistics of a network, or whatever
/// else is Stateful; docs/guides/weights.md lists the names.
template <Stateful T>
void save_weights(const T& network, const std::filesystem::path& file, const Metadata& metadata = {}) {
  State state;
  network.save(state, "");
  save_safetensors(state, file, metadata);
}

namespace detail {
/// For messages: some of the names.
inline std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 6;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? "'" : ", '") + names[i] + "'";
  return names.size() <= most ? text : siena::format("{} and {} more", text, names.size() - most);
}
}  // namespace detail

/// Restores what save_weights wrote into a network of the same layers. Throws FormatError that names all tensors that are
/// missing and all that the network has no place for, or one that is of another shape; then the network is as it was.
template <Stateful T>
void load_weights(T& network, const std::filesystem::path& file) {
  const State state = load_safetensors(file);
  const char* hint = state.contains(std::string(network_metadata)) ? "; it holds a network of its own: load_network" : "";
  State places;
  network.save(places, "");
  std::vector<std::string> missing, surplus;
  for (const auto& [name, value] : places.values()) {
    if (!state.contains(name)) missing.push_back(name);
  }
  for (const auto& [name, value] : state.values()) {
    if (std::holds_alternative<Tensor>(value) && !places.contains(name)) surplus.push_back(name);
  }
  if (!missing.empty() || !surplus.empty()) {
    fail<FormatError>("load_weights: '{}': expected the tensors of this network, got a file {}{}{}{}{}{}", file.string(),
                      missing.empty() ? "" : "without ", detail::listed(missing),
                      missing.empty() || surplus.empty() ? "" : " and ",
                      surplus.empty() ? "" : "with others for which it has no place: ", detail::listed(surplus), hint);
  }
  try {
    network.load(state, "");
  } catch (const FormatError& error) {
    fail<FormatError>("load_weights: '{}': {}{}", file.string(), error.what(), hint);
  }
}

}  // namespace siena::deploy
