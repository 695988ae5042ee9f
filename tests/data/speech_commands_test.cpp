// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/speech_commands.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "siena/data/loader.hpp"
#include "siena/data/sound_preparer.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/wav.hpp"

using namespace siena;
using namespace siena::data;
using test::write_wav;

namespace {

// Small in every way, so that the tests are quick.
SpeechOptions quick_speech(std::vector<std::string> words = {}) { return {.words = std::move(words), .seconds = 0.1}; }

// Words yes, no and maybe of `count` speakers each, a tone a word, and two recordings of noise.
struct SpeechFolder : test::TemporaryFolder {
  explicit SpeechFolder(const std::string& name, int count = 20) : TemporaryFolder(name) {
    double hertz = 300;
    for (const char* word : {"yes", "no", "maybe"}) {
      for (int i = 0; i < count; ++i) {
        write_wav(path / word / format("speaker{}_nohash_0.wav", i), test::sine(hertz + i, 1600));
      }
      hertz *= 2;
    }
    write_wav(path / "_background_noise_" / "rain.wav", test::sine(60, 24000));
    write_wav(path / "_background_noise_" / "running_tap.wav", test::sine(80, 40000));
    write_wav(path / "_background_noise_" / "wind.wav", test::sine(90, 24000));
  }
  void write_lists(const std::string& validation, const std::string& test) const {
    std::ofstream(path / "validation_list.txt") << validation;
    std::ofstream(path / "testing_list.txt") << test;
  }
};

std::vector<int> labels_of(const Dataset& dataset) {
  std::vector<int> counts(static_cast<std::size_t>(dataset.classes()));
  for (std::int64_t i = 0; i < dataset.size(); ++i) ++counts[static_cast<std::size_t>(dataset.label(i))];
  return counts;
}

bool equal_parts(const Dataset& a, const Dataset& b) {
  if (a.size() != b.size() || a.normalization().mean != b.normalization().mean) return false;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    for (std::int64_t v = 0; v < a.versions(); ++v) {
      const auto x = a.floats(i, v), y = b.floats(i, v);
      if (a.label(i) != b.label(i) || !std::equal(x.begin(), x.end(), y.begin(), y.end())) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("SHA-1 gives the digests of its standard") {
  using Digest = std::array<std::uint32_t, 5>;
  REQUIRE(sha1("") == Digest{0xda39a3ee, 0x5e6b4b0d, 0x3255bfef, 0x95601890, 0xafd80709});
  REQUIRE(sha1("abc") == Digest{0xa9993e36, 0x4706816a, 0xba3e2571, 0x7850c26c, 0x9cd0d89d});
  REQUIRE(sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          Digest{0x84983e44, 0x1c3bd26e, 0xbaae4aa1, 0xf95129e5, 0xe54670f1});
  REQUIRE(sha1(std::string(1000000, 'a')) == Digest{0x34aa973c, 0xd4c4daa4, 0xf61eeb2b, 0xdbad2731, 0x6534016f});
}

TEST_CASE("clips of a speaker are of one part, about as many as asked for") {
  std::array<int, 3> counts{};
  for (int i = 0; i < 5000; ++i) {
    const std::string speaker = format("{:08x}", i * 2654435761u);
    const int part = speech_part(speaker + "_nohash_0.wav", 0.1, 0.2);
    REQUIRE(speech_part(speaker + "_nohash_7.wav", 0.1, 0.2) == part);
    ++counts[static_cast<std::size_t>(part)];
  }
  REQUIRE(counts[1] == Approx(500).margin(80));
  REQUIRE(counts[2] == Approx(1000).margin(110));
  REQUIRE(speech_part("any", 0, 0) == 0);
}

TEST_CASE("speech commands: every folder a class, and parts by the names of speakers") {
  const SpeechFolder folder("siena_speech", 40);
  const auto speech = speech_commands(folder.path, quick_speech());
  REQUIRE(speech.words == std::vector<std::string>{"maybe", "no", "yes"});
  REQUIRE(speech.shape() == Shape{4, 10, 1});
  REQUIRE(speech.classes() == 3);
  REQUIRE(speech.train.size() + speech.validation.size() + speech.test.size() == 120);
  REQUIRE(speech.validation.size() > 0);
  REQUIRE(speech.test.size() > 0);
  const auto counts = labels_of(speech.train);
  REQUIRE(counts[0] == counts[2]);  // the same speakers
  REQUIRE(speech.test.normalization().mean == measure(speech.train).mean);
  REQUIRE(speech.report.skipped.empty());
  // The features are those of the front-end.
  const auto expected = Mfcc()(read_sound(folder.path / "maybe" / "speaker0_nohash_0.wav").samples);
  const auto& part = *std::array{&speech.train, &speech.validation,
                                 &speech.test}[static_cast<std::size_t>(speech_part("speaker0_nohash_0.wav", 0.1, 0.1))];
  const auto first = part.floats(0);
  REQUIRE(std::equal(first.begin(), first.end(), expected.begin(), expected.end()));
  const Preparation preparation = speech.test.preparation();
  REQUIRE(preparation.classes == speech.words);
  REQUIRE(preparation.sound == SoundPreparation{.front_end = MfccOptions{}, .seconds = quick_speech().seconds});
  const auto sound = read_sound(folder.path / "maybe" / "speaker0_nohash_0.wav");
  const SoundPreparer prepare(*preparation.sound);
  REQUIRE(prepare(sound.samples, sound.rate) == expected);
  auto longer = sound.samples;
  longer.insert(longer.end(), 5000, 0.5f);
  REQUIRE(prepare(longer, sound.rate) == expected);
}

TEST_CASE("speech commands: lists, unknown words and silence") {
  const SpeechFolder folder("siena_speech_lists", 5);
  folder.write_lists("yes/speaker0_nohash_0.wav\r\nmaybe/speaker0_nohash_0.wav\n", "no/speaker1_nohash_0.wav\n\n");
  const auto speech = speech_commands(folder.path, quick_speech({"yes", "_silence_", "_unknown_"}));
  // Noise: rain and wind have 1.5 s each, pieces of 0.1 s every half second; a quarter of the tap's 2.5 s is 10000 samples.
  REQUIRE(labels_of(speech.train) == std::vector<int>{4, 6, 8});
  REQUIRE(labels_of(speech.validation) == std::vector<int>{1, 3, 1});
  REQUIRE(labels_of(speech.test) == std::vector<int>{0, 3, 1});

  SpeechOptions with_test = quick_speech({"yes", "_silence_", "_unknown_"});
  with_test.test_set = folder.path / "official";
  write_wav(with_test.test_set / "yes" / "a.wav", test::sine(300, 1600));
  write_wav(with_test.test_set / "_silence_" / "a.wav", test::sine(50, 1600));
  write_wav(with_test.test_set / "_unknown_" / "a.wav", test::sine(700, 1600));
  write_wav(with_test.test_set / "_unknown_" / "b.wav", test::sine(800, 1600));
  SpeechFolder other("siena_speech_test_set", 5);
  const auto official = speech_commands(other.path, with_test);
  REQUIRE(labels_of(official.test) == std::vector<int>{1, 1, 2});
  REQUIRE(labels_of(official.validation)[1] == 5);
  with_test.test_set /= "yes";  // a folder of words is meant, not of clips
  REQUIRE_THROWS_WITH(speech_commands(other.path, with_test),
                      ContainsSubstring("official/yes'") && ContainsSubstring("got none"));

  REQUIRE_THROWS_WITH(speech_commands(folder.path, quick_speech({"yes", "up"})),
                      ContainsSubstring("a folder 'up'") && ContainsSubstring("the first 'maybe'"));
  folder.write_lists("yes/speaker9_nohash_0.wav\n", "");
  REQUIRE_THROWS_WITH(speech_commands(folder.path, quick_speech({"yes"})), ContainsSubstring("speaker9_nohash_0.wav'"));
  REQUIRE(speech_commands(folder.path, quick_speech({"no", "maybe"})).train.size() == 10);
  folder.write_lists("nonsense\n", "");
  REQUIRE_THROWS_WITH(speech_commands(folder.path), ContainsSubstring("down"));
  REQUIRE_THROWS_WITH(speech_commands(folder.path, quick_speech({"yes"})), ContainsSubstring("got 'nonsense'"));
  folder.write_lists("", "");
  std::filesystem::remove(folder.path / "testing_list.txt");
  REQUIRE_THROWS_WITH(speech_commands(folder.path, quick_speech({"yes"})), ContainsSubstring("or neither, got one"));
}

TEST_CASE("speech commands: other rates and lengths") {
  const test::TemporaryFolder folder("siena_speech_rates");
  const auto add = [&](const char* word, int count, std::int64_t rate) {
    write_wav(folder.path / word / format("{}_nohash_0.wav", count), test::sine(500, count, rate), {.rate = rate});
  };
  add("a", 1600, 16000);
  add("a", 4410, 44100);
  add("a", 800, 8000);
  add("b", 400, 16000);   // short: ends with silence
  add("b", 9600, 16000);  // long: loses its end
  auto options = quick_speech();
  options.validation = options.test = 0;
  const auto speech = speech_commands(folder.path, options);
  REQUIRE(speech.train.size() == 5);
  for (std::int64_t i = 1; i < 3; ++i) {  // the same tone, whatever the rate
    for (std::size_t k = 0; k < 40; ++k) {
      REQUIRE(speech.train.floats(i)[k] == Approx(speech.train.floats(0)[k]).margin(k % 10 == 0 ? 2 : 1));
    }
  }
  options.seconds = 60.5;
  REQUIRE_THROWS_AS(speech_commands(folder.path, options), ArgumentError);
  options.seconds = 0.01;
  REQUIRE_THROWS_WITH(speech_commands(folder.path, options), ContainsSubstring("a frame or more"));
  SpeechOptions log_mel{.words = {}, .features = LogMelOptions{}, .seconds = 0.25, .validation = 0, .test = 0};
  REQUIRE(speech_commands(folder.path, log_mel).shape() == Shape{8, 128, 1});
  log_mel.features = MfccOptions::mlperf_tiny();
  REQUIRE(speech_commands(folder.path, log_mel).shape() == Shape{12, 10, 1});
}

TEST_CASE("speech commands: versions are the clip, then the clip moved and mixed with noise") {
  const SpeechFolder folder("siena_speech_versions", 4);
  auto options = quick_speech({"yes", "no"});
  options.validation = options.test = 0;
  const auto plain = speech_commands(folder.path, options);
  options.versions = {.count = 3, .shift_seconds = 0.05, .noise_volume = 0.5};
  const auto varied = speech_commands(folder.path, options);
  REQUIRE(varied.train.size() == plain.train.size());
  REQUIRE(varied.train.versions() == 3);
  for (std::int64_t i = 0; i < plain.train.size(); ++i) {
    const auto first = varied.train.floats(i), second = varied.train.floats(i, 1), third = varied.train.floats(i, 2);
    REQUIRE(std::equal(first.begin(), first.end(), plain.train.floats(i).begin()));
    REQUIRE_FALSE(std::equal(first.begin(), first.end(), second.begin()));
    REQUIRE_FALSE(std::equal(second.begin(), second.end(), third.begin()));
  }
  REQUIRE(equal_parts(speech_commands(folder.path, options).train, varied.train));
  options.seed = 1;
  REQUIRE_FALSE(equal_parts(speech_commands(folder.path, options).train, varied.train));
  // Neither moved nor noisy: the clip itself.
  options.versions = {.count = 2, .shift_seconds = 0, .noise_probability = 0};
  const auto same_again = speech_commands(folder.path, options);
  REQUIRE(
      std::equal(same_again.train.floats(3).begin(), same_again.train.floats(3).end(), same_again.train.floats(3, 1).begin()));
  std::filesystem::remove_all(folder.path / "_background_noise_");
  options.versions.noise_probability = 1;
  REQUIRE(speech_commands(folder.path, options).report.notes.size() == 1);
  REQUIRE_THROWS_WITH(speech_commands(folder.path, quick_speech({"yes", "_silence_"})),
                      ContainsSubstring("_background_noise_"));
}

TEST_CASE("speech commands: cached features are the features") {
  const SpeechFolder folder("siena_speech_cache", 10);
  auto options = quick_speech({"yes", "_silence_", "_unknown_"});
  options.cache = folder.path / "cache";
  const auto first = speech_commands(folder.path, options);
  REQUIRE(first.report.cached == 0);
  const auto second = speech_commands(folder.path, options);
  REQUIRE(second.report.cached == first.train.size() + first.validation.size() + first.test.size());
  REQUIRE(equal_parts(first.train, second.train));
  REQUIRE(equal_parts(first.validation, second.validation));
  REQUIRE(equal_parts(first.test, second.test));
  auto other = options;
  other.features = MfccOptions{.coefficients = 8};
  REQUIRE(speech_commands(folder.path, other).report.cached == 0);
  write_wav(folder.path / "yes" / "speaker3_nohash_0.wav", test::sine(999, 1600));
  REQUIRE(speech_commands(folder.path, options).report.cached < second.report.cached);
}

TEST_CASE("speech commands: bad files stop the loading, or are left out and counted") {
  const SpeechFolder folder("siena_speech_bad", 10);
  test::write_bytes(folder.path / "yes" / "speaker1_nohash_0.wav", "");
  test::write_bytes(folder.path / "no" / "speaker2_nohash_0.wav", "this is no sound");
  auto options = quick_speech();
  options.validation = options.test = 0;
  REQUIRE_THROWS_AS(speech_commands(folder.path, options), DataError);
  REQUIRE_THROWS_WITH(speech_commands(folder.path, options),
                      ContainsSubstring("_nohash_0.wav") && ContainsSubstring("skip_bad_files"));
  options.skip_bad_files = true;
  options.cache = folder.path / "cache";
  for (int turn = 0; turn < 2; ++turn) {  // computed, then cached
    const auto speech = speech_commands(folder.path, options);
    REQUIRE(speech.train.size() == 28);
    REQUIRE(labels_of(speech.train) == std::vector<int>{10, 9, 9});
    REQUIRE(speech.report.skipped.size() == 2);
    REQUIRE(speech.report.skipped[0].find("speaker2") != std::string::npos);
    REQUIRE(speech.report.skipped[1].find("empty") != std::string::npos);
  }
  REQUIRE_THROWS_WITH(speech_commands(folder.path / "yes"),
                      ContainsSubstring("expected a folder of .wav files for each class"));
  REQUIRE_THROWS_WITH(speech_commands(folder.path / "nowhere"), ContainsSubstring("nowhere"));
  REQUIRE_THROWS_WITH(speech_commands(folder.path, quick_speech({"yes", "yes"})), ContainsSubstring("'yes' twice"));
}

TEST_CASE("speech commands: folders that are parts already") {
  const test::TemporaryFolder folder("siena_speech_parts");
  const auto add = [&](const char* part, const char* word, int count) {
    for (int i = 0; i < count; ++i)
      write_wav(folder.path / part / word / format("speaker{}_nohash_0.wav", i), test::sine(300 + 10 * i, 1600));
  };
  for (const char* word : {"yes", "no"}) {
    add("training", word, 9);
    add("validation", word, 3);
    add("testing", word, 2);
  }
  add("testing", "_unknown_", 4);
  for (const char* noise : {"rain.wav", "tap.wav"})
    write_wav(folder.path / "training" / "_background_noise_" / noise, test::sine(60, 24000));
  const auto speech = speech_commands(folder.path, quick_speech());
  CHECK(speech.words == std::vector<std::string>{"no", "yes"});
  CHECK(speech.train.size() == 18);
  CHECK(speech.validation.size() == 6);
  CHECK(speech.test.size() == 4);
  CHECK(speech_commands(folder.path, quick_speech({"yes", "_unknown_", "_silence_"})).train.size() > 18);
  CHECK(labels_of(speech_commands(folder.path, quick_speech({"yes", "no", "_unknown_"})).test)[2] == 4);
  auto twice = quick_speech();
  twice.test_set = folder.path / "testing";
  CHECK_THROWS_WITH(speech_commands(folder.path, twice), ContainsSubstring("expected one test set"));
  std::filesystem::remove_all(folder.path / "validation");  // then it is cut out of the training part, by the names of speakers
  const auto cut = speech_commands(folder.path, quick_speech());
  CHECK(cut.train.size() + cut.validation.size() == 18);
  CHECK(cut.test.size() == 4);
  add("testing", "maybe", 1);
  CHECK_THROWS_WITH(speech_commands(folder.path, quick_speech()), ContainsSubstring("got also 'maybe'"));
}

TEST_CASE("speech commands: a cache of a run that left bad files out does not hide them") {
  const SpeechFolder folder("siena_speech_hidden", 10);
  test::write_bytes(folder.path / "yes" / "speaker3_nohash_0.wav", "no sound");
  auto options = quick_speech();
  options.cache = folder.path / ".cache";
  options.skip_bad_files = true;
  CHECK(speech_commands(folder.path, options).report.skipped.size() == 1);
  CHECK(speech_commands(folder.path, options).report.cached > 0);
  options.skip_bad_files = false;
  CHECK_THROWS_WITH(speech_commands(folder.path, options),
                    ContainsSubstring("speaker3") && ContainsSubstring("skip_bad_files"));
}

TEST_CASE("speech commands: as the guide shows it") {
  const SpeechFolder folder("siena_speech_guide", 3);
  for (int i = 0; i < 3; ++i) write_wav(folder.path / "yes" / format("long{}_nohash_0.wav", i), test::sine(300, 16000));
  // clang-format off
  const auto speech = data::speech_commands(folder.path, {.words = {"yes", "no", "_silence_", "_unknown_"},
                                                          .versions = {.count = 4},
                                                          .cache = folder.path / "cache",
                                                          .skip_bad_files = true});
  const data::Augment augment{.versions = true};  // one of the four versions of each clip, drawn anew each epoch
  // clang-format on
  REQUIRE(speech.shape() == Shape{49, 10, 1});
  REQUIRE(speech.train.versions() == 4);
  std::int64_t place = 0;
  Loader(speech.train, {.batch = 1, .shuffle = false, .augment = augment}).for_each(0, [&](const Batch& batch) {
    const auto whole = speech.train.normalization();
    bool found = false;
    for (std::int64_t v = 0; v < 4; ++v) {
      const float value = (speech.train.floats(place, v)[7] - whole.mean[0]) / whole.deviation[0];
      found = found || value == batch.inputs.row(7)[0];
    }
    REQUIRE(found);
    ++place;
  });
  REQUIRE(place == speech.train.size());
}
