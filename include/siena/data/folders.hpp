// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/data/load_report.hpp"

namespace siena::data {

namespace detail {

// Calls take(entry) for all that is in a folder.
template <class Take>
void each_entry(const std::filesystem::path& folder, std::string_view reader, const Take& take) {
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error), end;
  require<DataError>(!error, "{}: expected the folder '{}', got: {}", reader, folder.string(), error.message());
  for (; at != end; at.increment(error)) {
    take(*at);
    if (error) break;
  }
  require<DataError>(!error, "{}: expected to read the folder '{}', got: {}", reader, folder.string(), error.message());
}

inline std::string in_small_letters(std::string text) {
  for (char& letter : text) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return text;
}

}  // namespace detail

/// Names of the folders in a folder, sorted, without hidden ones and what macOS adds to archives.
inline std::vector<std::string> subfolders(const std::filesystem::path& folder, std::string_view reader) {
  std::vector<std::string> names;
  detail::each_entry(folder, reader, [&](const std::filesystem::directory_entry& entry) {
    std::error_code none;
    const std::string name = entry.path().filename().string();
    if (entry.is_directory(none) && !name.starts_with('.') && name != "__MACOSX") names.push_back(name);
  });
  std::sort(names.begin(), names.end());
  return names;
}

namespace detail {
inline bool is_listed(const std::filesystem::directory_entry& entry, const std::vector<std::string_view>& endings) {
  std::error_code none;
  const std::string ending = in_small_letters(entry.path().extension().string());
  const bool wanted = std::find(endings.begin(), endings.end(), ending) != endings.end();
  return wanted && !entry.is_directory(none) && !entry.path().filename().string().starts_with('.');
}
}  // namespace detail

/// The files in a folder whose names end in one of these, in small or capital letters, sorted; no hidden ones.
inline std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, std::string_view reader,
                                                   const std::vector<std::string_view>& endings) {
  std::vector<std::filesystem::path> files;
  detail::each_entry(folder, reader, [&](const std::filesystem::directory_entry& entry) {
    if (detail::is_listed(entry, endings)) files.push_back(entry.path());
  });
  std::sort(files.begin(), files.end());
  return files;
}

/// What a data set of folders is made of: the folders of its parts, or none, and the folders of the classes.
struct ClassFolders {
  std::filesystem::path train = {};  ///< the folder of the classes; the directory itself where there are no parts
  std::filesystem::path validation = {}, test = {};  ///< empty: there is none
  std::vector<std::string> classes = {};             ///< those of the training part, sorted, or as they were asked for
};

struct FindFolders {
  std::string_view reader;                ///< who asks, for messages
  std::vector<std::string_view> endings;  ///< of the files of classes
  std::vector<std::string> classes = {};  ///< those that are wanted; none: all there are
  std::string_view aside = {};            ///< folders whose names begin so are the reader's own, and no classes
  std::filesystem::path test_set = {};    ///< a folder that is read besides
};

namespace detail {

/// Finds ClassFolders.
class FolderFinder {
 public:
  FolderFinder(const std::filesystem::path& directory, const FindFolders& find, LoadReport& report)
      : directory_(directory), find_(find), report_(report), names_(subfolders(directory, find.reader)) {
    for (std::size_t i = 0; i < find.classes.size(); ++i) {
      require<ArgumentError>(std::find(find.classes.begin(), find.classes.begin() + static_cast<std::ptrdiff_t>(i),
                                       find.classes[i]) == find.classes.begin() + static_cast<std::ptrdiff_t>(i),
                             "{}: expected each class once, got '{}' twice", find.reader, find.classes[i]);
    }
  }

  ClassFolders folders() {
    std::array<std::string, 3> parts;
    for (std::size_t part = 0; part < 3; ++part) parts[part] = part_folder(part_names[part]);
    ClassFolders result{.train = directory_};
    if (!parts[0].empty()) {
      result.train = directory_ / parts[0];
      if (!parts[1].empty()) result.validation = directory_ / parts[1];
      if (!parts[2].empty()) result.test = directory_ / parts[2];
    }
    note_left_out(result.train);
    result.classes = find_.classes.empty() ? classes_in(result.train, true) : find_.classes;
    check_train(result);
    check_classes(result);
    for (const auto& part : {result.validation, result.test}) check_part(part, result);
    for (const auto& part : {result.train, result.validation, result.test}) note_unread(part, result.classes);
    for (const auto& name : names_) {
      const bool read = !parts[0].empty() && std::find(parts.begin(), parts.end(), name) != parts.end();
      const bool looks_read = !parts[0].empty() || std::find(parts.begin(), parts.end(), name) != parts.end();
      std::error_code none;
      if (!read && looks_read && !std::filesystem::equivalent(directory_ / name, find_.test_set, none))
        check_read(name, result);
    }
    return result;
  }

