// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/file.hpp"

namespace siena::data::detail {

/// Clips as "yes/name.wav": those of the validation part, and those of the test; none where there are no lists.
using SpeechLists = std::vector<std::set<std::string>>;

/// What validation_list.txt and testing_list.txt in the folder of Speech Commands say.
inline SpeechLists read_speech_lists(const std::filesystem::path& directory) {
  const std::array<const char*, 2> names{"validation_list.txt", "testing_list.txt"};
  std::error_code none;
  SpeechLists lists;
  for (const char* name : names) {
    if (!std::filesystem::exists(directory / name, none)) continue;
    std::istringstream lines(read_regular_file(directory / name));
    auto& list = lists.emplace_back();
    for (std::string line; std::getline(lines, line);) {
      while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
      if (line.empty()) continue;
      const auto slash = line.find('/');
      require<FormatError>(slash != 0 && slash != std::string::npos && slash + 1 < line.size(),
                           "speech_commands: expected lines such as 'yes/name.wav' in '{}', got '{}'",
                           (directory / name).string(), line.substr(0, 80));
      list.insert(line);
    }
  }
  require<DataError>(lists.size() != 1,
                     "speech_commands: expected both validation_list.txt and testing_list.txt in '{}', or neither, got one",
                     directory.string());
  return lists;
}

}  // namespace siena::data::detail
