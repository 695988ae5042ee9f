// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/machine_audio.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "siena/data/sound_preparer.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/wav.hpp"

using namespace siena;
using namespace siena::data;
using test::write_wav;

namespace {

// 10 frames from frame 2 on of recordings of 0.5 s, 6 windows of 5 frames each.
MachineAudioOptions quick_machines() { return {.window = 5, .first_frame = 2, .frames = 10}; }

// Machines 01 and 02 with 20 recordings each to train with, and a few to test.
struct MachineFolder : test::TemporaryFolder {
  explicit MachineFolder(const std::string& name) : TemporaryFolder(name) {
    for (const char* machine : {"01", "02"}) {
      const double base = machine[1] == '1' ? 200 : 900;
      for (int i = 0; i < 20; ++i) add("train/normal", machine, i, base + 5 * i);
      for (int i = 0; i < 3; ++i) add("test/normal", machine, i, base + 7 * i);
      for (int i = 0; i < 2; ++i) add("test/anomaly", machine, i, 3 * base + 7 * i);
    }
  }
  std::filesystem::path file(const std::string& kind, const std::string& machine, int number) const {
    return path / format("{}_id_{}_{:08}.wav", kind, machine, number);
  }
  void add(const std::string& kind, const std::string& machine, int number, double hertz) const {
    write_wav(file(kind, machine, number), test::sine(hertz, 8000));
  }
};

}  // namespace

TEST_CASE("machine audio: windows are frames of the front-end, and stay within their recording") {
  const MachineFolder folder("siena_machines");
  const auto audio = machine_audio(folder.path, quick_machines());
  REQUIRE(audio.shape() == Shape{640});
  REQUIRE(audio.train.size() == 36 * 6);
  REQUIRE(audio.validation.size() == 4 * 6);
  REQUIRE(audio.test.size() == 10 * 6);
  REQUIRE(audio.recordings.size() == 10);
  REQUIRE(audio.report.skipped.empty());

  const Preparation preparation = audio.test.preparation();
  REQUIRE(preparation.classes == std::vector<std::string>{"normal", "anomaly"});
  REQUIRE(preparation.sound == SoundPreparation{.front_end = quick_machines().features, .window = 5});
  const auto sound = read_sound(folder.path / "test" / audio.recordings[0].name);
  const auto windows = SoundPreparer(*preparation.sound)(sound.samples, sound.rate);
  const auto first = audio.test.floats(0);
  REQUIRE(std::search(windows.begin(), windows.end(), first.begin(), first.end()) != windows.end());

  int anomalies = 0;
  for (std::size_t r = 0; r < 10; ++r) {
    const Recording& recording = audio.recordings[r];
    REQUIRE(recording.first == static_cast<std::int64_t>(6 * r));
    REQUIRE(recording.windows == 6);
    REQUIRE(recording.anomaly == recording.name.starts_with("anomaly_id_" + recording.machine));
    anomalies += recording.anomaly ? 1 : 0;
    const auto features = LogMel()(read_sound(folder.path / "test" / recording.name).samples);
    for (std::int64_t w = 0; w < 6; ++w) {
      REQUIRE(audio.test.label(recording.first + w) == (recording.anomaly ? 1 : 0));
      const auto window = audio.test.floats(recording.first + w);
      REQUIRE(std::equal(window.begin(), window.end(), features.begin() + (2 + w) * 128));
    }
  }
  REQUIRE(anomalies == 4);

  // One mean and deviation for all features: those of all values.
  const auto normalization = audio.test.normalization();
  REQUIRE(std::set<float>(normalization.mean.begin(), normalization.mean.end()).size() == 1);
  double sum = 0, squares = 0;
  for (std::int64_t i = 0; i < audio.train.size(); ++i) {
    for (const float value : audio.train.floats(i)) {
      sum += double{value};
      squares += double{value} * double{value};
    }
  }
  const double count = static_cast<double>(640 * audio.train.size());
  REQUIRE(normalization.mean[5] == Approx(sum / count));
  REQUIRE(normalization.deviation[7] == Approx(std::sqrt(squares / count - sum / count * sum / count)));
}

