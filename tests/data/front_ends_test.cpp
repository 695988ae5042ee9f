// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/data/front_end.hpp"
#include "siena/data/log_mel.hpp"
#include "siena/data/mfcc.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::data;

namespace {

// A chirp over noise: something in every band.
std::vector<float> chirp(std::size_t count) {
  Random random(3);
  std::vector<float> samples(count);
  for (std::size_t n = 0; n < count; ++n) {
    const double t = static_cast<double>(n) / 16000;
    samples[n] = static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * (100 * t + 1900 * t * t)) + 0.01 * random.normal());
  }
  return samples;
}

// |DFT|^2 of `window` weighed samples that begin at `start`, from the definition; samples outside are mirrored.
std::vector<double> direct_power(const std::vector<float>& samples, std::int64_t start, int window, int fft) {
  std::vector<double> weighed, power;
  const auto last = static_cast<std::int64_t>(samples.size()) - 1;
  for (int n = 0; n < window; ++n) {
    std::int64_t at = std::abs(start + n);
    if (at > last) at = 2 * last - at;
    weighed.push_back(0.5 * (1 - std::cos(2 * std::numbers::pi * n / window)) * double{samples[static_cast<std::size_t>(at)]});
  }
  for (int k = 0; k <= fft / 2; ++k) {
    std::complex<double> sum;
    for (int n = 0; n < window; ++n) {
      sum += weighed[static_cast<std::size_t>(n)] *
             std::exp(std::complex<double>(0, -2 * std::numbers::pi * ((std::int64_t{k} * n) % fft) / fft));
    }
    power.push_back(std::norm(sum));
  }
  return power;
}

double triangle(double left, double middle, double right, double at) {
  if (at <= left || at >= right) return 0;
  return at < middle ? (at - left) / (middle - left) : (right - at) / (right - middle);
}

}  // namespace

TEST_CASE("the edges of mel bands are the known ones") {
  // HTK: 2595 log10(1 + 20 / 700) = 31.75 and 2146.06 mel at 4000 Hz, hence steps of 51.57 mel.
  const auto htk = mel_edges({});
  REQUIRE(htk.size() == 42);
  REQUIRE(htk.front() == Approx(20));
  REQUIRE(htk.back() == Approx(4000));
  REQUIRE(2595 * std::log10(1 + htk[1] / 700) == Approx(31.7482 + 51.568).margin(2e-3));
  REQUIRE(to_mel(MelScale::htk, 1000) == Approx(1000).margin(0.02));  // by construction of the scale
  // Slaney: what librosa.mel_frequencies(n_mels=40) prints: 0, 85.317, 170.635 ... 10096.408, 11025.
  const auto slaney = mel_edges({.sample_rate = 22050, .bands = 38, .low = 0, .high = 11025, .scale = MelScale::slaney});
  REQUIRE(slaney[1] == Approx(85.317).margin(1e-3));
  REQUIRE(slaney[2] == Approx(170.635).margin(1e-3));
  REQUIRE(slaney[12] == Approx(1024.856).margin(1e-2));
  REQUIRE(slaney[38] == Approx(10096.408).margin(1e-2));
  REQUIRE(slaney[39] == Approx(11025));
  for (const MelScale scale : {MelScale::htk, MelScale::slaney}) {
    for (const double hertz : {0.0, 300.0, 999.0, 1001.0, 7000.0}) {
      REQUIRE(to_hertz(scale, to_mel(scale, hertz)) == Approx(hertz).margin(1e-9));
    }
  }
}

