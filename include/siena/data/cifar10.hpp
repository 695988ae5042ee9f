// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/load_report.hpp"
#include "siena/data/measure.hpp"
#include "siena/data/split.hpp"

namespace siena::data {

struct Cifar10Options {
  double validation = 0.1;  ///< of the training images, the same fraction of every class; 0: none
  std::uint64_t seed = 0;   ///< of the choice of validation images
};

struct Cifar10 : Splits {
  LoadReport report = {};  ///< what was read
};

namespace detail {

inline constexpr std::int64_t cifar_side = 32, cifar_channels = 3, cifar_classes = 10, cifar_file_records = 10000;
inline constexpr std::int64_t cifar_pixels = cifar_side * cifar_side;
inline constexpr std::int64_t cifar_record = 1 + cifar_pixels * cifar_channels;  // label, then the planes R, G, B

inline std::vector<std::string> cifar_names() {
  return {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
}

inline std::filesystem::path cifar_folder(const std::filesystem::path& directory) {
  for (const auto& folder : {directory, directory / "cifar-10-batches-bin"}) {
    std::error_code none;  // a folder that may not be read holds nothing for us
    for (const char* file : {"data_batch_1.bin", "test_batch.bin"}) {
      if (std::filesystem::exists(folder / file, none)) return folder;
    }
  }
  fail<DataError>(
      "cifar10: expected data_batch_1.bin to data_batch_5.bin and test_batch.bin in '{}' or in its folder "
      "cifar-10-batches-bin, got none of them; unpack the binary version of CIFAR-10 (cifar-10-binary.tar.gz) there",
      directory.string());
}

/// Bytes of one file, after every check that its size allows.
inline std::string read_cifar_file(const std::filesystem::path& file) {
  const auto name = file.string();
  std::error_code error;
  require<DataError>(std::filesystem::is_regular_file(file, error),
                     "cifar10: expected the file '{}', got none; unpack the binary version of CIFAR-10 again", name);
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(file, error));
  require<DataError>(!error, "cifar10: expected to read '{}', got: {}", name, error.message());
  require<FormatError>(size > 0, "cifar10: expected records of {} bytes in '{}', got an empty file; unpack the archive again",
                       cifar_record, name);
  require<FormatError>(
      size % cifar_record == 0,
      "cifar10: expected '{}' to be a multiple of {} bytes, got {}: {} bytes follow record {}, so record {} is "
      "cut off; the download or the unpacking was interrupted, fetch the file again",
      name, cifar_record, size, size % cifar_record, size / cifar_record - 1, size / cifar_record);
  require<FormatError>(size <= cifar_file_records * cifar_record,
                       "cifar10: expected at most {} records in '{}', got {}; is this the binary version of CIFAR-10?",
                       cifar_file_records, name, size / cifar_record);
  return read_file(file);
}

/// Appends the images of a file, planes woven into H x W x C, and their labels.
inline void append_cifar_file(const std::filesystem::path& file, std::vector<std::uint8_t>& pixels,
                              std::vector<std::int32_t>& labels) {
  const auto bytes = read_cifar_file(file);
  const auto records = static_cast<std::int64_t>(bytes.size()) / cifar_record;
  for (std::int64_t r = 0; r < records; ++r) {
    const auto* record = reinterpret_cast<const std::uint8_t*>(bytes.data()) + r * cifar_record;
    require<DataError>(record[0] < cifar_classes,
                       "cifar10: expected labels from 0 to {} in '{}', got {} in record {}; is this the binary version of "
                       "CIFAR-10 (not CIFAR-100)?",
                       cifar_classes - 1, file.string(), record[0], r);
    labels.push_back(record[0]);
    const std::uint8_t* red = record + 1;
    std::uint8_t image[cifar_pixels * cifar_channels];
    for (std::int64_t p = 0; p < cifar_pixels; ++p) {
      for (std::int64_t c = 0; c < cifar_channels; ++c) image[p * cifar_channels + c] = red[c * cifar_pixels + p];
    }
    pixels.insert(pixels.end(), image, image + cifar_pixels * cifar_channels);
  }
}

inline Dataset cifar_dataset(const std::filesystem::path& folder, const std::vector<std::string>& files, std::string name) {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;
  std::uintmax_t bytes = 0;
  for (const auto& file : files) {
    std::error_code none;  // what is wrong with a file is said when it is read
    const auto size = std::filesystem::file_size(folder / file, none);
    if (!none) bytes += std::min<std::uintmax_t>(size, cifar_file_records * cifar_record);
  }
  pixels.reserve(static_cast<std::size_t>(bytes));
  for (const auto& file : files) append_cifar_file(folder / file, pixels, labels);
  return Dataset::from_bytes(std::move(pixels), {.shape = {cifar_side, cifar_side, cifar_channels},
                                                 .labels = std::move(labels),
                                                 .classes = cifar_classes,
                                                 .name = std::move(name),
                                                 .preparation = {.classes = cifar_names(), .colours = Colours::rgb}});
}

}  // namespace detail

/// CIFAR-10 from the files of its binary version: `directory` holds them, or the folder cifar-10-batches-bin that does. All
/// parts are normalised by mean and deviation of the training part, measured after the validation part was taken out of it.
/// Files may hold fewer images than the original's 10,000, which the report notes: a copy that was cut off at the end of an
/// image looks the same. Labels are the original's (0 airplane ... 9 truck). A folder with test_batch.bin alone serves to score
/// networks: its images are not normalised here, and the report says so.
inline Cifar10 cifar10(const std::filesystem::path& directory, const Cifar10Options& options = {}) {
  require<ArgumentError>(options.validation >= 0 && options.validation < 1,
                         "cifar10: expected a validation fraction from 0 to below 1, got {}", options.validation);
  const auto folder = detail::cifar_folder(directory);
  const std::vector<std::string> training{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                                          "data_batch_5.bin"};
  Cifar10 result;
  result.test = detail::cifar_dataset(folder, {"test_batch.bin"}, "cifar10 test");
  std::error_code none;  // what is wrong with a file is said when it is read
  const auto is_there = [&](const std::string& file) { return std::filesystem::exists(folder / file, none); };
  if (std::none_of(training.begin(), training.end(), is_there)) {
    result.report.notes.push_back(
        format("cifar10: no training part in '{}': the test part is as it is, not normalised", folder.string()));
    return result;
  }
  const auto all = detail::cifar_dataset(folder, training, "cifar10");
  const auto parts = split(all, {.fraction = options.validation, .seed = options.seed});
  const auto normalization = measure(parts.kept);
  if (const std::int64_t whole = 6 * detail::cifar_file_records; all.size() + result.test.size() < whole) {
    result.report.notes.push_back(format("cifar10: {} images in '{}', where the original has {}: cut off, or chosen?",
                                         all.size() + result.test.size(), folder.string(), whole));
  }
  result.train = parts.kept.normalized(normalization).named("cifar10 train");
  result.validation = parts.held_out.normalized(normalization).named("cifar10 validation");
  result.test = result.test.normalized(normalization);
  return result;
}

}  // namespace siena::data
