// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <span>
#include <unsupported/Eigen/FFT>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/data/front_end_options.hpp"
#include "siena/data/room.hpp"

namespace siena::data {

inline double to_mel(MelScale scale, double hertz) {
  if (scale == MelScale::htk) return 2595 * std::log10(1 + hertz / 700);
  return hertz < 1000 ? hertz * 3 / 200 : 15 + 27 * std::log(hertz / 1000) / std::log(6.4);
}
inline double to_hertz(MelScale scale, double mel) {
  if (scale == MelScale::htk) return 700 * (std::pow(10, mel / 2595) - 1);
  return mel < 15 ? mel * 200 / 3 : 1000 * std::exp((mel - 15) / 27 * std::log(6.4));
}

/// Edges of the triangles, Hz: band b rises from edge b to edge b + 1 and falls to edge b + 2; equal steps on the mel scale.
inline std::vector<double> mel_edges(const MelOptions& options) {
  const double low = to_mel(options.scale, options.low), high = to_mel(options.scale, options.high);
  std::vector<double> edges(static_cast<std::size_t>(options.bands) + 2);
  for (std::size_t e = 0; e < edges.size(); ++e) {
    const double part = static_cast<double>(e) / static_cast<double>(options.bands + 1);
    edges[e] = to_hertz(options.scale, low + (high - low) * part);
  }
  return edges;
}

/// Energy in bands of equal width on the mel scale, frame by frame: |DFT(hann * frame)|^power, added up under triangles.
/// Computed in double. May be called from several threads at once.
class MelSpectrogram {
 public:
  explicit MelSpectrogram(const MelOptions& options = {}) : options_(options) {
    check();
    window_.resize(static_cast<std::size_t>(options.window));
    for (std::size_t n = 0; n < window_.size(); ++n) {
      window_[n] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(options.window));
    }
    const auto edges = mel_edges(options);
    for (std::size_t b = 0; b + 2 < edges.size(); ++b) bands_.push_back(band(b, edges[b], edges[b + 1], edges[b + 2]));
  }

  const MelOptions& options() const { return options_; }

  /// How many frames this many samples give: those that fit whole, or every one whose centre is a sample.
  std::int64_t frames(std::int64_t samples) const {
    if (options_.centred) return samples > options_.fft / 2 ? 1 + samples / options_.hop : 0;
    return samples >= options_.window ? 1 + (samples - options_.window) / options_.hop : 0;
  }

  /// frames x bands. Throws DataError where the samples are too few for a frame.
  std::vector<double> operator()(std::span<const float> samples) const {
    const auto count = static_cast<std::int64_t>(samples.size()), frame_count = frames(count);
    require<DataError>(frame_count > 0, "MelSpectrogram: expected {} samples or more, got {}",
                       options_.centred ? options_.fft / 2 + 1 : options_.window, count);
    Eigen::FFT<double> fft;  // of this call: it keeps tables of its own
    fft.SetFlag(Eigen::FFT<double>::HalfSpectrum);
    std::vector<double> frame(static_cast<std::size_t>(options_.fft));
    std::vector<std::complex<double>> spectrum(frame.size() / 2 + 1);
    std::vector<double> energy(spectrum.size()), result = room_for<double>(frame_count, {options_.bands}, "MelSpectrogram");
    auto out = result.begin();
    for (std::int64_t t = 0; t < frame_count; ++t) {
      cut(samples, t, frame);
      fft.fwd(spectrum.data(), frame.data(), static_cast<Eigen::Index>(frame.size()));
      for (std::size_t k = 0; k < energy.size(); ++k) {
        energy[k] = options_.power == 2 ? std::norm(spectrum[k]) : std::abs(spectrum[k]);
      }
      for (const Band& band : bands_) {
        double sum = 0;
        for (std::size_t k = 0; k < band.weights.size(); ++k) sum += band.weights[k] * energy[band.first + k];
        *out++ = sum;
      }
    }
    return result;
  }

 private:
  struct Band {
    std::size_t first = 0;  // bin of the spectrum
    std::vector<double> weights = {};
  };

  static constexpr std::int64_t most_bands = 4096;

  void check() const {
    const auto& o = options_;
    require<ArgumentError>(o.window >= 1 && o.hop >= 1 && o.fft >= o.window && o.fft >= 4 && o.fft <= 1 << 20 && o.fft % 2 == 0,
                           "MelOptions: expected a window and a hop of 1 sample or more and an even fft from the window's size "
                           "(at least 4) to 2^20, got {}, {} and {}",
                           o.window, o.hop, o.fft);
    require<ArgumentError>(o.bands >= 1 && o.bands <= std::min(o.fft, most_bands), "MelOptions: expected 1 to {} bands, got {}",
                           std::min(o.fft, most_bands), o.bands);
    require<ArgumentError>(
        o.sample_rate <= 1e7 && o.low >= 0 && o.low < o.high && o.high <= o.sample_rate / 2,
        "MelOptions: expected 0 <= low < high <= half of a sample rate of at most 10 MHz, got {}, {} and a rate of {}", o.low,
        o.high, o.sample_rate);
    require<ArgumentError>(o.power == 1 || o.power == 2, "MelOptions: expected a power of 1 or 2, got {}", o.power);
  }

  Band band(std::size_t number, double left, double middle, double right) const {
    Band result;
    const double bin = options_.sample_rate / static_cast<double>(options_.fft);
    const double height = options_.scale == MelScale::slaney ? 2 / (right - left) : 1;
    const auto place = [&](double hertz) { return options_.straight_in_mel ? to_mel(options_.scale, hertz) : hertz; };
    const double from = place(left), top = place(middle), to = place(right);
    for (std::int64_t k = 0; k <= options_.fft / 2; ++k) {
      const double at = place(bin * static_cast<double>(k));
      const double weight = std::min((at - from) / (top - from), (to - at) / (to - top));
      if (weight <= 0) continue;
      if (result.weights.empty()) result.first = static_cast<std::size_t>(k);
      result.weights.push_back(height * weight);
    }
    require<ArgumentError>(
        !result.weights.empty(),
        "MelOptions: expected every band to hold a frequency of the fft, got none in band {} ({:.1f} to {:.1f} Hz; "
        "they lie {} Hz apart); take fewer bands or a larger fft",
        number, left, right, bin);
    return result;
  }

  // Frame t, weighed, with zeros around it. Where frames are centred the window is centred in the frame too.
  void cut(std::span<const float> samples, std::int64_t t, std::vector<double>& frame) const {
    const auto count = static_cast<std::int64_t>(samples.size());
    const std::int64_t lead = options_.centred ? (options_.fft - options_.window) / 2 : 0;
    const std::int64_t start = t * options_.hop + (options_.centred ? lead - options_.fft / 2 : 0);
    std::fill(frame.begin(), frame.end(), 0.0);
    for (std::int64_t n = 0; n < options_.window; ++n) {
      std::int64_t at = start + n;
      if (at < 0) at = -at;
      if (at >= count) at = 2 * (count - 1) - at;
      frame[static_cast<std::size_t>(lead + n)] =
          window_[static_cast<std::size_t>(n)] * double{samples[static_cast<std::size_t>(at)]};
    }
  }

  MelOptions options_;
  std::vector<double> window_;
  std::vector<Band> bands_;
};

}  // namespace siena::data
