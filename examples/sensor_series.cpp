// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Searches a small network for readings of sensors over time, from a CSV file: a row a reading, a column a sensor.
//
//   sensor_series [FILE or folder LABEL SENSOR...] [options]    see --help; without a file, readings that it makes up

#include <algorithm>
#include <cmath>
#include <cstdint>
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

constexpr std::string_view usage =
    "usage: sensor_series [FILE or folder LABEL SENSOR...] [options]\n"
    "LABEL and SENSOR are columns, by name or by number from 1. Without a file, readings that it makes up.\n\n"
    "  --recording COLUMN     says which recording a row is of; without it each file is one\n"
    "  --window N             rows of a sample (50)\n"
    "  --stride N             rows from one sample to the next (half a window)\n"
    "  --window-label RULE    of a window whose rows differ: most (default), last, or same: only windows of one class\n"
    "  --split RULE           automatic (default), recordings or time\n"
    "  --validation, --test X fractions of these parts (0.2)\n"
    "  --skip-bad-rows        leave out rows with gaps\n";

data::CsvColumn column(const std::string& word) {
  int number = 0;
  return read_number(word, number) ? data::CsvColumn(number) : data::CsvColumn(word);
}

template <class Number>
Number number(const std::string& option, const std::string& word) {
  Number value = 0;
  require<ArgumentError>(read_number(word, value), "{}: expected a number, got '{}'", option, word);
  return value;
}

/// One of `names`, in the order of an enumeration.
template <class Enum>
Enum choice(const std::string& option, const std::string& word, const std::vector<std::string>& names) {
  const auto at = std::find(names.begin(), names.end(), word);
  require<ArgumentError>(at != names.end(), "{}: expected {}, {} or {}, got '{}'", option, names[0], names[1], names[2], word);
  return static_cast<Enum>(at - names.begin());
}

/// Takes the options out of the words; what is left are the file and its columns.
data::CsvSeriesOptions read_options(std::vector<std::string>& words) {
  data::CsvSeriesOptions table{.window = 50, .stride = 0};
  std::vector<std::string> left;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const std::string option = words[at];
    if (!option.starts_with("--")) {
      left.push_back(option);
      continue;
    }
    if (option == "--skip-bad-rows") {
      table.skip_bad_rows = true;
      continue;
    }
    const bool known = option == "--recording" || option == "--window" || option == "--stride" || option == "--window-label" ||
                       option == "--split" || option == "--validation" || option == "--test";
    require<ArgumentError>(known, "expected an option of --help, got '{}'", option);
    require<ArgumentError>(++at < words.size(), "{}: expected a value, got none", option);
    const std::string& word = words[at];
    if (option == "--recording") table.recording = column(word);
    if (option == "--window") table.window = number<std::int64_t>(option, word);
    if (option == "--stride") {
      table.stride = number<std::int64_t>(option, word);
      require<ArgumentError>(table.stride >= 1, "{}: expected 1 or more, got {}", option, table.stride);
    }
    if (option == "--window-label") table.window_label = choice<data::WindowLabel>(option, word, {"most", "last", "same"});
    if (option == "--split") table.split = choice<data::SeriesSplit>(option, word, {"automatic", "recordings", "time"});
    if (option == "--validation") table.validation = number<double>(option, word);
    if (option == "--test") table.test = number<double>(option, word);
  }
  if (table.stride == 0) table.stride = std::max<std::int64_t>(table.window / 2, 1);
  words = left;
  return table;
}

}  // namespace

int main(int argc, char** argv) try {
  wait_briefly(argv);
  std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && (words[0] == "--help" || words[0] == "-h")) {
    fmt::print("{}", usage);
    return 0;
  }
  const bool smoke = !words.empty() && words[0] == "--smoke";  // as little as shows that it runs
  if (smoke) words.erase(words.begin());
  data::CsvSeriesOptions table = read_options(words);
  const bool own = words.size() >= 3;
  require<ArgumentError>(own || words.empty(),
                         "expected a file, the column of the label, and those of sensors, got {} words; see --help",
                         words.size());

  std::filesystem::path file =
      own ? std::filesystem::path(words[0]) : std::filesystem::temp_directory_path() / "siena_sensor_series.csv";
  if (!own) write_file_atomically(file, made_up_readings());
  table.label = own ? column(words[1]) : "activity";
  for (const std::string& name : own ? std::vector(words.begin() + 2, words.end()) : std::vector<std::string>{"ax", "ay", "az"})
    table.sensors.push_back(column(name));
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