TEST_CASE("MFCC equals the definition") {
  const auto samples = chirp(16000);
  const Mfcc mfcc;
  REQUIRE(mfcc.shape(16000) == Shape{49, 10, 1});
  const auto features = mfcc(samples);
  REQUIRE(features.size() == 490);
  const auto edges = mel_edges({});
  for (const std::int64_t t : {0, 1, 25, 48}) {
    const auto power = direct_power(samples, 320 * t, 480, 512);
    std::vector<double> logs;
    for (std::size_t b = 0; b < 40; ++b) {
      double energy = 0;
      for (std::size_t k = 0; k < power.size(); ++k) {
        energy += power[k] * triangle(edges[b], edges[b + 1], edges[b + 2], 31.25 * static_cast<double>(k));
      }
      logs.push_back(std::log(energy + 1e-6));
    }
    for (std::size_t c = 0; c < 10; ++c) {
      double sum = 0;
      for (std::size_t b = 0; b < 40; ++b) {
        sum += logs[b] * std::cos(std::numbers::pi / 40 * (static_cast<double>(b) + 0.5) * static_cast<double>(c));
      }
      const double expected = sum * std::sqrt((c == 0 ? 1.0 : 2.0) / 40);
      REQUIRE(features[static_cast<std::size_t>(t) * 10 + c] == Approx(expected).epsilon(1e-5).margin(1e-5));
    }
  }
  // Silence: every band at the floor, so only the first coefficient is not 0.
  const auto silence = mfcc(std::vector<float>(16000));
  REQUIRE(silence[0] == Approx(std::log(1e-6) * std::sqrt(40.0)));
  for (std::size_t c = 1; c < 10; ++c) REQUIRE(silence[c] == Approx(0).margin(1e-5));
}

TEST_CASE("MFCC as MLPerf Tiny computes them") {
  // Computed with numpy in double from the definitions of tf.signal: stft (periodic Hann), linear_to_mel_weight_matrix (1127
  // ln(1 + f / 700), sides straight in mel), mfccs_from_log_mel_spectrograms (DCT-II * 2 / sqrt(2 * 40)), of a signal that is
  // divided by its maximum before.
  std::vector<float> samples(16000);
  for (std::size_t n = 0; n < samples.size(); ++n) {
    const double t = static_cast<double>(n) / 16000, turns = 2 * std::numbers::pi;
    samples[n] = static_cast<float>(0.3 * std::sin(turns * (100 * t + 1900 * t * t)) + 0.1 * std::sin(turns * 700 * t));
    if (n >= 9000 && n < 9600) samples[n] = 0;
  }
  struct Frame {
    std::size_t number;
    std::array<double, 10> coefficients;
  };
  const Frame frames[] = {
      {0, {-32.61081, 25.84310, 2.47263, -1.18845, 1.27346, 5.02266, 3.24493, -1.42811, -5.40950, -4.93040}},
      {28, {-14.04903, -5.91208, -1.85081, 1.20811, -1.60733, 1.16196, -0.26756, -0.53106, 0.31237, -0.20421}},
      {48, {-38.54452, 0.81316, 0.52777, -17.40006, 3.72228, -0.10120, 7.09157, -2.92810, -1.44301, -6.06157}}};
  const Mfcc mlperf(MfccOptions::mlperf_tiny());
  const auto features = mlperf(samples);
  REQUIRE(mlperf.shape(16000) == Shape{49, 10, 1});
  for (const Frame& frame : frames) {
    for (std::size_t c = 0; c < 10; ++c) {
      CHECK(features[frame.number * 10 + c] == Approx(frame.coefficients[c]).margin(2e-4));
    }
  }
  CHECK(Mfcc()(samples)[0] == Approx(-48.38565).margin(2e-4));  // the defaults are another front-end

  auto quiet = samples;
  for (float& sample : quiet) sample /= 64;
  CHECK(mlperf(quiet) == features);  // loudness does not count
  for (const float value : mlperf(std::vector<float>(16000))) CHECK(std::isfinite(value));
  CHECK(mlperf(std::vector<float>(16000))[0] == Approx(std::log(1e-6) * std::sqrt(80.0)));
}

TEST_CASE("front-ends by their options, which have names") {
  const auto samples = chirp(8000);
  CHECK(FrontEnd(MfccOptions{})(samples) == Mfcc()(samples));
  CHECK(FrontEnd(LogMelOptions{})(samples) == LogMel()(samples));
  CHECK(FrontEnd(LogMelOptions{}).shape(8000) == LogMel().shape(8000));
  CHECK(FrontEnd(MfccOptions{.mel = {.sample_rate = 22050, .high = 8000}}).sample_rate() == 22050);
  CHECK(to_string(MfccOptions::mlperf_tiny()) ==
        "mfcc coefficients=10 floor=1e-06 scale_to_largest=true orthonormal=false sample_rate=16000 window=480 hop=320 fft=512 "
        "bands=40 low=20 high=4000 power=1 centred=false scale=htk straight_in_mel=true");
  CHECK_THAT(to_string(LogMelOptions{}), ContainsSubstring("log_mel floor=") && ContainsSubstring(" scale=slaney "));
}

