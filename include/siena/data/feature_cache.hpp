// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/core/fingerprint.hpp"
#include "siena/core/parallel.hpp"
#include "siena/data/load_report.hpp"

namespace siena::data {

/// Features of a list of files, as many of each.
struct FeatureTable {
  std::int64_t width = 0;                ///< of one file
  std::vector<float> values = {};        ///< files x width; zeros for a bad one
  std::vector<std::string> errors = {};  ///< what is wrong with each file, "" where nothing is

  std::int64_t files() const { return static_cast<std::int64_t>(errors.size()); }
};

/// Takes bad files out of a table, and moves what was wrong with them to the report; gives the places of the others. Unless bad
/// files are to be skipped, one is an error, also where a cache remembers it from a run that left it out.
inline std::vector<std::size_t> keep_good(FeatureTable& table, LoadReport& report, bool skip_bad_files) {
  std::vector<std::size_t> good;
  const auto width = static_cast<std::ptrdiff_t>(table.width);
  for (std::size_t i = 0; i < table.errors.size(); ++i) {
    if (!table.errors[i].empty()) {
      if (!skip_bad_files) throw DataError(table.errors[i] + std::string(skip_hint));
      report.skipped.push_back(table.errors[i]);
      continue;
    }
    const auto from = table.values.begin() + static_cast<std::ptrdiff_t>(i) * width;
    const auto to = table.values.begin() + static_cast<std::ptrdiff_t>(good.size()) * width;
    if (from != to) std::copy(from, from + width, to);
    good.push_back(i);
  }
  table.values.resize(good.size() * static_cast<std::size_t>(width));
  table.errors.assign(good.size(), {});
  return good;
}

/// Of names and contents of files.
inline std::uint64_t fingerprint_files(const std::filesystem::path& root, std::span<const std::filesystem::path> files) {
  std::vector<std::uint64_t> each(files.size());
  parallel_for(static_cast<std::int64_t>(files.size()), [&](std::int64_t i) {
    const auto& file = files[static_cast<std::size_t>(i)];
    std::error_code missing;  // a file that is not there is the reader's to report
    Fingerprint of_file;
    of_file.add(file.lexically_relative(root).generic_string());
    if (std::filesystem::is_regular_file(file, missing)) of_file.add(read_file(file));
    each[static_cast<std::size_t>(i)] = of_file.value();
  });
  Fingerprint all;
  for (const std::uint64_t value : each) all.add(value);
  return all.value();
}

/// What decides which features there are: they are looked up by both.
struct CacheKey {
  std::string name;           ///< begins the name of the cache's file; letters, digits, - and _
  std::string settings;       ///< of the front-end and of all that comes before it
  std::uint64_t content = 0;  ///< of the files
};

/// Features kept on disk between runs, one file a key. Files are written whole or not at all, and carry a version, their key
/// and a checksum: what does not fit, or was damaged, is computed anew and written again, and the report notes why. A folder
/// that cannot be written is noted too. Without a folder, nothing is kept.
class FeatureCache {
 public:
  explicit FeatureCache(std::filesystem::path folder = {}) : folder_(std::move(folder)) {}

  bool enabled() const { return !folder_.empty(); }
  std::filesystem::path file(const CacheKey& key) const {
    const std::uint64_t name = Fingerprint().add(key.content).add(key.settings).value();
    return folder_ / format("{}-{:016x}.features", key.name, name);
  }

  /// The features of `files` files: from the cache, or else what `compute()` gives.
  template <class Compute>
  FeatureTable get(const CacheKey& key, std::int64_t files, LoadReport& report, const Compute& compute) const {
    if (!enabled()) return compute();
    const auto path = file(key);
    std::error_code none;
    if (std::filesystem::exists(path, none)) {
      try {
        FeatureTable table = read(path, key, files);
        report.cached += files;
        return table;
      } catch (const Error& error) {
        report.notes.push_back(error.what() + std::string("; computed the features anew"));
      }
    }
    FeatureTable table = compute();
    try {
      std::filesystem::create_directories(folder_, none);
      write(path, key, table);
    } catch (const Error& error) {
      report.notes.push_back(error.what() + std::string("; the features are not cached"));
    }
    return table;
  }

