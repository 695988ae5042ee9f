// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stb/stb_image.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/file.hpp"
#include "siena/data/image_orientation.hpp"
#include "siena/data/resize_options.hpp"

namespace siena::data {

namespace detail {

/// Walks the segments of a JPEG as stb_image does, for two things that it lets pass (2022): a Huffman table of more than 256
/// symbols, which it writes beyond its memory, and an end that is missing, where it goes on in grey.
inline void check_jpeg(std::string_view bytes, const std::string& name) {
  const auto byte = [&](std::size_t at) { return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0u; };
  const auto expect = [&](bool holds, const char* got) {
    require<FormatError>(holds, "read_image: expected a whole image in '{}', got a JPEG {}; copy it again", name, got);
  };
  bool scanned = false;
  for (std::size_t at = 2;;) {
    at = bytes.find('\xff', at);
    while (byte(at) == 0xff) ++at;
    expect(at < bytes.size(), "without its end");
    const unsigned marker = byte(at++);
    if (marker == 0xd9) break;
    if (scanned && (marker == 0 || (marker >= 0xd0 && marker <= 0xd7))) continue;  // a byte of the scan, or where it restarts
    const std::size_t length = byte(at) * 256 + byte(at + 1), end = at + length;
    expect(end <= bytes.size(), "without its end");
    expect(length >= 2, "with a damaged segment");
    if (marker == 0xc4) {
      for (at += 2; at < end;) {
        std::size_t symbols = 0;
        for (std::size_t k = 1; k <= 16; ++k) symbols += byte(at + k);
        at += 17 + symbols;
        expect(symbols <= 256 && at <= end, "with a damaged Huffman table");
      }
    }
    scanned = marker == 0xda || scanned;
    at = end;
  }
  expect(scanned, "that shows nothing");
}

}  // namespace detail

/// The image of a JPEG or PNG file, as 3 channels (red, green, blue) or 1 (brightness); transparency is dropped, and the
/// image is turned as its Exif orientation says. Throws DataError where the file cannot be read, and FormatError, naming it,
/// where it is neither, is damaged, or has more than 2^26 pixels.
inline Image read_image(const std::filesystem::path& file, int channels = 3) {
  require<ArgumentError>(channels == 1 || channels == 3, "read_image: expected 1 or 3 channels, got {}", channels);
  const auto name = file.string();
  const std::string bytes = read_regular_file(file);
  require<FormatError>(!bytes.empty(), "read_image: expected a JPEG or PNG file, got the empty file '{}'; copy it again", name);
  const bool known = bytes.starts_with("\xff\xd8\xff") || bytes.starts_with("\x89PNG\r\n\x1a\n");
  require<FormatError>(known && bytes.size() < std::size_t{1} << 30,
                       "read_image: expected a JPEG or PNG file, got something else in '{}'; convert it", name);
  if (bytes.front() == '\xff') detail::check_jpeg(bytes, name);
  const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
  const auto size = static_cast<int>(bytes.size());
  int width = 0, height = 0, stored = 0;
  const bool header = stbi_info_from_memory(data, size, &width, &height, &stored) != 0;
  require<FormatError>(header && width > 0 && height > 0,
                       "read_image: expected a JPEG or PNG file, got a damaged header in '{}'; copy it again", name);
  require<FormatError>(std::int64_t{width} * height <= std::int64_t{1} << 26,
                       "read_image: expected at most 2^26 pixels, got {} x {} in '{}'; is it damaged?", height, width, name);
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(stbi_load_from_memory(data, size, &width, &height, &stored, channels),
                                                         stbi_image_free);
  if (!pixels) {
    const char* reason = stbi_failure_reason();
    fail<FormatError>("read_image: expected a whole image in '{}', got: {}; copy it again", name,
                      reason == nullptr ? "it cannot be decoded" : reason);
  }
  const std::int64_t count = std::int64_t{width} * height * channels;
  return detail::upright(
      {.height = height, .width = width, .channels = channels, .pixels = {pixels.get(), pixels.get() + count}},
      detail::image_orientation(bytes));
}

namespace detail {

/// Old pixels, `first` and on, and what each counts in a new one.
struct AxisWeights {
  std::int64_t first = 0;
  std::vector<float> weights = {};
};

/// New pixel i of `count` covers [begin + i * scale, begin + (i + 1) * scale) of `old` pixels.
inline std::vector<AxisWeights> axis_weights(std::int64_t count, std::int64_t old, double scale, Resampling resampling) {
  const double begin = (static_cast<double>(old) - scale * static_cast<double>(count)) / 2;  // the middle
  std::vector<AxisWeights> axis;
  for (std::int64_t i = 0; i < count; ++i) {
    const double from = begin + static_cast<double>(i) * scale, to = from + scale;
    AxisWeights pixel;
    const double last = static_cast<double>(old - 1);
    if (resampling == Resampling::bilinear) {
      const double centre = std::clamp((from + to) / 2 - 0.5, 0.0, last);
      pixel.first = std::min(static_cast<std::int64_t>(centre), std::max<std::int64_t>(old - 2, 0));
      const auto part = static_cast<float>(centre - static_cast<double>(pixel.first));
      pixel.weights = {1 - part};
      if (old > 1) pixel.weights.push_back(part);
    } else {
      pixel.first = static_cast<std::int64_t>(std::clamp(std::floor(from + 1e-9), 0.0, last));
      double sum = 0;
      std::vector<double> shares;
      for (std::int64_t k = pixel.first; k < old && (k == pixel.first || static_cast<double>(k) < to - 1e-9); ++k) {
        shares.push_back(std::max(1e-12, std::min(to, static_cast<double>(k + 1)) - std::max(from, static_cast<double>(k))));
        sum += shares.back();
      }
      for (const double share : shares) pixel.weights.push_back(static_cast<float>(share / sum));
    }
    axis.push_back(std::move(pixel));
  }
  return axis;
}

}  // namespace detail

/// Throws ArgumentError for sizes that no image can have.
inline void check(const ResizeOptions& o) {
  require<ArgumentError>(o.height >= 1 && o.width >= 1 && o.height <= 1 << 14 && o.width <= 1 << 14 &&
                             o.shorter_side <= 1 << 14 &&
                             (o.shorter_side == 0 || o.shorter_side >= std::min(o.height, o.width)),
                         "resize: expected 1 to 2^14 pixels a side, and a shorter side of 0 or from {} on, got {} x {} and {}",
                         std::min(o.height, o.width), o.height, o.width, o.shorter_side);
}

/// The image at another size: first columns, then rows, in float, rounded at the end.
inline Image resize(const Image& image, const ResizeOptions& options) {
  const auto& o = options;
  check(o);
  require<ShapeError>(image.height > 0 && image.width > 0 &&
                          static_cast<std::int64_t>(image.pixels.size()) == image.height * image.width * image.channels,
                      "resize: expected the pixels of {} x {} x {}, got {} bytes", image.height, image.width, image.channels,
                      image.pixels.size());
  double down = static_cast<double>(image.height) / static_cast<double>(o.height);
  double across = static_cast<double>(image.width) / static_cast<double>(o.width);
  if (!o.stretch) {
    const double cover = std::min(down, across);  // old pixels a new one, along either side
    const double side = static_cast<double>(std::min(image.height, image.width));
    down = across = o.shorter_side == 0 ? cover : std::min(cover, side / static_cast<double>(o.shorter_side));
  }
  const auto columns = detail::axis_weights(o.width, image.width, across, o.resampling);
  const auto rows = detail::axis_weights(o.height, image.height, down, o.resampling);
  const std::int64_t channels = image.channels, stride = o.width * channels;

  // Rows of the old height and the new width. A new row is made of old ones that follow each other, of which the next one
  // shares the last two at most: however high the image was, no more than these are kept.
  std::array<std::vector<float>, 2> kept;
  std::array<std::int64_t, 2> kept_y{-1, -1};
  const auto narrow = [&](std::int64_t y) -> const std::vector<float>& {
    const auto slot = static_cast<std::size_t>(y % 2);
    if (std::exchange(kept_y[slot], y) == y) return kept[slot];
    kept[slot].clear();
    for (const auto& column : columns) {
      const std::uint8_t* in = image.pixels.data() + (y * image.width + column.first) * channels;
      for (std::int64_t c = 0; c < channels; ++c) {
        float sum = 0;
        for (std::size_t k = 0; k < column.weights.size(); ++k) {
          sum += column.weights[k] * static_cast<float>(in[static_cast<std::int64_t>(k) * channels + c]);
        }
        kept[slot].push_back(sum);
      }
    }
    return kept[slot];
  };
  Image result{.height = o.height, .width = o.width, .channels = channels};
  result.pixels.reserve(static_cast<std::size_t>(o.height * stride));
  std::vector<float> sums(static_cast<std::size_t>(stride));
  for (const auto& row : rows) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (std::size_t k = 0; k < row.weights.size(); ++k) {
      const auto& in = narrow(row.first + static_cast<std::int64_t>(k));
      for (std::size_t x = 0; x < sums.size(); ++x) sums[x] += row.weights[k] * in[x];
    }
    for (const float sum : sums) result.pixels.push_back(static_cast<std::uint8_t>(std::clamp(sum + 0.5f, 0.0f, 255.0f)));
  }
  return result;
}

}  // namespace siena::data
