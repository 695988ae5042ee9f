// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/core/random.hpp"
#include "siena/cost/description.hpp"
#include "siena/kernels/fake_quantize.hpp"
#include "siena/nn/network.hpp"
#include "siena/space/axis_spec.hpp"
#include "siena/space/layer_description.hpp"
#include "siena/space/options.hpp"
#include "siena/space/selection.hpp"

// What a search asks of each axis along which networks vary. Searches, descriptions, discretised and compact networks know
// axes only by this; a new one is a header of its own.

namespace siena {

/// Which moves: away to less of what there is and to any alternative, or back to more and to better alternatives.
enum class Direction { away, back };

/// What a state next to another one differs by.
struct AxisMove {
  double worth = 0;  ///< what the task loses or gains by it, an estimate: rise or fall of its loss
  int size = 0;      ///< how much goes or comes; 0 of what only changes
  int steps = 0;     ///< in which it does: of one channel, or of as many as are a multiple
};
/// Takes a move; false: none that goes on from it is wanted.
using TakeMove = std::function<bool(const AxisMove&)>;

/// Parts of a state that are tried together, in every value, where the cheapest network is sought: of one node.
struct AxisSite {
  struct Part {
    int index = 0;   ///< into the state; such a part is one number
    int values = 0;  ///< which counts from 0
  };
  int node = 0;
  std::vector<Part> parts = {};
};

/// How the network that is described differs from the one that was written. Each axis puts its own in the place of what it
/// finds, or around it where others have a say; what it puts there may refer to the state and is used while that lasts.
template <class N>
struct Variation {
  std::vector<int> sources;                                      ///< which node makes the value of each node; -1: none does
  std::function<N(int node)> channels;                           ///< that a node puts out
  std::function<std::optional<KernelSize<N>>(int node)> kernel;  ///< where that is not the kernel of its layer
  /// Where set: 1 for each channel that a node puts out, 0 for those that are off.
  std::function<ChannelValues<N>(int node)> mask = {};
  /// Where set: the bits of a node's weights, if they are not those of its layer.
  std::function<std::vector<BitShare<N>>(int node)> bits = {};
  /// Where set: the bits of the values that a FakeQuantize hands on, if they are not those of the layer.
  std::function<N(int node)> value_bits = {};
  /// Where set: changes a layer, and the shapes between which it stands.
  std::function<void(int node, Layer& layer, LayerSite& at)> place = {};
  /// Where set: changes the sizes of a layer before it is asked what it costs.
  std::function<void(int node, LayerDesc<N>& layer)> adjust = {};
};

/// Neighbouring columns that stay.
struct ColumnRun {
  std::int64_t begin = 0, count = 0;
};

/// What stays of a network, node by node; whole at first.
struct Narrowing {
  std::vector<int> sources;                         ///< which node makes the value of each node; -1: none does
  std::vector<Layer> layers;                        ///< its channels excepted, which follow from those that stay
  std::vector<std::vector<std::int64_t>> channels;  ///< that stay, of each node
  std::vector<std::vector<std::int64_t>> taps;      ///< that stay, of each kernel, row by row; all where there are none
  std::vector<bool> gated;                          ///< nodes whose gates stay
  std::vector<bool> decided;                        ///< nodes that leave their architecture parameters and buffers behind
};

/// What the backward pass of a compact network says of one node with gates.
struct NodeSlopes {
  /// Of each row of its weights the product with its gradient, which is the gradient of a mask on it. Empty where the node is
  /// not there, or has gates still.
  std::vector<float> rows = {};
  const Parameter* weights = nullptr;       ///< what is left of them, and the gradient of what the layer computes with
  kernels::ColumnSizes<float> sizes = {};   ///< of these weights, where they have bits
  std::span<const ColumnRun> columns = {};  ///< which of the node's output channels those are
};

/// What a step of training tells the axes before it is computed.
struct AxisStep {
  double epoch = 0;
  bool learns = true;  ///< false where only weights move
  Random random;
};

/// One axis of a search space: what its parts may become, how a search moves along it, what costs see of it and what is left
/// of the network. Made from a network, to which it adds the parameters by which a search moves, and the gates by which they
/// act; names them by index, and so serves every copy of the network. What every axis must say is pure; the rest are hooks that
/// do nothing unless an axis overrides them.
class AxisHooks {
 public:
  virtual ~AxisHooks() = default;

