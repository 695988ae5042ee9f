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
#include "siena/nn/insert.hpp"

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

  /// Behind what each value of the lowered network is made by, if integers round it and it has no levels yet.
  void place(const LoweredNetwork& lowered, std::span<const ValueRange> ranges) {
    std::map<std::string, std::size_t> nodes;
    for (std::size_t i = 0; i < folded_.nodes().size(); ++i) nodes[folded_.nodes()[i].name] = i;
    const auto readers = lowered.readers();
    const auto gives_levels = [&](int operation) { return is_any<primitive::Quantize>(lowered.operations[operation].what); };
    for (std::size_t v = 0; v < lowered.values.size(); ++v) {
      if (v > 0 && (moves(lowered.operations[v - 1].what) || gives_levels(static_cast<int>(v) - 1))) continue;
      if (std::any_of(readers[v].begin(), readers[v].end(), gives_levels)) continue;
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
    std::vector<std::optional<Insertion>> levels(levels_.size());
    for (std::size_t i = 0; i < levels.size(); ++i)
      if (levels_[i]) levels[i] = Insertion{*levels_[i]};
    Inserted aware = insert_behind(folded_, levels, ".levels");
    for (std::size_t i = 1; i < levels.size(); ++i) {
      const Network::Node& node = aware.network.nodes()[aware.nodes[i]];
      aware.network.set_options(aware.nodes[i], coarse(node.layer), Decoration(node.decoration));
    }
    return std::move(aware.network);
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
/// inputs, as `quantize` takes them), or the one that is there. Trained with `fit`, at a low rate, it predicts what `quantize`
/// of it computes. Throws ArgumentError for layers of users that are several operations, and as `lower` and `calibrate` do.
inline Network quantization_aware(const Network& network, std::span<const Tensor> batches,
                                  const QuantizationAwareOptions& options = {}) {
  const Network folded = fold_batch_norm(network);
  const LoweredNetwork lowered = lower(folded);
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
