// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/image_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "siena/core/random.hpp"
#include "support/catch.hpp"
#include "support/images.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;
using namespace siena::data;
using test::jpeg_bytes;
using test::png_bytes;
using test::write_bytes;

namespace {

Image noise_image(std::int64_t height, std::int64_t width, std::int64_t channels) {
  Random random(4);
  Image image{.height = height, .width = width, .channels = channels};
  image.pixels.resize(static_cast<std::size_t>(height * width * channels));
  for (auto& pixel : image.pixels) pixel = static_cast<std::uint8_t>(random.below(256));
  return image;
}

int pixel_of(const Image& image, std::int64_t y, std::int64_t x, std::int64_t c) {
  return image.pixels[static_cast<std::size_t>((y * image.width + x) * image.channels + c)];
}

// Value at (y, x), in pixels from the centre of the first one, between its four neighbours.
double between(const Image& image, double y, double x, std::int64_t c) {
  y = std::clamp(y, 0.0, static_cast<double>(image.height - 1));
  x = std::clamp(x, 0.0, static_cast<double>(image.width - 1));
  const auto top = static_cast<std::int64_t>(y), left = static_cast<std::int64_t>(x);
  const auto below = std::min(top + 1, image.height - 1), right = std::min(left + 1, image.width - 1);
  const double fy = y - static_cast<double>(top), fx = x - static_cast<double>(left);
  return (1 - fy) * ((1 - fx) * pixel_of(image, top, left, c) + fx * pixel_of(image, top, right, c)) +
         fy * ((1 - fx) * pixel_of(image, below, left, c) + fx * pixel_of(image, below, right, c));
}

}  // namespace

TEST_CASE("PNG is read bit by bit, JPEG nearly") {
  const test::TemporaryFolder folder("siena_image");
  const Image image = test::slope(13, 17);
  write_bytes(folder.path / "a.png", png_bytes(image));
  const Image png = read_image(folder.path / "a.png");
  REQUIRE(png.height == 13);
  REQUIRE(png.width == 17);
  REQUIRE(png.pixels == image.pixels);
  write_bytes(folder.path / "a.jpg", jpeg_bytes(image));
  const Image jpeg = read_image(folder.path / "a.jpg");
  REQUIRE(jpeg.pixels.size() == image.pixels.size());
  double difference = 0;
  for (std::size_t k = 0; k < image.pixels.size(); ++k) difference += std::abs(jpeg.pixels[k] - image.pixels[k]);
  REQUIRE(difference / static_cast<double>(image.pixels.size()) < 3);

  const Image grey = read_image(folder.path / "a.png", 1);
  REQUIRE(grey.channels == 1);
  REQUIRE(grey.pixels.size() == 13 * 17);
  REQUIRE(grey.pixels[0] == 16);  // (77 * 0 + 150 * 20 + 29 * 40) / 256 = 16.25 of the first pixel, by stb's weights
}

TEST_CASE("an image file that is none is named, with what is wrong") {
  const test::TemporaryFolder folder("siena_image_bad");
  const auto file = folder.path / "bad.png";
  const auto refuses = [&](const std::string& bytes, const std::string& message) {
    write_bytes(file, bytes);
    REQUIRE_THROWS_AS(read_image(file), FormatError);
    REQUIRE_THROWS_WITH(read_image(file), ContainsSubstring("bad.png") && ContainsSubstring(message));
  };
  REQUIRE_THROWS_AS(read_image(folder.path / "none.png"), DataError);
  REQUIRE_THROWS_WITH(read_image(folder.path / "none.png"), ContainsSubstring("none.png"));
  REQUIRE_THROWS_AS(read_image(folder.path), DataError);
  REQUIRE_THROWS_AS(read_image(file, 2), ArgumentError);
  const std::string png = png_bytes(test::slope(20, 20)), jpeg = jpeg_bytes(noise_image(20, 20, 3));
  refuses("", "empty file");
  refuses("GIF89a and so on", "got something else");
  refuses(png.substr(0, 20), "damaged header");
  refuses(png.substr(0, png.size() / 2), "expected a whole image");
  refuses(jpeg.substr(0, jpeg.size() / 2), "without its end");
  refuses(jpeg.substr(0, jpeg.size() - 2), "without its end");
  std::string huffman = jpeg;
  huffman[huffman.find("\xff\xc4") + 20] = '\xff';
  refuses(huffman, "with a damaged Huffman table");
  refuses(jpeg.substr(0, jpeg.find("\xff\xda")) + "\xff\xd9", "that shows nothing");
  std::string vast = png;
  vast[18] = vast[22] = '\x2f';  // 12,052 pixels a side
  refuses(vast, "at most 2^26 pixels");
}

