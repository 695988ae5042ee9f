// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "siena/cost/clock.hpp"

namespace siena {

/// What the steps of int8 kernels take on an Arm Cortex-M, in cycles.
struct CortexMRates {
  double dense;      ///< 16 MACs: 2 filters on 2 pixels, over 4 inputs
  double depthwise;  ///< 4 MACs: an element of the kernel on 4 channels
  double linear;     ///< 8 MACs: 2 outputs over 4 inputs
  double gather;     ///< an element of a patch, widened to 16 bits (im2col)
  double output;     ///< an output, scaled and clamped to 8 bits
  double element;    ///< an input element of an add, a product, a pool, or a batch norm that does not fold
};
/// CMSIS-NN on a Cortex-M4 (STM32L4R5, 120 MHz): the slowest that was published there. X-CUBE-AI takes 19.9, 5.2, 10.7 and 0.58
/// million cycles for the four networks (MLPerf Tiny v1.2), 2.4, 2.3, 3.4 and 1.8 times fewer.
inline constexpr CortexMRates cortex_m4{.dense = 54, .depthwise = 33, .linear = 30, .gather = 3, .output = 25, .element = 18};
/// The C that siena writes for a Cortex-M4 of that kind (`CTarget::cortex_m`). Estimated, not measured: from the instructions
/// that an emulator executes, by their classes, times 1.2 for the flash of that chip (linear layers 1.43).
inline constexpr CortexMRates cortex_m4_siena{
    .dense = 24, .depthwise = 4.1, .linear = 19, .gather = 0, .output = 18, .element = 15};
/// X-CUBE-AI on a Cortex-M7 (STM32H7A3, 280 MHz).
inline constexpr CortexMRates cortex_m7{.dense = 16, .depthwise = 20, .linear = 15, .gather = 2, .output = 13, .element = 9};

/// Clock cycles on a Cortex-M4 or M7 with DSP instructions, by the blocking of CMSIS-NN's int8 kernels: 2 pixels by 2 filters
/// at a time, patches gathered first (not for 1x1 at stride 1). With k kernel elements and P output pixels:
///   convolution  ceil(P/2) ceil(Cout/2) (dense ceil(k Cin / 4) + 4 output) + gather P k Cin, once per group
///   depthwise    P ceil(C/4) (depthwise k + 4 output)
///   linear       ceil(Cout/2) (linear ceil(Cin/4) + 2 output)
///   add, multiply, pool, batch norm that does not fold: element for each input element
///
/// Rough. `gather`, `output` and `element` are guessed from the instructions of the kernels; the rest is fitted to the networks
/// of MLPerf Tiny v1.0, closed division, which the model meets within 5 %: ResNet8 390 ms, DS-CNN 100, MobileNetV1 301 and the
/// autoencoder 8.6 on the M4 (OctoML, microTVM with CMSIS-NN), 54, 16.8, 50.7 and 1.83 on the M7 (STMicroelectronics). Other
/// boards wait differently for their flash: measure one network and scale. Left out: the slower path for odd channels, padding,
/// activations (clamped with the output), bit widths (all int8), caches. Custom layers pay as dense ones per MAC. For times see
/// `seconds`.
struct CortexM {
  Hertz clock = {};                ///< for bounds in time; one in cycles needs none
  CortexMRates rates = cortex_m4;  ///< of the core and the memory

  std::string_view name() const { return "cortex-m"; }
  std::string to_string() const {
    return format("cortex-m, rates {} {} {} {} {} {}", rates.dense, rates.depthwise, rates.linear, rates.gather, rates.output,
                  rates.element);
  }
  std::string_view unit() const { return "cycles"; }

  template <class N>
  N layer_cost(const LayerDesc<N>& layer) const {
    const N pixels = layer.out_height * layer.out_width;
    switch (layer.kind) {
      case LayerKind::conv2d: {
        const N patch = layer.taps() * layer.in_channels / layer.groups;
        const N block = ceil_div(patch, 4) * rates.dense + 4 * rates.output;
        const N products = ceil_div(layer.out_channels / layer.groups, 2) * block * ceil_div(pixels, 2);
        return (products + patch * (layer.pointwise() ? N(0) : pixels * rates.gather)) * layer.groups;
      }
      case LayerKind::depthwise_conv2d:
        return ceil_div(layer.filters(), 4) * (layer.taps() * rates.depthwise + 4 * rates.output) * pixels;
      case LayerKind::linear:
        return ceil_div(layer.out_channels, 2) * (ceil_div(layer.in_channels, 4) * rates.linear + 2 * rates.output) * pixels;
      case LayerKind::batch_norm:
        return layer.batch_norm_folded ? N(0) : layer.input_elements() * rates.element;
      case LayerKind::add:
      case LayerKind::multiply:
      case LayerKind::pool:
        return layer.input_elements() * rates.element;
      case LayerKind::other:
        return layer.own_macs * (rates.dense / 16);
      default:
        return 0;
    }
  }
};
static_assert(CostModel<CortexM>);

}  // namespace siena
