// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "siena/nn/flow.hpp"

namespace siena {

/// The axis "how many output channels": the search keeps any subset of them, but never fewer than `minimum`.
struct Channels {
  int minimum = 1;
};

/// What may vary in one layer: the decoration that Searchable puts on a node.
struct SearchAxes {
  std::optional<Channels> channels;

  void set(const Channels& axis) { channels = axis; }
};

/// A layer and the axes along which it may vary: `x | Searchable{Conv2d{.out = 16, .kernel = 3}, Channels{}}`. Axes apply to
/// layers that have output channels of their own: Conv2d and Linear.
template <class L, class... Axes>
struct Searchable {
  Searchable(L its_layer, Axes... its_axes) : layer(std::move(its_layer)) {
    static_assert(
        std::is_same_v<L, Conv2d> || std::is_same_v<L, Linear>,
        "siena: Searchable wraps a layer with output channels of its own, Conv2d or Linear; other layers follow by themselves");
    static_assert(sizeof...(Axes) > 0, "siena: Searchable needs at least one axis, such as Channels{}");
    (axes.set(its_axes), ...);
  }
  Decoration decoration() const { return axes; }

  L layer;
  SearchAxes axes;
};

}  // namespace siena