  virtual std::string_view name() const = 0;
  virtual AxisState whole() const = 0;
  virtual AxisState smallest() const = 0;
  /// Whether there is more than one state.
  virtual bool varies() const = 0;
  /// The state that a forward pass in inference mode computes now.
  virtual AxisState state(const Network& network) const = 0;
  /// Makes the network compute this state.
  virtual void select(Network& network, const AxisState& state) const = 0;
  /// Changes a state move by move, for as long as `take` returns true, part after part; each part begins where it was. `all` is
  /// the architecture that the state belongs to.
  virtual void for_each_move(const Network& network, const Selection& all, AxisState& state, Direction direction,
                             const TakeMove& take) const = 0;
  /// What costs see, exactly; and as the search is charged, with a gradient.
  virtual void vary(const Network& network, const AxisState& state, Variation<double>& variation) const = 0;
  virtual void vary(Tape& tape, Network& network, Variation<Scalar>& variation) const = 0;
  /// What a state leaves of the network.
  virtual void narrow(const Network& network, const AxisState& state, Narrowing& narrowing) const = 0;

  /// The state that a pass of a search computes, where that is more than evaluation does, or another.
  virtual AxisState computed(const Network& network, Mode) const { return state(network); }
  /// As while a search goes on that has decided nothing.
  virtual void open(AxisState&) const {}
  /// Whether what the network costs while the axis is open is an expectation.
  virtual bool mixes() const { return false; }
  /// Switches off what a state leaves out; all else stays as it is.
  virtual void switch_off(Network&, const AxisState&) const {}
  /// Brings parameters back into their range after an update.
  virtual void project(Network&) const {}
  /// Where every value is tried when the cheapest network is sought: what costs do not simply grow with.
  virtual std::vector<AxisSite> sites() const { return {}; }
  /// Takes the state in which a node is there.
  virtual void enter(const Network&, int /*node*/, AxisState&) const {}
  /// States in which, together, every operation occurs that a layer may become, for what cost models are asked beforehand.
  virtual std::vector<AxisState> operations(const Network&, const AxisState& state) const { return {state}; }
  /// Gives the layers of what is open their probabilities.
  virtual void weigh(Tape&, Network&, const std::vector<int>& /*sources*/, Architecture<Scalar>&) const {}
  /// Before each step of the search; and after it, for axes that learn from the loss itself, with the loss above the usual one.
  virtual void begin_step(Network&, const AxisStep&) const {}
  virtual bool learns_from_loss() const { return false; }
  virtual void learn(Network&, double /*rise*/) const {}
  /// After a step of a compact network in this state: takes the gradients in of what multiplies weights. `batch`: samples
  /// behind them.
  virtual void take_slopes(Network&, const AxisState&, const std::vector<NodeSlopes>&, double /*batch*/) const {}
  /// Before an update: gives parameters that stand for one thing one gradient.
  virtual void join_gradients(Network&) const {}
  /// Added to the loss, beside the constraints.
  virtual Scalar penalty(Tape&, Network&) const { return 0; }
  /// By which a checkpoint is recognised.
  virtual std::string settings() const { return {}; }
  /// What may vary of a node, and why no more: "kernel 1x1 to 5x5"; nothing where there is nothing to say.
  virtual std::string freedom(const Network&, int /*node*/) const { return {}; }
};

/// A complete axis. Those of lower `order` come first, in selections and among the parameters of the network.
template <class A>
concept Axis = std::derived_from<A, AxisHooks> && !std::is_abstract_v<A> &&
               std::constructible_from<A, Network&, const SpaceOptions&> && requires {
  { A::order } -> std::convertible_to<int>;
};

/// Fails to compile, with one sentence, for what is no axis.
template <class A>
constexpr void assert_axis() {
  static_assert(!std::is_abstract_v<A>,
                "siena: an axis overrides name, whole, smallest, varies, state, select, for_each_move, both forms of vary, and "
                "narrow, as AxisHooks declares them");
  static_assert(Axis<A> || std::is_abstract_v<A>,
                "siena: an axis derives from AxisHooks, is made from `Network&` and `const SpaceOptions&`, and has a `static "
                "constexpr int order`");
}

/// An axis of any type. Copies share it: it does not change.
using AnyAxis = std::shared_ptr<const AxisHooks>;

template <class A>
AnyAxis install_axis(Network& network, const SpaceOptions& options) {
  assert_axis<A>();
  if constexpr (Axis<A>)
    return std::make_shared<A>(network, options);
  else
    return nullptr;
}

}  // namespace siena
