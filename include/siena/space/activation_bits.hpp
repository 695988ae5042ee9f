// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/autograd/ops/mask.hpp"
#include "siena/nn/insert.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/axis.hpp"
#include "siena/space/measured_mask.hpp"
#include "siena/space/searchable.hpp"
#include "siena/space/value_bits.hpp"
#include "siena/space/width_chain.hpp"

namespace siena {

class ActivationBitMasks;

/// The axis "with how many bits a value is handed on": `x | ActivationBits{}` puts a FakeQuantize behind x that learns its
/// range and of whose bits a search chooses; values that meet in a sum, a product, a concat or a choice have as many. Behind a
/// ReLU, and what else is never below 0, they stand for numbers from 0 on. One width is not searched: the value has it.
struct ActivationBits {
  using Axis = ActivationBitMasks;

  std::vector<int> widths = {2, 4, 8};  ///< to choose from, rising, each 2 to 8
  double range = 6;                     ///< how far from 0 values go at first, those of a sigmoid 1; 6 is far for batch norms

  static constexpr std::string_view name = "activation_bits";
  static void attributes(auto& self, auto&& visit) {
    visit("widths", self.widths);
    visit("range", self.range);
  }
  static void check(const Layer& layer, std::string_view where) {
    require<ArgumentError>(layer.is<FakeQuantize>(),
                           "{}: expected ActivationBits of a value, `x | ActivationBits{{}}`, got them of a layer, '{}'", where,
                           kind_of(layer));
  }
  template <class L>
  static constexpr void require_layer() {
    static_assert(std::is_same_v<L, void>,
                  "siena: ActivationBits{} are an axis of values, not of a layer: `x | Relu{} | ActivationBits{}`");
  }

  /// What is put behind a value that goes from 0 on, or to both sides, at most to `end`.
  Insertion behind(bool from_zero, double end = HUGE_VAL) const {
    detail::check_widths(widths, "ActivationBits");
    require<ArgumentError>(std::isfinite(range) && range > 0, "ActivationBits: expected a finite range above 0, got {}", range);
    FakeQuantize levels{.bits = widths.back(), .learned = true};
    if (from_zero) levels.zero_point = levels.low();
    levels.scale = (from_zero ? 1 : 2) * std::min(range, end) * levels.share() / (levels.high() - levels.low());
    if (widths.size() == 1) return {levels};
    levels.widths = widths;
    SearchAxes axes;
    axes.set(*this);
    return {levels, std::move(axes)};
  }
  friend Flow operator|(const Flow& x, const ActivationBits& bits);
};

/// The bits of the values between layers, value by value, those that meet together: a chain of steps from one width to the
/// next, each with one architecture parameter, which is that of the FakeQuantize; a step is taken as far as every alpha up to
/// its own is above the threshold. What a step is worth is measured as that of a mask is, by what it changes of the values
/// times their gradient. Names nodes by index: it serves every copy of the network.
class ActivationBitMasks final : public AxisHooks {
 public:
  static constexpr int order = 5;

  explicit ActivationBitMasks(Network& network, const SpaceOptions& options = {}) : options_(options.masks) {
    const auto& nodes = network.nodes();
    std::vector<std::vector<int>> origins(nodes.size());  // of each node: those whose values it hands on
    std::vector<int> group(nodes.size());                 // the first of those with as many bits
    std::iota(group.begin(), group.end(), 0);
    for (int i = 0; i < static_cast<int>(nodes.size()); ++i) {
      const auto* levels = nodes[i].layer.get_if<FakeQuantize>();
      if (levels != nullptr && !levels->widths.empty()) origins[i] = {i};
      std::vector<int> read;
      for (const int input : nodes[i].inputs) read.insert(read.end(), origins[input].begin(), origins[input].end());
      if (nodes[i].inputs.size() > 1) meet(read, group);
      if (levels == nullptr && i > 0 && detail::hands_values_on(network, i)) origins[i] = std::move(read);
    }
    const auto gate = std::make_shared<WidthGate>(options_);
    for (int i = 0; i < static_cast<int>(nodes.size()); ++i) {
      if (origins[i] != std::vector<int>{i}) continue;
      require<ArgumentError>(nodes[i].gates.empty(),
                             "ActivationBits: expected a network without a search space, got one that has it; it serves all "
                             "copies");
      auto found = std::find_if(parts_.begin(), parts_.end(), [&](const Part& part) { return part.nodes[0] == group[i]; });
      if (found == parts_.end()) {
        parts_.push_back({.nodes = {}, .widths = nodes[i].layer.get<FakeQuantize>().widths});
        found = parts_.end() - 1;
      }
      const FakeQuantize& levels = nodes[i].layer.get<FakeQuantize>();
      require_computed(network, i);
      require<ArgumentError>(levels.widths == found->widths,
                             "ActivationBits: expected the same widths where values meet, got others of '{}' than of '{}'",
                             nodes[i].name, nodes[group[i]].name);
      found->nodes.push_back(i);
      network.add_gate(i, gate);
    }
  }

