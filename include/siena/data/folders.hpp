// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "siena/core/error.hpp"

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

}  // namespace detail

/// Names of the folders in a folder, sorted, without hidden ones.
inline std::vector<std::string> subfolders(const std::filesystem::path& folder, std::string_view reader) {
  std::vector<std::string> names;
  detail::each_entry(folder, reader, [&](const std::filesystem::directory_entry& entry) {
    std::error_code none;
    const std::string name = entry.path().filename().string();
    if (entry.is_directory(none) && !name.starts_with('.')) names.push_back(name);
  });
  std::sort(names.begin(), names.end());
  return names;
}

/// The files in a folder whose names end in one of these, in small or capital letters, sorted; no hidden ones.
inline std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, std::string_view reader,
                                                   const std::vector<std::string_view>& endings) {
  std::vector<std::filesystem::path> files;
  detail::each_entry(folder, reader, [&](const std::filesystem::directory_entry& entry) {
    std::error_code none;
    std::string ending = entry.path().extension().string();
    for (char& letter : ending) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    const bool wanted = std::find(endings.begin(), endings.end(), ending) != endings.end();
    if (wanted && !entry.is_directory(none) && !entry.path().filename().string().starts_with('.'))
      files.push_back(entry.path());
  });
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace siena::data
