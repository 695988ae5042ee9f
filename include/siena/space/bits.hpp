// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <any>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/autograd/ops/mask.hpp"
#include "siena/autograd/ops/mixture.hpp"
#include "siena/nn/coarse_weights.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/axis.hpp"
#include "siena/space/groups.hpp"
#include "siena/space/measured_mask.hpp"
#include "siena/space/searchable.hpp"
#include "siena/space/width_chain.hpp"

namespace siena {

class BitMasks;

/// The axis "with how many bits a layer computes with its weights": `Searchable{Conv2d{.out = 16}, Channels{}, Bits{}}`. None
/// at all is what Channels are for.
struct Bits {
  using Axis = BitMasks;
  /// Whether all of a layer's weights have as many, or each output channel its own.
  enum class Per { layer, channel };

  std::vector<int> weights = {2, 4, 8};  ///< the widths to choose from, each 2 to 8
  Per per = Per::layer;                  ///< what chooses for itself

  static constexpr std::string_view name = "bits";
  static void attributes(auto& self, auto&& visit) {
    visit("weights", self.weights);
    bool per_channel = self.per == Per::channel;
    visit("per_channel", per_channel);
    if constexpr (!std::is_const_v<std::remove_reference_t<decltype(self)>>) self.per = per_channel ? Per::channel : Per::layer;
  }
  void check(const Layer& layer, std::string_view where) const {
    const bool can = visit_layer([]<class L>(const L&) { return has_weight_bits<L>; }, layer);
    require<ArgumentError>(
        can, "{}: expected bits to vary in a Conv1d, Conv2d or Linear, got '{}', whose weights, if any, are no integers", where,
        kind_of(layer));
    detail::check_widths(weights, format("{}: Bits", where));
  }
  template <class L>
  static constexpr void require_layer() {
    static_assert(has_weight_bits<L>,
                  "siena: Bits{} are an axis of layers with weights, Conv1d, Conv2d or Linear; the bits of what a layer makes "
                  "are those of a FakeQuantize behind it");
  }
};

/// The bits of a network's weights: of each layer with Bits, or of each of its output channels, a chain of steps from one width
/// to the next, each with one architecture parameter; a step is taken as far as every alpha up to its own is above the
/// threshold (as in the residual decomposition of van Baalen et al. 2020, Bayesian Bits). Weights are whole numbers times steps
/// in training already; what a step is worth is measured as that of a mask is, by what it changes of the weights times their
/// gradient. The object names parameters by index: it serves every copy of the network.
class BitMasks final : public AxisHooks {
 public:
  static constexpr int order = 4;

  /// Adds the parameters and gates to the network.
  explicit BitMasks(Network& network, const SpaceOptions& options = {}) : channels_(network), options_(options.masks) {
    for (int node = 0; node < static_cast<int>(network.nodes().size()); ++node) {
      const auto* bits = spec_of<Bits>(network.nodes()[node].decoration);
      if (bits == nullptr) continue;
      const std::string name = "bits." + network.nodes()[node].name;
      for (const Parameter* before : network.parameters(Role::architecture)) {
        require<ArgumentError>(before->name != name + ".alpha",
                               "Bits: expected a network without a search space, got one that has it; it serves all copies");
      }
      Part part{.node = node, .units = bits->per == Bits::Per::layer ? 1 : network.nodes()[node].shape[-1]};
      part.widths.count = static_cast<int>(bits->weights.size());
      std::copy(bits->weights.begin(), bits->weights.end(), part.widths.bits.begin());
      if (part.steps() > 0) part.mask = MeasuredMask(network, name, part.units * part.steps());
      network.add_gate(node, std::make_shared<BitGate>(part, options_));
      begin_with_what_is_there(network, part);
      parts_.push_back(part);
    }
  }

