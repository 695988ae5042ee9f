// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/tensor.hpp"
#include "siena/data/dataset.hpp"
#include "siena/deploy/fold_batch_norm.hpp"
#include "siena/deploy/integer/calibrate.hpp"
#include "siena/deploy/integer/levels.hpp"
#include "siena/deploy/integer/quantize.hpp"
#include "siena/deploy/lower.hpp"

namespace siena::deploy {

struct QuantizationAwareOptions {
  CalibrationOptions calibration = {};  ///< of the scales that training begins with
  int weight_bits = 8;                  ///< of layers that do not say it themselves
  bool learn_scales = false;            ///< of values, as parameters (FakeQuantize::learned); else they stay as calibrated
};

namespace detail {

/// Puts quantisers into a network without batch norms that fold.
class QuantizationAware {
 public:
  QuantizationAware(const Network& folded, const QuantizationAwareOptions& options)
      : folded_(folded), options_(options), levels_(folded.nodes().size()) {}

  /// Behind what each value of the lowered network is made by, if integers round it.
  void place(const LoweredNetwork& lowered, std::span<const ValueRange> ranges) {
    std::map<std::string, std::size_t> nodes;
    for (std::size_t i = 0; i < folded_.nodes().size(); ++i) nodes[folded_.nodes()[i].name] = i;
    for (std::size_t v = 0; v < lowered.values.size(); ++v) {
      if (v > 0 && moves(lowered.operations[v - 1].what)) continue;
      const auto node = nodes.find(lowered.values[v].name);
      require<ArgumentError>(
          node != nodes.end(),
          "quantization_aware: '{}': expected layers of one operation each, got one of several; their values in "
          "between have no place for a FakeQuantize",
          lowered.values[v].name);
      levels_[node->second] =
          FakeQuantize{.scale = ranges[v].scale(), .zero_point = ranges[v].zero_point(), .learned = options_.learn_scales};
    }
  }

  Network build() const {
    const auto& nodes = folded_.nodes();
    std::vector<int> own(nodes.size(), 0), read(nodes.size(), 0);  // where each node is, and what its readers read
    Network network(
        folded_.input_shape(),
        [&](const Flow& input) {
          NetworkBuilder& builder = *input.builder();
          builder.rename(0, nodes[0].name);
          for (std::size_t i = 0; i < nodes.size(); ++i) {
            std::vector<int> inputs;
            for (const int k : nodes[i].inputs) inputs.push_back(read[k]);
            if (i > 0) {
              own[i] = builder.append(coarse(nodes[i].layer), std::move(inputs), nodes[i].decoration);
              builder.rename(own[i], nodes[i].name);
            }
            read[i] = levels_[i] ? builder.append(*levels_[i], {own[i]}, {}) : own[i];
            if (levels_[i]) builder.rename(read[i], nodes[i].name + ".levels");
          }
          return Flow(&builder, read[folded_.output()]);
        },
        std::nullopt);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const Network::Node& to = network.nodes()[own[i]];
      for (std::size_t p = 0; p < nodes[i].parameters.size(); ++p)
        network.parameter(to.parameters[p]).value = folded_.parameter(nodes[i].parameters[p]).value;
      for (std::size_t b = 0; b < nodes[i].buffers.size(); ++b)
        network.buffer(to.buffers[b]) = folded_.buffer(nodes[i].buffers[b]);
      if (!levels_[i]) continue;
      for (const int scale : network.nodes()[read[i]].parameters)
        network.parameter(scale).value.fill(static_cast<float>(levels_[i]->scale));
    }
    return network;
  }

 private:
  Layer coarse(const Layer& layer) const {
    return altered(layer, [&](auto& own) {
      if constexpr (requires { own.weight_bits; }) {
        if (own.weight_bits.none()) own.weight_bits = options_.weight_bits;
      }
    });
  }

  const Network& folded_;
  const QuantizationAwareOptions& options_;
  std::vector<std::optional<FakeQuantize>> levels_;  // behind each node
};

}  // namespace detail

/// The network to fine-tune so that it loses least as integers: batch norms folded as they are deployed, weights of few bits,
/// and behind each value that the integer network rounds a FakeQuantize of the range that calibration data say (batches of
/// inputs, as `quantize` takes them). Trained with `fit`, at a low rate, it predicts what `quantize` of it computes. Throws
/// ArgumentError for a network that has such layers already and for layers of users that are several operations, and as
/// `lower` and `calibrate` do.
inline Network quantization_aware(const Network& network, std::span<const Tensor> batches,
                                  const QuantizationAwareOptions& options = {}) {
  const Network folded = fold_batch_norm(network);
  const LoweredNetwork lowered = lower(folded);
  require<ArgumentError>(!detail::knows_levels(lowered),
                         "quantization_aware: expected a network without FakeQuantize, got one that has them already");
  std::vector<ValueRange> ranges = calibrate(lowered, batches, options.calibration);
  detail::share_ranges(lowered, ranges);
  detail::QuantizationAware aware(folded, options);
  aware.place(lowered, ranges);
  return aware.build();
}
/// With the samples of a dataset, normalised as it says.
inline Network quantization_aware(const Network& network, const data::Dataset& samples,
                                  const QuantizationAwareOptions& options = {}) {
  require<ShapeError>(samples.shape() == network.input_shape(), "quantization_aware: expected samples of {}, got {}",
                      network.input_shape(), samples.shape());
  return quantization_aware(network, detail::batches_of(samples, 64), options);
}

}  // namespace siena::deploy
