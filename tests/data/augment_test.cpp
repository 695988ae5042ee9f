// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/augment.hpp"

#include <cmath>
#include <map>
#include <numbers>
#include <vector>

#include "support/catch.hpp"

using namespace siena;
using namespace siena::data;

namespace {

constexpr double quarter = std::numbers::pi / 2;

Dataset random_images(std::int64_t height, std::int64_t width, std::int64_t channels, bool bytes = true) {
  Random random(7);
  const auto count = static_cast<std::size_t>(3 * height * width * channels);
  std::vector<std::uint8_t> values(count);
  for (auto& value : values) value = static_cast<std::uint8_t>(random.below(256));
  Normalization normalization;
  for (std::int64_t c = 0; c < channels; ++c) {
    normalization.mean.push_back(0.3f + 0.1f * static_cast<float>(c));
    normalization.deviation.push_back(0.5f + 0.2f * static_cast<float>(c));
  }
  const Description description{.shape = {height, width, channels}};
  if (bytes) return Dataset::from_bytes(values, description).normalized(normalization);
  std::vector<float> floats(values.begin(), values.end());
  for (auto& value : floats) value /= 255.0f;
  return Dataset::from_floats(floats, description).normalized(normalization);
}

std::vector<float> render(const Dataset& dataset, std::int64_t i, const Placement& placement) {
  const Renderer renderer(dataset);
  std::vector<float> out(static_cast<std::size_t>(renderer.size()), 99.0f);
  renderer.render(i, placement, out);
  return out;
}

// What pixel (y, x) of sample i is after normalisation: by the definition, 0 outside.
float expected(const Dataset& dataset, std::int64_t i, std::int64_t y, std::int64_t x, std::int64_t c) {
  const Shape& shape = dataset.shape();
  if (y < 0 || x < 0 || y >= shape[0] || x >= shape[1]) return 0.0f;
  std::vector<float> sample(static_cast<std::size_t>(shape.elements()));
  dataset.sample(i, sample);
  const auto normalization = dataset.normalization();
  const auto channel = static_cast<std::size_t>(c);
  return (sample[static_cast<std::size_t>((y * shape[1] + x) * shape[2] + c)] - normalization.mean[channel]) /
         normalization.deviation[channel];
}

// Compares all of a rendered sample: `from(y, x)` is the place that (y, x) must show; padding must be zero.
template <class From>
void compare(const Dataset& dataset, const Placement& placement, double tolerance, From&& from) {
  const std::int64_t i = 1, stride = padded(dataset.channels());
  const auto out = render(dataset, i, placement);
  double worst = 0;
  bool clean = true;
  for (std::int64_t y = 0; y < dataset.shape()[0]; ++y) {
    for (std::int64_t x = 0; x < dataset.shape()[1]; ++x) {
      const auto [from_y, from_x] = from(y, x);
      for (std::int64_t c = 0; c < stride; ++c) {
        const float value = out[static_cast<std::size_t>((y * dataset.shape()[1] + x) * stride + c)];
        if (c < dataset.channels()) {
          worst = std::max(worst, std::abs(double{value} - expected(dataset, i, from_y, from_x, c)));
        } else {
          clean = clean && value == 0.0f;
        }
      }
    }
  }
  REQUIRE(worst <= tolerance);
  REQUIRE(clean);
}

using Place = std::pair<std::int64_t, std::int64_t>;

}  // namespace

TEST_CASE("samples are rendered normalised, with zeros in the padding") {
  const std::int64_t channels = GENERATE(1, 2, 3, 8, 11);
  const bool bytes = GENERATE(true, false);
  const auto dataset = random_images(5, 4, channels, bytes);
  compare(dataset, {}, 0, [](auto y, auto x) { return Place{y, x}; });
}

TEST_CASE("mirroring and moving are exact copies, and zero moves in") {
  const std::int64_t channels = GENERATE(1, 3, 5);
  const bool bytes = GENERATE(true, false), flipped = GENERATE(false, true);
  const std::int64_t down = GENERATE(-9, -2, 0, 1), right = GENERATE(-1, 0, 3, 7);
  const auto dataset = random_images(6, 7, channels, bytes);
  compare(dataset, {.down = down, .right = right, .flipped = flipped}, 0, [&](auto y, auto x) {
    const auto from_x = x - right;
    return Place{y - down, from_x < 0 || from_x >= 7 ? -1 : flipped ? 6 - from_x : from_x};
  });
}

TEST_CASE("turns by right angles move pixels whole, counter-clockwise") {
  const auto dataset = random_images(5, 5, 3);
  compare(dataset, {.angle = quarter}, 1e-5, [](auto y, auto x) { return Place{x, 4 - y}; });
  compare(dataset, {.angle = -quarter}, 1e-5, [](auto y, auto x) { return Place{4 - x, y}; });
  compare(dataset, {.angle = 2 * quarter}, 1e-5, [](auto y, auto x) { return Place{4 - y, 4 - x}; });
  // The mirror comes first, the move last.
  compare(dataset, {.flipped = true, .angle = quarter}, 1e-5, [](auto y, auto x) { return Place{x, y}; });
  compare(dataset, {.right = 2, .angle = quarter}, 1e-5, [](auto y, auto x) {
    return x < 2 ? Place{-1, -1} : Place{x - 2, 4 - y};
  });
}

