// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "siena/core/buffer.hpp"
#include "siena/kernels/reductions.hpp"
#include "siena/nn/coarse_weights.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/narrow.hpp"
#include "siena/space/search_space.hpp"

namespace siena {

/// The network of the channels and taps that are on, trained in the place of a masked network: it computes what that
/// computes (but that dropout and samples of choices draw other numbers), without the channels that are off and the
/// alternatives that were decided against. Masked channels are read by nobody, so outputs and the gradients of all
/// that stays are the same (to rounding), and what is off has no gradient but that of its mask: there the estimate of
/// what the channel is worth stays as it was when it was last on. Each step: `update`, a forward and a backward pass
/// through the network that it returns, `return_gradients`.
class CompactNetwork {
 public:
  /// For a network and its space, or copies of that network. Both must outlive this object.
  explicit CompactNetwork(const SearchSpace& space) : space_(space) {}
  explicit CompactNetwork(const SearchSpace&&) = delete;  // it would refer to what is gone

  /// The compact network with the values that `network` has now; built anew where its masks have
  /// changed, so that references to the one before become invalid.
  Network& update(const Network& network, Mode mode = Mode::training) {
    Selection selection = space_.computed(network, mode);
    if (!current_ || !(selection == selection_)) {
      selection_ = std::move(selection);
      current_ = narrow(network, space_, selection_);
    }
    bring_over(network, *current_);
    return current_->network;
  }

  /// That of the last update.
  Network& network() { return current_->network; }

  /// Whether a step tells what channels and taps are worth.
  enum class Worth { measured, kept };

  /// Adds the gradients that a backward pass has left in the compact network to those of `network`, the
  /// slopes of the masks included, and hands running statistics back. `batch`: samples behind the
  /// gradients. Leaves the compact network's gradients at 0.
  void return_gradients(Network& network, double batch, Worth worth = Worth::measured) {
    require<ArgumentError>(current_.has_value(),
                           "CompactNetwork: expected an update and a step before return_gradients, got none");
    if (worth == Worth::measured) {
      const std::vector<NodeSlopes> its = slopes(network);
      for (std::size_t a = 0; a < space_.axes().size(); ++a) space_.axes()[a]->take_slopes(network, selection_[a], its, batch);
    }
    for (const TensorCut& cut : current_->parameters) {
      for_each_kept(cut, network.parameter(cut.wide).grad, current_->network.parameter(cut.narrow).grad,
                    [](float& to, float from) { to += from; });
    }
    for (const TensorCut& cut : current_->buffers) {
      if (cut.measures && worth == Worth::kept) continue;
      for_each_kept(cut, network.buffer(cut.wide), current_->network.buffer(cut.narrow),
                    [](float& to, float from) { to = from; });
    }
    current_->network.zero_grad();
  }

 private:
  std::vector<NodeSlopes> slopes(const Network& network) const {
    std::vector<NodeSlopes> slopes(network.nodes().size());
    const auto columns_of = [&](int parameter) -> std::span<const ColumnRun> {
      const auto& cuts = current_->parameters;
      return std::find_if(cuts.begin(), cuts.end(), [&](const auto& cut) { return cut.wide == parameter; })->columns;
    };
    for (std::size_t i = 0; i < network.nodes().size(); ++i) {
      const int place = current_->nodes[i];
      if (network.nodes()[i].gates.empty() || place < 0) continue;
      const Network::Node& node = current_->network.nodes()[place];
      if (!node.gates.empty()) continue;  // it gates itself
      const Parameter& weight = current_->network.parameter(node.parameters[0]);
      slopes[i].weights = &weight, slopes[i].columns = columns_of(network.nodes()[i].parameters[0]);
      const Tensor& w = weight.value;
      slopes[i].rows.resize(static_cast<std::size_t>(w.rows()));
      const std::span rows(slopes[i].rows);
      const WeightBits bits = weight_bits_of(node.layer);
      if (bits.none()) {
        kernels::row_dots<simd::native, float>(w.rows(), w.columns(), w.storage(), weight.grad.storage(), rows);
        continue;
      }
      slopes[i].sizes = kernels::column_sizes<simd::native, float>(w.rows(), w.columns(), w.storage());
      const auto levels = kernels::column_levels<float>(slopes[i].sizes, bits.of(w.columns()));
      kernels::level_row_dots<simd::native, float>(w.rows(), w.columns(), w.storage(), levels, weight.grad.storage(), rows);
    }
    return slopes;
  }

  const SearchSpace& space_;
  Selection selection_;
  std::optional<Narrowed> current_;
};

}  // namespace siena
