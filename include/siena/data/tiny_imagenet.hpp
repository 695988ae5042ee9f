// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/folders.hpp"
#include "siena/data/image_file.hpp"
#include "siena/data/image_folder.hpp"

namespace siena::data {

struct TinyImagenetOptions {
  ResizeOptions size = {.height = 64, .width = 64};  ///< of the images
  double validation = 0.1;                           ///< of the training images, the same fraction of every class
  std::uint64_t seed = 0;                            ///< of the choice of these
  bool skip_bad_files = false;                       ///< leave out what cannot be read, and report it
};

namespace detail {

inline std::vector<std::string> tiny_imagenet_classes(const std::filesystem::path& directory) {
  std::istringstream lines(read_regular_file(directory / "wnids.txt"));
  std::vector<std::string> classes;
  for (std::string name; lines >> name;) classes.push_back(name);
  require<FormatError>(!classes.empty() && classes.size() <= 1000,
                       "tiny_imagenet: expected a class such as n02124075 a line in '{}', got {} of them",
                       (directory / "wnids.txt").string(), classes.size());
  return classes;
}

/// Lines of name, class and four numbers, which say where the object is.
inline std::vector<LabelledFile> tiny_imagenet_test(const std::filesystem::path& folder,
                                                    const std::map<std::string, std::int32_t>& labels) {
  const auto list = folder / "val_annotations.txt";
  std::istringstream lines(read_regular_file(list));
  std::vector<LabelledFile> files;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, label;
    if (!(words >> name)) continue;
    words >> label;
    const auto at = labels.find(label);
    require<FormatError>(at != labels.end() && name.find('/') == std::string::npos,
                         "tiny_imagenet: expected lines of a file and its class in '{}', got '{}'", list.string(),
                         line.substr(0, 80));
    files.push_back({folder / "images" / name, at->second});
  }
  require<FormatError>(!files.empty(), "tiny_imagenet: expected files and their classes in '{}', got none", list.string());
  return files;
}

}  // namespace detail

/// Tiny ImageNet as it is distributed: wnids.txt names the classes, `train/<class>/images` holds the training images, and
/// val/images those that val_annotations.txt labels: they are the test part, as those of its folder test have no labels.
/// Validation is cut out of the training images. All parts are normalised by mean and deviation of the training part.
inline ImageFolder tiny_imagenet(const std::filesystem::path& directory, const TinyImagenetOptions& options = {}) {
  ImageFolder result;
  result.classes = detail::tiny_imagenet_classes(directory);
  std::map<std::string, std::int32_t> labels;
  std::vector<LabelledFile> train;
  for (const auto& name : result.classes) {
    const auto label = static_cast<std::int32_t>(labels.size());
    require<FormatError>(labels.emplace(name, label).second,
                         "tiny_imagenet: expected each class once in wnids.txt, got '{}' twice", name);
    for (auto& path : files_in(directory / "train" / name / "images", "tiny_imagenet", {".jpg", ".jpeg", ".png"})) {
      train.push_back({std::move(path), label});
    }
  }
  const auto read = [&](const std::vector<LabelledFile>& files, const char* name) {
    const ReadImagesOptions reading{
        .size = options.size, .skip_bad_files = options.skip_bad_files, .classes = result.classes, .name = name};
    return read_images(files, reading, result.report);
  };
  require<DataError>(!train.empty(), "tiny_imagenet: expected images in '{}', got none", (directory / "train").string());
  result.train = read(train, "tiny_imagenet train");
  result.test = read(detail::tiny_imagenet_test(directory / "val", labels), "tiny_imagenet test");
  result.validation =
      detail::hold_out(result.train, {.fraction = options.validation, .seed = options.seed}, "tiny_imagenet validation");
  detail::normalize_all(result);
  return result;
}

}  // namespace siena::data
