// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"

namespace siena {

/// With how many bits a layer computes with its weights: 2 to 8, one number for all output channels or one for each; 0: with
/// the floats that they are. `Conv2d{.out = 3, .weight_bits = 4}`, `Conv2d{.out = 3, .weight_bits = {8, 4, 4}}`.
class WeightBits {
 public:
  WeightBits(int all = 0) : all_(all) {}  // NOLINT(google-explicit-constructor)
  WeightBits(std::vector<int> each)       // NOLINT(google-explicit-constructor)
      : listed_(each.size()) {
    const bool differ = std::adjacent_find(each.begin(), each.end(), std::not_equal_to<>()) != each.end();
    if (differ) each_ = std::move(each);
    if (!differ && !each.empty()) all_ = each.front();
  }
  WeightBits(std::initializer_list<int> each) : WeightBits(std::vector<int>(each)) {}
  /// Of as many bits, however they were written.
  bool operator==(const WeightBits& other) const { return all_ == other.all_ && each_ == other.each_; }

  /// Whether there are none: the layer computes with floats.
  bool none() const { return each_.empty() && all_ == 0; }
  bool differ() const { return !each_.empty(); }
  /// Of an output channel.
  int operator[](std::size_t channel) const { return differ() ? each_[channel] : all_; }
  /// Where they differ, one for each channel; else one.
  std::vector<int> list() const { return differ() ? each_ : std::vector<int>{all_}; }
  /// One for each of so many channels.
  std::vector<int> of(std::int64_t channels) const {
    return differ() ? each_ : std::vector<int>(static_cast<std::size_t>(channels), all_);
  }
  /// Those of the channels that stay.
  WeightBits kept(std::span<const std::int64_t> channels) const {
    if (!differ()) return all_;
    std::vector<int> some;
    for (const std::int64_t channel : channels) some.push_back(each_[static_cast<std::size_t>(channel)]);
    return some;
  }

  /// ArgumentError, with `where` in front, for what a layer of so many outputs cannot have.
  void check(std::int64_t outputs, std::string_view where) const {
    require<ArgumentError>(listed_ <= 1 || static_cast<std::int64_t>(listed_) == outputs,
                           "{}: expected weight_bits for all or for each of {} outputs, got {} numbers", where, outputs,
                           listed_);
    for (const int bits : list()) {
      require<ArgumentError>((bits == 0 && !differ()) || (bits >= 2 && bits <= 8),
                             "{}: expected weights of 2 to 8 bits, or 0 for floats, got {}", where, bits);
    }
  }
  /// What cost models see: bits of all weights, or slices of filters, those of most bits first.
  void describe(auto& layer) const {
    if (!none() && !differ()) layer.weight_bits = all_;
    for (int bits = 8; bits >= 2 && differ(); --bits) {
      const auto filters = std::count(each_.begin(), each_.end(), bits);
      if (filters > 0) layer.slices.push_back({.bits = double(bits), .filters = static_cast<double>(filters)});
    }
  }

 private:
  int all_ = 0;
  std::vector<int> each_;   // empty where they are all the same
  std::size_t listed_ = 0;  // how many numbers were given; 1 stands for all
};

}  // namespace siena
