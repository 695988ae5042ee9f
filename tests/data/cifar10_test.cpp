// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/cifar10.hpp"

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace siena;
using namespace siena::data;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t record_size = 3073;

// A folder of its own with small CIFAR-10 files, gone with the test.
class Folder {
 public:
  explicit Folder(const std::string& inner = "") {
    static std::atomic<int> count = 0;
    path =
        fs::temp_directory_path() / ("siena-cifar10-" + std::to_string(std::random_device{}()) + "-" + std::to_string(count++));
    files = inner.empty() ? path : path / inner;
    fs::create_directories(files);
    for (int f = 1; f <= 5; ++f) write("data_batch_" + std::to_string(f) + ".bin", records(20, f));
    write("test_batch.bin", records(10, 9));
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  // Record r is of class r % 10; its byte p of plane c is a mix of all of them.
  static std::uint8_t pixel(std::size_t r, int file, std::size_t c, std::size_t p) {
    return static_cast<std::uint8_t>(r * 31 + static_cast<std::size_t>(file) * 17 + c * 50 + p * 3 + p / 32);
  }
  static std::vector<std::uint8_t> records(std::size_t count, int file) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t r = 0; r < count; ++r) {
      bytes.push_back(static_cast<std::uint8_t>(r % 10));
      for (std::size_t c = 0; c < 3; ++c) {
        for (std::size_t p = 0; p < 1024; ++p) bytes.push_back(pixel(r, file, c, p));
      }
    }
    return bytes;
  }
  void write(const std::string& name, const std::vector<std::uint8_t>& bytes) const {
    std::ofstream(files / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }

  fs::path path, files;
};

}  // namespace

TEST_CASE("cifar10 reads planes into H x W x C") {
  const Folder folder(GENERATE("", "cifar-10-batches-bin"));
  const auto data = cifar10(folder.path, {.validation = 0});
  REQUIRE(data.report.notes.size() == 1);
  REQUIRE_THAT(data.report.notes[0], ContainsSubstring("110 images in") && ContainsSubstring("where the original has 60000"));
  REQUIRE(data.train.size() == 100);
  REQUIRE(data.validation.empty());
  REQUIRE(data.test.size() == 10);
  REQUIRE(data.shape() == Shape{32, 32, 3});
  REQUIRE(data.classes() == 10);
  REQUIRE(data.test.name() == "cifar10 test");
  const Preparation preparation = data.test.preparation();
  REQUIRE(preparation.classes[9] == "truck");
  REQUIRE(preparation.colours == Colours::rgb);
  REQUIRE(preparation.bytes);
  REQUIRE(preparation.mean == measure(data.train).mean);
  bool same = true;
  for (std::size_t i = 0; i < 100; ++i) {
    const std::size_t r = i % 20;
    const auto bytes = data.train.bytes(static_cast<std::int64_t>(i));
    same = same && data.train.label(static_cast<std::int64_t>(i)) == static_cast<int>(r % 10);
    for (std::size_t p = 0; p < 1024; ++p) {
      for (std::size_t c = 0; c < 3; ++c)
        same = same && bytes[p * 3 + c] == Folder::pixel(r, static_cast<int>(i / 20) + 1, c, p);
    }
  }
  REQUIRE(same);
  REQUIRE(data.test.bytes(4)[0] == Folder::pixel(4, 9, 0, 0));
}

TEST_CASE("cifar10 holds the same number of every class out and normalises by what is left") {
  const Folder folder;
  const auto data = cifar10(folder.path, {.validation = 0.2, .seed = 4});
  REQUIRE(data.train.size() == 80);
  REQUIRE(data.validation.size() == 20);
  std::vector<int> counts(10);
  for (std::int64_t i = 0; i < 20; ++i) ++counts[static_cast<std::size_t>(data.validation.label(i))];
  REQUIRE(counts == std::vector<int>(10, 2));
  const auto measured = measure(data.train);
  for (const auto& part : {data.train, data.validation, data.test}) {
    REQUIRE(part.normalization().mean == measured.mean);
    REQUIRE(part.normalization().deviation == measured.deviation);
  }
  // Another seed holds others out; the same seed the same.
  const auto held_out = [&](std::uint64_t seed) {
    const auto part = cifar10(folder.path, {.validation = 0.2, .seed = seed}).validation;
    std::vector<std::uint8_t> values;
    for (std::int64_t i = 0; i < part.size(); ++i) values.insert(values.end(), part.bytes(i).begin(), part.bytes(i).end());
    return values;
  };
  REQUIRE(held_out(4) == held_out(4));
  REQUIRE(held_out(4) != held_out(5));
  REQUIRE_THROWS_AS(cifar10(folder.path, {.validation = 1}), ArgumentError);
  REQUIRE_THROWS_AS(cifar10(folder.path, {.validation = 0.001}), ArgumentError);
}