  std::string_view name() const override { return "activation_bits"; }
  /// Of each value, or of those that meet, which of the widths.
  AxisState whole() const override {
    AxisState all;
    for (const Part& part : parts_) all.push_back({part.steps()});
    return all;
  }
  AxisState smallest() const override { return AxisState(parts_.size(), {0}); }
  bool varies() const override { return !parts_.empty(); }
  AxisState state(const Network& network) const override {
    AxisState all;
    for (const Part& part : parts_) all.push_back({static_cast<int>(part.taken(network, options_.threshold))});
    return all;
  }
  /// -1: layers choose, and measure, by themselves.
  AxisState computed(const Network&, Mode) const override { return AxisState(parts_.size(), {-1}); }
  /// Alpha 1 for the steps that are taken, 0 for the rest.
  void select(Network& network, const AxisState& state) const override {
    for_each_alpha(network, [&](std::size_t i, std::size_t step, float& alpha) {
      alpha = static_cast<int>(step) < state[i][0] ? 1.0f : 0.0f;
    });
  }
  /// Alpha 0 for the steps behind those that are taken.
  void switch_off(Network& network, const AxisState& state) const override {
    for_each_alpha(network, [&](std::size_t i, std::size_t step, float& alpha) {
      if (static_cast<int>(step) >= state[i][0]) alpha = 0;
    });
  }
  /// Brings the alphas of values that meet back to one chain that falls from step to step, in [0, 1].
  void project(Network& network) const override {
    for (const Part& part : parts_) {
      std::vector<float> mean(static_cast<std::size_t>(part.steps()));
      for (const int node : part.nodes) {
        const auto alpha = part.alpha(network, node);
        for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += alpha[k] / static_cast<float>(part.nodes.size());
      }
      fall_from_step_to_step(mean);
      for (const int node : part.nodes) std::copy(mean.begin(), mean.end(), part.alpha(network, node).begin());
    }
  }

  /// Values that meet have one alpha, though each its own parameter.
  void join_gradients(Network& network) const override {
    for (const Part& part : parts_) {
      std::vector<float> sum(static_cast<std::size_t>(part.steps()));
      const auto gradient = [&](int node) {
        return network.parameter(network.nodes()[node].parameters[FakeQuantize::alpha]).grad.row(0);
      };
      for (const int node : part.nodes)
        for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += gradient(node)[k];
      for (const int node : part.nodes) std::copy(sum.begin(), sum.end(), gradient(node).begin());
    }
  }

  /// Estimated rise of the task loss when the i-th value goes back a step.
  double importance(const Network& network, std::size_t i, int step) const {
    double sum = 0;
    for (const int node : parts_[i].nodes) {
      const std::vector<int>& buffers = network.nodes()[node].buffers;
      sum += 0.5 * ops::sample_fisher(network.buffer(buffers[FakeQuantize::gradient_mean]).data()[step],
                                      network.buffer(buffers[FakeQuantize::gradient_variance]).data()[step]);
    }
    return sum;
  }
  /// One step after the other of a value.
  void for_each_move(const Network& network, const Selection&, AxisState& state, Direction direction,
                     const TakeMove& take) const override {
    const bool away = direction == Direction::away;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const int before = state[i][0];
      AxisMove move;
      for (int k = before; away ? k > 0 : k < parts_[i].steps(); k += away ? -1 : 1) {
        move.worth += importance(network, i, away ? k - 1 : k);
        state[i][0] += away ? -1 : 1;
        ++move.size, ++move.steps;
        if (!take(move)) break;
      }
      state[i][0] = before;
    }
  }
  /// Every width everywhere.
  std::vector<AxisState> operations(const Network&, const AxisState&) const override { return detail::every_width(whole()); }