  std::string_view name() const override { return "bits"; }
  /// Of each unit of each layer, which of the widths.
  AxisState whole() const override {
    AxisState all;
    for (const Part& part : parts_) all.emplace_back(static_cast<std::size_t>(part.units), part.steps());
    return all;
  }
  AxisState smallest() const override {
    AxisState all;
    for (const Part& part : parts_) all.emplace_back(static_cast<std::size_t>(part.units), 0);
    return all;
  }
  bool varies() const override {
    return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.steps() > 0; });
  }
  AxisState state(const Network& network) const override {
    AxisState all = smallest();
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      for (std::size_t u = 0; u < all[i].size() && parts_[i].steps() > 0; ++u) {
        const auto alpha = parts_[i].chain(parts_[i].mask.alpha(network), u);
        while (all[i][u] < parts_[i].steps() && alpha[all[i][u]] > static_cast<float>(options_.threshold)) ++all[i][u];
      }
    }
    return all;
  }
  /// Alpha 1 for the steps that are taken, 0 for the rest.
  void select(Network& network, const AxisState& state) const override { set(network, state, true); }
  /// Alpha 0 for the steps behind those that are taken.
  void switch_off(Network& network, const AxisState& state) const override { set(network, state, false); }
  /// Brings the alphas of every chain back to the nearest that fall from step to step, in [0, 1].
  void project(Network& network) const override {
    for (const Part& part : parts_) {
      for (std::size_t u = 0; u < static_cast<std::size_t>(part.units) && part.steps() > 0; ++u)
        fall_from_step_to_step(part.chain(part.mask.alpha(network), u));
    }
  }

  /// Estimated rise of the task loss when a unit of the i-th layer with Bits goes back a step.
  double importance(const Network& network, std::size_t part, std::size_t unit, int step) const {
    return parts_[part].mask.importance(network, static_cast<std::int64_t>(unit) * parts_[part].steps() + step);
  }
  /// Of a layer as a whole, moves of one step after the other; of channels, of those that are there, one step each of 1 to 16
  /// of them, those first for which it is worth least (or most, of those that take one).
  void for_each_move(const Network& network, const Selection& all, AxisState& state, Direction direction,
                     const TakeMove& take) const override {
    const bool away = direction == Direction::away;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const std::vector<int> before = state[i];
      const auto worth = [&](std::size_t u) { return importance(network, i, u, state[i][u] - (away ? 1 : 0)); };
      const auto spare = [&](std::size_t u) { return away ? state[i][u] > 0 : state[i][u] < parts_[i].steps(); };
      std::vector<std::size_t> units = present(i, all);
      std::erase_if(units, [&](std::size_t u) { return !spare(u); });
      std::stable_sort(units.begin(), units.end(),
                       [&](std::size_t a, std::size_t b) { return away ? worth(a) < worth(b) : worth(a) > worth(b); });
      if (units.size() > static_cast<std::size_t>(longest_move)) units.resize(static_cast<std::size_t>(longest_move));
      AxisMove move;
      for (const std::size_t u : units) {
        bool goes_on = true;
        do {
          move.worth += worth(u);
          state[i][u] += away ? -1 : 1;
          ++move.size, ++move.steps;
          goes_on = take(move);
        } while (goes_on && parts_[i].units == 1 && spare(u));
        if (!goes_on) break;
      }
      state[i] = before;
    }
  }
  /// Every width everywhere.
  std::vector<AxisState> operations(const Network&, const AxisState&) const override { return detail::every_width(whole()); }

  void vary(const Network&, const AxisState& state, Variation<double>& variation) const override {
    variation.bits = [this, &state, before = std::move(variation.bits)](int node) {
      const int i = part_of(node);
      if (i < 0) return before ? before(node) : std::vector<BitShare<double>>();
      std::vector<BitShare<double>> shares;
      for (int k = parts_[i].steps(); k >= 0; --k) {
        std::vector<double> each;
        for (const int width : state[i]) each.push_back(width == k ? 1 : 0);
        const bool together = parts_[i].units == 1;
        shares.push_back({.bits = parts_[i].widths.bits[k], .all = each[0]});
        if (!together) shares.back().each = std::move(each);
      }
      return shares;
    };
  }
  /// With the share of each width as a sum of binary steps on the tape.
  void vary(Tape& tape, Network& network, Variation<Scalar>& variation) const override {
    variation.bits = [this, &tape, &network, before = std::move(variation.bits)](int node) {
      const int i = part_of(node);
      if (i < 0) return before ? before(node) : std::vector<BitShare<Scalar>>();
      const Part& part = parts_[i];
      if (part.steps() == 0) return std::vector<BitShare<Scalar>>{{.bits = part.widths.bits[0]}};
      const Var alpha = tape.parameter(network.parameter(part.mask.parameter()));
      const Var on = ops::binarize(alpha, part.taken(alpha.value(), options_.threshold));
      std::vector<BitShare<Scalar>> shares;
      for (int k = part.steps(); k >= 0; --k) {
        const Var share = ops::width_share(on, part.widths, k);
        shares.push_back({.bits = part.widths.bits[k]});
        if (part.units == 1) {
          shares.back().all = tape.scalar(ops::element(share, 0));
        } else {
          shares.back().each = share;
        }
      }
      return shares;
    };
  }
  void narrow(const Network& network, const AxisState& state, Narrowing& narrowing) const override {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      std::vector<int> bits;
      for (const int width : state[i]) bits.push_back(parts_[i].widths.bits[width]);
      bits.resize(static_cast<std::size_t>(network.nodes()[parts_[i].node].shape[-1]), bits.front());
      set_weight_bits(narrowing.layers[parts_[i].node], bits);
    }
  }
  /// Steps are measured whether they are taken or not, where their channels are there.
  void take_slopes(Network& network, const AxisState& state, const std::vector<NodeSlopes>& slopes,
                   double batch) const override {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Part& part = parts_[i];
      const NodeSlopes& its = slopes[part.node];
      if (its.weights == nullptr || part.steps() == 0) continue;
      const bool together = part.units == 1;
      const auto steps = static_cast<std::size_t>(part.steps());
      const auto left = static_cast<std::size_t>(its.weights->value.columns());
      std::vector<float> narrow(together ? steps : left * steps), wide(static_cast<std::size_t>(part.units) * steps);
      ops::add_width_slopes<float>(its.weights->value, its.sizes, its.weights->grad, part.widths, together, narrow.data());
      std::vector<int> measured(wide.size(), together ? 1 : 0);
      if (together) wide = narrow;
      auto from = narrow.begin();
      for (const ColumnRun& run : its.columns) {
        const auto to = static_cast<std::size_t>(run.begin) * steps, count = static_cast<std::size_t>(run.count) * steps;
        if (together) break;
        std::copy_n(from, count, wide.begin() + static_cast<std::ptrdiff_t>(to));
        std::fill_n(measured.begin() + static_cast<std::ptrdiff_t>(to), count, 1);
        from += static_cast<std::ptrdiff_t>(count);
      }
      std::vector<int> taken(wide.size(), 0);
      for (std::size_t u = 0; u < state[i].size(); ++u)
        std::fill_n(taken.begin() + static_cast<std::ptrdiff_t>(u * steps), state[i][u], 1);
      if (is_measured(wide)) part.mask.take_gradient(network, measured, taken, wide, batch, options_);
    }
  }
  std::string settings() const override {
    std::string text;
    for (const Part& part : parts_) {
      text += format("{}{} x", text.empty() ? "bits " : "; ", part.units);
      for (int k = 0; k < part.widths.count; ++k) text += format(" {}", part.widths.bits[k]);
    }
    return text;
  }
  /// "weights of 2, 4 or 8 bits", "..., each channel its own"
  std::string freedom(const Network&, int node) const override {
    const int i = part_of(node);
    if (i < 0) return {};
    const BitWidths& widths = parts_[i].widths;
    const std::string text =
        "weights of " + detail::widths_text(std::span(widths.bits).first(static_cast<std::size_t>(widths.count)));
    return text + (parts_[i].units > 1 && widths.count > 1 ? ", each channel its own" : "");
  }

 private:
  using BitWidths = ops::BitWidths;

  /// A layer: one chain for all of it, or one for each of its output channels.
  struct Part {
    int node = 0;
    std::int64_t units = 1;
    BitWidths widths = {};
    MeasuredMask mask = {};

    int steps() const { return widths.steps(); }
    template <class T>
    std::span<std::conditional_t<std::is_const_v<T>, const float, float>> chain(T& alpha, std::size_t unit) const {
      return alpha.row(0).subspan(unit * static_cast<std::size_t>(steps()), static_cast<std::size_t>(steps()));
    }
    /// 1 for each step that is taken.
    Tensor taken(const Tensor& alpha, double threshold) const {
      Tensor on(alpha.shape());
      for (std::size_t u = 0; u < static_cast<std::size_t>(units); ++u) {
        const auto from = chain(alpha, u);
        for (std::size_t k = 0; k < from.size() && from[k] > static_cast<float>(threshold); ++k) chain(on, u)[k] = 1;
      }
      return on;
    }
  };

  class BitGate final : public Gate {
   public:
    BitGate(const Part& part, const MaskOptions& options) : part_(part), options_(options) {}

    Var apply(Forward& forward, const Var& weight) const override {
      if (part_.steps() == 0) return coarse(weight, part_.widths.bits[0]);
      const auto values = [&](const Tensor& alpha) { return part_.taken(alpha, options_.threshold); };
      return ops::fake_quantize_weights<float>(weight, part_.mask.measured(forward, options_, values), part_.widths);
    }

   private:
    Part part_;
    MaskOptions options_;
  };

  /// A layer that has bits, as one that was found has, begins with those, or the next fewer to choose from, the fewest where
  /// there are none; all of a layer with the most that any output has. The gate takes its place in giving it them.
  static void begin_with_what_is_there(Network& network, const Part& part) {
    const Network::Node& node = network.nodes()[part.node];
    WeightBits bits = weight_bits_of(node.layer);
    if (bits.none()) return;
    const std::vector<int> all = bits.list();
    if (part.units == 1) bits = *std::max_element(all.begin(), all.end());
    Layer layer = node.layer;
    set_weight_bits(layer, 0);
    network.set_options(part.node, std::move(layer), Decoration(node.decoration));
    for (std::size_t u = 0; u < static_cast<std::size_t>(part.units) && part.steps() > 0; ++u) {
      const auto alpha = part.chain(part.mask.alpha(network), u);
      for (std::size_t k = 0; k < alpha.size(); ++k) alpha[k] = part.widths.bits[k + 1] <= bits[u] ? 1.0f : 0.0f;
    }
  }
  int part_of(int node) const {
    const auto found = std::find_if(parts_.begin(), parts_.end(), [&](const Part& part) { return part.node == node; });
    return found == parts_.end() ? -1 : static_cast<int>(found - parts_.begin());
  }
  void set(Network& network, const AxisState& state, bool lift) const {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      for (std::size_t u = 0; u < state[i].size() && parts_[i].steps() > 0; ++u) {
        const auto alpha = parts_[i].chain(parts_[i].mask.alpha(network), u);
        if (lift) std::fill_n(alpha.begin(), state[i][u], 1.0f);
        std::fill(alpha.begin() + state[i][u], alpha.end(), 0.0f);
      }
    }
  }
  /// The units of the i-th layer of which an architecture has a channel.
  std::vector<std::size_t> present(std::size_t i, const Selection& all) const {
    std::vector<std::size_t> units;
    if (parts_[i].units == 1) return {0};
    std::size_t unit = 0;
    channels_.for_each_channel(parts_[i].node, [&](int group, std::size_t channel) {
      if (all["channels"][static_cast<std::size_t>(group)][channel] != 0) units.push_back(unit);
      ++unit;
    });
    return units;
  }

  std::vector<Part> parts_;
  ChannelGroups channels_;
  MaskOptions options_;
};

