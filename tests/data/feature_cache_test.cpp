// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/feature_cache.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "siena/core/random.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;
using namespace siena::data;

namespace {

const FeatureTable three_files{.width = 2, .values = {1, 2, 3, 4, 0, 0}, .errors = {"", "", "b.wav: empty"}};

bool equal_tables(const FeatureTable& a, const FeatureTable& b) {
  return a.width == b.width && a.values == b.values && a.errors == b.errors;
}

// Asks for the features and says whether they had to be computed.
bool asks(const FeatureCache& cache, const CacheKey& key, LoadReport& report) {
  bool computed = false;
  const auto table = cache.get(key, 3, report, [&] {
    computed = true;
    return three_files;
  });
  REQUIRE(equal_tables(table, three_files));
  return computed;
}

}  // namespace

TEST_CASE("features are computed once for files and settings") {
  const test::TemporaryFolder folder("siena_cache");
  const FeatureCache cache(folder.path / "inner");
  const CacheKey key{.name = "speech", .settings = "mfcc 10", .content = 7};
  LoadReport report;
  REQUIRE(asks(cache, key, report));
  REQUIRE(report.cached == 0);
  REQUIRE_FALSE(asks(cache, key, report));
  REQUIRE(report.cached == 3);
  REQUIRE(asks(cache, {.name = "speech", .settings = "mfcc 11", .content = 7}, report));
  REQUIRE(asks(cache, {.name = "speech", .settings = "mfcc 10", .content = 8}, report));
  REQUIRE_FALSE(asks(cache, key, report));
  REQUIRE(report.notes.empty());
  REQUIRE(asks(FeatureCache(), key, report));  // nowhere to keep them
}

TEST_CASE("a damaged cache is computed anew, and noted") {
  const test::TemporaryFolder folder("siena_cache_damaged");
  const FeatureCache cache(folder.path);
  const CacheKey key{.name = "a", .settings = "settings", .content = 7};
  LoadReport report;
  REQUIRE(asks(cache, key, report));
  const std::string good = read_file(cache.file(key));
  Random random(2);
  for (int turn = 0; turn < 300; ++turn) {
    std::string bad = good;
    switch (turn % 4) {
      case 0:
        bad.resize(random.below(good.size()));
        break;
      case 1:
        bad += "more";
        break;
      case 2:
        for (std::size_t at = 16; at < 64; ++at) bad[at] = static_cast<char>(random.below(256));
        break;
      default:
        bad[random.below(bad.size())] ^= static_cast<char>(1 << random.below(8));
    }
    std::ofstream(cache.file(key), std::ios::binary) << bad;
    LoadReport noted;
    REQUIRE(asks(cache, key, noted));
    REQUIRE(noted.notes.size() == 1);
    REQUIRE(noted.notes[0].find(cache.file(key).filename().string()) != std::string::npos);
    REQUIRE(noted.notes[0].find("anew") != std::string::npos);
    REQUIRE(read_file(cache.file(key)) == good);  // repaired
  }
}

TEST_CASE("a cache that cannot be written costs only its use") {
  const test::TemporaryFolder folder("siena_cache_file");
  std::ofstream(folder.path / "file") << "no folder";
  LoadReport report;
  REQUIRE(asks(FeatureCache(folder.path / "file"), {.name = "a", .settings = "", .content = 0}, report));
  REQUIRE(report.notes.size() == 1);
  REQUIRE(report.notes[0].find("not cached") != std::string::npos);
}

TEST_CASE("fingerprints see names, order and every byte") {
  const test::TemporaryFolder folder("siena_fingerprint");
  const auto a = folder.path / "a", b = folder.path / "b";
  std::ofstream(a) << "some content";
  std::ofstream(b) << "other";
  const auto of = [&](std::vector<std::filesystem::path> files) { return fingerprint_files(folder.path, files); };
  const auto before = of({a, b});
  REQUIRE(of({a, b}) == before);
  REQUIRE(of({b, a}) != before);
  REQUIRE(of({a}) != before);
  std::ofstream(a) << "some cOntent";
  REQUIRE(of({a, b}) != before);
  std::ofstream(a) << "some content";
  REQUIRE(of({a, b}) == before);
  std::filesystem::remove(b);
  REQUIRE(of({a, b}) != before);
  REQUIRE(Fingerprint().add("a").add("bc").value() != Fingerprint().add("ab").add("c").value());
  REQUIRE(Fingerprint().add(std::string_view("a\0", 2)).value() != Fingerprint().add("a").value());
}

TEST_CASE("reading many files keeps what is wrong with each") {
  const auto bad_thirds = [](std::int64_t i) { require<DataError>(i % 3 != 1, "file {} is bad", i); };
  const auto errors = read_each(9, {.reader = "test", .skip_bad_files = true}, bad_thirds);
  REQUIRE(errors.size() == 9);
  for (std::size_t i = 0; i < 9; ++i) REQUIRE(errors[i] == (i % 3 == 1 ? format("file {} is bad", i) : ""));
  REQUIRE_THROWS_WITH(read_each(9, {.reader = "test"}, bad_thirds),
                      ContainsSubstring("is bad; skip_bad_files (--skip-bad-files)"));
  REQUIRE_THROWS_WITH(read_each(2, {.reader = "test", .skip_bad_files = true},
                                [](std::int64_t i) { require<FormatError>(false, "file {}", i); }),
                      ContainsSubstring("test: expected good files, got 2 that are all bad; the first: file 0"));
  REQUIRE(read_each(0, {.reader = "test"}, bad_thirds).empty());
}
