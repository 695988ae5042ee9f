// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/core/buffer.hpp"
#include "siena/core/error.hpp"
#include "siena/core/random.hpp"
#include "siena/core/shape.hpp"
#include "siena/data/dataset.hpp"

namespace siena::data {

/// How training images vary from epoch to epoch. What moves in from outside an image is 0 after normalisation: the mean colour
/// of the dataset. The defaults change nothing.
struct Augment {
  int crop_padding = 0;         ///< pad by this many pixels all around, then cut the old size out anywhere
  bool flip = false;            ///< mirror left and right, every second time
  double rotation_degrees = 0;  ///< turn by a uniform angle of up to this, either way; bilinear
  double shift = 0;             ///< move by whole pixels, up to this fraction of height and width, either way
  bool versions = false;        ///< draw one of the versions of a sample that the dataset holds, instead of taking the first
  /// Whatever else: called last with the normalised sample in place, (y, x, c) at ((y * W) + x) * padded(C) + c, and random
  /// numbers that belong to (seed, epoch, sample). Must be callable from another thread.
  std::function<void(std::span<float> values, Random& random)> custom = {};

  bool moves() const { return crop_padding > 0 || flip || rotation_degrees > 0 || shift > 0; }
};

/// "crops of 4 pixels of padding, flips": every option but a custom one, so that different ones read differently.
inline std::string to_string(const Augment& augment) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (augment.crop_padding > 0) add(format("crops of {} pixels of padding", augment.crop_padding));
  if (augment.flip) add("flips");
  if (augment.rotation_degrees > 0) add(format("turns of up to {} degrees", augment.rotation_degrees));
  if (augment.shift > 0) add(format("shifts of up to {}", augment.shift));
  if (augment.versions) add("versions");
  if (augment.custom) add("custom");
  return text.empty() ? "none" : text;
}

/// One way to put an image into its frame: mirrored, then turned about its centre, then moved.
struct Placement {
  std::int64_t down = 0, right = 0;  ///< pixels
  bool flipped = false;
  double angle = 0;    ///< radians, counter-clockwise
  double version = 0;  ///< which of the dataset's, as a fraction of their number
};

/// What `augment` does to a sample of this shape for these random numbers. Every option has a place of its own in the stream:
/// turning one on leaves the others as they were.
inline Placement draw_placement(const Augment& augment, const Shape& shape, const Random& random) {
  Placement placement;
  if (augment.versions) placement.version = random.uniform_at(6);
  if (!augment.moves()) return placement;
  const auto within = [&](std::uint64_t place, std::int64_t reach) {
    return static_cast<std::int64_t>(random.uniform_at(place) * static_cast<double>(2 * reach + 1)) - reach;
  };
  // 0.1 of 30 pixels is 3, whatever floating point makes of it.
  const auto reach = [&](std::int64_t size) {
    return static_cast<std::int64_t>(augment.shift * static_cast<double>(size) + 1e-6);
  };
  placement.flipped = augment.flip && random.uniform_at(0) < 0.5;
  placement.down = within(1, augment.crop_padding) + within(3, reach(shape[0]));
  placement.right = within(2, augment.crop_padding) + within(4, reach(shape[1]));
  placement.angle = augment.rotation_degrees * (std::numbers::pi / 180) * (2 * random.uniform_at(5) - 1);
  return placement;
}

/// Writes samples as rows of a batch: normalised, placed, and padded with zeros to a multiple of eight channels.
class Renderer {
 public:
  explicit Renderer(Dataset dataset) : dataset_(std::move(dataset)), normalization_(dataset_.normalization()) {
    const Shape& shape = dataset_.shape();
    width_ = shape.rank() >= 2 ? shape[-2] : 1;
    height_ = width_ > 0 ? shape.rows() / width_ : 0;
    channels_ = shape.columns();
    stride_ = padded(channels_);
    if (!dataset_.holds_bytes()) return;
    table_.resize(static_cast<std::size_t>(channels_) * 256);
    for (std::size_t at = 0; at < table_.size(); ++at) {
      table_[at] = (static_cast<float>(at % 256) / 255.0f - normalization_.mean[at / 256]) / normalization_.deviation[at / 256];
    }
  }

  const Dataset& dataset() const { return dataset_; }
  /// Floats of a rendered sample, padding included.
  std::int64_t size() const { return height_ * width_ * stride_; }

  /// Writes all `size()` floats of sample `i`.
  void render(std::int64_t i, const Placement& placement, std::span<float> out) const {
    SIENA_ASSERT(static_cast<std::int64_t>(out.size()) == size());
    if (placement.angle == 0) return copy(i, placement, out.data());
    auto upright = Buffer<float>::uninitialized(static_cast<std::size_t>(size() + stride_));
    copy(i, {.version = placement.version}, upright.data());
    std::fill_n(upright.data() + size(), stride_, 0.0f);  // what lies outside
    turn(upright.data(), placement, out.data());
  }

 private:
  void copy(std::int64_t i, const Placement& placement, float* out) const {
    const auto version = static_cast<std::int64_t>(placement.version * static_cast<double>(dataset_.versions()));
    if (!dataset_.holds_bytes()) return copy_as<0>(dataset_.floats(i, version).data(), placement, out);
    const std::uint8_t* bytes = dataset_.bytes(i, version).data();
    switch (channels_) {
      case 1:
        return copy_as<1>(bytes, placement, out);
      case 3:
        return copy_as<3>(bytes, placement, out);
      default:
        return copy_as<0>(bytes, placement, out);
    }
  }

