// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/sound_file.hpp"

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "siena/core/random.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/wav.hpp"

using namespace siena;
using namespace siena::data;
using test::wav_bytes;
using test::write_bytes;
using test::write_wav;

TEST_CASE("a WAV file is read as it was written") {
  const test::TemporaryFolder folder("siena_sound");
  const auto file = folder.path / "a.wav";
  const auto samples = test::sine(440, 5000);
  write_wav(file, samples);
  const Sound sound = read_sound(file);
  REQUIRE(sound.rate == 16000);
  REQUIRE(sound.samples.size() == 5000);
  for (std::size_t n = 0; n < 5000; ++n) REQUIRE(std::abs(sound.samples[n] - samples[n]) < 1e-4);
  REQUIRE(read_sound(file, 8000).size() == 2500);

  write_wav(file, {0.5f, -0.25f, 0.25f, 0.75f}, {.rate = 22050, .channels = 2});
  const Sound stereo = read_sound(file);
  REQUIRE(stereo.rate == 22050);
  REQUIRE(stereo.samples.size() == 2);
  REQUIRE(stereo.samples[0] == Approx(0.125).margin(1e-4));
  REQUIRE(stereo.samples[1] == Approx(0.5).margin(1e-4));
}

TEST_CASE("a sound file that is none is named, with what is wrong") {
  const test::TemporaryFolder folder("siena_sound_bad");
  const auto file = folder.path / "bad.wav";
  const auto refuses = [&](const std::string& bytes, const std::string& message) {
    write_bytes(file, bytes);
    REQUIRE_THROWS_AS(read_sound(file), FormatError);
    REQUIRE_THROWS_WITH(read_sound(file), ContainsSubstring("bad.wav") && ContainsSubstring(message));
  };
  REQUIRE_THROWS_AS(read_sound(folder.path / "none.wav"), DataError);
  REQUIRE_THROWS_WITH(read_sound(folder.path / "none.wav"), ContainsSubstring("none.wav', got none"));
  REQUIRE_THROWS_AS(read_sound(folder.path), DataError);
  const std::string good = wav_bytes(test::sine(440, 1000));
  refuses("", "empty file");
  refuses("RIFF", "got something else");
  refuses("\x89PNG\r\n\x1a\n0000000000000000", "convert it to WAV");
  refuses(good.substr(0, 40), "cut off");
  refuses(good.substr(0, 900), "expected 2044 bytes in");
  refuses(wav_bytes({}), "expected 1 to 33554432 samples");
  refuses(wav_bytes(test::sine(440, 100), {.rate = 1}), "got 1 at 1 in");
  refuses(wav_bytes(test::sine(440, 100), {.rate = 2000000000}), "384000 Hz, got");
  std::string channels = good;
  channels[22] = '\x7f';
  refuses(channels, "");

  std::string floats = wav_bytes(std::vector<float>(64));  // as 32-bit floats, one of them not a number
  floats[20] = 3;
  floats[32] = 4;
  floats[34] = 32;
  for (std::size_t at = 60; at < 64; ++at) floats[at] = '\xff';
  refuses(floats, "expected finite samples from -1 to 1, got");
}

TEST_CASE("mutated WAV files are read or refused, and nothing else") {
  const test::TemporaryFolder folder("siena_sound_mutants");
  const auto file = folder.path / "mutant.wav";
  const std::string good = wav_bytes(test::sine(440, 600));
  Random random(8);
  int refused = 0;
  for (int turn = 0; turn < 300; ++turn) {
    std::string bytes = good;
    const auto flips = 1 + random.below(8);
    for (std::uint64_t k = 0; k < flips; ++k) {
      const auto at = random.below(turn % 3 == 0 ? bytes.size() : 44);
      bytes[at] = static_cast<char>(random.below(256));
    }
    if (turn % 5 == 0) bytes.resize(random.below(bytes.size() + 1));
    write_bytes(file, bytes);
    try {
      const Sound sound = read_sound(file);
      REQUIRE_FALSE(sound.samples.empty());
    } catch (const Error& error) {
      ++refused;
      REQUIRE(std::string(error.what()).find("mutant.wav") != std::string::npos);
    }
  }
  REQUIRE(refused > 50);
  REQUIRE(refused < 300);
}

TEST_CASE("sizes that were never filled in are read as libsndfile reads them") {
  const test::TemporaryFolder folder("siena_wav_sizes");
  const auto file = folder.path / "stream.wav";
  const std::string whole = test::wav_bytes(test::sine(440, 1600));
  const auto expected = [&] {
    test::write_bytes(file, whole);
    return read_sound(file).samples;
  }();
  const auto with = [&](std::uint32_t riff, std::uint32_t data) {
    std::string bytes = whole;
    for (std::size_t k = 0; k < 4; ++k)
      bytes[4 + k] = static_cast<char>(riff >> (8 * k) & 255), bytes[40 + k] = static_cast<char>(data >> (8 * k) & 255);
    test::write_bytes(file, bytes);
    return read_sound(file).samples == expected;
  };
  for (const std::uint32_t size :
       {0u, 0x7ffff000u, 0x7ffffffeu, 0x7fffffffu, 0x80000000u, 0x80000024u, 0xfffffff0u, 0xffffffffu}) {
    INFO(size);
    CHECK(with(size, size));
    CHECK(with(size, 3200));  // only one of both
    CHECK(with(3236, size));
    CHECK(with(size + 36, size));
  }
  CHECK(with(36, 0));  // the header of an empty file, never written again
  CHECK_THROWS_WITH(with(5000, 4964), ContainsSubstring("it was cut off"));
}
