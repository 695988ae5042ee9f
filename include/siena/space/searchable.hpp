// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "siena/nn/flow.hpp"
#include "siena/space/kernel_taps.hpp"

namespace siena {

/// The axis "how many output channels": the search keeps any subset of them, but never fewer than `minimum`, and as many as a
/// whole multiple of `multiple`, which suits kernels that compute so many at a time; or all of them, where that is none.
struct Channels {
  int minimum = 1;
  int multiple = 1;
  static void attributes(auto& self, auto&& visit) {
    visit("minimum", self.minimum);
    visit("multiple", self.multiple);
  }
};

/// The axis "how far a kernel reaches", for Conv1d and both directions of Conv2d: the search drops the taps that are farthest
/// from the output's own place, but keeps a field of at least `minimum` taps in each direction (a wider dilation may thin it
/// out).
struct ReceptiveField {
  int minimum = 1;
  static void attributes(auto& self, auto&& visit) { visit("minimum", self.minimum); }
};

/// The axis "how far apart the taps of a kernel lie", for Conv1d and both directions of Conv2d: the search doubles the dilation
/// as often as leaves two taps of a direction.
struct Dilation {
  static void attributes(auto&, auto&&) {}
};

/// What may vary in one layer: the decoration that Searchable puts on a node.
struct SearchAxes {
  std::optional<Channels> channels;
  std::optional<ReceptiveField> receptive_field;
  std::optional<Dilation> dilation;

  void set(const Channels& axis) { channels = axis; }
  void set(const ReceptiveField& axis) { receptive_field = axis; }
  void set(const Dilation& axis) { dilation = axis; }
  static void attributes(auto& self, auto&& visit) {
    visit("channels", self.channels);
    visit("receptive_field", self.receptive_field);
    visit("dilation", self.dilation);
  }
};

/// Throws ArgumentError, with `where` in front, for an axis that a layer does not have.
inline void require_axes(const Layer& layer, const SearchAxes& axes, std::string_view where) {
  const bool convolution = convolution_of(layer).has_value();
  require<ArgumentError>(!axes.channels || may_make_channels(layer),
                         "{}: expected channels to vary in a Conv1d, Conv2d or Linear, got '{}', which follows by itself",
                         where, kind_of(layer));
  require<ArgumentError>((!axes.receptive_field && !axes.dilation) || convolution,
                         "{}: expected taps to vary in a Conv1d or Conv2d, got '{}'", where, kind_of(layer));
  require<ArgumentError>(!axes.channels || (axes.channels->minimum >= 1 && axes.channels->multiple >= 1),
                         "{}: expected Channels with a minimum and a multiple of at least 1, got {} and {}", where,
                         axes.channels->minimum, axes.channels->multiple);
  require<ArgumentError>(!axes.receptive_field || axes.receptive_field->minimum >= 1,
                         "{}: expected ReceptiveField with a minimum of at least 1, got {}", where,
                         axes.receptive_field->minimum);
}

/// Throws ArgumentError, with `where` in front, where taps are to vary and the padding is such that none may go: a smaller
/// kernel would have other outputs. What a search has made of a layer is not asked again: there nothing may be left to go.
inline void require_room(const Conv2d& conv, const Shape& input, const SearchAxes& axes, std::string_view where) {
  const auto geometry = conv.geometry({input.rank() == 3 ? input[0] : 1, input[-2], input[-1]}, where);
  for (const auto& direction : {KernelDirection::rows(geometry), KernelDirection::columns(geometry)}) {
    std::optional<TapChain> field;
    if (axes.receptive_field) field = TapChain::receptive_field(direction, axes.receptive_field->minimum);
    const bool nearer = !field || direction.least_reach() < direction.reach() || direction.reach() == 0;
    const bool apart = !axes.dilation || direction.least_reach() == 0 || direction.reach() < 2 ||
                       TapChain::dilation(direction, field ? &*field : nullptr).steps > 0;
    require<ArgumentError>(nearer && apart,
                           "{}: expected padding with which a smaller kernel has the same outputs, got {} and {} for {} taps "
                           "of dilation {}; hint: `causal`, or `same` at dilation 1",
                           where, direction.padding.before, direction.padding.after, direction.taps, direction.dilation);
  }
}

/// A layer and the axes along which it may vary: `x | Searchable{Conv2d{.out = 16, .kernel = 3}, Channels{}}`, and
/// `x | Searchable{Conv1d{.out = 16, .kernel = 9}, Channels{}, ReceptiveField{}, Dilation{}}`. Channels vary in layers that
/// have output channels of their own: Conv1d, Conv2d and Linear; taps in those that have a kernel: Conv1d and Conv2d.
template <class L, class... Axes>
struct Searchable {
  Searchable(L its_layer, Axes... its_axes) : layer(std::move(its_layer)) {
    static_assert(
        makes_channels<L>,
        "siena: Searchable wraps a layer with output channels of its own, Conv1d, Conv2d or Linear; other layers follow "
        "by themselves; one of yours says that it has them, `static constexpr bool makes_channels = true`");
    static_assert(sizeof...(Axes) > 0, "siena: Searchable needs at least one axis, such as Channels{}");
    static_assert(
        is_convolution<L> || !((std::is_same_v<Axes, ReceptiveField> || std::is_same_v<Axes, Dilation>) || ...),
        "siena: ReceptiveField{} and Dilation{} are axes of layers with a kernel, Conv1d and Conv2d; a Linear has none");
    (axes.set(its_axes), ...);
  }
  Decoration decoration() const { return axes; }
  void check(const Shape& input, std::string_view where) const {
    if constexpr (is_convolution<L>) require_room(layer.image(), input, axes, where);
  }

  L layer;
  SearchAxes axes;
};

}  // namespace siena
