// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/autograd/ops/mask.hpp"
#include "siena/autograd/ops/structure.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/axis.hpp"
#include "siena/space/kernel_taps.hpp"
#include "siena/space/measured_mask.hpp"

namespace siena {

/// The tap masks of a network: one chain of taps for each axis and direction of a kernel that may vary (arXiv 2203.14768), each
/// with one architecture parameter a step. A step is on as far as every alpha up to its own is above the threshold, so that
/// what is left is always a kernel: nearer taps outlive farther ones, coarser grids finer ones, and the anchor outlives all.
/// (Where the paper adds parameters up to make its masks monotone, `project` does.) Masks multiply the weights. The object
/// names parameters by index: it serves every copy of the network.
class TapMasks final : public AxisHooks {
 public:
  static constexpr int order = 1;

  /// Adds the parameters and gates to the network.
  explicit TapMasks(Network& network, const SpaceOptions& options = {})
      : kernels_(network.nodes().size()), options_(options.masks) {
    for (int node = 0; node < static_cast<int>(network.nodes().size()); ++node) {
      const Decoration& decoration = network.nodes()[node].decoration;
      const auto* field = spec_of<ReceptiveField>(decoration);
      const auto* dilation = spec_of<Dilation>(decoration);
      if (field != nullptr || dilation != nullptr) add(network, node, field, dilation);
    }
  }

  const std::vector<TapChain>& chains() const { return chains_; }
  /// Index of a chain's parameter in the network.
  int parameter(int chain) const { return alphas_[chain].parameter(); }

  std::string_view name() const override { return "taps"; }
  AxisState whole() const override {
    AxisState all;
    for (const TapChain& chain : chains_) all.push_back({chain.steps});
    return all;
  }
  AxisState smallest() const override { return AxisState(chains_.size(), {0}); }
  bool varies() const override { return !chains_.empty(); }
  /// The steps of each chain that are on now.
  AxisState state(const Network& network) const override {
    AxisState steps;
    for (const MeasuredMask& mask : alphas_) {
      const Tensor on = ops::chain_mask(mask.alpha(network), options_.threshold);
      steps.push_back({static_cast<int>(std::count(on.row(0).begin(), on.row(0).end(), 1.0f))});
    }
    return steps;
  }
  /// Sets the masks: alpha 1 for the steps that stay, 0 for the rest.
  void select(Network& network, const AxisState& steps) const override {
    for (std::size_t c = 0; c < alphas_.size(); ++c) {
      const auto alpha = alphas_[c].alpha(network).row(0);
      std::fill(alpha.begin(), alpha.begin() + steps[c][0], 1.0f);
      std::fill(alpha.begin() + steps[c][0], alpha.end(), 0.0f);
    }
  }
  /// Alpha 0 for the steps behind those that stay.
  void switch_off(Network& network, const AxisState& steps) const override {
    for (std::size_t c = 0; c < alphas_.size(); ++c) {
      const auto alpha = alphas_[c].alpha(network).row(0);
      std::fill(alpha.begin() + steps[c][0], alpha.end(), 0.0f);
    }
  }
  /// Brings the alphas of every chain back to the nearest that fall from step to step, in [0, 1].
  void project(Network& network) const override {
    for (const MeasuredMask& mask : alphas_) fall_from_step_to_step(mask.alpha(network).row(0));
  }

  /// Estimated rise of the task loss when the taps of a step go.
  double importance(const Network& network, int chain, int step) const { return alphas_[chain].importance(network, step); }
  /// Moves of 1 to 16 steps of a chain, each worth what its taps are.
  void for_each_move(const Network& network, const Selection&, AxisState& state, Direction direction,
                     const TakeMove& take) const override {
    const bool away = direction == Direction::away;
    for (int c = 0; c < static_cast<int>(chains_.size()); ++c) {
      AxisMove move;
      int& steps = state[c][0];
      const int before = steps;
      const int spare = away ? steps : chains_[c].steps - steps;
      for (std::int64_t i = 0; i < std::min<std::int64_t>(spare, longest_move); ++i) {
        move.worth += importance(network, c, away ? steps - 1 : steps);
        steps += away ? -1 : 1;
        ++move.size, ++move.steps;
        if (!take(move)) break;
      }
      steps = before;
    }
  }
  std::vector<AxisSite> sites() const override {
    std::vector<AxisSite> all;
    for (int node = 0; node < static_cast<int>(kernels_.size()); ++node) {
      if (!kernels_[node]) continue;
      AxisSite& site = all.emplace_back(AxisSite{.node = node});
      for (const int c : kernels_[node]->chains) site.parts.push_back({.index = c, .values = chains_[c].steps + 1});
    }
    return all;
  }
  /// So many that each kernel takes every size it can have.
  std::vector<AxisState> operations(const Network&, const AxisState&) const override {
    std::vector<AxisState> all;
    for (int number = 0, most = 1; number < most; ++number) {
      std::vector<int> sizes(kernels_.size(), 1);  // of a kernel by the chains so far: digits of the number
      AxisState& steps = all.emplace_back();
      for (const TapChain& chain : chains_) {
        steps.push_back({number / sizes[chain.node] % (chain.steps + 1)});
        sizes[chain.node] *= chain.steps + 1;
        most = std::max(most, sizes[chain.node]);
      }
    }
    return all;
  }

