// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "siena/cost/description.hpp"

namespace siena {

namespace detail {

/// What becomes of a layer: `vanishes`, as if it had not been, or `fuses` with whoever makes what it reads.
enum class Fate { stays, vanishes, fuses };

/// Leaves layers out of an architecture: who read them reads what they read.
template <class N>
class LayerFusion {
 public:
  explicit LayerFusion(const Architecture<N>& network) : network_(network), readers_(network.layers.size(), 0) {
    for (std::size_t i = 0; i < network.layers.size(); ++i)
      for (const int producer : producers(i)) readers_[at(producer)] += producer < 0 ? 0 : 1;
  }

  /// By `fate(layer, before)`. `before`: who makes what the layer reads, if nobody else reads that and nothing has fused with
  /// it.
  template <class F>
  Architecture<N> run(F&& fate) {
    Architecture<N> result;
    std::vector<int> places;   // in the new architecture
    std::vector<bool> alone;   // whether nobody but through this layer reads what it hands on
    std::vector<bool> behind;  // whether something has fused with each of its layers
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      LayerDesc<N> layer = network_.layers[i];
      layer.producers = producers(i);
      const int first = layer.producers.empty() ? -1 : layer.producers[0];
      const bool own = first >= 0 && readers_[at(first)] == 1 && alone[at(first)];
      for (int& producer : layer.producers) producer = producer < 0 ? -1 : places[at(producer)];
      const int place = layer.producers.empty() ? -1 : layer.producers[0];
      const bool free = own && place >= 0 && !behind[at(place)];
      const Fate its = fate(layer, free ? &result.layers[at(place)] : nullptr);
      alone.push_back(its == Fate::stays || own);
      if (its == Fate::stays) {
        places.push_back(static_cast<int>(result.layers.size()));
        behind.push_back(false);
        result.layers.push_back(std::move(layer));
        continue;
      }
      if (its == Fate::fuses && place >= 0) behind[at(place)] = true;
      places.push_back(place);
    }
    return result;
  }

 private:
  static std::size_t at(int index) { return static_cast<std::size_t>(index < 0 ? 0 : index); }
  std::vector<int> producers(std::size_t i) const {
    const auto& named = network_.layers[i].producers;
    return named.empty() ? std::vector<int>{static_cast<int>(i) - 1} : named;
  }

  const Architecture<N>& network_;
  std::vector<int> readers_;  // of each layer's output
};

/// Whoever makes a value holds it in its range where that is not all of 8 bits: of fewer bits, or a ReLU's part of levels that
/// begin below 0. That is a clip. (A table holds what it says.)
template <class N>
Architecture<N> with_ranges_held(Architecture<N> network) {
  auto& layers = network.layers;
  const auto producer = [&](int i) { return layers[i].producers.empty() ? i - 1 : layers[i].producers[0]; };
  for (int i = 0; i < static_cast<int>(layers.size()); ++i) {
    if (layers[i].operation != "fake_quantize") continue;
    int maker = producer(i);
    const auto hands_on = [](const LayerDesc<N>& layer) {
      return (layer.kind == LayerKind::batch_norm && layer.batch_norm_folded) || layer.operation == "dropout";
    };
    while (maker >= 0 && hands_on(layers[maker])) maker = producer(maker);
    if (maker < 0) continue;
    const bool few = value_of(layers[i].output_bits) < 8, relu = layers[maker].operation == "relu";
    if (few ? relu || layers[maker].kind != LayerKind::activation : relu && layers[i].signed_levels)
      layers[maker].operation = "clip";
  }
  return network;
}

}  // namespace detail

/// The layers that remain where a network runs with integers (deploy::quantize): norms that fold, dropouts and fake quantisers
/// are gone; ReLUs and clips are held by the layer before them (its `operation` says so), if nobody else reads that. What is
/// left of a norm, and a depthwise convolution of 1 x 1, scale each element: they are batch norms here. Of one channel they,
/// and depthwise convolutions, are ordinary ones. Values take a byte each, however few levels they have.
template <class N>
Architecture<N> as_deployed(const Architecture<N>& network) {
  using Desc = LayerDesc<N>;
  const Architecture<N> held = detail::with_ranges_held(network);
  return detail::LayerFusion<N>(held).run([](Desc& layer, Desc* before) {
    layer.input_bits = layer.output_bits = 8;
    const bool scales = layer.kind == LayerKind::depthwise_conv2d && layer.pointwise() && layer.multiplier == 1 &&
                        layer.in_height == layer.out_height && layer.in_width == layer.out_width;
    if (scales) layer.kind = LayerKind::batch_norm, layer.batch_norm_folded = false;
    const bool norm = layer.kind == LayerKind::batch_norm && !layer.batch_norm_folded;
    if (value_of(layer.in_channels) == 1 && (norm || layer.kind == LayerKind::depthwise_conv2d)) {
      layer.kind = norm && layer.in_height * layer.in_width == 1.0 ? LayerKind::linear : LayerKind::conv2d;
      layer.out_channels = layer.in_channels * double(layer.multiplier);
    }
    if (layer.kind == LayerKind::batch_norm && layer.batch_norm_folded) return detail::Fate::vanishes;
    if (layer.kind != LayerKind::activation) return detail::Fate::stays;
    if (layer.operation == "dropout") return detail::Fate::vanishes;
    if (layer.operation == "fake_quantize") return detail::Fate::fuses;  // what comes behind meets whole levels
    if (before == nullptr || (layer.operation != "relu" && layer.operation != "clip")) return detail::Fate::stays;
    const bool holds = before->has_weights() || before->kind == LayerKind::batch_norm || before->kind == LayerKind::add ||
                       before->kind == LayerKind::multiply ||
                       (before->kind == LayerKind::pool && before->operation != "max_pool");
    if (!holds) return detail::Fate::stays;
    before->operation = layer.operation;
    return detail::Fate::fuses;
  });
}

}  // namespace siena
