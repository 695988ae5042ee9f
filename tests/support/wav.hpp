// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <string>
#include <vector>

namespace siena::test {

struct WavFormat {
  std::int64_t rate = 16000;
  int channels = 1;  // samples are woven
};

/// A WAV file of 16-bit samples, byte by byte.
inline std::string wav_bytes(const std::vector<float>& samples, const WavFormat& format = {}) {
  std::string bytes;
  const auto number = [&](std::int64_t value, int size) {
    for (int byte = 0; byte < size; ++byte) bytes += static_cast<char>((value >> (8 * byte)) & 255);
  };
  const auto data = static_cast<std::int64_t>(2 * samples.size());
  bytes += "RIFF";
  number(36 + data, 4);
  bytes += "WAVEfmt ";
  number(16, 4);
  number(1, 2);  // PCM
  number(format.channels, 2);
  number(format.rate, 4);
  number(format.rate * 2 * format.channels, 4);
  number(std::int64_t{2} * format.channels, 2);
  number(16, 2);
  bytes += "data";
  number(data, 4);
  for (const float sample : samples) number(std::lround(std::clamp(sample, -1.0f, 1.0f) * 32767), 2);
  return bytes;
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

inline void write_wav(const std::filesystem::path& file, const std::vector<float>& samples, const WavFormat& format = {}) {
  write_bytes(file, wav_bytes(samples, format));
}

/// A tone of half the full volume.
inline std::vector<float> sine(double hertz, std::int64_t count, std::int64_t rate = 16000) {
  std::vector<float> samples;
  for (std::int64_t n = 0; n < count; ++n) {
    const double turn = hertz * static_cast<double>(n) / static_cast<double>(rate);
    samples.push_back(static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * turn)));
  }
  return samples;
}

}  // namespace siena::test