 private:
  static constexpr std::string_view magic = "siena features 1";  // with the version, and as long as two words

  struct Header {
    std::uint64_t byte_order = 0x0102030405060708u, content = 0, settings = 0, files = 0, width = 0, errors = 0;
  };

  static std::string_view text_of(const Header& header) { return {reinterpret_cast<const char*>(&header), sizeof header}; }
  static std::string_view text_of(std::span<const float> values) {
    return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
  }
  static std::uint64_t checksum(std::string_view head, std::string_view texts, std::string_view values) {
    return Fingerprint().add(head).add(texts).add(values).value();
  }

  static void write(const std::filesystem::path& path, const CacheKey& key, const FeatureTable& table) {
    std::string texts = key.settings;
    for (const auto& error : table.errors) texts += error + '\0';
    const Header header{.content = key.content,
                        .settings = key.settings.size(),
                        .files = static_cast<std::uint64_t>(table.files()),
                        .width = static_cast<std::uint64_t>(table.width),
                        .errors = texts.size() - key.settings.size()};
    const std::string_view values = text_of(table.values);
    const std::uint64_t sum = checksum(text_of(header), texts, values);
    const std::string_view last(reinterpret_cast<const char*>(&sum), sizeof sum);
    write_file_atomically(path, {magic, text_of(header), texts, values, last});
  }

  static FeatureTable read(const std::filesystem::path& path, const CacheKey& key, std::int64_t files) {
    const auto expect = [&](bool holds, const char* what) {
      require<FormatError>(holds, "FeatureCache: expected {} in '{}', got a damaged or foreign file", what, path.string());
    };
    std::ifstream stream(path, std::ios::binary);
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    const std::uintmax_t fixed = magic.size() + sizeof(Header) + sizeof(std::uint64_t);
    expect(!error && stream && size >= fixed, "features");
    std::string start(magic.size(), '\0');
    Header header;
    stream.read(start.data(), static_cast<std::streamsize>(start.size()));
    stream.read(reinterpret_cast<char*>(&header), sizeof header);
    expect(start == magic, "version 1 of the format");
    // Sizes are trusted when they add up to the file's, each being small enough for the sum to mean something.
    expect(header.byte_order == Header{}.byte_order && header.content == key.content &&
               header.settings == key.settings.size() && header.files == static_cast<std::uint64_t>(files) &&
               header.errors <= size && header.width <= size,
           "the features of these files and settings");
    expect(header.files == 0 || header.width <= size / header.files, "as many features as there is room for");
    const std::uint64_t count = header.files * header.width;
    expect(fixed + header.settings + header.errors + sizeof(float) * count == size, "a file of the size that it states");

    FeatureTable table{.width = static_cast<std::int64_t>(header.width), .values = std::vector<float>(count)};
    std::string texts(header.settings + header.errors, '\0');
    std::uint64_t sum = 0;
    stream.read(texts.data(), static_cast<std::streamsize>(texts.size()));
    stream.read(reinterpret_cast<char*>(table.values.data()), static_cast<std::streamsize>(sizeof(float) * count));
    stream.read(reinterpret_cast<char*>(&sum), sizeof sum);
    expect(stream.good() && sum == checksum(text_of(header), texts, text_of(table.values)), "a matching checksum");
    expect(texts.starts_with(key.settings), "the features of these settings");
    for (std::size_t at = header.settings; at < texts.size();) {
      table.errors.emplace_back(texts.c_str() + at);
      at += table.errors.back().size() + 1;
    }
    expect(table.files() == files, "an entry for each file");
    return table;
  }

  std::filesystem::path folder_;
};

}  // namespace siena::data
