// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "siena/nn/network.hpp"
#include "siena/space/alternatives.hpp"
#include "siena/space/axis.hpp"
#include "siena/space/searchable.hpp"

namespace siena {

class ResolutionAxis;

/// The axis "height and width": `x | Resolution{}` lets the search halve them there, by means of 2 x 2, or leave them as they
/// are. For networks whose weights know nothing of height and width, as those that end in a global pool: `x | Resolution{}` in
/// front of all layers lets the resolution of the input vary. What was halved may be halved again by a further search.
struct Resolution {
  using Axis = ResolutionAxis;

  static constexpr std::string_view name = "resolution";
  static void attributes(auto&, auto&&) {}
  void check(const Layer& layer, std::string_view where) const {
    const auto* pool = layer.get_if<AvgPool>();
    require<ArgumentError>(
        pool != nullptr && pool->stride == Size2(0) && pool->padding == ImagePadding(0),
        "{}: expected Resolution of an AvgPool whose windows touch, as `x | Resolution{{}}` makes it, got '{}'", where,
        kind_of(layer));
  }

  friend Flow operator|(const Flow& x, const Resolution& axis);
};

/// What is halved of a network, place by place, each with two alternatives, of which each step of training samples one; alpha
/// learns from the loss (see Alternatives). Costs are those of the likelier ones, with the slope by which heights and widths
/// follow how likely it is. The wide network computes the whole resolution; what is halved is computed by CompactNetwork and
/// `discretize`. Throws ArgumentError where weights or the output depend on height and width.
class ResolutionAxis final : public AxisHooks {
 public:
  static constexpr int order = 3;

  explicit ResolutionAxis(Network& network, const SpaceOptions& = {}) {
    const std::vector<Parameter*> before = network.parameters(Role::architecture);
    const bool installed_before = std::any_of(
        before.begin(), before.end(), [](const Parameter* parameter) { return parameter->name.starts_with("resolution."); });
    for (int node = 0; node < static_cast<int>(network.nodes().size()); ++node) {
      if (spec_of<Resolution>(network.nodes()[node].decoration) == nullptr) continue;
      nodes_.push_back(node);
      const std::string name = "resolution." + network.nodes()[node].name;
      places_.push_back(
          {.alpha = network.add_parameter(Parameter(name + ".alpha", Tensor(Shape{2}, 0.5f), Role::architecture, false)),
           .sample = network.add_buffer(name + ".sample", Tensor(Shape{1}, -1.0f)),
           .advantage = network.add_buffer(name + ".advantage", Tensor(Shape{2})),
           .samples = network.add_buffer(name + ".samples", Tensor(Shape{2}))});
    }
    require<ArgumentError>(nodes_.empty() || !installed_before,
                           "Resolution: expected a network without a search space, got one that has it; it serves all copies");
    require<ArgumentError>(nodes_.size() <= most_places, "Resolution: expected at most {} places in a network, got {}",
                           most_places, nodes_.size());
    for (std::size_t halved = 0; halved < std::size_t{1} << nodes_.size(); ++halved)
      sites_.push_back(shapes_of(network, halved));
  }

