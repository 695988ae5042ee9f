// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/core/random.hpp"
#include "siena/data/dataset.hpp"
#include "siena/data/feature_cache.hpp"
#include "siena/data/folders.hpp"
#include "siena/data/front_end.hpp"
#include "siena/data/keywords.hpp"
#include "siena/data/load_report.hpp"
#include "siena/data/measure.hpp"
#include "siena/data/room.hpp"
#include "siena/data/sha1.hpp"
#include "siena/data/sound_file.hpp"
#include "siena/data/speech_lists.hpp"

namespace siena::data {

/// Variants of the training clips, made before the front-end: version 0 is the clip, the others are moved in time and mixed
/// with a piece of the background noise. `Augment::versions` draws among them.
struct SpeechVersions {
  int count = 1;                   ///< of each clip, the clip itself included
  double shift_seconds = 0.1;      ///< by up to this, either way
  double noise_probability = 0.8;  ///< that there is noise
  double noise_volume = 0.1;       ///< times this at most, uniformly drawn
};

struct SpeechOptions {
  std::vector<std::string> words = mlperf_keywords();  ///< the classes, in this order; none: every folder, by name
  FrontEndOptions features = MfccOptions{};            ///< MfccOptions::mlperf_tiny(), or LogMelOptions{}
  double seconds = 1;                                  ///< of a clip: longer ones lose their end, shorter ones end with silence
  double validation = 0.1, test = 0.1;                 ///< where the directory has no lists
  std::filesystem::path test_set = {};  ///< the official test set, an archive of its own; none: the test part of the directory
  SpeechVersions versions = {};         ///< of each clip, moved and with noise
  std::uint64_t seed = 0;               ///< of the versions
  std::filesystem::path cache = {};     ///< folder for computed features; none: they are computed each time
  bool skip_bad_files = false;          ///< leave out what cannot be read, and report it
};

struct SpeechCommands : Splits {
  std::vector<std::string> words = {};  ///< name of each class
  LoadReport report = {};
};

/// 0 train, 1 validation, 2 test: the rule in the README of Speech Commands, by SHA-1 of the name up to "_nohash_", so that all
/// clips of a speaker are in one part, whatever else is in the data set.
inline int speech_part(std::string_view file_name, double validation, double test) {
  const auto hash = sha1(file_name.substr(0, file_name.find("_nohash_")));
  constexpr std::uint32_t most = (1u << 27) - 1;
  const double place = static_cast<double>(hash[4] & most) / most;
  if (place < validation) return 1;
  return place < validation + test ? 2 : 0;
}

namespace detail {

inline constexpr std::string_view silence_word = "_silence_", unknown_word = "_unknown_", noise_folder = "_background_noise_";

struct SpeechClip {
  std::filesystem::path file = {};  // none: a piece of noise
  std::int32_t label = 0;
  std::size_t noise = 0;   // which
  std::int64_t start = 0;  // and from where
};

/// A long recording without words. Each part of the data set has a stretch of its own, [first, second).
struct SpeechNoise {
  std::filesystem::path file;
  std::vector<float> samples = {};
  std::array<std::pair<std::int64_t, std::int64_t>, 3> stretch = {};
};

/// Finds the clips of every part, and computes their features.
class SpeechReader {
 public:
  SpeechReader(const std::filesystem::path& directory, const SpeechOptions& options)
      : directory_(directory), options_(options), words_(options.words), front_end_(options.features) {
    check();
    rate_ = front_end_.sample_rate();
    length_ = std::llround(options.seconds * static_cast<double>(rate_));
    require<ArgumentError>(front_end_.shape(length_).elements() > 0,
                           "speech_commands: expected clips of a frame or more, got {} seconds", options.seconds);
    found_ = class_folders(
        directory, {.reader = "speech_commands", .endings = {".wav"}, .aside = "_", .test_set = options.test_set}, report_);
    require<ArgumentError>(options.test_set.empty() || found_.test.empty(),
                           "speech_commands: expected one test set, got '{}' and '{}'", options.test_set.string(),
                           found_.test.string());
    for (const auto& name : found_.classes) folders_[name] = files_in(found_.train / name, "speech_commands", {".wav"});
    if (words_.empty())
      for (const auto& [word, files] : folders_) words_.push_back(word);
    check_words();
  }

