// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "siena/cost/clock.hpp"

namespace siena {

/// The two accelerators of DIANA: digital (8-bit weights) and analogue, in memory (ternary weights).
enum class DianaCore { digital, analog };

/// Clock cycles on DIANA with 8-bit activations (after PLiNIO's models, as used by ODiMO). With C input and K output channels
/// in g groups, k = kx ky and outputs of Ox x Oy:
///   digital  ceil(K/g / 16) C ceil(Ox/16) Oy k + Ox Oy (C + K) / 8
///   analog   8 C k + 18.2 Ox Oy ceil(K/512) ceil(C/128) / u
/// where the array of 1152 x 512 cells works on u pixels at once: the largest of 8, 4, 2 and 1 with u K <= 512 and
/// (u + kx - 1) max(64, C) ky <= 1152; 18.2 cycles are 70 ns at 260 MHz. So u falls, and the cost rises, with more channels:
/// slopes are those of the secants from one corner of these steps to the next.
///
/// x is the width here, of outputs and kernels: along rows, which lie in memory one pixel after the other, the cores work on
/// several pixels at once. PLiNIO calls the first of PyTorch's two sizes x, which is the height, so that it prices images that
/// are not square as if they were turned by 90 degrees.
///
/// Linear layers are 1x1. Grouped and depthwise convolutions run on the digital core whatever `core` says. Left out: filling
/// the weight memory of the digital core, and layers without weights. Custom layers pay a cycle per MAC, on the host. Nominal
/// clock: 260 MHz; for times see `seconds`.
struct Diana {
  Hertz clock = {};                     ///< for bounds in time; one in cycles needs none
  DianaCore core = DianaCore::digital;  ///< which of the two computes dense layers

  std::string_view name() const { return core == DianaCore::digital ? "diana" : "diana analog"; }
  std::string_view unit() const { return "cycles"; }

  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    if (layer.kind == LayerKind::other) return layer.own_macs;
    if (!layer.has_weights()) return 0;
    const bool dense = layer.kind != LayerKind::depthwise_conv2d && value_of(layer.groups) == 1;
    return core == DianaCore::analog && dense ? analog(layer) : digital(layer);
  }

 private:
  /// 1 where there is an output channel, 0 where there is none.
  template <class N>
  static N any(const LayerDesc<N>& layer) {
    return min_of(1.0, layer.filters());
  }

  template <class N>
  static N digital(const LayerDesc<N>& layer) {
    const bool depthwise = layer.kind == LayerKind::depthwise_conv2d;
    const N filters = depthwise ? N(layer.multiplier) : layer.out_channels / layer.groups;
    const N columns = ceil_div(layer.out_width, 16) * layer.out_height, pixels = layer.out_width * layer.out_height;
    return ceil_div(filters, 16) * layer.in_channels * layer.taps() * columns +
           any(layer) * (layer.in_channels + layer.filters()) * (pixels / 8);
  }

  template <class N>
  static N analog(const LayerDesc<N>& layer) {
    const double in = value_of(layer.in_channels), out = value_of(layer.out_channels);
    const Step ins = step_at(in, 128, {rows(layer, 8), rows(layer, 4), rows(layer, 2)});
    const Step outs = step_at(out, 512, {64, 128, 256});
    const double in_slope = (uses(layer, ins.end, out) - uses(layer, ins.begin, out)) / (ins.end - ins.begin);
    const double out_slope = (uses(layer, in, outs.end) - uses(layer, in, outs.begin)) / (outs.end - outs.begin);
    const N array =
        with_slope(layer.in_channels, uses(layer, in, out), in_slope) + with_slope(layer.out_channels, 0, out_slope);
    const N pixels = layer.out_width * layer.out_height;
    return any(layer) * layer.in_channels * layer.taps() * 8.0 + array * (pixels * 18.2);
  }

  /// The step from one corner to the next, `end` included.
  struct Step {
    double begin, end;
  };
  /// The step that has `x` on it, where corners are all multiples of `size`, and others.
  static Step step_at(double x, double size, std::initializer_list<double> others) {
    x = std::max(x, 1.0);
    Step step{size * (ceil_div(x, size) - 1), size * ceil_div(x, size)};
    for (const double corner : others) {
      if (corner < x) {
        step.begin = std::max(step.begin, corner);
      } else {
        step.end = std::min(step.end, corner);
      }
    }
    return step;
  }
  /// Most input channels with which `pixels` of them fit into the rows of the array.
  template <class N>
  static double rows(const LayerDesc<N>& layer, double pixels) {
    const double most = floor_div(1152.0, (pixels + layer.kernel_width - 1) * layer.kernel_height);
    return most < 64 ? 0 : most;
  }
  /// How often the array is used for a pixel.
  template <class N>
  static double uses(const LayerDesc<N>& layer, double in, double out) {
    double at_once = 1;
    for (const double u : {2.0, 4.0, 8.0}) {
      if (u * out <= 512 && in <= rows(layer, u)) at_once = u;
    }
    return ceil_div(out, 512) * ceil_div(in, 128) / at_once;
  }
};
static_assert(CostModel<Diana>);

}  // namespace siena
