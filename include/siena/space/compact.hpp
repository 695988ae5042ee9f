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

  /// The compact network with the values that `network` has now; built anew where its masks have
  /// changed, so that references to the one before become invalid.
  Network& update(const Network& network) {
    Selection selection = space_.selection(network);
    for (int c = 0; c < space_.choices().count(); ++c) selection.chosen[c] = space_.choices().decided(network, c);
    if (!current_ || !(selection == selection_)) {
      selection_ = std::move(selection);
      current_ = narrow(network, space_, selection_);
      find_readers(network);
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
    if (worth == Worth::measured) add_slopes(network, batch);
    for (const TensorCut& cut : current_->parameters) {
      for_each_kept(cut, network.parameter(cut.wide).grad, current_->network.parameter(cut.narrow).grad,
                    [](float& to, float from) { to += from; });
    }
    for (const TensorCut& cut : current_->buffers) {
      for_each_kept(cut, network.buffer(cut.wide), current_->network.buffer(cut.narrow),
                    [](float& to, float from) { to = from; });
    }
    current_->network.zero_grad();
  }

 private:
  struct Channel {
    int group;
    std::int64_t index;
  };
  struct Reader {
    int weight;                        // of the compact network
    std::vector<Channel> inputs;       // what its rows read, over and over; none: channels of their own, or frozen ones
    std::vector<std::int64_t> taps{};  // those of its kernel, where taps vary
    std::vector<int> chains{};         // that they obey
  };

  void find_readers(const Network& network) {
    readers_.clear();
    for (std::size_t i = 0; i < network.nodes().size(); ++i) {
      const Network::Node& node = network.nodes()[i];
      const int place = current_->nodes[i];
      if (node.gates.empty() || place < 0 || std::holds_alternative<Mixture>(node.layer)) continue;
      Reader reader{.weight = current_->network.nodes()[place].parameters[0], .inputs = {}};
      if (const auto cut = space_.taps().cut(static_cast<int>(i), selection_.taps)) {
        reader.taps = detail::kept_taps(*cut, space_.taps().geometry(static_cast<int>(i)).kernel_width);
        reader.chains = space_.taps().chains_of(static_cast<int>(i));
      }
      if (!ChannelMasks::reads_channels(network, static_cast<int>(i))) {
        readers_.push_back(std::move(reader));
        continue;
      }
      for (const ChannelRun& run : space_.masks().channels().runs(node.inputs[0])) {
        for (std::int64_t r = 0; r < run.repeat; ++r) {
          for (std::int64_t c = 0; c < run.channels; ++c) {
            if (selection_.keep[run.group][static_cast<std::size_t>(c)])
              reader.inputs.insert(reader.inputs.end(), static_cast<std::size_t>(run.width), {run.group, c});
          }
        }
      }
      readers_.push_back(std::move(reader));
    }
  }

  // A mask that is on scales the weights that obey it by 1: its gradient is their product with their own gradients.
  void add_slopes(Network& network, double batch) const {
    std::vector<std::vector<float>> channels, taps;
    for (const ChannelGroup& group : space_.masks().groups())
      channels.emplace_back(static_cast<std::size_t>(group.channels), 0.0f);
    for (const TapChain& chain : space_.taps().chains()) taps.emplace_back(static_cast<std::size_t>(chain.steps), 0.0f);
    for (const Reader& reader : readers_) {
      const Parameter& weight = current_->network.parameter(reader.weight);
      Buffer<float> dots(static_cast<std::size_t>(weight.value.rows()));
      kernels::row_dots<simd::native, float>(weight.value.rows(), weight.value.columns(), weight.value.storage(),
                                             weight.grad.storage(), std::span(dots.data(), dots.size()));
      for (std::size_t r = 0; r < dots.size() && !reader.inputs.empty(); ++r) {
        const Channel& from = reader.inputs[r % reader.inputs.size()];
        channels[from.group][static_cast<std::size_t>(from.index)] += dots[r];
      }
      for (std::size_t r = 0; r < dots.size() && !reader.taps.empty(); ++r) {
        const std::int64_t tap = reader.taps[r * reader.taps.size() / dots.size()];
        for (const int chain : reader.chains) {
          if (const int step = space_.taps().step_of(chain, tap); step >= 0) {
            taps[chain][static_cast<std::size_t>(step)] += dots[r];
          }
        }
      }
    }
    // All zero where the step did not compute their alternative: nothing was measured.
    const auto measured = [](const std::vector<float>& slopes) {
      return std::any_of(slopes.begin(), slopes.end(), [](float slope) { return slope != 0; });
    };
    for (std::size_t g = 0; g < channels.size(); ++g) {
      if (!measured(channels[g])) continue;
      space_.masks().take_gradient(network, static_cast<int>(g), selection_.keep[g], channels[g], batch);
    }
    for (std::size_t c = 0; c < taps.size(); ++c) {
      if (current_->nodes[space_.taps().chains()[c].node] < 0 || !measured(taps[c])) continue;
      space_.taps().take_gradient(network, static_cast<int>(c), selection_.taps[c], taps[c], batch);
    }
  }

  const SearchSpace& space_;
  Selection selection_;
  std::optional<Narrowed> current_;
  std::vector<Reader> readers_;
};

}  // namespace siena