  SpeechCommands load() {
    const bool silent = label_of(silence_word) >= 0;
    if (silent || (options_.versions.count > 1 && options_.versions.noise_probability > 0)) read_noise(silent);
    find_clips();
    if (silent) add_silence();
    SpeechCommands result;
    const Dataset train = dataset(0, "speech commands train");
    const Normalization normalization = measure(train);
    result.train = train.normalized(normalization);
    result.validation = dataset(1, "speech commands validation").normalized(normalization);
    result.test = dataset(2, "speech commands test").normalized(normalization);
    result.words = words_;
    result.report = std::move(report_);
    return result;
  }

 private:
  void check() const {
    const auto& o = options_;
    const auto fraction = [](double value) { return value >= 0 && value <= 1; };
    require<ArgumentError>(
        fraction(o.validation) && fraction(o.test) && o.validation + o.test < 1,
        "speech_commands: expected fractions for validation and test that add up to less than 1, got {} and {}", o.validation,
        o.test);
    require<ArgumentError>(o.seconds > 0 && o.seconds <= 60, "speech_commands: expected clips of 0 to 60 seconds, got {}",
                           o.seconds);
    const auto& v = o.versions;
    require<ArgumentError>(
        v.count >= 1 && v.count <= 1000 && v.shift_seconds >= 0 && v.shift_seconds <= 60 && fraction(v.noise_probability) &&
            fraction(v.noise_volume),
        "speech_commands: expected 1 to 1000 versions, moved by 0 to 60 seconds, with noise of probability and "
        "volume 0 to 1, got {}, {}, {} and {}",
        v.count, v.shift_seconds, v.noise_probability, v.noise_volume);
  }

  void check_words() const {
    std::set<std::string_view> seen;
    for (const auto& word : words_) {
      require<ArgumentError>(seen.insert(word).second, "speech_commands: expected each word once, got '{}' twice", word);
      const bool special = word == silence_word || word == unknown_word;
      require<DataError>(
          special || folders_.contains(word),
          "speech_commands: expected a folder '{}' in '{}', got {} other words, the first '{}'; name the words that are "
          "there",
          word, found_.train.string(), folders_.size(), folders_.begin()->first);
    }
  }
  /// -1: no class of ours.
  std::int32_t label_of(std::string_view word) const {
    const auto at = std::find(words_.begin(), words_.end(), word);
    return at == words_.end() ? -1 : static_cast<std::int32_t>(at - words_.begin());
  }
  std::int32_t label_or_unknown(std::string_view word) const {
    const std::int32_t label = label_of(word);
    return label >= 0 ? label : label_of(unknown_word);
  }

  void bad(const std::string& message) {
    if (!options_.skip_bad_files) throw DataError(message + std::string(skip_hint));
    report_.skipped.push_back(message);
  }

  void find_clips() {
    const auto lists = found_.train == directory_ ? read_speech_lists(directory_) : SpeechLists();
    for (const auto& [word, files] : folders_) {
      const std::int32_t label = label_or_unknown(word);
      if (label < 0) continue;
      std::set<std::string> here;
      for (const auto& file : files) {
        const std::string name = file.filename().string();
        int part = speech_part(name, options_.validation, options_.test);
        if ((part == 1 && !found_.validation.empty()) || (part == 2 && !found_.test.empty()))
          part = 0;  // have folders of their own
        if (!lists.empty()) {
          const std::string listed = *here.insert(word + "/" + name).first;
          part = lists[0].contains(listed) ? 1 : lists[1].contains(listed) ? 2 : 0;
        }
        if (part < 2 || options_.test_set.empty()) clips_[static_cast<std::size_t>(part)].push_back({file, label});
      }
      for (const auto& list : lists) {
        for (auto at = list.lower_bound(word + "/"); at != list.end() && at->starts_with(word + "/"); ++at) {
          if (!here.contains(*at))
            bad(format("speech_commands: expected '{}', which a list names, got no such file", (directory_ / *at).string()));
        }
      }
    }
    if (!found_.validation.empty()) add_part(1, found_.validation);
    if (!found_.test.empty()) add_part(2, found_.test);
    if (!options_.test_set.empty()) add_part(2, options_.test_set);
  }

