// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace siena::data {

/// Pixels as H x W x C bytes.
struct Image {
  std::int64_t height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels = {};
};

namespace detail {

/// Whole numbers of a file's bytes, the most significant byte first or last; 0 beyond the end.
struct ByteReader {
  std::string_view bytes;
  bool little = false;

  std::uint32_t operator()(std::size_t at, std::size_t count) const {
    std::uint32_t value = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t place = at + (little ? count - 1 - k : k);
      value = value << 8 | (place < bytes.size() ? static_cast<unsigned char>(bytes[place]) : 0u);
    }
    return value;
  }
};

/// The tag 0x0112 of Exif data (a TIFF header, then lists of entries of 12 bytes), 1 to 8; 1 where there is none.
inline int exif_orientation(std::string_view exif) {
  const ByteReader read{exif, exif.starts_with("II")};
  if ((!read.little && !exif.starts_with("MM")) || read(2, 2) != 42) return 1;
  const std::size_t list = read(4, 4), count = read(list, 2);
  for (std::size_t k = 0; k < count && list + 14 + 12 * k <= exif.size(); ++k) {
    const std::size_t entry = list + 2 + 12 * k;
    if (read(entry, 2) != 0x0112 || read(entry + 2, 2) != 3) continue;  // of type "short", which stands where the offset would
    const std::uint32_t value = read(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

/// How a camera was held, as Exif says it in a JPEG (segment APP1) or PNG (chunk eXIf) file.
inline int image_orientation(std::string_view file) {
  const ByteReader read{file};
  if (file.starts_with("\x89PNG")) {
    for (std::size_t at = 8; at + 8 <= file.size();) {
      const std::size_t length = read(at, 4);
      if (file.substr(at + 4, 4) == "eXIf") return exif_orientation(file.substr(at + 8, length));
      at += 12 + length;
    }
    return 1;
  }
  for (std::size_t at = 2; read(at, 1) == 0xff;) {
    const std::uint32_t marker = read(at + 1, 1), length = read(at + 2, 2);
    if (marker == 0xff) {  // filling
      ++at;
      continue;
    }
    if (marker == 0xda || length < 2) break;  // the image itself begins
    const std::string_view segment = file.substr(at + 4, length - 2);
    constexpr std::string_view name("Exif\0\0", 6);
    if (marker == 0xe1 && segment.starts_with(name)) return exif_orientation(segment.substr(name.size()));
    at += 2 + length;
  }
  return 1;
}

/// The image as it is to be seen. Orientations 2, 4, 5 and 7 are mirrored, from 5 on rows are columns.
inline Image upright(Image image, int orientation) {
  if (orientation <= 1) return image;
  const bool turned = orientation >= 5;
  Image result{
      .height = turned ? image.width : image.height, .width = turned ? image.height : image.width, .channels = image.channels};
  result.pixels.reserve(image.pixels.size());
  const bool last_row = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  const bool last_column = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  for (std::int64_t y = 0; y < result.height; ++y) {
    for (std::int64_t x = 0; x < result.width; ++x) {
      std::int64_t row = last_row ? result.height - 1 - y : y, column = last_column ? result.width - 1 - x : x;
      if (turned) std::swap(row, column);
      const auto from = image.pixels.begin() + (row * image.width + column) * image.channels;
      result.pixels.insert(result.pixels.end(), from, from + image.channels);
    }
  }
  return result;
}

}  // namespace detail

}  // namespace siena::data