TEST_CASE("a turn by next to nothing agrees with the copy") {
  const auto dataset = random_images(6, 9, 3);
  const Placement still{.down = 1, .right = -2, .flipped = true};
  Placement turned = still;
  turned.angle = 1e-7;
  const auto copied = render(dataset, 2, still), blended = render(dataset, 2, turned);
  // A pixel at the rim may lose the 1e-6 of it that now lies outside.
  for (std::size_t k = 0; k < copied.size(); ++k) REQUIRE(blended[k] == Approx(copied[k]).margin(1e-4));
}

TEST_CASE("a turn blends linearly: the mean of an even image stays") {
  const auto dataset = Dataset::from_bytes(std::vector<std::uint8_t>(15 * 15, 200), {.shape = {15, 15, 1}});
  const auto out = render(dataset, 0, {.angle = 0.4});
  REQUIRE(out[(7 * 15 + 7) * 8] == Approx(200 / 255.0));
  REQUIRE(out[(7 * 15 + 4) * 8] == Approx(200 / 255.0));
  REQUIRE(out[0] == 0.0f);  // the corner comes from outside
}

TEST_CASE("placements reach every offset equally often") {
  const Augment augment{.crop_padding = 2, .flip = true};
  const Shape shape{32, 32, 3};
  std::map<std::int64_t, int> down, right;
  int flips = 0;
  for (std::uint64_t k = 0; k < 5000; ++k) {
    const auto placement = draw_placement(augment, shape, Random(1).split(k));
    ++down[placement.down];
    ++right[placement.right];
    flips += placement.flipped;
    REQUIRE(placement.angle == 0);
  }
  for (const auto& counts : {down, right}) {
    REQUIRE(counts.size() == 5);
    REQUIRE(counts.begin()->first == -2);
    for (const auto& [offset, count] : counts) REQUIRE(std::abs(count - 1000) < 150);
  }
  REQUIRE(std::abs(flips - 2500) < 200);
}

TEST_CASE("shift and rotation stay within what was asked for") {
  std::map<std::int64_t, int> down, right;
  double low = 0, high = 0;
  for (std::uint64_t k = 0; k < 2000; ++k) {
    const auto placement = draw_placement({.rotation_degrees = 15, .shift = 0.1}, {30, 20, 1}, Random(1).split(k));
    ++down[placement.down];
    ++right[placement.right];
    low = std::min(low, placement.angle);
    high = std::max(high, placement.angle);
  }
  REQUIRE(down.begin()->first == -3);
  REQUIRE(down.rbegin()->first == 3);
  REQUIRE(right.begin()->first == -2);
  REQUIRE(right.rbegin()->first == 2);
  const double limit = 15 * std::numbers::pi / 180;
  REQUIRE(low >= -limit);
  REQUIRE(low < -0.95 * limit);
  REQUIRE(high <= limit);
  REQUIRE(high > 0.95 * limit);
}

TEST_CASE("turning one option on leaves the others as they were") {
  const Shape shape{32, 32, 3};
  for (std::uint64_t k = 0; k < 50; ++k) {
    const auto one = draw_placement({.crop_padding = 4}, shape, Random(1).split(k));
    const auto two = draw_placement({.crop_padding = 4, .flip = true, .rotation_degrees = 10}, shape, Random(1).split(k));
    REQUIRE(one.down == two.down);
    REQUIRE(one.right == two.right);
  }
}

TEST_CASE("augmentation is checked against the dataset") {
  const auto images = random_images(8, 6, 3);
  REQUIRE_NOTHROW(check({.crop_padding = 5, .flip = true, .rotation_degrees = 180, .shift = 0.5}, images));
  REQUIRE_THROWS_WITH(check({.crop_padding = 6}, images), ContainsSubstring("below the image's 8 x 6 pixels, got 6"));
  REQUIRE_THROWS_AS(check({.crop_padding = -1}, images), ArgumentError);
  REQUIRE_THROWS_AS(check({.rotation_degrees = 181}, images), ArgumentError);
  REQUIRE_THROWS_AS(check({.shift = 1}, images), ArgumentError);
  REQUIRE_THROWS_AS(check({.shift = std::nan("")}, images), ArgumentError);
  const auto features = Dataset::from_floats({1, 2, 3, 4}, {.shape = {2}, .name = "features"});
  REQUIRE_NOTHROW(check({}, features));
  REQUIRE_THROWS_AS(check({.flip = true}, features), ShapeError);
  REQUIRE_THROWS_WITH(check({.flip = true}, features), ContainsSubstring("samples of 2 in 'features'"));
}

TEST_CASE("augmentation draws among the versions of a sample, alone or with the rest") {
  const Renderer renderer(Dataset::from_floats({1, 2, 3, 11, 12, 13}, {.shape = {1, 1, 1}, .versions = 3}));
  std::vector<float> out(8);
  std::map<float, int> seen;
  for (std::uint64_t k = 0; k < 300; ++k) {
    renderer.render(1, draw_placement({.versions = true}, {1, 1, 1}, Random(5, k)), out);
    ++seen[out[0]];
  }
  REQUIRE(seen.size() == 3);
  for (const auto& [value, count] : seen) REQUIRE((value >= 11 && value <= 13 && count > 60));
  renderer.render(1, draw_placement({}, {1, 1, 1}, Random(5)), out);
  REQUIRE(out[0] == 11);
  const Augment flips{.flip = true}, both{.flip = true, .versions = true};
  for (std::uint64_t k = 0; k < 20; ++k) {
    REQUIRE(draw_placement(flips, {4, 4, 1}, Random(1, k)).flipped == draw_placement(both, {4, 4, 1}, Random(1, k)).flipped);
  }
}