 private:
  static constexpr std::array<std::array<std::string_view, 4>, 3> part_names{
      {{"train", "training"}, {"validation", "valid", "val", "dev"}, {"test", "testing"}}};
  /// Endings of images and sounds that people take for data.
  static constexpr std::array<std::string_view, 17> other_formats{{".bmp", ".gif", ".tif", ".tiff", ".webp", ".heic", ".avif",
                                                                   ".jp2", ".jpg", ".jpeg", ".png", ".wav", ".mp3", ".flac",
                                                                   ".ogg", ".m4a", ".aiff"}};

  /// Whether there is one; what cannot be read is said where files are listed.
  bool has_files(const std::filesystem::path& folder) const {
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
      if (is_listed(*at, find_.endings)) return true;
    return false;
  }
  bool is_wanted(const std::string& name) const {
    return std::find(find_.classes.begin(), find_.classes.end(), name) != find_.classes.end();
  }

  /// The folders of a folder that hold files of ours.
  std::vector<std::string> classes_in(const std::filesystem::path& folder, bool say) {
    std::vector<std::string> classes;
    for (const auto& name : subfolders(folder, find_.reader)) {
      if (!find_.aside.empty() && name.starts_with(find_.aside)) continue;
      if (has_files(folder / name)) {
        classes.push_back(name);
      } else if (say) {
        report_.notes.push_back(
            format("'{}' holds none of the files of a class ({}): left out", (folder / name).string(), joined(find_.endings)));
        note_other_formats(folder / name);
      }
    }
    return classes;
  }
  std::vector<std::string> classes_of(const std::filesystem::path& folder) { return classes_in(folder, false); }

  /// The folder that has one of these names and holds classes; "" where there is none. What a class was asked for by is no
  /// part.
  std::string part_folder(const std::array<std::string_view, 4>& part) {
    std::string found;
    for (const auto& name : names_) {
      if (std::find(part.begin(), part.end(), in_small_letters(name)) == part.end()) continue;
      if ((is_wanted(name) && has_files(directory_ / name)) || classes_of(directory_ / name).empty()) continue;
      require<DataError>(found.empty(), "{}: expected one folder for each part of '{}', got '{}' and '{}'; keep one",
                         find_.reader, directory_.string(), found, name);
      found = name;
    }
    return found;
  }

  void note_left_out(const std::filesystem::path& folder) {
    each_entry(folder, find_.reader, [&](const std::filesystem::directory_entry& entry) {
      std::error_code none;
      const std::string name = entry.path().filename().string();
      if (entry.is_directory(none) && (name.starts_with('.') || name == "__MACOSX"))
        report_.notes.push_back(format("'{}' is no class: left out", entry.path().string()));
    });
  }

