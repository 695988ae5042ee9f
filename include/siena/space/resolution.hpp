// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
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
    const auto* pool = std::get_if<AvgPool>(&layer);
    require<ArgumentError>(
        pool != nullptr && pool->stride == Size2(0) && pool->padding == ImagePadding(0),
        "{}: expected Resolution of an AvgPool whose windows touch, as `x | Resolution{{}}` makes it, got '{}'", where,
        kind_of(layer));
  }

  friend Flow operator|(const Flow& x, const Resolution& axis);
};

/// What is halved of a network, place by place, each with two alternatives, of which each step of training samples one; alpha
/// learns from the loss (see Alternatives). While that is open, height and width cost what they are expected to be. The wide
/// network computes the whole resolution; what is halved is computed by CompactNetwork and `discretize`. Throws ArgumentError
/// where weights depend on height and width.
class ResolutionAxis final : public AxisHooks {
 public:
  static constexpr int order = 3;

  explicit ResolutionAxis(Network& network, const SpaceOptions& = {}) {
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
    require<ArgumentError>(nodes_.size() <= most_places, "Resolution: expected at most {} places in a network, got {}",
                           most_places, nodes_.size());
    for (std::size_t halved = 0; halved < std::size_t{1} << nodes_.size(); ++halved)
      sites_.push_back(shapes_of(network, halved));
  }

  std::string_view name() const override { return "resolution"; }
  AxisState whole() const override { return AxisState(nodes_.size(), {0}); }
  AxisState smallest() const override { return AxisState(nodes_.size(), {1}); }
  bool varies() const override { return !nodes_.empty(); }
  bool mixes() const override { return !nodes_.empty(); }
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
  void for_each_move(const Network& network, AxisState& state, Direction direction, const TakeMove& take) const override {
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
    leave_out(network, state, variation.sources);
    const std::vector<Sizes>& sizes = sites_[index_of(state)];
    variation.place = [this, &network, &sizes, state](int node, Layer& layer, LayerSite& at) {
      layer = halved(layer, node, state);
      const std::vector<int>& inputs = network.nodes()[node].inputs;
      for (std::size_t k = 0; k < inputs.size(); ++k) set(at.inputs[k], sizes[inputs[k]].shape);
      set(at.output, sizes[node].shape);
      at.macs = sizes[node].macs;
    };
  }
  /// Height and width as they are expected to be: of each place, by how likely it is halved.
  void vary(Tape& tape, Network& network, Variation<Scalar>& variation) const override {
    std::vector<Scalar> likely;
    for (const Alternatives& place : places_) likely.push_back(place.probabilities(tape, network)[1]);
    variation.adjust = [this, &network, likely](int node, LayerDesc<Scalar>& layer) {
      const int from = network.nodes()[node].inputs[0];
      for (std::size_t i = 0; i < nodes_.size(); ++i) {
        layer.in_height *= expected(likely[i], i, from, 0), layer.in_width *= expected(likely[i], i, from, 1);
        layer.out_height *= expected(likely[i], i, node, 0), layer.out_width *= expected(likely[i], i, node, 1);
        if (nodes_[i] == node) layer.presence *= likely[i];
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
  /// The layer of a place with windows of twice the size, where it is halved; others as they are.
  Layer halved(const Layer& layer, int node, const AxisState& state) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i] != node || state[i][0] == 0) continue;
      AvgPool pool = std::get<AvgPool>(layer);
      pool.kernel = {2 * pool.kernel.height, 2 * pool.kernel.width};
      return pool;
    }
    return layer;
  }
  /// A place that is not halved, and was not before, is no layer.
  void leave_out(const Network& network, const AxisState& state, std::vector<int>& sources) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Network::Node& node = network.nodes()[nodes_[i]];
      if (state[i][0] != 0 || std::get<AvgPool>(node.layer).kernel != Size2(1)) continue;
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
      sizes.push_back({shape, setup.own_macs});
    }
    return sizes;
  }
  /// Height and width of another shape; the channels stay.
  static void set(Shape& shape, const Shape& other) {
    if (shape.rank() == 3) shape = {other[0], other[1], shape[2]};
  }
  /// Of a side of a node's output (0: height), what is expected of it as a part of the whole.
  Scalar expected(const Scalar& likely, std::size_t place, int node, int side) const {
    const Shape &all = sites_[0][node].shape, &half = sites_[std::size_t{1} << place][node].shape;
    if (all.rank() != 3 || all[side] == half[side]) return 1;
    return likely * (static_cast<double>(half[side]) / static_cast<double>(all[side]) - 1) + 1.0;
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
