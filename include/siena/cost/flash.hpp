// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/cost/as_deployed.hpp"
#include "siena/cost/code_size.hpp"
#include "siena/cost/code_sizes.hpp"
#include "siena/cost/cost_model.hpp"
#include "siena/cost/packed_code.hpp"
#include "siena/cost/packed_weights.hpp"

namespace siena {

/// Bytes that a network takes in flash as the C of deploy::c_source: weights of 8, 4 or 2 bits (`packed_bits`; those that only
/// scale each element, of 8), a bias and a multiplier of 32 bits for each output channel, which bits a filter has where that
/// differs, with what fills up bytes and, for Cortex-M, pairs of filters and words of inputs; tables of activations; and code,
/// a function for each distinct shape and width, by what was measured. Left out: names of classes, what makes inputs of
/// bytes, and what is not the network's (start-up code, main, the library). Tables are exact. Code is rather too much than too
/// little, and has no slope: where a layer comes to have the shape of another one, or one with less code, the price falls by
/// that.
struct Flash {
  CodeSize code = code_portable;

  std::string_view name() const { return "flash"; }
  std::string_view unit() const { return "B"; }
  std::string to_string() const {
    return format("{}, {}, {}", name(), code.target == CTarget::portable ? "portable" : "cortex-m", code.measured_with);
  }

  template <class N>
  N network_cost(const Architecture<N>& network) const {
    const Architecture<N> deployed = as_deployed(network);
    const Architecture<double> plain = convert<double>(deployed);
    const auto is_concat = [](const auto& layer) { return layer.kind == LayerKind::concat; };
    const bool concats = std::any_of(plain.layers.begin(), plain.layers.end(), is_concat);
    std::vector<Function<N>> functions;
    std::array<bool, 5> shared{true};
    bool unpacks = false;
    N sum = 0;
    for (std::size_t i = 0; i < plain.layers.size(); ++i) {
      const LayerDesc<double>& layer = plain.layers[i];
      const N& presence = deployed.layers[i].presence;
      const N own = tables(deployed.layers[i]);
      sum += (own + filling(value_of(own))) * presence;
      const CodeParts parts = code_parts(layer, code.target);
      if (parts.kind == CodeKind::none || layer.presence == 0) continue;
      const bool holds = detail::may_hold(layer, concats);
      const bool packs = parts.packed.any;
      sum += presence * (code.call_of(layer, parts, holds) + (packs ? packing().call : 0.0));
      call(functions, {key_of(layer), packs ? packing().bytes_of(layer, parts, code) : code.function(parts), presence});
      unpacks = unpacks || parts.packed.calls;
      const auto uses = detail::shared_code(layer, code.target, holds);
      for (std::size_t k = 0; k < shared.size(); ++k) shared[k] = shared[k] || uses[k];
    }
    for (const Function<N>& function : functions) sum += function.presence * function.bytes;
    for (std::size_t k = 0; k < shared.size(); ++k) sum += shared[k] ? code.once(k) : 0.0;
    if (unpacks) sum += packing().shared;
    return sum;
  }
  /// Of one layer.
  template <class N>
  N tables(const LayerDesc<N>& layer) const {
    switch (layer.kind) {
      case LayerKind::conv2d:
      case LayerKind::linear:
      case LayerKind::depthwise_conv2d:
        return of_filters(layer);
      case LayerKind::batch_norm:
        return layer.in_channels * 9.0;
      case LayerKind::activation:
        return value_of(layer.own_weights) > 1 ? layer.own_weights * 4.0 : N(256);
      case LayerKind::other:  // a slope for each channel; of one channel, a table
        return value_of(layer.own_weights) == 1 ? N(256) : N(layer.own_weights * 4.0);
      case LayerKind::pool:
        return layer.operation != "max_pool" && windows_differ(layer) ? layer.kernel_height * layer.kernel_width * 4.0 : 0.0;
      default:
        return 0;
    }
  }

