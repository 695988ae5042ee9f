// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace siena {

/// What becomes of the channels that a layer puts out where channels of its inputs may go, by one of the functions below.
struct ChannelRule {
  enum class Kind { makes, makes_in_blocks, follows, ties, concatenates, slices, repeats, interleaves, freezes };

  /// Channels of its own, from any of the input's: these are the rows of its first parameter, which a mask scales.
  static ChannelRule makes() { return {.kind = Kind::makes}; }
  /// Channels of its own, `out` of them from every `in` neighbouring ones of the input and nothing else: they go with those.
  static ChannelRule makes_in_blocks(std::int64_t in, std::int64_t out) {
    return {.kind = Kind::makes_in_blocks, .first = in, .second = out};
  }
  /// The channels of its first input, of which `block` neighbours each stay or go together.
  static ChannelRule follows(std::int64_t block = 1) { return {.kind = Kind::follows, .first = block}; }
  /// The channels that all of its inputs have in common.
  static ChannelRule ties() { return {.kind = Kind::ties}; }
  /// The channels of its inputs, one input after the other.
  static ChannelRule concatenates() { return {.kind = Kind::concatenates}; }
  /// The channels [begin, end) of its first input.
  static ChannelRule slices(std::int64_t begin, std::int64_t end) {
    return {.kind = Kind::slices, .first = begin, .second = end};
  }
  /// The channels of its first input, so many times over.
  static ChannelRule repeats(std::int64_t times) { return {.kind = Kind::repeats, .first = times}; }
  /// The first channel of each of so many equal parts of its first input, then the second of each, and so on: the parts lose
  /// the same ones.
  static ChannelRule interleaves(std::int64_t parts) { return {.kind = Kind::interleaves, .first = parts}; }
  /// All that it reads and puts out stays; why, as half sentences of which "they" are the channels.
  static ChannelRule freezes(std::string why_read, std::string why_made) {
    return {.kind = Kind::freezes, .why_read = std::move(why_read), .why_made = std::move(why_made)};
  }

  Kind kind;
  std::int64_t first = 1, second = 1;  ///< numbers that the function was given
  std::string why_read = {}, why_made = {};
};

}  // namespace siena
