// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stb/stb_image_write.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "siena/data/image_file.hpp"
#include "support/wav.hpp"

namespace siena::test {

inline void append_image_bytes(void* text, void* data, int size) {
  static_cast<std::string*>(text)->append(static_cast<const char*>(data), static_cast<std::size_t>(size));
}
inline std::string png_bytes(const data::Image& image) {
  std::string text;
  stbi_write_png_to_func(append_image_bytes, &text, static_cast<int>(image.width), static_cast<int>(image.height),
                         static_cast<int>(image.channels), image.pixels.data(), static_cast<int>(image.width * image.channels));
  return text;
}
inline std::string jpeg_bytes(const data::Image& image, int quality = 95) {
  std::string text;
  stbi_write_jpg_to_func(append_image_bytes, &text, static_cast<int>(image.width), static_cast<int>(image.height),
                         static_cast<int>(image.channels), image.pixels.data(), quality);
  return text;
}

/// Smooth, and different in every channel.
inline data::Image slope(std::int64_t height, std::int64_t width, int shade = 0, std::int64_t channels = 3) {
  data::Image image{.height = height, .width = width, .channels = channels};
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t c = 0; c < channels; ++c) {
        image.pixels.push_back(static_cast<std::uint8_t>((y * 100 / height + x * 80 / width + 20 * c + shade) % 256));
      }
    }
  }
  return image;
}

}  // namespace siena::test
