// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "siena/cost/code_target.hpp"
#include "siena/cost/packed_weights.hpp"

namespace siena {

/// Bytes that the functions of layers take whose weights are packed, by what they do: the most that was measured of each kind
/// on the networks of the benchmarks, coarser than CodeSize, which knows weights of a byte.
struct PackedCode {
  CTarget target = CTarget::portable;
  double call;  ///< more than that of a function without packed weights
  double linear, pointwise, convolution, depthwise;
  double rows, columns, apart;   ///< more where an image is padded above or below, at its sides; for dilation or groups
  double step, output, tile;     ///< of code that is written out: an instruction word of a step, a sum, a tile of sums
  double packed, unpack, codes;  ///< of packed weights: once, for a function, where filters differ in bits (Cortex-M: a tile)
  double stack;                  ///< bytes of a run, at least

  /// By which bits the weights of a layer lie in flash, those of most first.
  std::vector<BitSlice<double>> widths(const LayerDesc<double>& layer) const {
    std::vector<BitSlice<double>> slices = packed_slices(layer, target == CTarget::cortex_m);
    std::erase_if(slices, [](const auto& slice) { return slice.filters <= 0; });
    return slices;
  }
  /// Whether some weights of a layer take less than a byte.
  bool packs(const LayerDesc<double>& layer) const {
    const auto slices = layer.has_weights() ? widths(layer) : std::vector<BitSlice<double>>();
    return !slices.empty() && slices.back().bits < 8;
  }

  /// The function of a layer that packs.
  double of(const LayerDesc<double>& layer) const {
    const double pads = padded(layer), more = more_for_bits(layer);
    switch (layer.kind) {
      case LayerKind::linear:
        return linear + more + written_out(layer);
      case LayerKind::conv2d:
        if (layer.pointwise() && pads == 0 && layer.groups == 1) return pointwise + more + written_out(layer);
        return convolution + pads + apart_of(layer) + more + written_out(layer);
      default:
        return depthwise + pads + apart_of(layer) + more;
    }
  }

 private:
  static bool pads_along(double in, double out, int kernel, int stride, int dilation) {
    return (out - 1) * stride + (kernel - 1.0) * dilation + 1 > in;
  }
  double padded(const LayerDesc<double>& l) const {
    const bool above =
        l.pad_top > 0 || pads_along(l.in_height, l.out_height, l.kernel_height, l.stride_height, l.dilation_height);
    const bool aside = pads_along(l.in_width, l.out_width, l.kernel_width, l.stride_width, l.dilation_width);
    return (above ? rows : 0) + (aside ? columns : 0);
  }
  double apart_of(const LayerDesc<double>& l) const {
    return l.dilation_height * l.dilation_width > 1 || l.groups > 1 ? apart : 0;
  }
  /// What takes packed weights out.
  double more_for_bits(const LayerDesc<double>& l) const {
    if (!packs(l)) return 0;
    const bool calls = target == CTarget::portable || l.kind == LayerKind::depthwise_conv2d;
    return unpack + (calls && widths(l).size() > 1 ? codes : 0);
  }
  /// Sums stay in registers, for a tile of filters and pixels; steps of two inputs each are written out, of many a loop of 8;
  /// less where filters differ in bits.
  double written_out(const LayerDesc<double>& l) const {
    if (target == CTarget::portable) return 0;
    double sum = 0;
    const auto slices = widths(l);
    for (const auto& slice : slices) sum += written_out(l, slice, slices.size() > 1);
    return sum;
  }
  double written_out(const LayerDesc<double>& l, const BitSlice<double>& slice, bool differ) const {
    const bool product = l.kind == LayerKind::linear || l.pointwise(), unpacks = slice.bits < 8;
    const double pixels = product ? l.out_height * l.out_width : l.out_width, groups = std::max(1.0, std::floor(l.groups));
    const double at_once = pixels < 4 ? pixels : 4, rest = product ? 0 : std::fmod(pixels, at_once);
    const double filters = 2 * std::ceil(slice.filters / groups / 2), inputs = std::ceil(l.in_channels / groups);
    const double together = at_once > 1 || unpacks || differ ? std::min(2.0, filters) : std::min(8.0, filters);
    const bool run = l.dilation_width == 1 && groups == 1;
    double steps = std::ceil(inputs * (run && !product ? l.kernel_width : 1) / 2);
    const double turns = run || product ? 1 : l.kernel_width;
    const bool loops = l.kernel_height > 1 && (turns * steps > 2 || l.kernel_height * steps > (differ ? 10 : 20));
    steps = std::min(steps, differ ? 5.0 : 8.0) * (loops || product ? 1 : l.kernel_height);
    const double weights = unpacks ? 8 : 6, sums = output + step * ((unpacks ? 4 : 0) + (differ ? 4 : 0));
    const auto of_tile = [&](double p) {
      return p < 1 ? 0
                   : tile + (differ ? codes : 0) + steps * step * (weights * together + p * (4 + 4 * together)) +
                         sums * together * p;
    };
    const bool more = !differ && std::fmod(filters, together) > 0;
    return of_tile(at_once) + of_tile(rest) + (more ? of_tile(at_once) : 0);
  }
};

inline constexpr PackedCode packed_portable{.target = CTarget::portable,
                                            .call = 12,
                                            .linear = 116,
                                            .pointwise = 156,
                                            .convolution = 192,
                                            .depthwise = 208,
                                            .rows = 98,
                                            .columns = 56,
                                            .apart = 40,
                                            .step = 0,
                                            .output = 0,
                                            .tile = 0,
                                            .packed = 490,
                                            .unpack = 30,
                                            .codes = 40,
                                            .stack = 232};
inline constexpr PackedCode packed_cortex_m{.target = CTarget::cortex_m,
                                            .call = 12,
                                            .linear = 110,
                                            .pointwise = 40,
                                            .convolution = 230,
                                            .depthwise = 500,
                                            .rows = 70,
                                            .columns = 0,
                                            .apart = 70,
                                            .step = 1,
                                            .output = 14,
                                            .tile = 60,
                                            .packed = 80,
                                            .unpack = 30,
                                            .codes = 80,
                                            .stack = 272};

}  // namespace siena
