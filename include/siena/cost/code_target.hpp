// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "siena/cost/description.hpp"

namespace siena {

/// Whose instructions the C of a network uses: none in particular, or those of Cortex-M where it has the DSP extension.
enum class CTarget { portable, cortex_m };

/// Whether the C for Cortex-M computes a layer with code of its own. Others have the portable code, which takes each element
/// by itself or does not work in place, and no scratch memory.
template <class N>
bool has_cortex_body(const LayerDesc<N>& layer) {
  return layer.has_weights() || layer.kind == LayerKind::add;
}

/// What the function of a layer depends on: layers that are equal in it share one function. Nothing where each has its own.
template <class N>
std::optional<LayerDesc<double>> function_of(const LayerDesc<N>& from) {
  if (from.kind == LayerKind::concat || from.kind == LayerKind::rearrange) return std::nullopt;
  LayerDesc<double> layer = convert<double>(from);
  layer.name.clear(), layer.node = -1, layer.producers.clear();
  layer.batch_norm_folded = layer.repeated = layer.bias = false;
  layer.presence = 1, layer.slices.clear(), layer.weight_bits = layer.input_bits = layer.output_bits = 8;
  layer.operation = layer.kind == LayerKind::activation ? (layer.own_weights > 1 ? "prelu" : "table")
                    : layer.operation == "max_pool"     ? "max_pool"
                                                        : "";
  if (layer.kind == LayerKind::depthwise_conv2d) layer.groups = 1;
  if (layer.kind != LayerKind::depthwise_conv2d) layer.multiplier = 1;
  if (layer.kernel_height == 1) layer.dilation_height = 1;
  if (layer.kernel_width == 1) layer.dilation_width = 1;
  layer.live_taps.reset(), layer.in_place.reset();
  return layer;
}

/// Whether some windows see more pixels of the image than others.
template <class N>
bool windows_differ(const LayerDesc<N>& layer) {
  const auto differ = [](double outputs, double inputs, int kernel, int stride, int dilation, int pad) {
    const auto seen = [&](double o) {
      int count = 0;
      for (int k = 0; k < kernel; ++k) {
        const double at = o * stride + k * double(dilation) - pad;
        count += at >= 0 && at < inputs ? 1 : 0;
      }
      return count;
    };
    for (double o = 1; o < outputs; ++o)
      if (seen(o) != seen(0)) return true;
    return false;
  };
  return differ(value_of(layer.out_height), value_of(layer.in_height), layer.kernel_height, layer.stride_height,
                layer.dilation_height, layer.pad_top) ||
         differ(value_of(layer.out_width), value_of(layer.in_width), layer.kernel_width, layer.stride_width,
                layer.dilation_width, layer.pad_left);
}

}  // namespace siena