  std::string_view name() const override { return "resolution"; }
  AxisState whole() const override { return AxisState(nodes_.size(), {0}); }
  AxisState smallest() const override { return AxisState(nodes_.size(), {1}); }
  bool varies() const override { return !nodes_.empty(); }
  AxisState state(const Network& network) const override {
    AxisState halved;
    for (const Alternatives& place : places_) halved.push_back({place.chosen(network)});
    return halved;
  }
  /// In training, what was sampled.
  AxisState computed(const Network& network, Mode mode) const override {
    AxisState halved = state(network);
    for (std::size_t i = 0; i < places_.size() && mode == Mode::training; ++i) {
      if (places_[i].decided(network) < 0 && places_[i].taken(network) >= 0) halved[i] = {places_[i].taken(network)};
    }
    return halved;
  }
  void select(Network& network, const AxisState& halved) const override {
    for (std::size_t i = 0; i < places_.size(); ++i) places_[i].select(network, halved[i][0]);
  }
  /// What is to be halved becomes the likelier; it may come back.
  void switch_off(Network& network, const AxisState& halved) const override {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (halved[i][0] == 0 || places_[i].chosen(network) == 1) continue;
      float* alpha = network.parameter(places_[i].alpha).value.data();
      alpha[1] = alpha[0] + 1;
    }
  }
  void for_each_move(const Network& network, const Selection&, AxisState& state, Direction direction,
                     const TakeMove& take) const override {
    const bool away = direction == Direction::away;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const int from = state[i][0], to = 1 - from;
      const double more = places_[i].rise(network, from, to);
      if (!away && more >= 0) continue;
      state[i][0] = to;
      (void)take({.worth = away ? std::max(more, 0.0) : -more});
      state[i][0] = from;
    }
  }
  std::vector<AxisSite> sites() const override {
    std::vector<AxisSite> all;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      all.push_back({.node = nodes_[i], .parts = {{.index = static_cast<int>(i), .values = 2}}});
    return all;
  }
  std::vector<AxisState> operations(const Network&, const AxisState&) const override {
    std::vector<AxisState> all;
    for (std::size_t halved = 0; halved < sites_.size(); ++halved) {
      AxisState& state = all.emplace_back();
      for (std::size_t i = 0; i < nodes_.size(); ++i) state.push_back({static_cast<int>(halved >> i & 1)});
    }
    return all;
  }

  void vary(const Network& network, const AxisState& state, Variation<double>& variation) const override {
    place(network, state, variation);
  }
  void vary(Tape& tape, Network& network, Variation<Scalar>& variation) const override {
    const AxisState now = state(network);
    place(network, now, variation);
    std::vector<Scalar> more;  // likely to be halved than now: 0, with a slope
    for (const Alternatives& its : places_) {
      const Scalar likely = its.probabilities(tape, network)[1];
      more.push_back(likely - likely.value());
    }
    variation.adjust = [this, &network, now, more, before = std::move(variation.adjust)](int node, LayerDesc<Scalar>& layer) {
      if (before) before(node, layer);
      const int from = network.nodes()[node].inputs[0];
      for (std::size_t i = 0; i < nodes_.size(); ++i) {
        layer.in_height += more[i] * step(now, i, from, 0), layer.in_width += more[i] * step(now, i, from, 1);
        layer.out_height += more[i] * step(now, i, node, 0), layer.out_width += more[i] * step(now, i, node, 1);
      }
    };
  }
  void narrow(const Network& network, const AxisState& state, Narrowing& narrowing) const override {
    leave_out(network, state, narrowing.sources);
    for (const int node : nodes_) narrowing.layers[node] = halved(narrowing.layers[node], node, state);
  }

  void begin_step(Network& network, const AxisStep& step) const override {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      Random random = step.random.split(static_cast<std::uint64_t>(nodes_[i]));
      places_[i].take(network, random.uniform() < places_[i].probabilities(network)[1] ? 1 : 0);
    }
  }
  bool learns_from_loss() const override { return !nodes_.empty(); }
  void learn(Network& network, double rise) const override {
    for (const Alternatives& place : places_) place.learn(network, rise);
  }
  std::string freedom(const Network& network, int node) const override {
    const auto found = std::find(nodes_.begin(), nodes_.end(), node);
    if (found == nodes_.end()) return {};
    const Shape &in = network.nodes()[network.nodes()[node].inputs[0]].shape,
                &half = sites_[std::size_t{1} << (found - nodes_.begin())][node].shape;
    return format("{}x{} or {}x{}", in[0], in[1], half[0], half[1]);
  }

 private:
  static constexpr std::size_t most_places = 4;  // every combination of them is kept

  struct Sizes {
    Shape shape;
    std::optional<double> macs;
  };

  static std::size_t index_of(const AxisState& state) {
    std::size_t index = 0;
    for (std::size_t i = 0; i < state.size(); ++i) index |= static_cast<std::size_t>(state[i][0]) << i;
    return index;
  }
  /// The shapes between which layers stand where these places are halved.
  template <class N>
  void place(const Network& network, const AxisState& state, Variation<N>& variation) const {
    leave_out(network, state, variation.sources);
    variation.place = [this, &network, state, before = std::move(variation.place)](int node, Layer& layer, LayerSite& at) {
      if (before) before(node, layer, at);
      const std::vector<Sizes>& sizes = sites_[index_of(state)];
      layer = halved(layer, node, state);
      const std::vector<int>& inputs = network.nodes()[node].inputs;
      for (std::size_t k = 0; k < inputs.size(); ++k) set(at.inputs[k], sizes[inputs[k]].shape);
      set(at.output, sizes[node].shape);
      at.macs = sizes[node].macs;
    };
  }
  /// By how much a side of a node's output (0: height) falls where one more place is halved, or would have fallen by it.
  double step(const AxisState& now, std::size_t place, int node, int side) const {
    const std::size_t bit = std::size_t{1} << place, others = index_of(now) & ~bit;
    const Shape &all = sites_[others][node].shape, &half = sites_[others | bit][node].shape;
    return all.rank() == 3 ? static_cast<double>(half[side] - all[side]) : 0.0;
  }
  /// The layer of a place with windows of twice the size, where it is halved; others as they are.
  Layer halved(const Layer& layer, int node, const AxisState& state) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i] != node || state[i][0] == 0) continue;
      AvgPool pool = layer.get<AvgPool>();
      pool.kernel = {2 * pool.kernel.height, 2 * pool.kernel.width};
      return pool;
    }
    return layer;
  }
  /// A place that is not halved, and was not before, is no layer.
  void leave_out(const Network& network, const AxisState& state, std::vector<int>& sources) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Network::Node& node = network.nodes()[nodes_[i]];
      if (state[i][0] != 0 || node.layer.get<AvgPool>().kernel != Size2(1)) continue;
      const int input = sources[node.inputs[0]];
      for (int& source : sources) source = source == nodes_[i] ? input : source;
    }
  }
  /// The shapes of all nodes where these places are halved.
  std::vector<Sizes> shapes_of(const Network& network, std::size_t halved_places) const {
    AxisState state;
    for (std::size_t i = 0; i < nodes_.size(); ++i) state.push_back({static_cast<int>(halved_places >> i & 1)});
    std::vector<Sizes> sizes{{network.input_shape(), {}}};
    for (int node = 1; node < static_cast<int>(network.nodes().size()); ++node) {
      const Network::Node& its = network.nodes()[node];
      std::vector<Shape> inputs;
      for (const int from : its.inputs) inputs.push_back(sizes[from].shape);
      LayerSetup setup(its.name, inputs);
      const Shape shape = visit_layer([&](const auto& layer) { return layer.setup(setup); }, halved(its.layer, node, state));
      for (std::size_t p = 0; p < setup.parameters.size(); ++p) {
        require<ArgumentError>(setup.parameters[p].shape == network.parameter(its.parameters[p]).value.shape(),
                               "{}: expected weights that know nothing of height and width, which are to vary, got {} where "
                               "they are {} and {} where they are halved; end the network in a global pool",
                               its.name, network.parameter(its.parameters[p]).value.shape(), its.shape,
                               setup.parameters[p].shape);
      }
      require_same_padding(its, network.nodes()[its.inputs[0]].shape, inputs[0]);
      sizes.push_back({shape, setup.own_macs});
    }
    require<ArgumentError>(sizes[network.output()].shape == network.output_shape(),
                           "Resolution: expected a network whose output knows nothing of height and width, which are to vary, "
                           "got one of {} or {}; end it in a global pool",
                           network.output_shape(), sizes[network.output()].shape);
    return sizes;
  }
  /// Of a kernel whose taps vary, too: what is left of it must have the same padding at every size.
  static void require_same_padding(const Network::Node& node, const Shape& whole, const Shape& halved_input) {
    if (spec_of<ReceptiveField>(node.decoration) == nullptr && spec_of<Dilation>(node.decoration) == nullptr) return;
    const Conv2d conv = *convolution_of(node.layer);
    const auto padding = [&](const Shape& in) {
      const auto g = conv.geometry(in, node.name);
      return ImagePadding(g.pad_top, g.pad_bottom, g.pad_left, g.pad_right);
    };
    require<ArgumentError>(
        whole.rank() != 3 || padding(whole) == padding(halved_input),
        "{}: expected taps that vary to have the same padding at every height and width, got inputs of {} and "
        "{} with other padding; say it in numbers, or let no taps vary here",
        node.name, whole, halved_input);
  }
  /// Height and width of another shape; the channels stay.
  static void set(Shape& shape, const Shape& other) {
    if (shape.rank() == 3) shape = {other[0], other[1], shape[2]};
  }
  std::vector<int> nodes_;
  std::vector<Alternatives> places_;
  std::vector<std::vector<Sizes>> sites_;  // by which places are halved
};

inline Flow operator|(const Flow& x, const Resolution& axis) {
  require<ShapeError>(x.shape().rank() == 3 && x.shape()[0] >= 2 && x.shape()[1] >= 2,
                      "Resolution: expected images of at least 2 x 2, got {}", x.shape());
  return x | Searchable{AvgPool{.kernel = 1}, axis};
}

}  // namespace siena
