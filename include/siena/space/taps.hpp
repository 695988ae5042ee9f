// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <any>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "siena/autograd/ops/mask.hpp"
#include "siena/autograd/ops/structure.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/kernel_taps.hpp"
#include "siena/space/measured_mask.hpp"
#include "siena/space/searchable.hpp"

namespace siena {

/// The tap masks of a network: one chain of taps for each axis and direction of a kernel that may vary (arXiv 2203.14768), each
/// with one architecture parameter a step. A step is on as far as every alpha up to its own is above the threshold, so that
/// what is left is always a kernel: nearer taps outlive farther ones, coarser grids finer ones, and the anchor outlives all.
/// (Where the paper adds parameters up to make its masks monotone, `project` does.) Masks multiply the weights. The object
/// names parameters by index: it serves every copy of the network.
class TapMasks {
 public:
  /// Adds the parameters and gates to the network.
  TapMasks(Network& network, const MaskOptions& options) : kernels_(network.nodes().size()), options_(options) {
    for (int node = 0; node < static_cast<int>(network.nodes().size()); ++node) {
      const auto* axes = std::any_cast<SearchAxes>(&network.nodes()[node].decoration);
      if (axes != nullptr && (axes->receptive_field || axes->dilation)) add(network, node, *axes);
    }
  }

  const std::vector<TapChain>& chains() const { return chains_; }
  /// Index of a chain's parameter in the network.
  int parameter(int chain) const { return alphas_[chain].parameter(); }

  /// The steps of each chain that are on now.
  std::vector<int> kept(const Network& network) const {
    std::vector<int> steps;
    for (const MeasuredMask& mask : alphas_) {
      const Tensor on = ops::chain_mask(mask.alpha(network), options_.threshold);
      steps.push_back(static_cast<int>(std::count(on.row(0).begin(), on.row(0).end(), 1.0f)));
    }
    return steps;
  }
  /// Sets the masks: alpha 1 for the steps that stay, 0 for the rest.
  void select(Network& network, const std::vector<int>& steps) const {
    for (std::size_t c = 0; c < alphas_.size(); ++c) {
      const auto alpha = alphas_[c].alpha(network).row(0);
      std::fill(alpha.begin(), alpha.begin() + steps[c], 1.0f);
      std::fill(alpha.begin() + steps[c], alpha.end(), 0.0f);
    }
  }
  /// Alpha 0 for the steps behind those that stay.
  void switch_off(Network& network, const std::vector<int>& steps) const {
    for (std::size_t c = 0; c < alphas_.size(); ++c) {
      const auto alpha = alphas_[c].alpha(network).row(0);
      std::fill(alpha.begin() + steps[c], alpha.end(), 0.0f);
    }
  }
  /// Brings the alphas of every chain back to the nearest that fall from step to step, in [0, 1]: a step that is worth more
  /// than those before it holds them up, and they pull it down, until they are even (pool adjacent violators).
  void project(Network& network) const {
    for (const MeasuredMask& mask : alphas_) {
      const auto alpha = mask.alpha(network).row(0);
      struct Block {
        double sum;
        std::size_t count;
        double mean() const { return sum / static_cast<double>(count); }
      };
      std::vector<Block> blocks;
      for (const float a : alpha) {
        blocks.push_back({a, 1});
        while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() < blocks.back().mean()) {
          const Block last = blocks.back();
          blocks.pop_back();
          blocks.back() = {blocks.back().sum + last.sum, blocks.back().count + last.count};
        }
      }
      auto at = alpha.begin();
      for (const Block& block : blocks)
        at = std::fill_n(at, block.count, static_cast<float>(std::clamp(block.mean(), 0.0, 1.0)));
    }
  }

  /// Estimated rise of the task loss when the taps of a step go.
  double importance(const Network& network, int chain, int step) const { return alphas_[chain].importance(network, step); }
  /// For a step of training that computed only the taps that are on (see MeasuredMask::take_gradient).
  void take_gradient(Network& network, int chain, int on, const std::vector<float>& tangents, double batch) const {
    std::vector<bool> steps(tangents.size(), false);
    std::fill_n(steps.begin(), on, true);
    alphas_[chain].take_gradient(network, steps, tangents, batch, options_);
  }

  /// What the steps that stay leave of the kernel of a node; none where nothing of it may vary.
  std::optional<KernelCut> cut(int node, const std::vector<int>& steps) const {
    if (!kernels_[node]) return std::nullopt;
    SIENA_ASSERT(steps.size() == chains_.size());
    return KernelCut{kept_taps(*kernels_[node], true, steps), kept_taps(*kernels_[node], false, steps)};
  }
  /// The sizes of a kernel that may vary, before anything has left it.
  const kernels::ConvGeometry& geometry(int node) const { return kernels_[node]->geometry; }
  /// The chains of a node's kernel.
  std::vector<int> chains_of(int node) const { return kernels_[node] ? kernels_[node]->chains : std::vector<int>{}; }

  /// The step of a chain with which a tap of its kernel leaves, -1: it stays. Taps count row by row.
  int step_of(int chain, std::int64_t tap) const {
    const TapChain& c = chains_[chain];
    const int columns = kernels_[c.node]->geometry.kernel_width;
    return c.step_of(static_cast<int>(c.vertical ? tap / columns : tap % columns));
  }

