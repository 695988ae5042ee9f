// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "siena/space/axis_spec.hpp"

namespace siena {

/// The axis "how many output channels": the search keeps any subset of them, but never fewer than `minimum`, and as many as a
/// whole multiple of `multiple`, which suits kernels that compute so many at a time; or all of them, where that is none.
struct Channels {
  int minimum = 1;   ///< the fewest that stay
  int multiple = 1;  ///< as many stay as are a multiple of it, or all

  static constexpr std::string_view name = "channels";
  static void attributes(auto& self, auto&& visit) {
    visit("minimum", self.minimum);
    visit("multiple", self.multiple);
  }
  void check(const Layer& layer, std::string_view where) const {
    require<ArgumentError>(may_make_channels(layer),
                           "{}: expected channels to vary in a Conv1d, Conv2d or Linear, got '{}', which follows by itself",
                           where, kind_of(layer));
    require<ArgumentError>(minimum >= 1 && multiple >= 1,
                           "{}: expected Channels with a minimum and a multiple of at least 1, got {} and {}", where, minimum,
                           multiple);
  }
  template <class L>
  static constexpr void require_layer() {
    static_assert(
        makes_channels<L>,
        "siena: Channels{} are an axis of layers with output channels of their own, Conv1d, Conv2d or Linear; other layers "
        "follow by themselves; one of yours says that it has them, `static constexpr bool makes_channels = true`");
  }
};

}  // namespace siena