TEST_CASE("machine audio: validation takes whole recordings, as many of each machine") {
  const MachineFolder folder("siena_machines_split");
  const auto options = quick_machines();
  const auto audio = machine_audio(folder.path, options);
  // Every window of train and validation, by its values: no recording is in both.
  const auto windows_of = [](const Dataset& dataset) {
    std::set<std::vector<float>> windows;
    for (std::int64_t i = 0; i < dataset.size(); ++i) windows.emplace(dataset.floats(i).begin(), dataset.floats(i).end());
    return windows;
  };
  const auto train = windows_of(audio.train), validation = windows_of(audio.validation);
  int found = 0;
  for (const char* machine : {"01", "02"}) {
    int held = 0;
    for (int i = 0; i < 20; ++i) {
      const auto features = LogMel()(read_sound(folder.file("train/normal", machine, i)).samples);
      int in_train = 0, in_validation = 0;
      for (std::int64_t w = 0; w < 6; ++w) {
        const std::vector<float> window(features.begin() + (2 + w) * 128, features.begin() + (7 + w) * 128);
        in_train += train.contains(window) ? 1 : 0;
        in_validation += validation.contains(window) ? 1 : 0;
      }
      REQUIRE(((in_train == 6 && in_validation == 0) || (in_train == 0 && in_validation == 6)));
      held += in_validation == 6 ? 1 : 0;
      ++found;
    }
    REQUIRE(held == 2);
  }
  REQUIRE(found == 40);
  auto reseeded = options;
  reseeded.seed = 1;
  REQUIRE(windows_of(machine_audio(folder.path, reseeded).validation) != validation);
  REQUIRE(windows_of(machine_audio(folder.path, options).validation) == validation);

  auto one = options;
  one.machines = {"02"};
  const auto second = machine_audio(folder.path, one);
  REQUIRE(second.train.size() == 18 * 6);
  REQUIRE(second.recordings.size() == 5);
  one.machines = {"03"};
  REQUIRE_THROWS_WITH(machine_audio(folder.path, one), ContainsSubstring("machine '03'") && ContainsSubstring("2 other"));
}

TEST_CASE("machine audio: the cache, and files that are bad") {
  const MachineFolder folder("siena_machines_bad");
  auto options = quick_machines();
  options.cache = folder.path / "cache";
  const auto first = machine_audio(folder.path, options), second = machine_audio(folder.path, options);
  REQUIRE(first.report.cached == 0);
  REQUIRE(second.report.cached == 50);
  REQUIRE(std::equal(first.test.floats(7).begin(), first.test.floats(7).end(), second.test.floats(7).begin()));
  auto longer = options;
  longer.frames = 11;
  REQUIRE(machine_audio(folder.path, longer).report.cached == 0);

  write_wav(folder.file("test/normal", "01", 1), test::sine(100, 4000));
  REQUIRE_THROWS_WITH(machine_audio(folder.path, options), ContainsSubstring("expected 12 frames or more in") &&
                                                               ContainsSubstring("normal_id_01_00000001.wav', got 8"));
  test::write_bytes(folder.path / "train" / "notes.wav", "hello");
  REQUIRE_THROWS_WITH(machine_audio(folder.path, options),
                      ContainsSubstring("notes.wav") && ContainsSubstring("skip_bad_files"));
  options.skip_bad_files = true;
  const auto skipping = machine_audio(folder.path, options);
  REQUIRE(skipping.report.skipped.size() == 2);
  REQUIRE(skipping.report.skipped[0].find("normal_id_01_00000000.wav or anomaly") != std::string::npos);
  REQUIRE(skipping.recordings.size() == 9);
  REQUIRE(skipping.test.size() == 9 * 6);

  folder.add("train/anomaly", "01", 0, 100);
  REQUIRE_THROWS_WITH(machine_audio(folder.path, options), ContainsSubstring("normal recordings to train with"));
  REQUIRE_THROWS_WITH(machine_audio(folder.path / "nowhere"), ContainsSubstring("nowhere"));
  std::filesystem::create_directories(folder.path / "empty" / "train");
  REQUIRE_THROWS_WITH(machine_audio(folder.path / "empty"), ContainsSubstring("got none; unpack one machine"));
  REQUIRE_THROWS_AS(machine_audio(folder.path, {.frames = 4}), ArgumentError);
  REQUIRE_THROWS_AS(machine_audio(folder.path, {.validation = 1}), ArgumentError);
}

TEST_CASE("the score of a recording is the mean of its windows") {
  const std::vector<double> scores{1, 2, 3, 10, 20};
  const std::vector<Recording> recordings{{.name = "a", .first = 0, .windows = 3}, {.name = "b", .first = 3, .windows = 2}};
  REQUIRE(mean_by_recording(scores, recordings) == std::vector<double>{2, 15});
  REQUIRE_THROWS_WITH(mean_by_recording(std::vector<double>(4), recordings), ContainsSubstring("windows 3 to 4 of 'b'"));
}