/// The same network with Bits for each layer with weights that says neither what bits it has nor what it may have, or, where
/// there is one width to choose from, with that; the first ones, behind no other, and the last have 8, which costs little.
inline Network with_bits(const Network& network, const Bits& bits) {
  const auto& nodes = network.nodes();
  std::vector<bool> behind(nodes.size(), false), in_front(nodes.size(), false);  // of a layer with weights
  const auto has_weights = [&](std::size_t i) {
    return visit_layer([]<class L>(const L&) { return has_weight_bits<L>; }, nodes[i].layer);
  };
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (const int k : nodes[i].inputs) behind[i] = behind[i] || behind[k] || has_weights(static_cast<std::size_t>(k));
  for (std::size_t i = nodes.size(); i-- > 0;)
    for (const int k : nodes[i].inputs) in_front[k] = in_front[k] || in_front[i] || has_weights(i);
  Network copy = network;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const int node = static_cast<int>(i);
    const bool says =
        has_weights(i) && (!weight_bits_of(nodes[i].layer).none() || spec_of<Bits>(nodes[i].decoration) != nullptr);
    if (!has_weights(i) || says) continue;
    Layer layer = nodes[i].layer;
    Decoration decoration = nodes[i].decoration;
    if (!behind[i] || !in_front[i]) {
      set_weight_bits(layer, 8);
    } else if (bits.weights.size() == 1) {
      bits.check(layer, nodes[i].name);
      set_weight_bits(layer, bits.weights[0]);
    } else {
      const auto* before = std::any_cast<SearchAxes>(&decoration);
      SearchAxes axes = before != nullptr ? *before : SearchAxes();
      axes.set(bits);
      axes.check(layer, nodes[i].name);
      decoration = std::move(axes);
    }
    copy.set_options(node, std::move(layer), std::move(decoration));
  }
  return copy;
}

}  // namespace siena
