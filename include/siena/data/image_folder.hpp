// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/folders.hpp"
#include "siena/data/image_file.hpp"
#include "siena/data/load_report.hpp"
#include "siena/data/measure.hpp"
#include "siena/data/room.hpp"
#include "siena/data/split.hpp"

namespace siena::data {

struct LabelledFile {
  std::filesystem::path path;
  std::int32_t label = 0;
};

struct ReadImagesOptions {
  ResizeOptions size = {};                ///< of the images, however large the files are
  int channels = 3;                       ///< or 1
  bool skip_bad_files = false;            ///< leave out what cannot be read, and report it
  std::vector<std::string> classes = {};  ///< their names
  std::string name = "images";            ///< of the data in errors
};

/// The images of these files at one size, as bytes, without those that are skipped.
inline Dataset read_images(const std::vector<LabelledFile>& files, const ReadImagesOptions& options, LoadReport& report) {
  check(options.size);
  require<ArgumentError>(options.channels == 1 || options.channels == 3, "{}: expected 1 or 3 channels, got {}", options.name,
                         options.channels);
  const Shape shape{options.size.height, options.size.width, options.channels};
  const std::int64_t each = shape.elements();
  auto pixels = room_for<std::uint8_t>(static_cast<std::int64_t>(files.size()), shape, options.name);
  const ReadOptions reading{.reader = options.name, .skip_bad_files = options.skip_bad_files};
  const auto errors = read_each(static_cast<std::int64_t>(files.size()), reading, [&](std::int64_t i) {
    const Image image = resize(read_image(files[static_cast<std::size_t>(i)].path, options.channels), options.size);
    std::copy(image.pixels.begin(), image.pixels.end(), pixels.begin() + i * each);
  });
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!errors[i].empty()) {
      report.skipped.push_back(errors[i]);
      continue;
    }
    const auto from = pixels.begin() + static_cast<std::ptrdiff_t>(i) * each;
    const auto to = pixels.begin() + static_cast<std::ptrdiff_t>(labels.size()) * each;
    if (from != to) std::copy(from, from + each, to);
    labels.push_back(files[i].label);
  }
  pixels.resize(labels.size() * static_cast<std::size_t>(each));
  return Dataset::from_bytes(std::move(pixels),
                             {.shape = shape,
                              .labels = std::move(labels),
                              .name = options.name,
                              .preparation = {.classes = options.classes,
                                              .colours = options.channels == 3 ? Colours::rgb : Colours::grey,
                                              .resize = options.size}});
}

/// The defaults are those of the paper's visual wake words: 96 x 96, a tenth for the test and a fifth of the rest for
/// validation.
struct ImageFolderOptions {
  ResizeOptions size = {};                ///< of the images, however large the files are
  int channels = 3;                       ///< or 1: brightness
  std::vector<std::string> classes = {};  ///< folders, in this order; none: all there are, by name
  double test = 0.1;                      ///< of the training images, where there is no folder test
  double validation = 0.2;                ///< of what is left of them, where there is no folder for it
  std::uint64_t seed = 0;                 ///< of the choice of these
  bool skip_bad_files = false;            ///< leave out what cannot be read, and report it
};

struct ImageFolder : Splits {
  std::vector<std::string> classes = {};  ///< name of each class
  LoadReport report = {};
};

namespace detail {

/// Images of a folder with a folder for each class.
inline std::vector<LabelledFile> class_files(const std::filesystem::path& folder, const std::vector<std::string>& classes) {
  std::vector<LabelledFile> files;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    std::error_code none;
    if (!std::filesystem::is_directory(folder / classes[c], none)) continue;
    for (auto& path : files_in(folder / classes[c], "image_folder", {".jpg", ".jpeg", ".png"})) {
      files.push_back({std::move(path), static_cast<std::int32_t>(c)});
    }
  }
  require<DataError>(!files.empty(),
                     "image_folder: expected a folder of JPEG or PNG files for each class in '{}', got no image ({} classes)",
                     folder.string(), classes.size());
  return files;
}

/// What is held out of the training part, where no folder gives it.
inline Dataset hold_out(Dataset& train, const SplitOptions& options, const char* part) {
  const auto size = static_cast<double>(train.size());
  const bool fraction = options.fraction > 0 && options.fraction < 1;  // else split says what is wrong
  require<DataError>(!fraction || (std::llround(options.fraction * size) > 0 && std::llround(options.fraction * size) < size),
                     "image_folder: {} images are too few to cut a {} part of {:.4g} %; add images or a folder {}/",
                     train.size(), part, 100 * options.fraction, part);
  const Split parts = split(train, options);
  train = parts.kept;
  return parts.held_out.named(format("image_folder {}", part));
}

/// The same normalisation for all parts, that of the training part.
inline void normalize_all(Splits& splits) {
  const Normalization normalization = measure(splits.train);
  for (Dataset* part : {&splits.train, &splits.validation, &splits.test}) *part = part->normalized(normalization);
}

}  // namespace detail

/// JPEG and PNG images, a folder a class: `directory` holds the classes, or folders of parts that do (see `class_folders`);
/// parts without a folder are cut out of the training images, the same fraction of each class. All parts are normalised by mean
/// and deviation of the training part. Throws, naming the file, what `read_image` throws; with skip_bad_files the file is left
/// out and stands in the report.
inline ImageFolder image_folder(const std::filesystem::path& directory, const ImageFolderOptions& options = {}) {
  check(options.size);
  ImageFolder result;
  const ClassFolders folders = class_folders(
      directory, {.reader = "image_folder", .endings = {".jpg", ".jpeg", ".png"}, .classes = options.classes}, result.report);
  result.classes = folders.classes;
  const auto read = [&](const std::filesystem::path& folder, const char* name) {
    const ReadImagesOptions reading{.size = options.size,
                                    .channels = options.channels,
                                    .skip_bad_files = options.skip_bad_files,
                                    .classes = result.classes,
                                    .name = name};
    return read_images(detail::class_files(folder, result.classes), reading, result.report);
  };
  result.train = read(folders.train, "image_folder train");
  result.test = !folders.test.empty()
                    ? read(folders.test, "image_folder test")
                    : detail::hold_out(result.train, {.fraction = options.test, .seed = options.seed}, "test");
  result.validation =
      !folders.validation.empty()
          ? read(folders.validation, "image_folder validation")
          : detail::hold_out(result.train, {.fraction = options.validation, .seed = options.seed + 1}, "validation");
  detail::normalize_all(result);
  return result;
}

}  // namespace siena::data
