// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/resample.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include "support/catch.hpp"

using namespace siena;
using namespace siena::data;

namespace {

std::vector<float> tone(double hertz, std::int64_t rate, std::size_t count) {
  std::vector<float> samples(count);
  for (std::size_t n = 0; n < count; ++n) {
    samples[n] =
        static_cast<float>(std::sin(2 * std::numbers::pi * hertz * static_cast<double>(n) / static_cast<double>(rate)));
  }
  return samples;
}

}  // namespace

TEST_CASE("a tone resampled is the tone at the new rate") {
  const ResampleRates rates = GENERATE(ResampleRates{8000, 16000}, ResampleRates{44100, 16000}, ResampleRates{48000, 16000},
                                       ResampleRates{11025, 16000}, ResampleRates{16000, 16000}, ResampleRates{22050, 8000});
  const double hertz = GENERATE(50.0, 700.0, 2500.0);
  const auto count = static_cast<std::size_t>(rates.from / 4);
  const auto resampled = resample(tone(hertz, rates.from, count), rates);
  REQUIRE(resampled.size() == (count * static_cast<std::size_t>(rates.to) + static_cast<std::size_t>(rates.from) - 1) /
                                  static_cast<std::size_t>(rates.from));
  const auto expected = tone(hertz, rates.to, resampled.size());
  double worst = 0;
  for (std::size_t n = 100; n + 100 < resampled.size(); ++n) {  // away from the ends, where the signal stops
    worst = std::max(worst, static_cast<double>(std::abs(resampled[n] - expected[n])));
  }
  REQUIRE(worst < 2e-3);
}

TEST_CASE("what the new rate cannot hold is gone") {
  const auto resampled = resample(tone(11000, 44100, 22050), {.from = 44100, .to = 16000});
  double loudest = 0;
  for (std::size_t n = 100; n + 100 < resampled.size(); ++n) loudest = std::max(loudest, std::abs(double{resampled[n]}));
  REQUIRE(loudest < 2e-3);
}

TEST_CASE("resampling of nothing, of one sample, and to no rate") {
  REQUIRE(resample({}, {.from = 8000, .to = 16000}).empty());
  REQUIRE(resample(std::vector<float>{1}, {.from = 8000, .to = 16000}).size() == 2);
  REQUIRE(resample(std::vector<float>{1}, {.from = 48000, .to = 16000}).size() == 1);
  REQUIRE_THROWS_AS(resample({}, {.from = 0, .to = 16000}), ArgumentError);
  REQUIRE_THROWS_WITH(resample({}, {.from = 8000, .to = -1}), ContainsSubstring("got 8000 and -1"));
}

TEST_CASE("rates without a common divisor are resampled as others are") {
  const auto sound = tone(440, 384000, 38400);
  const auto usual = resample(sound, {.from = 384000, .to = 16000});
  const auto odd = resample(tone(440, 383999, 38400), {.from = 383999, .to = 16000});
  REQUIRE(odd.size() == usual.size() + 1);
  for (std::size_t n = 20; n + 20 < usual.size(); ++n) CHECK(odd[n] == Approx(usual[n]).margin(1e-3));
}
