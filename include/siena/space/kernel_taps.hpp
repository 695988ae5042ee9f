// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "siena/nn/layers.hpp"

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

}  // namespace siena