  /// The number of taps of a node's kernel on a tape, as the cost sees it
  /// (slope 1 a tap: the cost's own slopes are chords already).
  Scalar live_taps(Tape& tape, Network& network, int node) const {
    Scalar product = 1;
    for (const bool vertical : {true, false}) {
      const int taps = taps_of(*kernels_[node], vertical);
      Var alive;
      for (const int c : kernels_[node]->chains) {
        if (chains_[c].vertical != vertical) continue;
        const Var alpha = tape.parameter(network.parameter(alphas_[c].parameter()));
        const Var mask = ops::binarize(alpha, ops::chain_mask(alpha.value(), options_.threshold));
        if (!alive) alive = tape.constant(Tensor(Shape{taps, 1}, 1.0f));
        alive = ops::mask_rows(alive, mask, [chain = chains_[c]](std::int64_t tap) -> std::int64_t {
          return chain.step_of(static_cast<int>(tap));
        });
      }
      product *= alive ? tape.scalar(ops::sum(alive)) : Scalar(taps);
    }
    return product;
  }

 private:
  struct SearchedKernel {
    kernels::ConvGeometry geometry;
    std::vector<int> chains;
  };

  class TapGate final : public Gate {
   public:
    TapGate(std::vector<std::pair<TapChain, MeasuredMask>> chains, const kernels::ConvGeometry& geometry,
            const MaskOptions& options)
        : chains_(std::move(chains)),
          rows_per_tap_(geometry.group_in_channels()),
          columns_(geometry.kernel_width),
          options_(options) {}

    Var apply(Forward& forward, const Var& weight) const override {
      Var masked = weight;
      const auto values = [&](const Tensor& alpha) { return ops::chain_mask(alpha, options_.threshold); };
      for (const auto& [chain, mask] : chains_) {
        masked = ops::mask_rows(masked, mask.measured(forward, options_, values),
                                [chain = chain, rows = rows_per_tap_, columns = columns_](std::int64_t row) -> std::int64_t {
                                  const std::int64_t tap = row / rows;
                                  return chain.step_of(static_cast<int>(chain.vertical ? tap / columns : tap % columns));
                                });
      }
      return masked;
    }

   private:
    std::vector<std::pair<TapChain, MeasuredMask>> chains_;
    std::int64_t rows_per_tap_, columns_;
    MaskOptions options_;
  };

  static int taps_of(const SearchedKernel& kernel, bool vertical) {
    return vertical ? kernel.geometry.kernel_height : kernel.geometry.kernel_width;
  }
  std::vector<int> kept_taps(const SearchedKernel& kernel, bool vertical, const std::vector<int>& steps) const {
    std::vector<int> kept;
    for (int tap = 0; tap < taps_of(kernel, vertical); ++tap) {
      const bool stays = std::all_of(kernel.chains.begin(), kernel.chains.end(), [&](int c) {
        return chains_[c].vertical != vertical || chains_[c].step_of(tap) < steps[c];
      });
      if (stays) kept.push_back(tap);
    }
    return kept;
  }

  void add(Network& network, int node, const SearchAxes& axes) {
    const Network::Node& layer = network.nodes()[node];
    const int minimum = axes.receptive_field.value_or(ReceptiveField{}).minimum;
    const Shape& in = network.nodes()[layer.inputs[0]].shape;
    const kernels::ConvGeometry geometry =
        convolution_of(layer.layer)->geometry({in.rank() == 3 ? in[0] : 1, in[-2], in[-1]}, layer.name);
    kernels_[node] = SearchedKernel{geometry, {}};
    for (const bool vertical : {true, false}) {
      const auto direction = vertical ? KernelDirection::rows(geometry) : KernelDirection::columns(geometry);
      std::optional<TapChain> field;
      if (axes.receptive_field) {
        field = TapChain::receptive_field(direction, minimum);
        add(network, node, vertical, *field);
      }
      if (axes.dilation) {
        const TapChain grid = TapChain::dilation(direction, field ? &*field : nullptr);
        add(network, node, vertical, grid);
      }
    }
    std::vector<std::pair<TapChain, MeasuredMask>> gated;
    for (const int c : kernels_[node]->chains) gated.emplace_back(chains_[c], alphas_[c]);
    if (gated.empty()) {
      kernels_[node].reset();
    } else {
      network.add_gate(node, std::make_shared<TapGate>(std::move(gated), geometry, options_));
    }
  }
  void add(Network& network, int node, bool vertical, TapChain chain) {
    if (chain.steps == 0) return;
    chain.node = node;
    chain.vertical = vertical;
    const bool image = network.nodes()[node].shape.rank() == 3;
    const std::string name = format("mask.{}.{}{}", network.nodes()[node].name,
                                    chain.axis == TapChain::Axis::dilation ? "dilation" : "receptive_field",
                                    image ? (vertical ? "_rows" : "_columns") : "");
    kernels_[node]->chains.push_back(static_cast<int>(chains_.size()));
    chains_.push_back(chain);
    alphas_.emplace_back(network, name, chain.steps);
  }
  std::vector<std::optional<SearchedKernel>> kernels_;  // by node
  std::vector<TapChain> chains_;
  std::vector<MeasuredMask> alphas_;
  MaskOptions options_;
};

}  // namespace siena
