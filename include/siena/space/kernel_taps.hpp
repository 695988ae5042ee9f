// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <vector>

#include "siena/nn/layers.hpp"
#include "siena/space/axis_spec.hpp"

// Which taps may leave a kernel so that an ordinary convolution is left: in each direction those at equal distances, with the
// padding that keeps every output where it is.

namespace siena {

/// One direction of a kernel over one of its input: the rows of its taps, or its columns (time, for Conv1d).
struct KernelDirection {
  int taps = 1, stride = 1, dilation = 1;
  kernels::Padding padding{};
  std::int64_t in = 1, out = 1;

  static KernelDirection rows(const kernels::ConvGeometry& g) {
    return {g.kernel_height, g.stride_height, g.dilation_height, {g.pad_top, g.pad_bottom}, g.in_height, g.out_height};
  }
  static KernelDirection columns(const kernels::ConvGeometry& g) {
    return {g.kernel_width, g.stride_width, g.dilation_width, {g.pad_left, g.pad_right}, g.in_width, g.out_width};
  }

  /// The tap that always stays: the one at the output's own place, or the last one before it. The
  /// newest where padding is causal, the middle one where it is the same on both sides. Taps before it
  /// may all go: what they read is padding, or comes later.
  int anchor() const { return std::min(taps - 1, padding.before / dilation); }
  /// Distance of the farthest tap from the anchor.
  int reach() const { return std::max(anchor(), taps - 1 - anchor()); }
  /// How far behind the anchor a tap has to stay: with less, the kernel would fit the padded input once more, and padding is
  /// never negative. 0 for `causal` padding, and for `same` at dilation 1; all of them where there is no padding.
  int least_reach() const {
    const int behind = taps - 1 - anchor();
    const std::int64_t unread = in + padding.before + padding.after - (out - 1) * stride - (taps - 1) * dilation - 1;
    const std::int64_t room = padding.after + stride - 1 - unread;
    return std::max(0, behind - static_cast<int>(room / dilation));
  }
};

/// Taps of one direction that leave in a fixed order, a step at a time: the farthest first
/// (receptive field), or first those between the taps of a grid of twice the dilation. Steps count
/// from the last that may go to the first. A plain function of numbers.
struct TapChain {
  enum class Axis { receptive_field, dilation };
  Axis axis = Axis::receptive_field;
  int node = 0;           ///< whose kernel
  bool vertical = false;  ///< rows of taps, or columns
  int taps = 1;           ///< in this direction
  int anchor = 0;         ///< the tap that distances count from
  int always = 0;         ///< so many nearest to the anchor never leave the receptive field
  int steps = 0;

  /// The step with which a tap leaves; -1: it stays.
  int step_of(int tap) const {
    const int distance = std::abs(tap - anchor);
    if (axis == Axis::receptive_field) return distance > always ? distance - always - 1 : -1;
    const int halvings = distance == 0 ? steps : std::min(steps, std::countr_zero(static_cast<unsigned>(distance)));
    return steps - 1 - halvings;
  }

  /// Steps are as many as leave at least `minimum` taps.
  static TapChain receptive_field(const KernelDirection& direction, int minimum) {
    const int anchor = direction.anchor(), reach = direction.reach(), behind = direction.taps - 1 - anchor;
    int always = direction.least_reach();
    while (always < reach && std::min(always, anchor) + std::min(always, behind) + 1 < minimum) ++always;
    return {.axis = Axis::receptive_field, .taps = direction.taps, .anchor = anchor, .always = always, .steps = reach - always};
  }
  /// Steps are the doublings that leave two taps or more, and those behind the anchor that have to stay; `field`: the receptive
  /// field of the same kernel where that varies, which stays as far as it always does.
  static TapChain dilation(const KernelDirection& direction, const TapChain* field) {
    const int anchor = direction.anchor(), behind = direction.taps - 1 - anchor;
    const auto fits = [&](int spacing) {
      const int nearest = field != nullptr ? std::min(field->always, behind) : behind;
      return spacing <= direction.reach() && nearest / spacing * spacing >= direction.least_reach();
    };
    int steps = 0;
    while (fits(2 << steps)) ++steps;
    return {.axis = Axis::dilation, .taps = direction.taps, .anchor = anchor, .steps = steps};
  }
};

/// The taps of each direction that stay of a kernel, in order.
struct KernelCut {
  std::vector<int> rows, columns;
};

/// The convolution with those taps alone, whose outputs are those of the whole one with the others at 0.
inline Conv2d narrowed_kernel(Conv2d conv, const kernels::ConvGeometry& g, const KernelCut& cut) {
  struct Side {
    int kernel, dilation;
    kernels::Padding padding;
  };
  const auto side = [](const KernelDirection& direction, const std::vector<int>& kept) -> Side {
    const int before = direction.padding.before - kept.front() * direction.dilation;
    const int after = direction.padding.after - (direction.taps - 1 - kept.back()) * direction.dilation;
    SIENA_ASSERT(before >= 0);
    const int spacing = kept.size() > 1 ? kept[1] - kept[0] : 1;
    return {static_cast<int>(kept.size()), kept.size() > 1 ? spacing * direction.dilation : 1, {before, std::max(0, after)}};
  };
  const Side rows = side(KernelDirection::rows(g), cut.rows), columns = side(KernelDirection::columns(g), cut.columns);
  conv.kernel = {rows.kernel, columns.kernel};
  conv.dilation = {rows.dilation, columns.dilation};
  const ImagePadding padding(rows.padding.before, rows.padding.after, columns.padding.before, columns.padding.after);
  if (conv.padding.is_same) {  // stays what it is called where it stays what it is
    const auto now = conv.geometry({g.in_height, g.in_width, g.in_channels});
    if (ImagePadding(now.pad_top, now.pad_bottom, now.pad_left, now.pad_right) == padding) return conv;
  }
  conv.padding = padding;
  return conv;
}

/// The axis "how far a kernel reaches", for Conv1d and both directions of Conv2d: the search drops the taps that are farthest
/// from the output's own place, but keeps a field of at least `minimum` taps in each direction (a wider dilation may thin it
/// out).
struct ReceptiveField {
  int minimum = 1;  ///< taps of the field, in each direction