 private:
  bool cortex() const { return code.target == CTarget::cortex_m; }
  const PackedCode& packing() const { return cortex() ? packed_cortex_m : packed_portable; }
  /// Whether the code for Cortex-M computes pairs of filters.
  bool pairs(LayerKind kind) const { return cortex() && kind != LayerKind::depthwise_conv2d; }

  /// Of a layer with weights: those of each width, and which filter has which.
  template <class N>
  N of_filters(const LayerDesc<N>& layer) const {
    const auto slices = packed_slices(layer, cortex());
    N sum = 0, widest = 0, places = 0;
    for (const auto& [bits, filters] : slices) {
      const N whole = max_of(filters, 1.0), part = min_of(1.0, filters);  // as `layer_total` counts slices
      const N stored = slices.size() == 1 ? padded(layer, filters) : N(padded(layer, whole) * part);
      sum += stored * ((layer.repeated ? N(0) : filter_bytes(layer, bits)) + 8.0);
      widest = max_of(widest, filters);
      places += stored;
    }
    const N differ = min_of(1.0, layer.filters() - widest);
    if (slices.size() == 1 || value_of(differ) <= 0) return sum;
    const double place = value_of(layer.out_channels) > 256 ? 4 : 1;
    return sum + differ * (pairs(layer.kind) ? places * place : N(ceil_div(layer.filters(), 4)));
  }
  /// Filters, those that fill up pairs included.
  template <class N>
  N padded(const LayerDesc<N>& layer, const N& filters) const {
    return pairs(layer.kind) ? N(ceil_div(filters / layer.groups, 2) * 2.0 * layer.groups) : filters;
  }
  /// Bytes of the weights of one filter. The slope to the bits is that of weights in proportion to them.
  template <class N>
  N filter_bytes(const LayerDesc<N>& layer, const N& bits) const {
    const double width = value_of(bits), rows = layer.kernel_height, columns = layer.kernel_width;
    if (width <= 0) return 0;
    const bool product = layer.kind == LayerKind::linear || layer.pointwise();
    const bool run = !product && layer.dilation_width == 1 && layer.groups == 1.0;
    const N inputs = layer.kind == LayerKind::depthwise_conv2d ? N(1) : N(layer.in_channels / layer.groups);
    const N bytes = pairs(layer.kind)
                        ? N(ceil_div(inputs * (run ? columns : 1.0), 16 / width) * (2 * rows * (run ? 1 : columns)))
                    : width == 8 ? N(inputs * (rows * columns))
                                 : ceil_div(inputs * (rows * columns), 8 / width);
    return bytes * (bits / width);
  }
  /// What a function depends on, with the widths of packed weights: those that unpack by a call do so for any width.
  std::optional<LayerDesc<double>> key_of(const LayerDesc<double>& layer) const {
    std::optional<LayerDesc<double>> key = function_of(layer);
    if (!key || !packs(layer, code.target)) return key;
    const auto widths = packed_widths(layer, code.target);
    key->weight_bits = 0;
    for (const auto& slice : widths) key->weight_bits += slice.bits;
    if (!pairs(layer.kind)) key->weight_bits = widths.size() > 1 ? 3 : 2;
    if (pairs(layer.kind) && widths.size() > 1) key->slices = widths;
    return key;
  }
  /// Tables begin at words.
  static double filling(double bytes) { return std::ceil(bytes / 4) * 4 - bytes; }
  /// There if one of the layers that share it is.
  template <class N>
  struct Function {
    std::optional<LayerDesc<double>> of;
    double bytes;
    N presence;
  };
  template <class N>
  static void call(std::vector<Function<N>>& functions, Function<N> own) {
    for (Function<N>& function : functions) {
      if (!own.of || function.of != own.of) continue;
      function.presence = max_of(function.presence, own.presence);
      return;
    }
    functions.push_back(std::move(own));
  }
};
static_assert(CostModel<Flash>);

}  // namespace siena
