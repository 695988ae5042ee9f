// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/deploy/integer/calibrate.hpp"
#include "siena/deploy/integer/operation_quantizer.hpp"
#include "siena/deploy/lower.hpp"

namespace siena::deploy::detail {

/// Whether a network was trained with the levels of its integers.
inline bool knows_levels(const LoweredNetwork& network) {
  return std::any_of(network.operations.begin(), network.operations.end(),
                     [](const Operation& operation) { return is_any<primitive::Quantize>(operation.what); });
}

/// Takes the quantisers out of a lowered network, each into the value that it reads, and gives the ranges that they say.
/// ArgumentError where they do not say it of every value that integers round, or not of all that read it.
inline std::vector<ValueRange> take_levels(LoweredNetwork& network) {
  const auto readers = network.readers();
  std::vector<ValueRange> ranges(1);
  std::vector<bool> known(1, false);
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
      require<ArgumentError>(!known[place] && (computed || (place == 0 && whole)),
                             "quantize: '{}': expected the input, of 8 bits, or what an operation computes, once, got '{}'",
                             operation.name, values[place].name);
      const auto number = [&](int q) { return levels->scale * (q - levels->zero_point); };
      ranges[place] = {number(-128), number(127)};
      known[place] = true;
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
    ranges.push_back({}), known.push_back(moves(operation.what));
    operation.output = made;
    kept.push_back(std::move(operation));
  }
  const auto unknown = std::find(known.begin(), known.end(), false);
  require<ArgumentError>(unknown == known.end(),
                         "quantize: expected FakeQuantize behind all that is computed, or nowhere, got none behind '{}'; hint: "
                         "quantization_aware puts them there",
                         unknown == known.end() ? "" : values[static_cast<std::size_t>(unknown - known.begin())].name);
  network = {std::move(values), std::move(kept), places[network.output]};
  return ranges;
}

}  // namespace siena::deploy::detail
