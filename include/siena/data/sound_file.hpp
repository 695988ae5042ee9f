// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/data/resample.hpp"

namespace siena::data {

/// One channel of sound: samples from -1 to 1.
struct Sound {
  std::vector<float> samples = {};
  std::int64_t rate = 0;  ///< Hz
};

namespace detail {

// What libsndfile would forgive: another format behind the name, nothing in the file, an end that is missing. The end is not
// missing where the size was never filled in: 0, or a number near 2^31 or 2^32, which programs write that cannot go back.
inline void check_wav(const std::filesystem::path& file) {
  const auto name = file.string();
  std::error_code error;
  require<DataError>(std::filesystem::is_regular_file(file, error), "read_sound: expected the file '{}', got none", name);
  const auto size = std::filesystem::file_size(file, error);
  require<DataError>(!error, "read_sound: expected to read '{}', got: {}", name, error.message());
  require<FormatError>(size > 0, "read_sound: expected a WAV file, got the empty file '{}'; copy it again", name);
  std::array<char, 12> head{};
  std::ifstream stream(file, std::ios::binary);
  stream.read(head.data(), head.size());
  require<DataError>(stream.is_open(), "read_sound: expected to read '{}', got no permission", name);
  const std::string_view magic(head.data(), 4), kind(head.data() + 8, 4);
  require<FormatError>(stream.good() && (magic == "RIFF" || magic == "RF64") && kind == "WAVE",
                       "read_sound: expected a WAV file (RIFF ... WAVE), got something else in '{}'; convert it to WAV", name);
  std::uint64_t stated = 0;
  for (int byte = 0; byte < 4; ++byte) stated |= std::uint64_t{static_cast<unsigned char>(head[4 + byte])} << (8 * byte);
  const bool unknown = stated == 0 || stated >= 0x7fff0000u;
  require<FormatError>(unknown || stated + 8 <= size + 1,
                       "read_sound: expected {} bytes in '{}', as it says, got {}; it was cut off, copy it again", stated + 8,
                       name, size);
}

/// A file in memory, as libsndfile reads one.
struct SoundBytes {
  std::string bytes;
  std::size_t at = 0;

  SNDFILE* open(SF_INFO& info) {
    SF_VIRTUAL_IO calls{
        .get_filelen = [](void* user) { return static_cast<sf_count_t>(self(user).bytes.size()); },
        .seek =
            [](sf_count_t offset, int whence, void* user) {
              SoundBytes& file = self(user);
              const auto size = static_cast<sf_count_t>(file.bytes.size());
              const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_END ? size : static_cast<sf_count_t>(file.at);
              file.at = static_cast<std::size_t>(std::clamp<sf_count_t>(from + offset, 0, size));
              return static_cast<sf_count_t>(file.at);
            },
        .read =
            [](void* out, sf_count_t count, void* user) {
              SoundBytes& file = self(user);
              const std::size_t copied = file.bytes.copy(static_cast<char*>(out), static_cast<std::size_t>(count), file.at);
              file.at += copied;
              return static_cast<sf_count_t>(copied);
            },
        .write = [](const void*, sf_count_t, void*) { return sf_count_t{0}; },
        .tell = [](void* user) { return static_cast<sf_count_t>(self(user).at); }};
    return sf_open_virtual(&calls, SFM_READ, &info, this);
  }

 private:
  static SoundBytes& self(void* user) { return *static_cast<SoundBytes*>(user); }
};

/// The bytes of a WAV file whose header says that there is no sound, though there is, with the size filled in: a recorder that
/// was switched off leaves such files, which libsndfile takes for empty. Nothing, where the header says something else.
inline std::string fill_in_size(std::string bytes) {
  for (std::size_t at = 12; at + 8 < bytes.size();) {
    std::uint32_t size = 0;
    for (std::size_t byte = 0; byte < 4; ++byte)
      size |= std::uint32_t{static_cast<unsigned char>(bytes[at + 4 + byte])} << (8 * byte);
    if (std::string_view(bytes).substr(at, 4) == "data") {
      if (size != 0) break;
      const std::size_t rest = std::min<std::size_t>(bytes.size() - at - 8, 0x7fffffff);
      for (std::size_t byte = 0; byte < 4; ++byte) bytes[at + 4 + byte] = static_cast<char>(rest >> (8 * byte) & 255);
      return bytes;
    }
    at += 8 + size + size % 2;
  }
  return {};
}

}  // namespace detail

/// The sound of a WAV file, its channels averaged. Throws DataError where there is no file or it may not be read, and
/// FormatError, naming the file, where it is no WAV file, is cut off or damaged, holds nothing, holds what is not finite, or
/// more than 2^25 samples, channels of more than 64, or a rate outside of 1 to 384 kHz.
inline Sound read_sound(const std::filesystem::path& file) {
  constexpr std::int64_t most = std::int64_t{1} << 25;
  detail::check_wav(file);
  const auto name = file.string();
  SF_INFO info{};
  detail::SoundBytes filled;
  std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> sound(sf_open(name.c_str(), SFM_READ, &info), sf_close);
  if (sound && info.frames == 0) {
    filled.bytes = detail::fill_in_size(read_file(file, std::size_t{1} << 32));
    if (!filled.bytes.empty()) sound.reset(filled.open(info = {}));
  }
  if (!sound) fail<FormatError>("read_sound: expected a WAV file, got '{}': {}", name, sf_strerror(nullptr));
  require<FormatError>(info.channels >= 1 && info.channels <= 64 && info.samplerate >= 1000 && info.samplerate <= 384000,
                       "read_sound: expected 1 to 64 channels at 1000 to 384000 Hz, got {} at {} in '{}'", info.channels,
                       info.samplerate, name);
  require<FormatError>(info.frames > 0 && info.frames <= most,
                       "read_sound: expected 1 to {} samples, got {} in '{}'; is it empty, or cut off?", most, info.frames,
                       name);
  Sound result{.rate = info.samplerate};
  std::vector<float> block(static_cast<std::size_t>(4096 * info.channels));
  while (true) {
    const std::int64_t count = sf_readf_float(sound.get(), block.data(), 4096);
    for (std::int64_t i = 0; i < count; ++i) {
      float sum = 0;
      for (int c = 0; c < info.channels; ++c) sum += block[static_cast<std::size_t>(i * info.channels + c)];
      result.samples.push_back(sum / static_cast<float>(info.channels));
    }
    if (count < 4096 || static_cast<std::int64_t>(result.samples.size()) > most) break;
  }
  const auto got = static_cast<std::int64_t>(result.samples.size());
  require<FormatError>(sf_error(sound.get()) == SF_ERR_NO_ERROR && got == info.frames,
                       "read_sound: expected {} samples in '{}', got {}: {}", info.frames, name, got, sf_strerror(sound.get()));
  const auto bad = std::find_if(result.samples.begin(), result.samples.end(), [](float v) { return !(std::abs(v) <= 1e6f); });
  require<FormatError>(bad == result.samples.end(), "read_sound: expected finite samples from -1 to 1, got {} in '{}'",
                       bad == result.samples.end() ? 0.0f : *bad, name);
  return result;
}

/// The sound of a WAV file at this rate.
inline std::vector<float> read_sound(const std::filesystem::path& file, std::int64_t rate) {
  Sound sound = read_sound(file);
  if (sound.rate == rate) return std::move(sound.samples);
  return resample(sound.samples, {.from = sound.rate, .to = rate});
}

}  // namespace siena::data