  static constexpr std::string_view name = "receptive_field";
  static void attributes(auto& self, auto&& visit) { visit("minimum", self.minimum); }
  void check(const Layer& layer, std::string_view where) const;
  template <class L>
  static constexpr void require_layer();
  static void check_input(const SearchAxes& axes, const Layer& layer, const Shape& input, std::string_view where);
};

/// The axis "how far apart the taps of a kernel lie", for Conv1d and both directions of Conv2d: the search doubles the dilation
/// as often as leaves two taps of a direction.
struct Dilation {
  static constexpr std::string_view name = "dilation";
  static void attributes(auto&, auto&&) {}
  void check(const Layer& layer, std::string_view where) const;
  template <class L>
  static constexpr void require_layer();
  static void check_input(const SearchAxes& axes, const Layer& layer, const Shape& input, std::string_view where);
};

namespace detail {
template <class L>
constexpr void require_kernel() {
  static_assert(
      is_convolution<L>,
      "siena: ReceptiveField{} and Dilation{} are axes of layers with a kernel, Conv1d and Conv2d; a Linear has none");
}
inline void require_kernel(const Layer& layer, std::string_view where) {
  require<ArgumentError>(convolution_of(layer).has_value(), "{}: expected taps to vary in a Conv1d or Conv2d, got '{}'", where,
                         kind_of(layer));
}
/// Throws ArgumentError, with `where` in front, where taps are to vary and the padding is such that none may go: a smaller
/// kernel would have other outputs.
inline void require_room(const SearchAxes& axes, const Layer& layer, const Shape& input, std::string_view where) {
  const auto geometry = convolution_of(layer)->geometry({input.rank() == 3 ? input[0] : 1, input[-2], input[-1]}, where);
  for (const auto& direction : {KernelDirection::rows(geometry), KernelDirection::columns(geometry)}) {
    std::optional<TapChain> field;
    if (const auto* varies = axes.find<ReceptiveField>()) field = TapChain::receptive_field(direction, varies->minimum);
    const bool nearer = !field || direction.least_reach() < direction.reach() || direction.reach() == 0;
    const bool apart = axes.find<Dilation>() == nullptr || direction.least_reach() == 0 || direction.reach() < 2 ||
                       TapChain::dilation(direction, field ? &*field : nullptr).steps > 0;
    require<ArgumentError>(nearer && apart,
                           "{}: expected padding with which a smaller kernel has the same outputs, got {} and {} for {} taps "
                           "of dilation {}; hint: `causal`, or `same` at dilation 1",
                           where, direction.padding.before, direction.padding.after, direction.taps, direction.dilation);
  }
}
}  // namespace detail

inline void ReceptiveField::check(const Layer& layer, std::string_view where) const {
  detail::require_kernel(layer, where);
  require<ArgumentError>(minimum >= 1, "{}: expected ReceptiveField with a minimum of at least 1, got {}", where, minimum);
}
inline void Dilation::check(const Layer& layer, std::string_view where) const { detail::require_kernel(layer, where); }
template <class L>
constexpr void ReceptiveField::require_layer() {
  detail::require_kernel<L>();
}
template <class L>
constexpr void Dilation::require_layer() {
  detail::require_kernel<L>();
}
inline void ReceptiveField::check_input(const SearchAxes& axes, const Layer& layer, const Shape& input,
                                        std::string_view where) {
  detail::require_room(axes, layer, input, where);
}
inline void Dilation::check_input(const SearchAxes& axes, const Layer& layer, const Shape& input, std::string_view where) {
  detail::require_room(axes, layer, input, where);
}

}  // namespace siena
