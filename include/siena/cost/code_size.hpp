// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>

#include "siena/cost/code_parts.hpp"
#include "siena/cost/code_target.hpp"
#include "siena/cost/description.hpp"

namespace siena {

/// Bytes of flash and of stack that the C of deploy::c_source takes, by what it is made of: fitted to many networks, so that
/// hardly any takes more and the sum of what is too much is least (`./dev code-sizes`). Bytes are numbers for each part of
/// CodeParts.
struct CodeSize {
  static constexpr std::size_t kinds = static_cast<std::size_t>(CodeKind::count);
  using Numbers = std::array<double, CodeParts::most>;
  using Kinds = std::array<double, kinds>;

  CTarget target = CTarget::portable;
  std::string_view measured_with;
  /// Of a network: always; where numbers are held in a range; rows are widened to 16 bits, filled, turned in a ring.
  std::array<double, 5> network;
  Kinds call;                       ///< a call of a function
  double call_part, call_hold;      ///< more for each input of a concat; for numbers that are held in a range
  std::array<Numbers, kinds> code;  ///< a function
  double run_stack;                 ///< bytes of the stack, of the run; more where it calls a kind
  Kinds call_stack;
  std::array<Numbers, kinds> stack;  ///< of a function, with all that it calls

  /// Of a layer's function; 0 for one that needs none.
  double function(const CodeParts& parts) const { return std::max(0.0, whole(sum(code, parts))); }
  double function_stack(const CodeParts& parts) const { return std::max(0.0, sum(stack, parts)) + parts.stack; }
  /// Of what there is once: entry k of `network`.
  double once(std::size_t k) const { return whole(network[k]); }
  /// `holds`: its numbers may have to be held in a range.
  double call_of(const LayerDesc<double>& layer, const CodeParts& parts, bool holds = false) const {
    const double inputs = parts.kind == CodeKind::concat ? static_cast<double>(layer.producers.size()) : 0;
    return whole(call[at(parts.kind)] + call_part * inputs + (holds ? call_hold : 0));
  }
  static constexpr std::size_t at(CodeKind kind) { return static_cast<std::size_t>(kind); }

 private:
  static double whole(double bytes) { return std::ceil(bytes - 1e-9); }
  static double sum(const std::array<Numbers, kinds>& numbers, const CodeParts& parts) {
    double bytes = 0;
    for (std::size_t i = 0; i < parts.size; ++i) bytes += numbers[at(parts.kind)][i] * parts.counts[i];
    return bytes;
  }
};

namespace detail {

/// What a network has of which there is one function for all layers, in the order of CodeSize::network.
inline std::array<bool, 5> shared_code(const LayerDesc<double>& layer, CTarget target, bool may_hold) {
  const bool cortex = target == CTarget::cortex_m && layer.has_weights();
  const bool depthwise = layer.kind == LayerKind::depthwise_conv2d;
  const bool rows = layer.is_convolution() && !depthwise && !layer.pointwise();
  const bool rings = rows && (layer.kernel_height - 1) * layer.dilation_height + 1 > layer.stride_height;
  return {true, may_hold, cortex && !depthwise, cortex && (depthwise || rows), cortex && rings};
}

/// Whether an operation may have to hold its numbers in a range that is not all that 8 bits have: a clip, or a ReLU whose scale
/// is that of a concat.
inline bool may_hold(const LayerDesc<double>& layer, bool concats) {
  return layer.kind != LayerKind::activation && (layer.operation == "clip" || (layer.operation == "relu" && concats));
}

}  // namespace detail

}  // namespace siena