  /// All clips of a folder of words that are a part.
  void add_part(std::size_t part, const std::filesystem::path& folder) {
    for (const auto& word : subfolders(folder, "speech_commands")) {
      const std::int32_t label = label_or_unknown(word);
      if (label < 0 || word == noise_folder || (word == silence_word && label_of(word) < 0)) continue;
      for (const auto& file : files_in(folder / word, "speech_commands", {".wav"})) clips_[part].push_back({file, label});
    }
    require<DataError>(!clips_[part].empty(),
                       "speech_commands: expected folders of WAV files named as the words in '{}', got none", folder.string());
  }

  void read_noise(bool required) {
    std::error_code none;
    auto folder = directory_ / noise_folder;
    if (!std::filesystem::is_directory(folder, none)) folder = found_.train / noise_folder;
    if (std::filesystem::is_directory(folder, none)) {
      for (const auto& file : files_in(folder, "speech_commands", {".wav"})) noises_.push_back({.file = file});
    }
    require<DataError>(!required || !noises_.empty(),
                       "speech_commands: expected WAV files in '{}' for the class _silence_, got none; name words without "
                       "_silence_",
                       folder.string());
    if (noises_.empty()) report_.notes.push_back(format("no noise in '{}': versions are only moved", folder.string()));
    auto held = std::find_if(noises_.begin(), noises_.end(),
                             [](const SpeechNoise& noise) { return noise.file.stem() == "running_tap"; });
    if (held == noises_.end() && !noises_.empty()) held = std::prev(held);
    for (auto at = noises_.begin(); at != noises_.end(); ++at) {
      at->samples = read_sound(at->file, rate_);
      const auto count = static_cast<std::int64_t>(at->samples.size());
      const std::int64_t begin = at != held ? count : noises_.size() == 1 ? count / 2 : 0;
      const std::int64_t middle = options_.test_set.empty() ? (begin + count) / 2 : count;
      at->stretch = {std::pair{std::int64_t{0}, begin}, std::pair{begin, middle}, std::pair{middle, count}};
    }
  }

  void add_silence() {
    for (std::size_t part = 0; part < 3; ++part) {
      for (std::size_t n = 0; n < noises_.size(); ++n) {
        const auto [begin, end] = noises_[n].stretch[part];
        for (std::int64_t start = begin; start + length_ <= end; start += rate_ / 2) {
          clips_[part].push_back({.label = label_of(silence_word), .noise = n, .start = start});
        }
      }
    }
  }

  std::vector<float> samples_of(const SpeechClip& clip) const {
    std::vector<float> samples;
    if (clip.file.empty()) {
      const auto from = noises_[clip.noise].samples.begin() + clip.start;
      samples.assign(from, from + length_);
    } else {
      samples = read_sound(clip.file, rate_);
    }
    samples.resize(static_cast<std::size_t>(length_));
    return samples;
  }

  /// Moved, and mixed with noise of the training part.
  std::vector<float> version_of(const std::vector<float>& samples, Random random) const {
    const auto& versions = options_.versions;
    const auto reach = static_cast<std::int64_t>(versions.shift_seconds * static_cast<double>(rate_));
    const std::int64_t shift = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(2 * reach + 1))) - reach;
    std::vector<float> result(samples.size());
    for (std::int64_t n = std::max<std::int64_t>(0, shift); n < std::min(length_, length_ + shift); ++n) {
      result[static_cast<std::size_t>(n)] = samples[static_cast<std::size_t>(n - shift)];
    }
    const bool noisy = random.chance(versions.noise_probability);
    const double volume = random.uniform(0, versions.noise_volume);
    if (!noisy || noises_.empty()) return result;
    const SpeechNoise& noise = noises_[random.below(noises_.size())];
    const std::int64_t room = noise.stretch[0].second - length_;
    if (room < 0) return result;
    const auto start = random.below(static_cast<std::uint64_t>(room + 1));
    for (std::size_t n = 0; n < result.size(); ++n) result[n] += static_cast<float>(volume) * noise.samples[start + n];
    return result;
  }

