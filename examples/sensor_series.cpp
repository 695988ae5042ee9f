// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Searches a small network for readings of sensors over time, from a CSV file: a row a reading, a column a sensor.
//
//   sensor_series [FILE or folder LABEL SENSOR...]      columns by name; without them, readings that it makes up

#include <cmath>
#include <filesystem>
#include <siena/data/csv_series.hpp>
#include <siena/siena.hpp>
#include <string>
#include <string_view>
#include <vector>

using namespace siena;

namespace {

/// Someone who walks, runs or rests, with an accelerometer of three axes on the wrist: 12 recordings of 200 rows.
std::string made_up_readings() {
  struct Activity {
    std::string_view name;
    double steps, strength;  // a second; in g
  };
  constexpr Activity activities[] = {{"rest", 0.3, 0.05}, {"walk", 1.9, 0.4}, {"run", 2.8, 1.1}};
  std::string text = "time,ax,ay,az,activity,recording\n";
  for (int recording = 0; recording < 12; ++recording) {
    const Activity& activity = activities[recording % 3];
    Random random = Random(1).split(static_cast<std::uint64_t>(recording));
    const double pace = activity.steps * random.uniform(0.9, 1.1), tilt = random.uniform(-0.5, 0.5);
    for (int row = 0; row < 200; ++row) {
      const double time = row / 50.0, swing = activity.strength * std::sin(6.2832 * pace * time);
      text +=
          format("{:.2f},{:.4f},{:.4f},{:.4f},{},r{}\n", time, swing + 0.1 * random.normal(),
                 0.5 * swing + tilt + 0.1 * random.normal(), 1 + 0.3 * swing + 0.1 * random.normal(), activity.name, recording);
    }
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) try {
  wait_briefly(argv);
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && (words[0] == "--help" || words[0] == "-h")) {
    fmt::print(
        "usage: sensor_series [FILE or folder LABEL SENSOR...]; columns by name; without them, readings that it makes up\n");
    return 0;
  }
  const bool smoke = !words.empty() && words[0] == "--smoke";  // as little as shows that it runs
  const bool own = words.size() >= 3;
  require<ArgumentError>(own || smoke || words.empty(),
                         "expected a file, the column of the label, and those of sensors, got {} words; see --help",
                         words.size());

  std::filesystem::path file =
      own ? std::filesystem::path(words[0]) : std::filesystem::temp_directory_path() / "siena_sensor_series.csv";
  if (!own) write_file_atomically(file, made_up_readings());
  data::CsvSeriesOptions table{.label = own ? words[1] : "activity", .window = 50, .stride = 25};
  for (const std::string& name : own ? std::vector(words.begin() + 2, words.end()) : std::vector<std::string>{"ax", "ay", "az"})
    table.sensors.push_back(name);
  if (!own) table.recording = "recording";
  const data::CsvSeries data = data::csv_series(file, table);
  if (!own) std::filesystem::remove(file);
  for (const std::string& note : data.report.notes) fmt::print("{}: {}\n", file.string(), note);

  const auto conv = [](int out, int kernel, int stride) {
    return Searchable{Conv1d{.out = out, .kernel = kernel, .stride = stride, .bias = false}, Channels{}};
  };
  Network net{data.shape(), [&](Flow x) {
                x = x | conv(16, 5, 2) | BatchNorm{} | Relu{};
                x = x | conv(32, 5, 2) | BatchNorm{} | Relu{};
                return x | GlobalAvgPool{} | Linear{.out = static_cast<int>(data.classes.size())};
              }};

  const auto bounds = subject_to(MemoryBound{1_KiB});
  const int epochs = smoke ? 2 : 30;
  auto [found, history] =
      search(net, data, bounds, Duccio{}, {.warmup = epochs, .epochs = epochs, .batch = 16, .seed = 1}, ProgressBar{});
  fit(found, data, {.epochs = epochs, .batch = 16}, ProgressBar{});
  const Report report = evaluate(found, data.test, bounds);
  fmt::print("{}\n", report);
  return report.feasible ? 0 : 1;
} catch (const Error& error) {
  fmt::print(stderr, "sensor_series: {}\n", error.what());
  return 2;
}