  void vary(const Network& network, const AxisState& state, Variation<double>& variation) const override {
    variation.value_bits = [this, &network, &state](int node) {
      const int i = part_of(node);
      if (i < 0) return static_cast<double>(network.nodes()[node].layer.get<FakeQuantize>().bits);
      return static_cast<double>(parts_[i].widths[state[i][0]]);
    };
  }
  /// With the widths as sums of binary steps on the tape.
  void vary(Tape& tape, Network& network, Variation<Scalar>& variation) const override {
    variation.value_bits = [this, &tape, &network](int node) -> Scalar {
      const int i = part_of(node);
      if (i < 0) return static_cast<double>(network.nodes()[node].layer.get<FakeQuantize>().bits);
      const Part& part = parts_[i];
      const int alpha_of = network.nodes()[part.nodes[0]].parameters[FakeQuantize::alpha];
      const Var alpha = tape.parameter(network.parameter(alpha_of));
      const Var on = ops::binarize(alpha, ops::chain_mask(alpha.value(), options_.threshold));
      Scalar bits = static_cast<double>(part.widths[0]);
      for (int k = 0; k < part.steps(); ++k)
        bits += tape.scalar(ops::element(on, k)) * static_cast<double>(part.widths[k + 1] - part.widths[k]);
      return bits;
    };
  }
  void narrow(const Network&, const AxisState& state, Narrowing& narrowing) const override {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      for (const int node : parts_[i].nodes) {
        narrowing.gated[node] = state[i][0] < 0, narrowing.decided[node] = state[i][0] >= 0;
        Layer& layer = narrowing.layers[node];
        if (state[i][0] >= 0) layer = layer.get<FakeQuantize>().with(parts_[i].widths[state[i][0]]);
      }
    }
  }
  std::string settings() const override {
    std::string text;
    for (const Part& part : parts_) {
      text += text.empty() ? "activation bits" : ";";
      for (const int bits : part.widths) text += format(" {}", bits);
    }
    return text;
  }
  /// "values of 2, 4 or 8 bits", "..., with relu_1.levels"
  std::string freedom(const Network& network, int node) const override {
    const int i = part_of(node);
    if (i < 0) return {};
    const Part& part = parts_[i];
    std::string text = "values of " + detail::widths_text(part.widths);
    for (const int other : part.nodes) {
      if (other != node) text += format("{}{}", text.ends_with(" bits") ? ", as " : ", ", network.nodes()[other].name);
    }
    return text;
  }

 private:
  /// A value, or several that meet.
  struct Part {
    std::vector<int> nodes;
    std::vector<int> widths;

    int steps() const { return static_cast<int>(widths.size()) - 1; }
    static std::span<float> alpha(Network& network, int node) {
      return network.parameter(network.nodes()[node].parameters[FakeQuantize::alpha]).value.row(0);
    }
    int taken(const Network& network, double threshold) const {
      const int parameter = network.nodes()[nodes[0]].parameters[FakeQuantize::alpha];
      const auto alpha = network.parameter(parameter).value.row(0);
      const auto first = std::find_if(alpha.begin(), alpha.end(), [&](float a) { return a <= static_cast<float>(threshold); });
      return static_cast<int>(first - alpha.begin());
    }
  };

  /// From alphas to steps that are taken, and measured.
  class WidthGate final : public Gate {
   public:
    explicit WidthGate(const MaskOptions& options) : options_(options) {}

    Var apply(Forward& forward, const Var& alpha) const override {
      const ops::MaskMoments<float> moments{.mean = &forward.buffer(FakeQuantize::gradient_mean),
                                            .variance = &forward.buffer(FakeQuantize::gradient_variance),
                                            .steps = &forward.buffer(FakeQuantize::gradient_steps),
                                            .decay = options_.decay,
                                            .batch = static_cast<double>(forward.tape().samples(forward.input().shape()[0])),
                                            .secant = options_.secant};
      return ops::binarize_measured(alpha, ops::chain_mask(alpha.value(), options_.threshold), moments);
    }

   private:
    MaskOptions options_;
  };

  /// What only moves values has levels already, those of what it reads.
  static void require_computed(const Network& network, int node) {
    int from = network.nodes()[node].inputs[0];
    while (network.nodes()[from].layer.is<Dropout>()) from = network.nodes()[from].inputs[0];
    const Layer& layer = network.nodes()[from].layer;
    bool computes = from > 0 && !detail::may_be_nothing(layer) && !layer.is<FakeQuantize>();
    if (const auto* mixture = layer.get_if<Mixture>()) {
      const auto is_empty = [](const Mixture::Branch& branch) { return branch.first == branch.last; };
      computes = std::none_of(mixture->branches.begin(), mixture->branches.end(), is_empty);
    } else {
      computes = computes && !detail::hands_values_on(network, from);
    }
    const std::string& name = network.nodes()[node].name;
    require<ArgumentError>(from > 0,
                           "ActivationBits: '{}': expected a value that a layer computes, got the input of the network, which "
                           "has 8 bits; leave them away",
                           name);
    require<ArgumentError>(computes,
                           "ActivationBits: '{}': expected a value that a layer computes, got one that '{}' hands on, or may; "
                           "put them in front of that",
                           name, network.nodes()[from].name);
    std::ptrdiff_t readers = 0;
    for (const auto& other : network.nodes())
      readers += std::count(other.inputs.begin(), other.inputs.end(), network.nodes()[node].inputs[0]);
    require<ArgumentError>(readers == 1,
                           "ActivationBits: '{}': expected a value that nothing else reads, got '{}' with {} readers; put them "
                           "in front of all of these",
                           name, network.nodes()[network.nodes()[node].inputs[0]].name, readers);
  }
  /// These nodes, and those with which they have met before, have as many bits from now on.
  static void meet(const std::vector<int>& nodes, std::vector<int>& group) {
    int first = static_cast<int>(group.size());
    for (const int node : nodes) first = std::min(first, group[node]);
    for (const int node : nodes) std::replace(group.begin(), group.end(), int{group[node]}, first);
  }
  int part_of(int node) const {
    const auto has = [&](const Part& part) {
      return std::find(part.nodes.begin(), part.nodes.end(), node) != part.nodes.end();
    };
    const auto found = std::find_if(parts_.begin(), parts_.end(), has);
    return found == parts_.end() ? -1 : static_cast<int>(found - parts_.begin());
  }
  template <class Each>
  void for_each_alpha(Network& network, const Each& each) const {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      for (const int node : parts_[i].nodes) {
        const auto alpha = parts_[i].alpha(network, node);
        for (std::size_t k = 0; k < alpha.size(); ++k) each(i, k, alpha[k]);
      }
    }
  }

  std::vector<Part> parts_;
  MaskOptions options_;
};