TEST_CASE("cifar10 reads a test part alone, as it is, to score networks by") {
  const Folder folder;
  for (int f = 1; f <= 5; ++f) fs::remove(folder.files / ("data_batch_" + std::to_string(f) + ".bin"));
  const auto data = cifar10(folder.path);
  REQUIRE(data.train.empty());
  REQUIRE(data.validation.empty());
  REQUIRE(data.test.size() == 10);
  REQUIRE(data.test.normalization().mean == std::vector<float>{0, 0, 0});
  REQUIRE(data.test.normalization().deviation == std::vector<float>{1, 1, 1});
  REQUIRE(data.report.notes.size() == 1);
  REQUIRE_THAT(data.report.notes[0], ContainsSubstring("no training part in") && ContainsSubstring("not normalised"));
}

TEST_CASE("cifar10 names what is wrong with a file") {
  const Folder folder;
  SECTION("nothing there") {
    REQUIRE_THROWS_AS(cifar10(folder.path / "nowhere"), DataError);
    REQUIRE_THROWS_WITH(cifar10(folder.path / "nowhere"),
                        ContainsSubstring("nowhere") && ContainsSubstring("cifar-10-binary.tar.gz"));
  }
  SECTION("one file missing") {
    const std::string name = GENERATE("data_batch_1.bin", "data_batch_4.bin", "test_batch.bin");
    fs::remove(folder.files / name);
    REQUIRE_THROWS_AS(cifar10(folder.path), DataError);
    REQUIRE_THROWS_WITH(cifar10(folder.path), ContainsSubstring(name) && ContainsSubstring("got none"));
  }
  SECTION("empty") {
    folder.write("data_batch_2.bin", {});
    REQUIRE_THROWS_AS(cifar10(folder.path), FormatError);
    REQUIRE_THROWS_WITH(cifar10(folder.path), ContainsSubstring("data_batch_2.bin") && ContainsSubstring("empty file"));
  }
  SECTION("cut off") {
    auto bytes = Folder::records(7, 3);
    bytes.resize(5 * record_size + 12);
    folder.write("data_batch_3.bin", bytes);
    REQUIRE_THROWS_AS(cifar10(folder.path), FormatError);
    REQUIRE_THROWS_WITH(
        cifar10(folder.path),
        ContainsSubstring("data_batch_3.bin") &&
            ContainsSubstring("multiple of 3073 bytes, got 15377: 12 bytes follow record 4, so record 5 is cut off"));
  }
  SECTION("shorter than a record") {
    folder.write("test_batch.bin", std::vector<std::uint8_t>(100));
    REQUIRE_THROWS_WITH(cifar10(folder.path), ContainsSubstring("test_batch.bin") && ContainsSubstring("record 0 is cut off"));
  }
  SECTION("oversized") {
    folder.write("data_batch_5.bin", std::vector<std::uint8_t>(10'001 * record_size));
    REQUIRE_THROWS_AS(cifar10(folder.path), FormatError);
    REQUIRE_THROWS_WITH(cifar10(folder.path), ContainsSubstring("data_batch_5.bin") &&
                                                  ContainsSubstring("at most 10000 records") && ContainsSubstring("got 10001"));
  }
  SECTION("a label out of range") {
    auto bytes = Folder::records(6, 1);
    bytes[3 * record_size] = 10;
    folder.write("data_batch_1.bin", bytes);
    REQUIRE_THROWS_AS(cifar10(folder.path), DataError);
    REQUIRE_THROWS_WITH(cifar10(folder.path), ContainsSubstring("labels from 0 to 9") &&
                                                  ContainsSubstring("data_batch_1.bin") &&
                                                  ContainsSubstring("got 10 in record 3"));
  }
}
