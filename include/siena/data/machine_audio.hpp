// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/random.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/feature_cache.hpp"
#include "siena/data/folders.hpp"
#include "siena/data/load_report.hpp"
#include "siena/data/log_mel.hpp"
#include "siena/data/recordings.hpp"
#include "siena/data/room.hpp"
#include "siena/data/sound_file.hpp"

namespace siena::data {

/// The defaults are those of MLPerf Tiny's anomaly detection: the middle of each recording of ToyCar, 196 windows a file.
struct MachineAudioOptions {
  std::vector<std::string> machines = {};       ///< ids as in the names of the files, "01"; none: all there are
  std::int64_t window = 5;                      ///< frames of a sample
  std::int64_t first_frame = 50, frames = 200;  ///< of each recording; the others are not looked at
  LogMelOptions features = {};                  ///< the front-end
  double validation = 0.1;                      ///< of each machine's training recordings: whole ones
  std::uint64_t seed = 0;                       ///< of the choice of these
  std::filesystem::path cache = {};             ///< folder for computed features; none: they are computed each time
  bool skip_bad_files = false;                  ///< leave out what cannot be read, and report it
};

struct MachineAudio : MonitoredMachines {
  LoadReport report = {};
};

namespace detail {

struct MachineFile {
  std::filesystem::path path;
  std::string machine = {};
  bool anomaly = false;
};

/// {normal,anomaly}_id_<machine>_<number>.wav
inline MachineFile machine_file(const std::filesystem::path& path) {
  MachineFile file{.path = path};
  const std::string name = path.filename().string();
  std::string_view rest = name;
  file.anomaly = rest.starts_with("anomaly_id_");
  const bool known = file.anomaly || rest.starts_with("normal_id_");
  rest.remove_prefix(std::min(rest.size(), rest.find("_id_") + 4));
  file.machine = rest.substr(0, rest.find('_'));
  require<DataError>(known && !file.machine.empty() && file.machine.size() < rest.size(),
                     "machine_audio: expected names such as normal_id_01_00000000.wav or anomaly_id_01_00000000.wav, got '{}'",
                     path.string());
  return file;
}

/// Frames of files, one file after the other, and the files they are of.
struct MachineFrames {
  std::vector<float> values;
  std::vector<MachineFile> files;
};

class MachineReader {
 public:
  MachineReader(const std::filesystem::path& directory, const MachineAudioOptions& options)
      : directory_(directory), options_(options), front_end_(options.features) {
    const auto& o = options_;
    require<ArgumentError>(
        o.first_frame >= 0 && o.first_frame <= 1 << 20 && o.window >= 1 && o.frames >= o.window && o.frames <= 1 << 20,
        "machine_audio: expected a window of 1 frame or more in frames from 0 on, at most 2^20, got {} of {} frames from {}",
        o.window, o.frames, o.first_frame);
    require<ArgumentError>(o.validation >= 0 && o.validation < 1,
                           "machine_audio: expected a validation fraction from 0 to below 1, got {}", o.validation);
  }

  MachineAudio load() {
    MachineFrames normal = read("train"), test = read("test");
    const auto [train, validation] = split_files(normal.files);
    MachineAudio result;
    const WindowLayout layout{.frames = options_.frames, .bands = bands(), .window = options_.window};
    const Dataset known = windows(normal, layout);
    const Dataset learnt = take_recordings(known, layout, train);
    const Normalization normalization = one_for_all_features(learnt);
    result.train = learnt.normalized(normalization).named("machine audio train");
    result.validation = take_recordings(known, layout, validation).normalized(normalization).named("machine audio validation");
    result.test = windows(test, layout).normalized(normalization).named("machine audio test");
    for (const auto& file : test.files) {
      result.recordings.push_back({.name = file.path.filename().string(),
                                   .machine = file.machine,
                                   .anomaly = file.anomaly,
                                   .first = static_cast<std::int64_t>(result.recordings.size()) * layout.windows(),
                                   .windows = layout.windows()});
    }
    result.report = std::move(report_);
    return result;
  }

 private:
  std::int64_t bands() const { return options_.features.mel.bands; }

  std::vector<MachineFile> find(const char* part) {
    std::vector<MachineFile> files;
    std::map<std::string, int> seen;
    for (const auto& path : files_in(directory_ / part, "machine_audio", {".wav"})) {
      try {
        MachineFile file = machine_file(path);
        ++seen[file.machine];
        const auto& wanted = options_.machines;
        if (wanted.empty() || std::find(wanted.begin(), wanted.end(), file.machine) != wanted.end()) files.push_back(file);
      } catch (const DataError& error) {
        if (!options_.skip_bad_files) throw DataError(error.what() + std::string(skip_hint));
        report_.skipped.emplace_back(error.what());
      }
    }
    for (const auto& machine : options_.machines) {
      require<DataError>(seen.contains(machine),
                         "machine_audio: expected recordings of machine '{}' in '{}', got {} other machines", machine,
                         (directory_ / part).string(), seen.size());
    }
    require<DataError>(
        !files.empty(),
        "machine_audio: expected recordings such as normal_id_01_00000000.wav in '{}', got none; unpack one machine "
        "of DCASE 2020 task 2, development set, there",
        (directory_ / part).string());
    return files;
  }