TEST_CASE("log-mel equals the definition, mirrored ends included") {
  const auto samples = chirp(8000);
  const LogMel log_mel;
  REQUIRE(log_mel.shape(160000) == Shape{313, 128, 1});
  REQUIRE(log_mel.shape(8000) == Shape{16, 128, 1});
  const auto features = log_mel(samples);
  const auto edges = mel_edges(log_mel.options().mel);
  for (const std::int64_t t : {0, 1, 8, 15}) {
    const auto power = direct_power(samples, 512 * t - 512, 1024, 1024);
    for (std::size_t b = 0; b < 128; ++b) {
      double energy = 0;
      for (std::size_t k = 0; k < power.size(); ++k) {
        energy += power[k] * triangle(edges[b], edges[b + 1], edges[b + 2], 15.625 * static_cast<double>(k));
      }
      energy *= 2 / (edges[b + 2] - edges[b]);
      const double expected = 10 * std::log10(energy + std::numeric_limits<double>::epsilon());
      REQUIRE(features[static_cast<std::size_t>(t) * 128 + b] == Approx(expected).margin(1e-4));
    }
  }
  const auto silence = log_mel(std::vector<float>(8000));
  REQUIRE(silence[700] == Approx(-156.5356).margin(1e-3));
}

TEST_CASE("magnitudes instead of powers, and a window centred in its frame") {
  const auto samples = chirp(2000);
  const MelOptions options{.window = 200, .hop = 100, .fft = 256, .bands = 8, .power = 1, .centred = true};
  const MelSpectrogram mel(options);
  REQUIRE(mel.frames(2000) == 21);
  const auto energies = mel(samples);
  const auto edges = mel_edges(options);
  const auto power = direct_power(samples, 700 - 100, 200, 256);
  for (std::size_t b = 0; b < 8; ++b) {
    double expected = 0;
    for (std::size_t k = 0; k < power.size(); ++k) {
      expected += std::sqrt(power[k]) * triangle(edges[b], edges[b + 1], edges[b + 2], 62.5 * static_cast<double>(k));
    }
    REQUIRE(energies[7 * 8 + b] == Approx(expected).epsilon(1e-9));
  }
}

TEST_CASE("front-ends refuse what cannot be computed") {
  REQUIRE_THROWS_WITH(MelSpectrogram({.window = 600}), ContainsSubstring("got 600, 320 and 512"));
  REQUIRE_THROWS_WITH(MelSpectrogram({.high = 8001}),
                      ContainsSubstring("half of a sample rate of at most 10 MHz, got 20, 8001"));
  REQUIRE_THROWS_WITH(MelSpectrogram({.bands = 200}),
                      ContainsSubstring("got none in band 2") && ContainsSubstring("larger fft"));
  REQUIRE_THROWS_AS(MelSpectrogram({.hop = 0}), ArgumentError);
  REQUIRE_THROWS_AS(MelSpectrogram({.sample_rate = 1e300}), ArgumentError);
  REQUIRE_THROWS_WITH(MelSpectrogram({.sample_rate = 1e6, .fft = 1 << 20, .bands = 5000, .high = 5e5}),
                      ContainsSubstring("expected 1 to 4096 bands, got 5000"));
  REQUIRE_THROWS_AS(MelSpectrogram({.power = 3}), ArgumentError);
  REQUIRE_THROWS_AS(Mfcc({.coefficients = 41}), ArgumentError);
  REQUIRE_THROWS_AS(LogMel({.floor = 0}), ArgumentError);
  REQUIRE_THROWS_WITH(Mfcc()(std::vector<float>(479)), ContainsSubstring("expected 480 samples or more, got 479"));
  REQUIRE_THROWS_WITH(LogMel()(std::vector<float>(512)), ContainsSubstring("expected 513 samples or more, got 512"));
  REQUIRE(Mfcc().shape(480) == Shape{1, 10, 1});
}