  /// How many files of ours there are in the folders of a folder, however deep.
  std::int64_t count_below(const std::filesystem::path& folder) const {
    std::int64_t count = 0;
    std::error_code error;
    std::filesystem::recursive_directory_iterator at(folder, std::filesystem::directory_options::skip_permission_denied, error);
    for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error))
      if (at.depth() > 0 && is_listed(*at, find_.endings)) ++count;
    return count;
  }
  void note_other_formats(const std::filesystem::path& folder) {
    std::array<std::int64_t, other_formats.size()> counts{};
    each_entry(folder, find_.reader, [&](const std::filesystem::directory_entry& entry) {
      const std::string ending = in_small_letters(entry.path().extension().string());
      const auto at = std::find(other_formats.begin(), other_formats.end(), ending);
      if (at != other_formats.end() && is_listed(entry, {*at})) ++counts[static_cast<std::size_t>(at - other_formats.begin())];
    });
    for (std::size_t f = 0; f < counts.size(); ++f) {
      const std::string_view ending = other_formats[f];
      if (counts[f] == 0 || std::find(find_.endings.begin(), find_.endings.end(), ending) != find_.endings.end()) continue;
      report_.notes.push_back(
          format("files {} in '{}' are not read: {} (read: {})", ending, folder.string(), counts[f], joined(find_.endings)));
    }
  }
  /// What looks like data of a part, and is not read.
  void note_unread(const std::filesystem::path& part, const std::vector<std::string>& classes) {
    if (part.empty()) return;
    const auto beside = files_in(part, find_.reader, find_.endings).size();
    if (beside > 0)
      report_.notes.push_back(
          format("files beside the folders of the classes in '{}' are not read: {}", part.string(), beside));
    note_other_formats(part);
    for (const auto& name : classes) {
      std::error_code none;
      if (!std::filesystem::is_directory(part / name, none)) continue;
      if (const auto below = count_below(part / name); below > 0)
        report_.notes.push_back(format("files in folders of the class '{}' are not read: {}", (part / name).string(), below));
      note_other_formats(part / name);
    }
  }

  /// Whether there are classes at all, and where people may have put them.
  void check_train(const ClassFolders& found) {
    const bool any = std::any_of(found.classes.begin(), found.classes.end(), [&](const std::string& name) {
      std::error_code none;
      return std::filesystem::is_directory(found.train / name, none);
    });
    if (any || found.train != directory_) return;
    std::vector<std::string> with_classes;
    for (const auto& name : names_)
      if (!classes_of(directory_ / name).empty()) with_classes.push_back(name);
    require<DataError>(
        with_classes.empty(),
        "{}: expected a folder for each class in '{}', or folders of parts, of which 'train' is missing; found {}",
        find_.reader, directory_.string(), joined(with_classes));
    require<DataError>(!has_files(directory_),
                       "{}: expected a folder of {} files for each class in '{}', got files that lie in no class folder",
                       find_.reader, joined(find_.endings), directory_.string());
  }

  void check_classes(const ClassFolders& found) {
    for (const auto& name : found.classes) {
      std::error_code none;
      require<DataError>(std::filesystem::is_directory(found.train / name, none),
                         "{}: expected a folder '{}' in '{}', got {} others", find_.reader, name, found.train.string(),
                         subfolders(found.train, find_.reader).size());
      require<DataError>(has_files(found.train / name), "{}: expected files ({}) in '{}', got none", find_.reader,
                         joined(find_.endings), (found.train / name).string());
    }
    require<DataError>(!found.classes.empty(),
                       "{}: expected a folder of {} files for each class in '{}', got no such file in {} folders", find_.reader,
                       joined(find_.endings), found.train.string(), subfolders(found.train, find_.reader).size());
    if (!find_.classes.empty()) return;
    // Parts without classes look like classes.
    const bool only_parts = std::all_of(found.classes.begin(), found.classes.end(), [](const std::string& name) {
      return std::any_of(part_names.begin(), part_names.end(), [&](const auto& part) {
        return std::find(part.begin(), part.end(), in_small_letters(name)) != part.end();
      });
    });
    require<DataError>(!only_parts,
                       "{}: expected a folder for each class, got '{}' with files and no classes in '{}'; name the classes "
                       "(.classes) if these are classes",
                       find_.reader, joined(found.classes), found.train.string());
  }

  /// Of validation and test: what is tested was learnt.
  void check_part(const std::filesystem::path& part, const ClassFolders& found) {
    if (part.empty()) return;
    std::vector<std::string> missing;
    for (const auto& name : found.classes)
      if (!has_files(part / name)) missing.push_back(name);
    if (!missing.empty())
      report_.notes.push_back(format("'{}' holds no files of these classes: {}", part.string(), joined(missing)));
    if (!find_.classes.empty()) return;
    for (const auto& name : classes_of(part)) {
      std::error_code none;
      require<DataError>(!std::filesystem::is_directory(found.train / name, none) || has_files(found.train / name),
                         "{}: expected files ({}) in '{}', as in '{}', got none", find_.reader, joined(find_.endings),
                         (found.train / name).string(), (part / name).string());
      require<DataError>(
          std::find(found.classes.begin(), found.classes.end(), name) != found.classes.end(),
          "{}: expected the classes of '{}' in '{}', got also '{}', which nothing was learnt of; move it or name the "
          "classes (.classes)",
          find_.reader, found.train.string(), part.string(), name);
    }
  }

  /// Of a folder beside the parts, or of a part beside the classes: it must not hold classes of ours.
  void check_read(const std::string& name, const ClassFolders& found) {
    for (const auto& inner : classes_of(directory_ / name)) {
      require<DataError>(
          std::find(found.classes.begin(), found.classes.end(), inner) == found.classes.end(),
          "{}: expected training data in 'train', validation data in 'valid' (val, validation, dev) and test data in "
          "'test' of '{}', got a folder '{}' with the same class '{}', which nobody reads; rename it or move it away",
          find_.reader, directory_.string(), name, inner);
    }
  }

  template <class Texts>
  static std::string joined(const Texts& texts) {
    std::string all;
    for (const auto& text : texts) all += (all.empty() ? "" : ", ") + std::string(text);
    return all;
  }

  const std::filesystem::path& directory_;
  const FindFolders& find_;
  LoadReport& report_;
  std::vector<std::string> names_;
};

}  // namespace detail

/// The folders of a data set with a folder a class: `directory` holds them, or holds folders of parts that do: train
/// (training), validation (valid, val, dev) and test (testing), in small or capital letters. A folder of that name that holds
/// files itself is a class. Hidden folders, __MACOSX and folders without files are no classes. The report notes them, classes
/// that validation or test lack, and files that are not read: beside or below the folders of the classes, or of other formats.
/// Throws DataError where there is no class, where a part has classes that nothing is learnt of, and where a folder beside the
/// parts has their classes and nobody reads it.
inline ClassFolders class_folders(const std::filesystem::path& directory, const FindFolders& find, LoadReport& report) {
  return detail::FolderFinder(directory, find, report).folders();
}

}  // namespace siena::data
