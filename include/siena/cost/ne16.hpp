// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "siena/cost/clock.hpp"

namespace siena {

/// Clock cycles on NE16, the convolution engine of GAP9, for 8-bit activations and weights of `weight_bits` (after PLiNIO's
/// model). It makes 3 x 3 outputs of 32 channels (depthwise: 16) from 16 input channels at a time. With C input and K output
/// channels, B = ceil(C/16), D = ceil(K/32) and w weight bits, such a tile of pixels takes
///   3x3        B (45 D + w K) + 22 D + K
///   1x1        B (33 D + K) + 22 D + K
///   depthwise  67 ceil(K/16) + (w + 2) K
/// Other kernels take as many 3x3 passes as fit into them and a 1x1 pass per element that is left (so do the taps that a mask
/// leaves); depthwise ones ceil(kh/3) ceil(kw/3) passes. Linear layers are 1x1, groups run one after the other.
///
/// Stride: the engine works out 3 x 3 outputs at stride 1 from a patch of 5 x 5 and keeps those it is asked for, so a tile
/// holds ceil(3 / stride) of them in each direction: 2 x 2 at stride 2, as pulp-nnx cuts its tiles
/// (ne16_nnx_dispatch_stride2x2). Published numbers, such as those that PLiNIO gives, leave strides out: each tile counts as 9
/// outputs then, and layers with a stride come out too cheap. `ignore_stride` does the same, to compare with them.
///
/// Left out: DMA and tiling to fit L1 (a port of MobileNetV1 0.25 to GAP9 measured about 2.6 times this,
/// pulp-platform/Deeploy#183), and layers without weights. Custom layers pay a cycle per 8 MACs, on the cores. For times see
/// `seconds`.
struct Ne16 {
  Hertz clock = {};            ///< for bounds in time; one in cycles needs none
  bool ignore_stride = false;  ///< as published numbers do

  std::string_view name() const { return "ne16"; }
  std::string to_string() const { return ignore_stride ? "ne16, stride ignored" : "ne16"; }
  std::string_view unit() const { return "cycles"; }

  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    const N tiles =
        ceil_div(layer.out_height, outputs(layer.stride_height)) * ceil_div(layer.out_width, outputs(layer.stride_width));
    const double height = layer.kernel_height, width = layer.kernel_width;
    switch (layer.kind) {
      case LayerKind::conv2d:
      case LayerKind::linear: {
        const N out = layer.out_channels / layer.groups, blocks = ceil_div(out, 32);
        const N in_blocks = ceil_div(layer.in_channels / layer.groups, 16);
        const N last = blocks * 22.0 + out;  // normalise, quantise, write
        const N square = in_blocks * (blocks * 45.0 + out * layer.weight_bits) + last;
        const N point = in_blocks * (blocks * 33.0 + out) + last;
        const double squares = floor_div(height, 3) * floor_div(width, 3);
        const N kernel = square * squares + point * (height * width - 9 * squares);
        return (layer.dense() ? kernel * (layer.taps() / (height * width)) : point * layer.taps()) * (layer.groups * tiles);
      }
      case LayerKind::depthwise_conv2d: {
        const N out = layer.filters();
        const N passes = (layer.dense() ? layer.taps() / (height * width) : N(1)) * (ceil_div(height, 3) * ceil_div(width, 3));
        return (ceil_div(out, 16) * 67.0 + out * (layer.weight_bits + 2.0)) * tiles * passes;
      }
      case LayerKind::other:
        return layer.own_macs / 8.0;
      default:
        return 0;
    }
  }

 private:
  /// Of a tile, in one direction.
  double outputs(int stride) const { return ignore_stride ? 3 : ceil_div(3, stride); }
};
static_assert(CostModel<Ne16>);

}  // namespace siena