  void vary(const Network&, const AxisState& steps, Variation<double>& variation) const override {
    variation.kernel = [this, &steps](int node) -> std::optional<KernelSize<double>> {
      const auto left = cut(node, steps);
      return left ? std::optional(size_of<double>(*left)) : std::nullopt;
    };
  }
  /// With the number of taps that are on as a sum of binary masks on the tape.
  void vary(Tape& tape, Network& network, Variation<Scalar>& variation) const override {
    variation.kernel = [this, &tape, &network, steps = state(network)](int node) -> std::optional<KernelSize<Scalar>> {
      const auto left = cut(node, steps);
      if (!left) return std::nullopt;
      auto size = size_of<Scalar>(*left);
      size.live_taps = live_taps(tape, network, node);
      return size;
    };
  }
  void narrow(const Network&, const AxisState& steps, Narrowing& narrowing) const override {
    for (int node = 0; node < static_cast<int>(kernels_.size()); ++node) {
      const auto left = cut(node, steps);
      if (!left) continue;
      const kernels::ConvGeometry& geometry = kernels_[node]->geometry;
      Layer& layer = narrowing.layers[node];
      const Conv2d conv = narrowed_kernel(*convolution_of(layer), geometry, *left);
      set_convolution(layer, conv);
      narrowing.taps[node] = taps_of(node, *left);
    }
  }
  /// A mask that is on scales the rows of its taps by 1: its gradient is the sum of theirs.
  void take_slopes(Network& network, const AxisState& steps, const std::vector<NodeSlopes>& slopes,
                   double batch) const override {
    std::vector<std::vector<float>> sums;
    for (const TapChain& chain : chains_) sums.emplace_back(static_cast<std::size_t>(chain.steps), 0.0f);
    for (int node = 0; node < static_cast<int>(kernels_.size()); ++node) {
      const auto left = cut(node, steps);
      if (!left || slopes[node].rows.empty()) continue;
      const std::vector<std::int64_t> taps = taps_of(node, *left);
      for (std::size_t r = 0; r < slopes[node].rows.size(); ++r) {
        const std::int64_t tap = taps[r * taps.size() / slopes[node].rows.size()];
        for (const int chain : kernels_[node]->chains) {
          if (const int step = step_of(chain, tap); step >= 0)
            sums[chain][static_cast<std::size_t>(step)] += slopes[node].rows[r];
        }
      }
    }
    for (std::size_t c = 0; c < sums.size(); ++c) {
      if (slopes[chains_[c].node].rows.empty() || !is_measured(sums[c])) continue;
      std::vector<int> on(sums[c].size(), 0);
      std::fill_n(on.begin(), steps[c][0], 1);
      alphas_[c].take_gradient(network, on, sums[c], batch, options_);
    }
  }
  /// "kernel 1x1 to 5x5"
  std::string freedom(const Network& network, int node) const override {
    const auto least = cut(node, smallest());
    if (!least) return {};
    const Size2 full = convolution_of(network.nodes()[node].layer)->kernel;
    if (network.nodes()[node].shape.rank() == 2) return format("kernel {} to {}", least->columns.size(), full.width);
    return format("kernel {}x{} to {}x{}", least->rows.size(), least->columns.size(), full.height, full.width);
  }

  /// What the steps that stay leave of the kernel of a node; none where nothing of it may vary.
  std::optional<KernelCut> cut(int node, const AxisState& steps) const {
    if (!kernels_[node]) return std::nullopt;
    SIENA_ASSERT(steps.size() == chains_.size());
    return KernelCut{kept_taps(*kernels_[node], true, steps), kept_taps(*kernels_[node], false, steps)};
  }
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
  std::vector<int> kept_taps(const SearchedKernel& kernel, bool vertical, const AxisState& steps) const {
    std::vector<int> kept;
    for (int tap = 0; tap < taps_of(kernel, vertical); ++tap) {
      const bool stays = std::all_of(kernel.chains.begin(), kernel.chains.end(), [&](int c) {
        return chains_[c].vertical != vertical || chains_[c].step_of(tap) < steps[c][0];
      });
      if (stays) kept.push_back(tap);
    }
    return kept;
  }

  template <class N>
  static KernelSize<N> size_of(const KernelCut& left) {
    const auto distance = [](const std::vector<int>& kept) { return kept.size() > 1 ? kept[1] - kept[0] : 1; };
    KernelSize<N> size;
    size.height = static_cast<int>(left.rows.size()), size.width = static_cast<int>(left.columns.size());
    size.first_row = left.rows.front(), size.first_column = left.columns.front();
    size.row_distance = distance(left.rows), size.column_distance = distance(left.columns);
    return size;
  }
  /// Positions of the taps that stay, row by row of the kernel.
  std::vector<std::int64_t> taps_of(int node, const KernelCut& left) const {
    std::vector<std::int64_t> taps;
    for (const int row : left.rows) {
      for (const int column : left.columns) taps.push_back(row * kernels_[node]->geometry.kernel_width + column);
    }
    return taps;
  }

  void add(Network& network, int node, const ReceptiveField* its_field, const Dilation* its_dilation) {
    const Network::Node& layer = network.nodes()[node];
    const Shape& in = network.nodes()[layer.inputs[0]].shape;
    const kernels::ConvGeometry geometry =
        convolution_of(layer.layer)->geometry({in.rank() == 3 ? in[0] : 1, in[-2], in[-1]}, layer.name);
    kernels_[node] = SearchedKernel{geometry, {}};
    for (const bool vertical : {true, false}) {
      const auto direction = vertical ? KernelDirection::rows(geometry) : KernelDirection::columns(geometry);
      std::optional<TapChain> field;
      if (its_field != nullptr) {
        field = TapChain::receptive_field(direction, its_field->minimum);
        add(network, node, vertical, *field);
      }
      if (its_dilation != nullptr) {
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
