// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/mlperf_tiny.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;
using siena::test::TemporaryFolder;

namespace {

void put(const TemporaryFolder& folder, const char* name, std::string_view content) {
  write_file_atomically(folder.path / name, content);
}
std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace

TEST_CASE("accuracy sets of MLPerf Tiny: bytes are pixels, in the order of the list") {
  const TemporaryFolder folder("mlperf_tiny");
  put(folder, "b.bin", std::string("\x00\xff\x10\x20\x30\x40", 6));
  put(folder, "a.bin", std::string(6, '\x33'));
  put(folder, "y_labels.csv", "b.bin,10,9\r\na.bin,10,2");  // no newline at the end, as some editors leave it
  const data::Dataset set = data::mlperf_tiny(folder.path, {.shape = {1, 2, 3}});
  REQUIRE(set.size() == 2);
  CHECK(set.classes() == 10);
  CHECK(set.label(0) == 9);
  CHECK(set.label(1) == 2);
  std::vector<float> sample(6);
  set.sample(0, sample);
  CHECK(sample == std::vector<float>{0, 1, 16 / 255.0f, 32 / 255.0f, 48 / 255.0f, 64 / 255.0f});
}

TEST_CASE("accuracy sets of MLPerf Tiny: quantised features are the numbers that they stand for") {
  const TemporaryFolder folder("mlperf_tiny");
  put(folder, "w.bin", std::string("\x80\x00\x7f\x53", 4));  // -128, 0, 127, 83
  put(folder, "y_labels.csv", "w.bin,12,11\n\n");
  const data::Dataset set =
      data::mlperf_tiny(folder.path, {.shape = {4, 1, 1}, .quantized = true, .scale = 0.5f, .zero_point = 83});
  std::vector<float> sample(4);
  set.sample(0, sample);
  CHECK(sample == std::vector<float>{-105.5f, -41.5f, 22, 0});
}

TEST_CASE("accuracy sets of MLPerf Tiny: words are 49 frames of 10 coefficients, quantised as the reference model takes them") {
  const TemporaryFolder temporary("mlperf_tiny");
  put(temporary, "w.bin", std::string(490, '\x54'));
  put(temporary, "y_labels.csv", "w.bin,12,11\n");
  const std::filesystem::path folder = temporary.path;
  const data::Dataset words = data::mlperf_tiny(folder, data::MlperfFormat::kws01());
  CHECK(words.shape() == Shape{49, 10, 1});
  CHECK(words.floats(0)[0] == 0.5847029f);  // one step above the zero point
}

TEST_CASE("accuracy sets of MLPerf Tiny: recordings of any length are windows, none across two of them") {
  const TemporaryFolder folder("mlperf_tiny");
  put(folder, "normal.bin", floats({0, 1, 2, 3, 4, 5}));
  put(folder, "anomaly.bin", floats({10, 11, 12, 13}));
  put(folder, "y_labels.csv", "normal.bin,2,0,16,8\nanomaly.bin,2,1,16,8\n");  // windows of 4 floats, each 2 later
  const data::MonitoredMachines machines = data::mlperf_machines(folder.path);
  REQUIRE(machines.recordings.size() == 2);
  CHECK(machines.recordings[0].windows == 2);
  CHECK(!machines.recordings[0].anomaly);
  CHECK(machines.recordings[1].first == 2);
  CHECK(machines.recordings[1].windows == 1);
  CHECK(machines.recordings[1].anomaly);
  REQUIRE(machines.test.size() == 3);
  std::vector<float> sample(4);
  machines.test.sample(1, sample);
  CHECK(sample == std::vector<float>{2, 3, 4, 5});
  machines.test.sample(2, sample);
  CHECK(sample == std::vector<float>{10, 11, 12, 13});
  CHECK(machines.test.label(1) == 0);
  CHECK(machines.test.label(2) == 1);
}

TEST_CASE("accuracy sets of MLPerf Tiny: what does not fit is named") {
  const TemporaryFolder folder("mlperf_tiny");
  const auto read = [&] { return data::mlperf_tiny(folder.path, {.shape = {2, 1, 1}}); };
  CHECK_THROWS_WITH(read(), Catch::Contains("expected 'y_labels.csv' in '"));
  put(folder, "y_labels.csv", "\n");
  CHECK_THROWS_WITH(read(), Catch::Contains("expected a line for each input"));
  put(folder, "y_labels.csv", "a.bin,2,0\nb.bin,2,1\n");
  put(folder, "a.bin", "ab");
  CHECK_THROWS_WITH(read(), Catch::Contains("expected the 2 files") && Catch::Contains("got 1 of them, not 'b.bin'"));
  put(folder, "b.bin", "abc");
  CHECK_THROWS_WITH(read(), Catch::Contains("b.bin' to be a sample of 2x1x1, 2 bytes, got 3"));
  put(folder, "b.bin", "ab");
  CHECK(read().size() == 2);
  for (const char* line : {"b.bin,2", "b.bin,2,2", "b.bin,2,-1", "b.bin,two,1", "b.bin,2,1x", ",2,1", "b.bin,2,1,4",
                           "../b.bin,2,1", "b.bin,0,0", "b.bin,2,99999999999999999999"}) {
    INFO(line);
    put(folder, "y_labels.csv", std::string("a.bin,2,0\n") + line + "\n");
    CHECK_THROWS_WITH(read(), Catch::Contains("line 2: expected"));
  }
  put(folder, "y_labels.csv", "a.bin,2,0\nb.bin,3,1\n");
  CHECK_THROWS_WITH(read(), Catch::Contains("as many classes"));
  put(folder, "y_labels.csv", "a.bin,2,0,8,4\nb.bin,2,1,8,4\n");
  CHECK_THROWS_WITH(read(), Catch::Contains("mlperf_machines"));
  CHECK_THROWS_WITH(data::mlperf_machines(folder.path), Catch::Contains("a.bin' to be windows of 2 floats"));
}
