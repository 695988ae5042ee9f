// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/recordings.hpp"

// The accuracy sets of MLPerf Tiny, as its runner reads them: a folder with `y_labels.csv` and, for each of its lines, the file
// of an input as a device gets it. The benchmark's repositories (mlcommons/tiny, eembc/energyrunner) hold the lists; of the
// files they hold those of kws01, the others are made by the scripts of the benchmark.

namespace siena::data {

/// How the files of an accuracy set hold a sample: bytes of pixels, b meaning b / 255, or int8 of which each stands for
/// scale * (q - zero_point).
struct MlperfFormat {
  Shape shape;
  bool quantized = false;
  float scale = 1;
  int zero_point = 0;

  /// CIFAR-10's images, 200 of the test part, height x width x RGB.
  static MlperfFormat ic01() { return {.shape = {32, 32, 3}}; }
  /// Images with and without persons, 1,000.
  static MlperfFormat vww01() { return {.shape = {96, 96, 3}}; }
  /// MFCC of words, 1,000, quantised as the input of the reference model kws_ref_model.tflite.
  static MlperfFormat kws01() { return {.shape = {49, 10, 1}, .quantized = true, .scale = 0.5847029f, .zero_point = 83}; }
};

namespace detail {

/// A line of y_labels.csv: file, number of classes, class; of recordings also the bytes of a window and from one to the next.
struct MlperfEntry {
  std::string file;
  std::int64_t classes = 0, label = 0, window = 0, stride = 0;
};

inline MlperfEntry mlperf_entry(std::string_view line, const std::string& where) {
  std::vector<std::string_view> fields;
  for (std::string_view rest = line;;) {
    const std::size_t comma = rest.find(',');
    fields.push_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  MlperfEntry entry{.file = std::string(fields[0])};
  bool whole = (fields.size() == 3 || fields.size() == 5) && !entry.file.empty();
  std::int64_t* const numbers[] = {&entry.classes, &entry.label, &entry.window, &entry.stride};
  for (std::size_t i = 1; whole && i < fields.size(); ++i) {
    const char* const end = fields[i].data() + fields[i].size();
    const auto [stop, error] = std::from_chars(fields[i].data(), end, *numbers[i - 1]);
    whole = error == std::errc() && stop == end;
  }
  require<FormatError>(
      whole && entry.classes >= 1 && entry.label >= 0 && entry.label < entry.classes && entry.window >= 0 && entry.stride >= 0,
      "{}: expected 'file,classes,class' or 'file,classes,class,window,stride', got '{}'", where, line.substr(0, 100));
  require<FormatError>(std::filesystem::path(entry.file).filename() == entry.file,
                       "{}: expected the name of a file in the same folder, got '{}'", where, entry.file);
  return entry;
}

inline std::vector<MlperfEntry> mlperf_entries(const std::filesystem::path& folder) {
  const std::filesystem::path list = folder / "y_labels.csv";
  std::error_code none;
  require<DataError>(std::filesystem::exists(list, none),
                     "mlperf_tiny: expected 'y_labels.csv' in '{}', got none; name the folder of one accuracy set, such as "
                     "datasets/kws01",
                     folder.string());
  const std::string text = read_file(list);
  std::vector<MlperfEntry> entries;
  std::int64_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    ++number;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (!line.empty()) entries.push_back(mlperf_entry(line, format("mlperf_tiny: '{}', line {}", list.string(), number)));
  }
  require<FormatError>(!entries.empty(), "mlperf_tiny: expected a line for each input in '{}', got none", list.string());
  for (const MlperfEntry& entry : entries) {
    require<FormatError>(
        entry.classes == entries[0].classes && entry.window == entries[0].window && entry.stride == entries[0].stride,
        "mlperf_tiny: expected as many classes and the same windows in all lines of '{}', got others for "
        "'{}' and '{}'",
        list.string(), entries[0].file, entry.file);
  }
  const auto missing = [&](const MlperfEntry& entry) { return !std::filesystem::is_regular_file(folder / entry.file, none); };
  const auto absent = std::count_if(entries.begin(), entries.end(), missing);
  if (absent > 0) {
    fail<DataError>("mlperf_tiny: expected the {} files that '{}' names beside it, got {} of them, not '{}'", entries.size(),
                    list.string(), static_cast<std::int64_t>(entries.size()) - absent,
                    std::find_if(entries.begin(), entries.end(), missing)->file);
  }
  return entries;
}

}  // namespace detail

/// An accuracy set of MLPerf Tiny whose files are one sample each (ic01, vww01, kws01), in the order of its list. Throws
/// DataError for files that are not there, FormatError for a list or a file that does not fit.
inline Dataset mlperf_tiny(const std::filesystem::path& folder, const MlperfFormat& format) {
  const std::int64_t elements = format.shape.elements();
  std::vector<std::uint8_t> bytes;
  std::vector<float> floats;
  Description description{.shape = format.shape, .name = "mlperf_tiny"};
  for (const detail::MlperfEntry& entry : detail::mlperf_entries(folder)) {
    const std::string content = read_file(folder / entry.file);
    require<FormatError>(entry.window == 0 && static_cast<std::int64_t>(content.size()) == elements,
                         "mlperf_tiny: expected '{}' to be a sample of {}, {} bytes, got {}{}", (folder / entry.file).string(),
                         format.shape, elements, content.size(),
                         entry.window == 0 ? "" : " and windows of a recording (mlperf_machines reads those)");
    for (const char c : content) {
      if (format.quantized) {
        floats.push_back(format.scale * static_cast<float>(static_cast<signed char>(c) - format.zero_point));
      } else {
        bytes.push_back(static_cast<std::uint8_t>(c));
      }
    }
    description.labels.push_back(static_cast<std::int32_t>(entry.label));
    description.classes = entry.classes;
  }
  return format.quantized ? Dataset::from_floats(std::move(floats), std::move(description))
                          : Dataset::from_bytes(std::move(bytes), std::move(description));
}

/// The accuracy set ad01 of MLPerf Tiny: spectrograms of cars of which windows are samples, to be judged by one AUC over all of
/// them; only the test part has samples. Errors as above.
inline MonitoredMachines mlperf_machines(const std::filesystem::path& folder) {
  static_assert(std::endian::native == std::endian::little, "siena: these files are little-endian, and so is this code");
  const std::vector<detail::MlperfEntry> entries = detail::mlperf_entries(folder);
  const std::int64_t window = entries[0].window / 4, step = entries[0].stride / 4;
  require<FormatError>(window > 0 && step > 0 && window % step == 0 && entries[0].window % 4 == 0 && entries[0].stride % 4 == 0,
                       "mlperf_machines: expected windows of floats that move on by a part of their width, got {} bytes by {}",
                       entries[0].window, entries[0].stride);
  MonitoredMachines machines;
  std::vector<float> values;
  std::vector<std::int64_t> places;
  std::vector<std::int32_t> labels;  // of all windows, also those that reach into the next recording, which are left out
  for (const detail::MlperfEntry& entry : entries) {
    const std::string content = read_file(folder / entry.file);
    const auto count = static_cast<std::int64_t>(content.size() / 4);
    require<FormatError>(content.size() % 4 == 0 && count >= window && (count - window) % step == 0,
                         "mlperf_machines: expected '{}' to be windows of {} floats that move on by {}, got {} bytes",
                         (folder / entry.file).string(), window, step, content.size());
    const std::int64_t windows = (count - window) / step + 1, first = static_cast<std::int64_t>(values.size()) / step;
    machines.recordings.push_back({.name = entry.file,
                                   .machine = "ad01",
                                   .anomaly = entry.label != 0,
                                   .first = static_cast<std::int64_t>(places.size()),
                                   .windows = windows});
    for (std::int64_t w = 0; w < windows; ++w) places.push_back(first + w);
    labels.resize(static_cast<std::size_t>(first + count / step), static_cast<std::int32_t>(entry.label));
    values.resize(values.size() + static_cast<std::size_t>(count));
    std::memcpy(values.data() + values.size() - count, content.data(), content.size());
  }
  labels.resize(labels.size() - static_cast<std::size_t>(window / step - 1));
  machines.test = Dataset::from_floats(std::move(values), {.shape = {window},
                                                           .labels = std::move(labels),
                                                           .classes = entries[0].classes,
                                                           .name = "mlperf_machines",
                                                           .step = step})
                      .subset(places);
  return machines;
}

}  // namespace siena::data
