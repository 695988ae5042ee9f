// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "siena/core/shape.hpp"
#include "siena/data/front_end_options.hpp"
#include "siena/data/resize_options.hpp"

namespace siena::data {

/// What the channels of an image are, in their order. `none`: no image, or nobody said.
enum class Colours { none, grey, rgb, bgr };
inline std::span<const std::string_view> names_of(Colours) {
  static constexpr std::string_view names[] = {"none", "grey", "rgb", "bgr"};
  return names;
}

/// How sound became samples.
struct SoundPreparation {
  FrontEndOptions front_end = {};
  double seconds = 0;       ///< longer sounds lose their end, shorter ones end with silence; 0: as long as they are
  std::int64_t window = 0;  ///< frames in a row that are a sample; 0: all of a sound

  bool operator==(const SoundPreparation&) const = default;
};

/// What became of a picture or a sound before a network saw it, and what the network's outputs are called. A network answers
/// rightly only for inputs that were prepared as those it was trained with, so files state this beside the weights.
/// The network sees (x - mean) / deviation, where x is the value, or byte / 255.
struct Preparation {
  Shape shape = {};                              ///< of a sample, as Dataset::shape
  bool bytes = false;                            ///< samples are bytes, as pixels of a camera are; else numbers
  std::vector<float> mean = {}, deviation = {};  ///< of each channel
  std::vector<std::string> classes = {};         ///< name of each, or of each target; none: nobody said
  Colours colours = Colours::none;
  std::optional<ResizeOptions> resize = {};    ///< of images from files
  std::optional<SoundPreparation> sound = {};  ///< of samples that are features of sound

  bool operator==(const Preparation&) const = default;

  /// What one step of a stored value means: 1 / 255 for bytes.
  double scale() const { return bytes ? 1.0 / 255 : 1.0; }
  /// Names of the shape's sizes, from the outermost.
  std::span<const std::string_view> layout() const {
    static constexpr std::string_view image[] = {"height", "width", "channels"},
                                      sound_image[] = {"time", "features", "channels"}, signal[] = {"time", "channels"},
                                      features[] = {"features"};
    if (shape.rank() == 3) return sound ? std::span(sound_image) : std::span(image);
    if (shape.rank() == 2) return signal;
    return shape.rank() == 1 ? std::span(features) : std::span<const std::string_view>();
  }
};

}  // namespace siena::data
