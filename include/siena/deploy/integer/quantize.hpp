// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/tensor.hpp"
#include "siena/data/augment.hpp"
#include "siena/data/dataset.hpp"
#include "siena/deploy/integer/calibrate.hpp"
#include "siena/deploy/integer/equalize.hpp"
#include "siena/deploy/integer/levels.hpp"
#include "siena/deploy/integer/network.hpp"
#include "siena/deploy/integer/operation_quantizer.hpp"
#include "siena/deploy/lower.hpp"

namespace siena::deploy {

struct QuantizeOptions {
  CalibrationOptions calibration = {};
  bool equalize = false;  ///< channels of one value are scaled to one range first, where the layers around it allow it
};

namespace detail {

/// What a concat puts side by side gets the concat's range, where nobody else reads it: then it only copies.
inline void share_ranges(const LoweredNetwork& network, std::vector<ValueRange>& ranges) {
  const auto readers = network.readers();
  for (std::size_t i = network.operations.size(); i-- > 0;) {
    const Operation& operation = network.operations[i];
    if (!is_any<primitive::Concat>(operation.what)) continue;
    for (const int input : operation.inputs) {
      const bool own = input > 0 && readers[input].size() == 1 && !moves(network.operations[input - 1].what);
      if (own) ranges[input] = ranges[operation.output];
    }
  }
}

/// Samples of a dataset as a network sees them, so many to a batch.
inline std::vector<Tensor> batches_of(const data::Dataset& dataset, std::int64_t size) {
  const data::Renderer renderer(dataset);
  std::vector<Tensor> batches;
  for (std::int64_t first = 0; first < dataset.size(); first += size) {
    const std::int64_t count = std::min(size, dataset.size() - first);
    Tensor& batch = batches.emplace_back(dataset.shape().batch(count));
    const auto each = static_cast<std::size_t>(renderer.size());
    for (std::int64_t k = 0; k < count; ++k)
      renderer.render(first + k, {}, batch.storage().subspan(static_cast<std::size_t>(k) * each, each));
  }
  return batches;
}

/// The integers of a lowered network whose values have these ranges.
inline IntegerNetwork quantize(const LoweredNetwork& network, std::span<const ValueRange> ranges) {
  IntegerNetwork result{.values = {}, .operations = {}, .output = network.output};
  for (std::size_t v = 0; v < network.values.size(); ++v) {
    const auto& [name, shape] = network.values[v];
    result.values.push_back({name, shape, ranges[v].scale(), ranges[v].zero_point()});
  }
  for (const Operation& operation : network.operations) {
    for (const Constant& constant : operation.constants)
      require<DataError>(constant.value.finite(), "quantize: '{}': expected finite numbers in '{}', got NaN or infinity",
                         operation.name, constant.name);
    IntegerValue& made = result.values[operation.output];
    const IntegerValue& read = result.values[operation.inputs[0]];
    if (moves(operation.what)) made.scale = read.scale, made.zero_point = read.zero_point;
    result.operations.push_back(OperationQuantizer(operation, result).run());
  }
  return result;
}

}  // namespace detail

/// The network of integers that stands for a plain network in inference mode: batch norms folded; weights of 8 bits, or as many
/// as their layer says, symmetric, with a scale for each output channel; values of 8 bits with the scale and zero point that
/// calibration data say: batches of inputs as the network sees them (N x its input shape), some hundred samples of the training
/// part. Throws ArgumentError, with
/// the layer, for what integers cannot compute (norms by the spread of each sample) and for sums that might not fit into 32
/// bits, and as `lower` and `calibrate` do. Where a network was trained with the levels of its integers (`quantization_aware`,
/// ActivationBits) it says scales and zero points itself.
inline IntegerNetwork quantize(const Network& network, std::span<const Tensor> batches, const QuantizeOptions& options = {}) {
  LoweredNetwork lowered = lower(network);
  const std::vector<std::optional<ValueRange>> levels = detail::take_levels(lowered);
  if (detail::unknown_value(lowered, levels) < 0) return detail::quantize(lowered, detail::all_levels(lowered, levels));
  const auto known = [](const auto& range) { return range.has_value(); };
  if (options.equalize && std::none_of(levels.begin(), levels.end(), known)) equalize(lowered, batches);
  std::vector<ValueRange> ranges = calibrate(lowered, batches, options.calibration);
  detail::share_ranges(lowered, ranges);
  for (std::size_t v = 0; v < ranges.size(); ++v) ranges[v] = levels[v].value_or(ranges[v]);
  return detail::quantize(lowered, ranges);
}
/// Of a network that was trained with all levels of its integers; ArgumentError for others.
inline IntegerNetwork quantize(const Network& network) {
  LoweredNetwork lowered = lower(network);
  const std::vector<std::optional<ValueRange>> levels = detail::take_levels(lowered);
  return detail::quantize(lowered, detail::all_levels(lowered, levels));
}
/// With the samples of a dataset, normalised as it says.
inline IntegerNetwork quantize(const Network& network, const data::Dataset& samples, const QuantizeOptions& options = {}) {
  require<ShapeError>(samples.shape() == network.input_shape(), "quantize: expected samples of {}, got {}",
                      network.input_shape(), samples.shape());
  return quantize(network, detail::batches_of(samples, 64), options);
}

/// A sample as the network sees it, in floats without padding, as the integers that stand for it.
inline std::vector<std::int8_t> quantize_input(const IntegerNetwork& network, std::span<const float> sample) {
  std::vector<std::int8_t> result(sample.size());
  std::transform(sample.begin(), sample.end(), result.begin(),
                 [&](float number) { return network.input_value().nearest(number); });
  return result;
}
/// The numbers that the integers of an output stand for.
inline std::vector<float> dequantize_output(const IntegerNetwork& network, std::span<const std::int8_t> output) {
  const IntegerValue& value = network.output_value();
  std::vector<float> result(output.size());
  std::transform(output.begin(), output.end(), result.begin(),
                 [&](std::int8_t q) { return static_cast<float>(value.scale * (q - value.zero_point)); });
  return result;
}

}  // namespace siena::deploy