  MachineFrames read(const char* part) {
    MachineFrames frames{.values = {}, .files = find(part)};
    std::vector<std::filesystem::path> paths;
    for (const auto& file : frames.files) paths.push_back(file.path);
    const FeatureCache cache(options_.cache);
    CacheKey key;
    if (cache.enabled()) {
      key = {.name = "machine",
             .settings = format("{} frames={} from={}", to_string(options_.features), options_.frames, options_.first_frame),
             .content = fingerprint_files(directory_, paths)};
    }
    FeatureTable table = cache.get(key, static_cast<std::int64_t>(paths.size()), report_, [&] { return compute(paths); });
    std::vector<MachineFile> good;
    for (const std::size_t i : keep_good(table, report_, options_.skip_bad_files)) good.push_back(frames.files[i]);
    frames.files = std::move(good);
    frames.values = std::move(table.values);
    return frames;
  }

  FeatureTable compute(const std::vector<std::filesystem::path>& paths) const {
    FeatureTable table{.width = options_.frames * bands()};
    table.values = room_for<float>(static_cast<std::int64_t>(paths.size()), {options_.frames, bands()}, "machine_audio");
    const auto rate = static_cast<std::int64_t>(std::llround(front_end_.sample_rate()));
    const ReadOptions reading{.reader = "machine_audio", .skip_bad_files = options_.skip_bad_files};
    table.errors = read_each(static_cast<std::int64_t>(paths.size()), reading, [&](std::int64_t i) {
      const auto& path = paths[static_cast<std::size_t>(i)];
      const auto samples = read_sound(path, rate);
      const std::int64_t frames = front_end_.shape(static_cast<std::int64_t>(samples.size()))[0];
      require<DataError>(frames >= options_.first_frame + options_.frames,
                         "machine_audio: expected {} frames or more in '{}', got {}: its {} samples at {} Hz are too few",
                         options_.first_frame + options_.frames, path.string(), frames, samples.size(), rate);
      const auto features = front_end_(samples);
      const auto from = features.begin() + options_.first_frame * bands();
      std::copy(from, from + table.width, table.values.begin() + i * table.width);
    });
    return table;
  }

  /// Takes the values.
  Dataset windows(MachineFrames& frames, const WindowLayout& layout) const {
    std::vector<std::int32_t> anomaly;
    for (const auto& file : frames.files) anomaly.push_back(file.anomaly ? 1 : 0);
    const Dataset result = window_dataset(std::move(frames.values), layout, anomaly);
    Preparation preparation = result.preparation();
    preparation.sound = SoundPreparation{.front_end = options_.features, .window = options_.window};
    return result.described(std::move(preparation));
  }

  /// Numbers of the files to train with and of those to validate with, sorted.
  std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>> split_files(const std::vector<MachineFile>& files) const {
    std::map<std::string, std::vector<std::int64_t>> machines;
    for (std::size_t f = 0; f < files.size(); ++f) {
      require<DataError>(!files[f].anomaly, "machine_audio: expected normal recordings to train with, got '{}'",
                         files[f].path.string());
      machines[files[f].machine].push_back(static_cast<std::int64_t>(f));
    }
    std::vector<std::int64_t> train, validation;
    std::uint64_t stream = 0;
    for (auto& [machine, numbers] : machines) {
      Random random = Random(options_.seed).split(stream++);
      shuffle(numbers, random);
      const auto held = std::llround(options_.validation * static_cast<double>(numbers.size()));
      for (std::size_t k = 0; k < numbers.size(); ++k) {
        (static_cast<std::int64_t>(k) < held ? validation : train).push_back(numbers[k]);
      }
    }
    require<ArgumentError>(
        !train.empty() && (options_.validation == 0 || !validation.empty()),
        "machine_audio: expected recordings to train and to validate with, got {} and {}; change the fraction {}", train.size(),
        validation.size(), options_.validation);
    std::sort(train.begin(), train.end());
    std::sort(validation.begin(), validation.end());
    return {std::move(train), std::move(validation)};
  }

  const std::filesystem::path& directory_;
  const MachineAudioOptions& options_;
  LogMel front_end_;
  LoadReport report_;
};

}  // namespace detail

/// Sound of machines, normal in training and maybe not in the test: `directory` holds one machine type of DCASE 2020 task 2
/// (train/normal_id_01_*.wav, test/normal_id_01_*.wav, test/anomaly_id_01_*.wav). A sample is a window of log-mel frames, frame
/// after frame; its class is 1 where the recording is an anomaly. Windows overlap in memory. Validation takes whole recordings
/// of the training folder, as many of each machine. One mean and deviation, of the training part, normalise all features alike,
/// so that errors of a reconstruction rank as those of decibels do.
inline MachineAudio machine_audio(const std::filesystem::path& directory, const MachineAudioOptions& options = {}) {
  return detail::MachineReader(directory, options).load();
}

}  // namespace siena::data
