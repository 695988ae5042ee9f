// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What it takes to write networks in another form: one reader of the list of operations.

#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>

#include "siena/deploy/lower.hpp"

namespace siena::test {

/// Multiply-adds for one sample, by the convention of the literature: of convolutions and matrices alone.
inline std::int64_t multiply_adds(const deploy::Operation& operation) {
  if (const auto* convolution = std::get_if<primitive::Convolution>(&operation.what)) return convolution->geometry.macs();
  return std::holds_alternative<primitive::Linear>(operation.what) ? operation.constants[0].value.elements() : 0;
}

inline std::string name_of(const Primitive& what) {
  static const char* const names[] = {"convolution", "linear", "fixed norm", "sample norm", "clamp",        "curve",
                                      "prelu",       "add",    "multiply",   "max pool",    "average pool", "concat",
                                      "slice",       "pad",    "upsample",   "shuffle",     "reshape",      "quantize"};
  static_assert(std::size(names) == std::variant_size_v<Primitive>, "a name for every operation");
  return names[what.index()];
}

/// A line an operation: "conv2d_1: convolution of input 8x8x3 -> relu_1 8x8x4, at least 0, 1728 multiply-adds".
inline std::string listing(const deploy::LoweredNetwork& network) {
  std::string text;
  for (const deploy::Operation& operation : network.operations) {
    text += operation.name + ": " + name_of(operation.what) + " of ";
    for (const int input : operation.inputs) text += format("{} {}, ", network.values[input].name, network.values[input].shape);
    text.erase(text.size() - 2);
    text += format(" -> {} {}", network.values[operation.output].name, network.output_shape(operation));
    if (std::isfinite(operation.range.low)) text += format(", at least {}", operation.range.low);
    if (std::isfinite(operation.range.high)) text += format(", at most {}", operation.range.high);
    if (const std::int64_t count = multiply_adds(operation); count > 0) text += format(", {} multiply-adds", count);
    text += "\n";
  }
  return text;
}

}  // namespace siena::test
