// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/data/image_file.hpp"
#include "siena/data/preparation.hpp"

namespace siena::data {

/// The pixels of a JPEG or PNG file as a network was trained to see them: its size, its colours. Where the preparation does not
/// say how images were resized, they are shrunk until they cover the size, and the middle is cut out.
inline std::vector<std::uint8_t> image_sample(const std::filesystem::path& file, const Preparation& preparation) {
  const Shape& shape = preparation.shape;
  require<ShapeError>(shape.rank() == 3 && preparation.bytes && (shape[2] == 1 || shape[2] == 3),
                      "image_sample: expected a network for images of 1 or 3 bytes a pixel, got {} x {}", shape,
                      preparation.bytes ? "bytes" : "numbers");
  const ResizeOptions size = preparation.resize.value_or(ResizeOptions{.height = shape[0], .width = shape[1]});
  Image image = resize(read_image(file, static_cast<int>(shape[2])), size);
  require<ShapeError>(image.height == shape[0] && image.width == shape[1],
                      "image_sample: expected a preparation that gives {} images, got one to {} x {}", shape, image.height,
                      image.width);
  if (preparation.colours == Colours::bgr) {
    for (std::size_t at = 0; at + 2 < image.pixels.size(); at += 3) std::swap(image.pixels[at], image.pixels[at + 2]);
  }
  return std::move(image.pixels);
}

}  // namespace siena::data
