// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/deploy/integer/calibrate.hpp"
#include "siena/deploy/integer/operation_quantizer.hpp"
#include "siena/deploy/lower.hpp"

namespace siena::deploy::detail {

/// Takes the quantisers out of a lowered network, each into the value that it reads, and gives the ranges that they say, of
/// each value. ArgumentError where they do not say it of all that read it.
inline std::vector<std::optional<ValueRange>> take_levels(LoweredNetwork& network) {
  const auto readers = network.readers();
  std::vector<std::optional<ValueRange>> ranges(1);
  std::vector<int> places(network.values.size(), 0);
  std::vector<Value> values{network.values[0]};
  std::vector<Operation> kept;
  for (Operation& operation : network.operations) {
    for (int& input : operation.inputs) {
      const int value = std::exchange(input, places[input]);
      if (!is_any<primitive::Quantize>(operation.what)) continue;
      require<ArgumentError>(
          readers[value].size() == 1 && value != network.output,
          "quantize: '{}': expected a value that nothing else reads, got '{}' with {} readers; put FakeQuantize "
          "before it goes several ways",
          operation.name, values[input].name, readers[value].size() + (value == network.output));
    }
    const int place = operation.inputs[0];
    if (const auto* levels = std::get_if<primitive::Quantize>(&operation.what)) {
      const bool computed = place > 0 && !moves(kept[place - 1].what);
      const bool whole = levels->low == -128 && levels->high == 127;
      require<ArgumentError>(!ranges[place] && (computed || (place == 0 && whole)),
                             "quantize: '{}': expected the input, of 8 bits, or what an operation computes, once, got '{}'",
                             operation.name, values[place].name);
      const auto number = [&](int q) { return levels->scale * (q - levels->zero_point); };
      ranges[place] = {number(-128), number(127)};
      if (!whole) {  // fewer levels of the same step
        primitive::Clamp& range = kept[place - 1].range;
        range = {std::max(range.low, number(levels->low)), std::min(range.high, number(levels->high))};
      }
      places[operation.output] = place;
      continue;
    }
    const auto made = static_cast<int>(values.size());
    places[operation.output] = made;
    values.push_back(std::move(network.values[operation.output]));
    ranges.emplace_back();
    operation.output = made;
    kept.push_back(std::move(operation));
  }
  network = {std::move(values), std::move(kept), places[network.output]};
  return ranges;
}

/// A value that integers round and of which nothing says the levels; -1: there is none.
inline int unknown_value(const LoweredNetwork& network, std::span<const std::optional<ValueRange>> levels) {
  for (std::size_t v = 0; v < levels.size(); ++v)
    if (!levels[v] && (v == 0 || !moves(network.operations[v - 1].what))) return static_cast<int>(v);
  return -1;
}
/// Those ranges, where all are there; else ArgumentError.
inline std::vector<ValueRange> all_levels(const LoweredNetwork& network, std::span<const std::optional<ValueRange>> levels) {
  const int unknown = unknown_value(network, levels);
  require<ArgumentError>(unknown < 0,
                         "quantize: expected calibration data, or FakeQuantize behind all that is computed, got neither behind "
                         "'{}'; hint: quantization_aware puts them there",
                         unknown < 0 ? "" : network.values[unknown].name);
  std::vector<ValueRange> ranges;
  for (const std::optional<ValueRange>& range : levels) ranges.push_back(range.value_or(ValueRange()));
  return ranges;
}

}  // namespace siena::deploy::detail