  FeatureTable compute(std::size_t part, int versions) const {
    const auto& clips = clips_[part];
    const std::int64_t each = front_end_.shape(length_).elements();
    FeatureTable table{.width = each * versions};
    table.values = room_for<float>(static_cast<std::int64_t>(clips.size()), {table.width}, "speech_commands");
    const ReadOptions reading{.reader = "speech_commands", .skip_bad_files = options_.skip_bad_files};
    table.errors = read_each(static_cast<std::int64_t>(clips.size()), reading, [&](std::int64_t i) {
      const auto samples = samples_of(clips[static_cast<std::size_t>(i)]);
      for (int version = 0; version < versions; ++version) {
        const Random random =
            Random(options_.seed).split(static_cast<std::uint64_t>(i)).split(static_cast<std::uint64_t>(version));
        const auto features = front_end_(version == 0 ? samples : version_of(samples, random));
        std::copy(features.begin(), features.end(), table.values.begin() + i * table.width + version * each);
      }
    });
    return table;
  }

  /// What the features depend on besides the files.
  CacheKey key_of(std::size_t part, int versions) const {
    std::vector<std::filesystem::path> files;
    std::int64_t pieces = 0;
    for (const auto& clip : clips_[part]) {
      pieces += clip.file.empty() ? 1 : 0;
      if (!clip.file.empty()) files.push_back(clip.file);
    }
    for (const auto& noise : noises_) files.push_back(noise.file);
    const auto& v = options_.versions;
    std::string settings = format("{} seconds={} part={} silence={} versions={}", to_string(options_.features),
                                  options_.seconds, part, pieces, versions);
    if (versions > 1) {
      settings +=
          format(" shift={} noise={} volume={} seed={}", v.shift_seconds, v.noise_probability, v.noise_volume, options_.seed);
    }
    return {.name = "speech", .settings = settings, .content = fingerprint_files(directory_, files)};
  }

  Dataset dataset(std::size_t part, std::string name) {
    const int versions = part == 0 ? options_.versions.count : 1;
    require<DataError>(part > 0 || !clips_[0].empty(),
                       "speech_commands: expected clips to train with in '{}', got none of {} words", directory_.string(),
                       words_.size());
    const FeatureCache cache(options_.cache);
    FeatureTable table =
        cache.get(cache.enabled() ? key_of(part, versions) : CacheKey{}, static_cast<std::int64_t>(clips_[part].size()),
                  report_, [&] { return compute(part, versions); });
    std::vector<std::int32_t> labels;
    for (const std::size_t i : keep_good(table, report_, options_.skip_bad_files)) labels.push_back(clips_[part][i].label);
    return Dataset::from_floats(
        std::move(table.values),
        {.shape = front_end_.shape(length_),
         .labels = std::move(labels),
         .classes = static_cast<std::int64_t>(words_.size()),
         .name = std::move(name),
         .versions = versions,
         .preparation = {.classes = words_,
                         .sound = SoundPreparation{.front_end = options_.features, .seconds = options_.seconds}}});
  }

  const std::filesystem::path& directory_;
  const SpeechOptions& options_;
  std::vector<std::string> words_;
  ClassFolders found_;
  std::map<std::string, std::vector<std::filesystem::path>> folders_;  // of a word's files
  FrontEnd front_end_;
  std::int64_t rate_ = 0, length_ = 0;
  std::vector<SpeechNoise> noises_;
  std::array<std::vector<SpeechClip>, 3> clips_;
  LoadReport report_;
};

}  // namespace detail

/// Spoken words as features: `directory` holds a folder of WAV files a word, as Google's Speech Commands does. The parts are
/// those of validation_list.txt and testing_list.txt, or else by `speech_part`. Class _unknown_ takes every word that is no
/// class; _silence_ takes pieces of the recordings in _background_noise_, one every half second: all of them for training but
/// running_tap.wav (or the last by name), which is for validation and test. Sound of another rate is resampled, channels are
/// averaged. All parts are normalised by one mean and deviation, of the training part. Throws, naming the file, what
/// `read_sound` throws; with skip_bad_files the file is left out and stands in the report.
inline SpeechCommands speech_commands(const std::filesystem::path& directory, const SpeechOptions& options = {}) {
  return detail::SpeechReader(directory, options).load();
}

}  // namespace siena::data
