// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "siena/cost/cost_model.hpp"

namespace siena {

namespace detail {

/// Where the values of a network lie, and who reads them when. Value i + 1 is made by layer i; value 0 is the input of the
/// network.
template <class N>
class ActivationSchedule {
 public:
  /// A value or a layer, with the probability that it is the one.
  struct Share {
    int index;
    N weight;
  };
  using Shares = std::vector<Share>;

  explicit ActivationSchedule(const Architecture<N>& network)
      : layers_(network.layers), places_(layers_.size() + 1), readers_(places_.size()), over_(layers_.size()) {
    places_[0] = {{0, 1}};
    std::vector<bool> read(places_.size(), false);
    const int end = static_cast<int>(layers_.size());
    for (int i = 0; i < end; ++i) {
      const std::vector<int> values = values_read(layers_[i].producers, i);
      for (const int value : values) read[value] = true;
      if (value_of(layers_[i].presence) != 0) place(i, values);
    }
    for (int value = 1; value <= end; ++value) {  // what nobody reads is an output, and stays
      if (!read[value]) add_reader(places_[value], end, 1);
    }
  }

  /// Whether layer i is there and has a value of its own, not a view of others.
  bool makes_value(int i) const { return places_[i + 1].size() == 1 && places_[i + 1][0].index == i + 1; }
  /// Whether layer i writes its value over this one.
  bool replaces(int i, int value) const {
    const auto over = [&](const Share& share) { return share.index == value; };
    return std::any_of(over_[i].begin(), over_[i].end(), over) && readers_[value].back().index == i;
  }
  /// The probability that layer i, or one after it, is there to read a value that has been made.
  N needed(int value, int i) const {
    N readers = 0;
    for (const Share& reader : readers_[value]) readers += reader.index >= i ? reader.weight : N(0);
    return min_of(presence(value), readers);
  }
  bool in_memory(int value, int i) const { return !readers_[value].empty() && readers_[value].back().index >= i; }
  N presence(int value) const { return value == 0 ? N(1) : layers_[value - 1].presence; }

  static std::vector<int> values_read(const std::vector<int>& producers, int i) {
    if (producers.empty()) return {i};
    std::vector<int> values;
    for (const int producer : producers) values.push_back(producer + 1);
    return values;
  }

 private:
  void place(int i, const std::vector<int>& values) {
    const LayerDesc<N>& layer = layers_[i];
    if (layer.kind == LayerKind::mixture) {
      places_[i + 1] = mixture(layer, values);
      return;
    }
    std::vector<const Shares*> inputs;  // of those that are there
    for (const int value : values) {
      if (!places_[value].empty()) inputs.push_back(&places_[value]);
    }
    for (const Shares* input : inputs) add_reader(*input, i, layer.presence);
    const bool of_two = layer.kind == LayerKind::add || layer.kind == LayerKind::multiply;
    // A flatten is a view, and a sum of one summand hands it on.
    const bool view = (layer.kind == LayerKind::flatten || of_two) && inputs.size() == 1;
    if (layer.works_in_place() && !view && !inputs.empty()) over_[i] = *inputs[0];
    places_[i + 1] = view ? *inputs[0] : Shares{{i + 1, layer.presence}};
  }
  /// A mixture lies where its producers do, each by its presence. The input of a choice is there anyhow: it comes first, so the
  /// producers after it go first and leave it the rest.
  Shares mixture(const LayerDesc<N>& layer, std::vector<int> values) const {
    std::sort(values.rbegin(), values.rend());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    Shares shares;
    N rest = layer.presence;
    for (const int value : values) {
      const N taken = min_of(presence(value), rest);
      if (places_[value].empty() || value_of(taken) <= 0) continue;
      for (const Share& share : places_[value]) shares.push_back({share.index, share.weight * (taken / presence(value))});
      rest -= taken;
    }
    return shares;
  }
  void add_reader(const Shares& values, int layer, const N& presence) {
    for (const Share& value : values) readers_[value.index].push_back({layer, min_of(value.weight, presence)});
  }