TEST_CASE("mutated images are read or refused, and nothing else") {
  const test::TemporaryFolder folder("siena_image_mutants");
  const auto file = folder.path / "mutant.img";
  const std::string kinds[] = {png_bytes(noise_image(12, 12, 3)), jpeg_bytes(noise_image(16, 16, 3))};
  Random random(9);
  int refused = 0;
  for (int turn = 0; turn < 400; ++turn) {
    std::string bytes = kinds[turn % 2];
    const auto flips = 1 + random.below(6);
    for (std::uint64_t k = 0; k < flips; ++k) bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    if (turn % 5 == 0) bytes.resize(random.below(bytes.size() + 1));
    write_bytes(file, bytes);
    try {
      const Image image = read_image(file);
      REQUIRE(static_cast<std::int64_t>(image.pixels.size()) == image.height * image.width * 3);
    } catch (const Error& error) {
      ++refused;
      REQUIRE(std::string(error.what()).find("mutant.img") != std::string::npos);
    }
  }
  REQUIRE(refused > 50);
}

TEST_CASE("resizing by area takes the mean of what a pixel covers") {
  const Image image = noise_image(12, 18, 3);
  const Image third = resize(image, {.height = 4, .width = 6});
  for (std::int64_t y = 0; y < 4; ++y) {
    for (std::int64_t x = 0; x < 6; ++x) {
      double sum = 0;
      for (std::int64_t k = 0; k < 9; ++k) sum += pixel_of(image, 3 * y + k / 3, 3 * x + k % 3, 1);
      REQUIRE(std::abs(pixel_of(third, y, x, 1) - sum / 9) <= 0.51);
    }
  }
  // 5 to 2: each new pixel is two old ones and half of the middle one.
  const Image row{.height = 1, .width = 5, .channels = 1, .pixels = {10, 20, 100, 40, 50}};
  REQUIRE(resize(row, {.height = 1, .width = 2, .stretch = true}).pixels == std::vector<std::uint8_t>{32, 56});
  REQUIRE(resize(image, {.height = 12, .width = 18}).pixels == image.pixels);
  const Image flat{.height = 7, .width = 5, .channels = 1, .pixels = std::vector<std::uint8_t>(35, 77)};
  for (const Resampling resampling : {Resampling::area, Resampling::bilinear}) {
    const Image other = resize(flat, {.height = 11, .width = 3, .resampling = resampling});
    REQUIRE(other.pixels == std::vector<std::uint8_t>(33, 77));
  }
}

TEST_CASE("bilinear resizing lies between neighbours") {
  const Image image = noise_image(6, 9, 2);
  const Image larger = resize(image, {.height = 16, .width = 20, .stretch = true, .resampling = Resampling::bilinear});
  for (std::int64_t y = 0; y < 16; ++y) {
    for (std::int64_t x = 0; x < 20; ++x) {
      const double from_y = (static_cast<double>(y) + 0.5) * 6 / 16 - 0.5,
                   from_x = (static_cast<double>(x) + 0.5) * 9 / 20 - 0.5;
      REQUIRE(std::abs(pixel_of(larger, y, x, 1) - between(image, from_y, from_x, 1)) <= 0.51);
    }
  }
}