  template <int Channels, class T>
  void copy_as(const T* image, const Placement& placement, float* out) const {
    const std::int64_t first = std::clamp<std::int64_t>(placement.right, 0, width_);
    const std::int64_t last = std::clamp<std::int64_t>(width_ + placement.right, first, width_);
    for (std::int64_t y = 0; y < height_; ++y) {
      float* row = out + y * width_ * stride_;
      const std::int64_t from = y - placement.down;
      if (from < 0 || from >= height_ || first == last) {
        std::fill_n(row, width_ * stride_, 0.0f);
        continue;
      }
      std::fill_n(row, first * stride_, 0.0f);
      const std::int64_t left = first - placement.right;  // what comes to lie at `first`
      const T* source = image + (from * width_ + (placement.flipped ? width_ - 1 - left : left)) * channels_;
      copy_pixels<Channels>(source, placement.flipped ? -channels_ : channels_, last - first, row + first * stride_);
      std::fill_n(row + last * stride_, (width_ - last) * stride_, 0.0f);
    }
  }

  template <int Channels, class T>
  void copy_pixels(const T* source, std::int64_t step, std::int64_t count, float* out) const {
    const float* table = table_.data();
    const float* mean = normalization_.mean.data();
    const float* deviation = normalization_.deviation.data();
    for (std::int64_t x = 0; x < count; ++x, source += step, out += stride_) {
      if constexpr (Channels > 0) {
        float pixel[row_padding] = {};  // stays in registers: one store a pixel
        for (int c = 0; c < Channels; ++c) pixel[c] = table[c * 256 + source[c]];
        std::copy_n(pixel, row_padding, out);
      } else if constexpr (std::is_same_v<T, float>) {
        for (std::int64_t c = 0; c < channels_; ++c) out[c] = (source[c] - mean[c]) / deviation[c];
        std::fill(out + channels_, out + stride_, 0.0f);
      } else {
        for (std::int64_t c = 0; c < channels_; ++c) out[c] = table[c * 256 + source[c]];
        std::fill(out + channels_, out + stride_, 0.0f);
      }
    }
  }

  // Every pixel of the frame looks up where it came from; the four pixels around that place are blended.
  void turn(const float* upright, const Placement& placement, float* out) const {
    const double cosine = std::cos(placement.angle), sine = std::sin(placement.angle);
    const double middle_x = static_cast<double>(width_ - 1) / 2, middle_y = static_cast<double>(height_ - 1) / 2;
    const float* outside = upright + size();
    const auto pixel = [&](std::int64_t y, std::int64_t x) {
      const bool inside = y >= 0 && y < height_ && x >= 0 && x < width_;
      return inside ? upright + (y * width_ + x) * stride_ : outside;
    };
    for (std::int64_t y = 0; y < height_; ++y) {
      for (std::int64_t x = 0; x < width_; ++x, out += stride_) {
        const double right = static_cast<double>(x - placement.right) - middle_x;
        const double down = static_cast<double>(y - placement.down) - middle_y;
        const double turned = cosine * right - sine * down;
        const double from_x = middle_x + (placement.flipped ? -turned : turned);
        const double from_y = middle_y + sine * right + cosine * down;
        const auto left = static_cast<std::int64_t>(std::floor(from_x)), top = static_cast<std::int64_t>(std::floor(from_y));
        const auto fx = static_cast<float>(from_x - static_cast<double>(left));
        const auto fy = static_cast<float>(from_y - static_cast<double>(top));
        const float* a = pixel(top, left);
        const float* b = pixel(top, left + 1);
        const float* c = pixel(top + 1, left);
        const float* d = pixel(top + 1, left + 1);
        const float wa = (1 - fy) * (1 - fx), wb = (1 - fy) * fx, wc = fy * (1 - fx), wd = fy * fx;
        for (std::int64_t k = 0; k < stride_; ++k) out[k] = wa * a[k] + wb * b[k] + wc * c[k] + wd * d[k];
      }
    }
  }

  Dataset dataset_;
  Normalization normalization_;
  std::vector<float> table_;  // channel c, byte b: what b means, normalised, at c * 256 + b
  std::int64_t height_ = 0, width_ = 0, channels_ = 0, stride_ = 0;
};

/// Throws where `augment` cannot be applied to samples of this dataset.
inline void check(const Augment& augment, const Dataset& dataset) {
  const Shape& shape = dataset.shape();
  require<ArgumentError>(augment.crop_padding >= 0 && augment.rotation_degrees >= 0 && augment.rotation_degrees <= 180 &&
                             augment.shift >= 0 && augment.shift < 1,
                         "Augment: expected crop_padding >= 0, rotation_degrees from 0 to 180 and shift from 0 to below 1, got "
                         "{}, {} and {}",
                         augment.crop_padding, augment.rotation_degrees, augment.shift);
  if (!augment.moves()) return;
  require<ShapeError>(shape.rank() == 3, "Augment: expected images (H x W x C) to move, got samples of {} in '{}'; use custom",
                      shape, dataset.name());
  require<ArgumentError>(augment.crop_padding < std::min(shape[0], shape[1]),
                         "Augment: expected crop_padding below the image's {} x {} pixels, got {}", shape[0], shape[1],
                         augment.crop_padding);
}

}  // namespace siena::data
