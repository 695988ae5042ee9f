// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace siena::data {

/// How pixels are made of others. `area`: the mean of what a new pixel covers, right for shrinking. `bilinear`: between the
/// four old pixels around the centre of the new one, right for enlarging.
enum class Resampling { area, bilinear };
inline std::span<const std::string_view> names_of(Resampling) {
  static constexpr std::string_view names[] = {"area", "bilinear"};
  return names;
}

struct ResizeOptions {
  std::int64_t height = 96, width = 96;
  std::int64_t shorter_side = 0;  ///< resize until the shorter side has this many pixels, then cut the middle out; 0: the least
                                  ///< that covers height x width
  bool stretch = false;           ///< do not keep the proportions, and cut nothing off
  Resampling resampling = Resampling::area;  ///< how pixels are made of others

  bool operator==(const ResizeOptions&) const = default;
  static void attributes(auto& self, auto&& visit) {
    visit("height", self.height);
    visit("width", self.width);
    visit("shorter_side", self.shorter_side);
    visit("stretch", self.stretch);
    visit("resampling", self.resampling);
  }
};

}  // namespace siena::data