inline Flow operator|(const Flow& x, const ActivationBits& bits) {
  NetworkBuilder& builder = *x.builder();
  const Layer& before = builder.nodes()[x.node()].layer;
  const auto [layer, decoration] = bits.behind(detail::never_below_zero(builder.nodes(), x.node()), detail::greatest(before));
  return x.append(layer, decoration);
}

/// The same network with ActivationBits of each value that integers round and that stays within the network: behind each layer
/// that computes, with the batch norm and the ReLU that run along with it. Its input and its output have 8 bits, and so have
/// the inputs of a concat, which must have one scale, and what a Resolution may halve. ArgumentError for a network that has
/// FakeQuantize already.
inline Network with_activation_bits(const Network& network, const ActivationBits& bits) {
  const auto& nodes = network.nodes();
  std::vector<int> sources(nodes.size());
  std::iota(sources.begin(), sources.end(), 0);
  const auto readers = detail::readers_of(network, sources);
  const BatchNormFolding folding = batch_norm_folding(network, sources);
  std::vector<bool> stays(nodes.size(), false);  // whether a value is to have 8 bits, or is not one by itself
  std::vector<std::optional<Insertion>> behind(nodes.size());
  for (int i = static_cast<int>(nodes.size()) - 1; i > 0; --i) {
    require<ArgumentError>(
        !nodes[i].layer.is<FakeQuantize>(),
        "with_activation_bits: expected a network whose values have no levels yet, got one with '{}'; values "
        "that were given bits keep them",
        nodes[i].name);
    const bool moved = detail::hands_values_on(network, i);
    stays[i] = i == network.output();
    for (const int reader : readers[i]) {
      const bool moves = detail::hands_values_on(network, reader);
      const bool joined = readers[i].size() == 1 && !moves && detail::joins_the_layer_before(network, folding, i, reader);
      stays[i] = stays[i] || joined || nodes[reader].layer.is<Concat>() || (moves && stays[reader]);
    }
    if (!stays[i] && !moved && !detail::may_be_nothing(nodes[i].layer))
      behind[i] = bits.behind(detail::never_below_zero(nodes, i), detail::greatest(nodes[i].layer));
  }
  return insert_behind(network, behind, ".levels").network;
}

}  // namespace siena