TEST_CASE("proportions are kept, and the middle is cut out") {
  const Image wide = noise_image(8, 16, 3);
  const Image square = resize(wide, {.height = 8, .width = 8});
  for (std::int64_t y = 0; y < 8; ++y) {
    for (std::int64_t x = 0; x < 8; ++x) REQUIRE(pixel_of(square, y, x, 2) == pixel_of(wide, y, x + 4, 2));
  }
  // The shorter side to 4, then the middle 2 x 2: each of these is a block of 2 x 2 in the middle of the image.
  const Image middle = resize(wide, {.height = 2, .width = 2, .shorter_side = 4});
  for (std::int64_t y = 0; y < 2; ++y) {
    for (std::int64_t x = 0; x < 2; ++x) {
      double sum = 0;
      for (std::int64_t k = 0; k < 4; ++k) sum += pixel_of(wide, 2 + 2 * y + k / 2, 6 + 2 * x + k % 2, 0);
      REQUIRE(std::abs(pixel_of(middle, y, x, 0) - sum / 4) <= 0.51);
    }
  }
  const Image stretched = resize(wide, {.height = 8, .width = 8, .stretch = true});
  REQUIRE(std::abs(pixel_of(stretched, 3, 3, 0) - (pixel_of(wide, 3, 6, 0) + pixel_of(wide, 3, 7, 0)) / 2.0) <= 0.51);
  REQUIRE_THROWS_AS(resize(wide, {.height = 0}), ArgumentError);
  REQUIRE_THROWS_AS(resize(wide, {.height = 8, .width = 8, .shorter_side = 7}), ArgumentError);
  REQUIRE_THROWS_AS(resize({.height = 2, .width = 2, .channels = 3}, {}), ShapeError);
}

TEST_CASE("images are turned as Exif says") {
  // Two rows of three pixels, and what is to be seen of them, row by row, for each orientation.
  const Image image{.height = 2, .width = 3, .channels = 1, .pixels = {0, 40, 80, 120, 160, 200}};
  const std::vector<std::vector<std::uint8_t>> seen{
      {0, 40, 80, 120, 160, 200}, {80, 40, 0, 200, 160, 120}, {200, 160, 120, 80, 40, 0}, {120, 160, 200, 0, 40, 80},
      {0, 120, 40, 160, 80, 200}, {120, 0, 160, 40, 200, 80}, {200, 80, 160, 40, 120, 0}, {80, 200, 40, 160, 0, 120}};
  const test::TemporaryFolder folder("siena_exif");
  const auto exif = [](int orientation, bool little) {
    const auto number = [&](unsigned value, int bytes) {
      std::string text;
      for (int k = 0; k < bytes; ++k) text += static_cast<char>(value >> 8 * (little ? k : bytes - 1 - k) & 255);
      return text;
    };
    const auto entry = [&](unsigned tag, unsigned value) {
      return number(tag, 2) + number(3, 2) + number(1, 4) + number(value, 2) + number(0, 2);
    };
    return std::string(little ? "II" : "MM") + number(42, 2) + number(8, 4) + number(2, 2) + entry(0x0100, 3) +
           entry(0x0112, static_cast<unsigned>(orientation)) + number(0, 4);
  };
  const auto big = [](std::size_t value, int bytes) {
    std::string text;
    for (int k = bytes - 1; k >= 0; --k) text += static_cast<char>(value >> 8 * k & 255);
    return text;
  };
  const auto read = [&](const std::string& bytes) {
    test::write_bytes(folder.path / "image.png", bytes);
    return read_image(folder.path / "image.png", 1);
  };
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const auto& expected = seen[static_cast<std::size_t>(orientation - 1)];
    for (const bool little : {false, true}) {
      const std::string data = exif(orientation, little);
      std::string png = test::png_bytes(image);
      png.insert(33, big(data.size(), 4) + "eXIf" + data + big(0, 4));  // behind the header; nobody checks sums of such chunks
      const Image turned = read(png);
      CHECK(turned.height == (orientation < 5 ? 2 : 3));
      CHECK(turned.pixels == expected);
      std::string jpeg = test::jpeg_bytes(image, 100);
      const Image plain = read(jpeg);
      const std::string segment = std::string("Exif\0\0", 6) + data;
      jpeg.insert(2, "\xff\xe1" + big(segment.size() + 2, 2) + segment);
      CHECK(read(jpeg).pixels == data::detail::upright(plain, orientation).pixels);
      for (std::size_t cut = 0; cut < segment.size(); ++cut) {  // damaged: as it lies, and nothing beyond the end is read
        std::string damaged = test::jpeg_bytes(image, 100);
        damaged.insert(2, "\xff\xe1" + big(cut + 2, 2) + segment.substr(0, cut));
        CHECK(read(damaged).pixels.size() == 6);
      }
    }
  }
  CHECK(data::detail::exif_orientation("II*") == 1);
  CHECK(data::detail::exif_orientation(exif(9, true)) == 1);
}
