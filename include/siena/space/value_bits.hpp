// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "siena/cost/description.hpp"
#include "siena/nn/batch_norm_folding.hpp"
#include "siena/nn/network.hpp"

// How many bits the values between layers have.

namespace siena::detail {

/// Whether a node hands its inputs' values on, moved or some of them, and rounds nothing.
inline bool hands_values_on(const Network& network, int node) {
  const Layer& layer = network.nodes()[node].layer;
  if (layer.is<MaxPool>() || layer.is<Dropout>()) return true;
  LayerDesc<double> seen;
  visit_layer([&](const auto& own) { own.describe(seen, site_of(network, node)); }, layer);
  return seen.kind == LayerKind::rearrange || seen.kind == LayerKind::flatten || seen.kind == LayerKind::concat ||
         seen.kind == LayerKind::mixture;
}

/// Whether no number that a node hands on is below 0, whatever the weights.
inline bool never_below_zero(const std::vector<Graph::Node>& nodes, int node) {
  const Layer& layer = nodes[node].layer;
  if (const auto* clip = layer.get_if<Clip>()) return clip->low >= 0;
  if (const auto* levels = layer.get_if<FakeQuantize>()) return levels->from_zero();
  if (layer.is<Relu>() || layer.is<Sigmoid>() || layer.is<HardSigmoid>()) return true;
  const bool keeps = layer.is<MaxPool>() || layer.is<AvgPool>() || layer.is<GlobalAvgPool>() || layer.is<Flatten>() ||
                     layer.is<Dropout>() || layer.is<Add>() || layer.is<Concat>() || layer.is<Mixture>() || layer.is<Pad>() ||
                     layer.is<Upsample>() || layer.is<Slice>() || layer.is<ChannelShuffle>();
  const auto& inputs = nodes[node].inputs;
  return keeps && std::all_of(inputs.begin(), inputs.end(), [&](int input) { return never_below_zero(nodes, input); });
}

/// The greatest number that a layer makes.
inline double greatest(const Layer& layer) {
  const auto* clip = layer.get_if<Clip>();
  if (clip != nullptr) return std::max(std::abs(clip->low), std::abs(clip->high));
  return layer.is<Sigmoid>() || layer.is<HardSigmoid>() || layer.is<Tanh>() ? 1 : HUGE_VAL;
}
/// Whether it may vanish: a pool of single elements, which a Resolution may halve.
inline bool may_be_nothing(const Layer& layer) {
  const auto* pool = layer.get_if<AvgPool>();
  return pool != nullptr && pool->kernel == Size2(1);
}

/// Who reads the value of each node, by what its readers read in its place.
inline std::vector<std::vector<int>> readers_of(const Network& network, const std::vector<int>& sources) {
  std::vector<std::vector<int>> readers(network.nodes().size());
  for (int i = 0; i < static_cast<int>(readers.size()); ++i) {
    if (sources[i] != i) continue;
    for (const int input : network.nodes()[i].inputs) readers[sources[input]].push_back(i);
  }
  return readers;
}

/// Whether a layer is computed along with the one before it, which then makes its values: a batch norm that folds, a ReLU or a
/// clip behind sums, a quantiser.
inline bool joins_the_layer_before(const Network& network, const BatchNormFolding& folding, int maker, int reader) {
  const Layer &before = network.nodes()[maker].layer, &layer = network.nodes()[reader].layer;
  if (layer.is<BatchNorm>()) return folding.folded[reader];
  const bool sums = before.is<Conv1d>() || before.is<Conv2d>() || before.is<Linear>() || before.is<BatchNorm>() ||
                    before.is<GroupNorm>() || before.is<Add>() || before.is<Multiply>() || before.is<AvgPool>() ||
                    before.is<GlobalAvgPool>() || before.is<Mixture>();
  return layer.is<FakeQuantize>() || layer.is<Mixture>() || (sums && (layer.is<Relu>() || layer.is<Clip>()));
}

/// Bits of what each node hands on: of a FakeQuantize as `of` says; of what is computed with a FakeQuantize behind it, as that
/// has; of values that are moved, as they have; else 8.
template <class N>
std::vector<N> value_bits(const Network& network, const std::vector<int>& sources, const BatchNormFolding& folding,
                          const std::function<N(int node)>& of) {
  const auto& nodes = network.nodes();
  const int count = static_cast<int>(nodes.size());
  std::vector<N> bits(nodes.size(), N(8.0));
  std::vector<bool> rounded(nodes.size(), false);
  for (int i = 1; i < count; ++i) {
    if (sources[i] >= 0 && sources[i] != i) bits[i] = bits[sources[i]];
    if (sources[i] != i) continue;
    if (nodes[i].layer.is<FakeQuantize>()) {
      bits[i] = of ? of(i) : N(static_cast<double>(nodes[i].layer.get<FakeQuantize>().bits));
      rounded[i] = true;
    } else if (hands_values_on(network, i)) {
      bits[i] = bits[sources[nodes[i].inputs[0]]];
      for (const int input : nodes[i].inputs) bits[i] = max_of(bits[i], bits[sources[input]]);
      const auto is_rounded = [&](int input) { return rounded[sources[input]]; };
      rounded[i] = std::any_of(nodes[i].inputs.begin(), nodes[i].inputs.end(), is_rounded);
    }
  }
  const auto readers = readers_of(network, sources);
  for (int i = count - 1; i > 0; --i) {
    if (sources[i] != i || rounded[i] || readers[i].size() != 1) continue;
    if (joins_the_layer_before(network, folding, i, readers[i][0])) bits[i] = bits[readers[i][0]];
  }
  return bits;
}

}  // namespace siena::detail
