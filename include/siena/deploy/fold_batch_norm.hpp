// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "siena/deploy/plain.hpp"
#include "siena/nn/batch_norm_folding.hpp"
#include "siena/nn/rewire.hpp"

namespace siena::deploy {

namespace detail {
inline Layer with_bias(const Layer& layer) {
  return altered(layer, []<class L>(L& own) {
    if constexpr (takes_batch_norm<L>) own.bias = true;
  });
}

/// Scales and shifts what `weight` (... x channels) and `bias` compute as a batch norm of `network` does in inference mode.
inline void fold(const Network& network, const Network::Node& batch_norm, Tensor& weight, Tensor& bias) {
  const auto gamma = network.parameter(batch_norm.parameters[0]).value.row(0);
  const auto beta = network.parameter(batch_norm.parameters[1]).value.row(0);
  const auto mean = network.buffer(batch_norm.buffers[0]).row(0), variance = network.buffer(batch_norm.buffers[1]).row(0);
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double scale = gamma[c] / std::sqrt(variance[c] + batch_norm.layer.get<BatchNorm>().epsilon);
    for (std::int64_t r = 0; r < weight.rows(); ++r) weight.row(r)[c] = static_cast<float>(weight.row(r)[c] * scale);
    bias.row(0)[c] = static_cast<float>((bias.row(0)[c] - double{mean[c]}) * scale + beta[c]);
  }
}
}  // namespace detail

/// The same function in inference mode (to rounding) with batch norms folded into the convolution or linear layer before them,
/// which gets a bias where it had none, one batch norm after the other where there are several; other layers, values and names
/// stay, and what may vary. A batch norm stays where nothing right before it has weights (after an add, a concat, an
/// activation), or where someone else reads what that layer computes: folding would change it for them too. The description of
/// a network counts on the same (LayerDesc::batch_norm_folded). For plain networks: ArgumentError where masks or alternatives
/// are left.
inline Network fold_batch_norm(const Network& network) {
  require_plain(network, "fold_batch_norm");
  const auto& nodes = network.nodes();
  std::vector<int> sources(nodes.size());
  std::iota(sources.begin(), sources.end(), 0);
  const std::vector<bool> folds = batch_norm_folding(network, sources).folded;
  std::vector<std::vector<int>> batch_norms(nodes.size());  // that a layer takes over, in order
  std::vector<Layer> layers;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    layers.push_back(nodes[i].layer);
    if (!folds[i]) continue;
    if (!nodes[i].layer.is<BatchNorm>()) {
      layers.back() = detail::with_bias(nodes[i].layer);
    } else {
      sources[i] = sources[nodes[i].inputs[0]];
      batch_norms[sources[i]].push_back(static_cast<int>(i));
    }
  }
  Rewired graph = rewire(network, std::move(layers), sources);
  Network& folded = graph.network;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (graph.nodes[i] < 0) continue;
    const Network::Node& to = folded.nodes()[graph.nodes[i]];
    for (std::size_t p = 0; p < nodes[i].parameters.size(); ++p) {
      folded.parameter(to.parameters[p]).value = network.parameter(nodes[i].parameters[p]).value;
    }
    for (std::size_t b = 0; b < nodes[i].buffers.size(); ++b)
      folded.buffer(to.buffers[b]) = network.buffer(nodes[i].buffers[b]);
    for (const int batch_norm : batch_norms[i]) {
      detail::fold(network, nodes[batch_norm], folded.parameter(to.parameters[0]).value,
                   folded.parameter(to.parameters[1]).value);
    }
  }
  return std::move(graph.network);
}

}  // namespace siena::deploy