  const std::vector<LayerDesc<N>>& layers_;
  std::vector<Shares> places_;   // of each value: those in whose memory it lies
  std::vector<Shares> readers_;  // of each value with memory: layers, in order; their number for whoever takes the output
  std::vector<Shares> over_;     // of each layer: what it may write over
};

/// Bytes of the input of a network, by a layer that reads nothing else; where there is none, by what a concat is left with.
template <class N>
N input_bytes(const Architecture<N>& network) {
  N bytes = 0;
  for (int i = 0; i < static_cast<int>(network.layers.size()); ++i) {
    const LayerDesc<N>& layer = network.layers[i];
    const auto values = ActivationSchedule<N>::values_read(layer.producers, i);
    const auto times = std::count(values.begin(), values.end(), 0);
    if (times == 0) continue;
    const bool shared = layer.kind == LayerKind::concat;
    N channels = layer.in_channels;
    for (const int value : values) channels -= shared && value > 0 ? network.layers[value - 1].filters() : N(0);
    if (shared) channels /= static_cast<double>(times);
    const bool one_each = layer.per_channel && values[0] != 0;  // read as the second input
    bytes = channels * (one_each ? N(1) : layer.in_height * layer.in_width) * (layer.input_bits / 8.0);
    if (!shared) break;
  }
  return bytes;
}

}  // namespace detail

/// Largest number of bytes that activations take while a network runs, one layer after the other as it is described: a layer's
/// inputs and its output are in memory together, and a value stays until its last reader has run, so a residual connection is
/// kept. As deployed code does, activations, dropouts and batch norms write over their input where it is not read again, adds
/// and products over their first (LayerDesc::in_place); flatten costs nothing. Values take output_bits (8 unless the precision
/// is searched). A layer that names no producers reads the one before; a value that nobody reads is an output and stays. Left
/// out: buffers within a layer (patches), how values are packed, weights.
///
/// A layer of presence 0 is not there: it neither makes nor keeps a value, and an add or concat does without it (an add of one
/// summand hands it on). A mixture hands on its producers without a copy. In between, a value counts by the probability that it
/// was made and will still be read, min(its presence, the sum of its readers'), which is exact for 0 and 1.
///
/// The value is the exact peak. Its slope is shared by all moments within 5 % of it, in proportion to how far they reach into
/// those: the slope of the largest alone would drop one tensor and find the next just below.
struct PeakMemory {
  std::string_view name() const { return "peak memory"; }
  std::string_view unit() const { return "B"; }

  template <class N>
  N network_cost(const Architecture<N>& network) const {
    const std::vector<N> bytes = moments(network);
    double peak = 0, sum = 0;
    for (const N& moment : bytes) peak = std::max(peak, value_of(moment));
    const auto weight = [&](const N& moment) { return std::max(0.0, value_of(moment) - (1 - band) * peak); };
    for (const N& moment : bytes) sum += weight(moment);
    N result = peak;
    for (const N& moment : bytes) {
      if (weight(moment) > 0) result += with_slope(moment, 0, weight(moment) / sum);
    }
    return result;
  }

  /// Bytes in memory while each layer runs, where it makes a value of its own.
  template <class N>
  static std::vector<N> moments(const Architecture<N>& network) {
    const detail::ActivationSchedule<N> schedule(network);
    std::vector<N> sizes{detail::input_bytes(network)}, moments;
    for (const auto& layer : network.layers) sizes.push_back(layer.output_elements() * (layer.output_bits / 8.0));
    for (int i = 0; i < static_cast<int>(network.layers.size()); ++i) {
      if (!schedule.makes_value(i)) continue;
      N others = 0, replaced = 0;
      for (int value = 0; value <= i; ++value) {
        if (!schedule.in_memory(value, i)) continue;
        (schedule.replaces(i, value) ? replaced : others) += sizes[value] * schedule.needed(value, i);
      }
      moments.push_back(others + max_of(sizes[i + 1] * schedule.presence(i + 1), replaced));
    }
    return moments;
  }

 private:
  static constexpr double band = 0.05;
};
static_assert(CostModel<PeakMemory>);

}  // namespace siena
