// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/nn/network_builder.hpp"

namespace siena {

/// A layer with something attached: has a `layer` and says what with `decoration()`. Where it has a `check(input, where)`, that
/// is told the shape that the layer reads, and its name for errors.
template <class D>
concept DecoratedLayer = requires(const D& decorated) {
  decorated.layer;
  { decorated.decoration() } -> std::convertible_to<Decoration>;
};

/// A value in a network under construction: the handle with which graphs are written, `x | Conv2d{.out = 16} | Relu{}`. Good
/// until the network is built; an ArgumentError afterwards.
class Flow {
 public:
  Flow(NetworkBuilder* builder, int node) : builder_(builder->self()), node_(node) {}

  /// Shape of one sample here.
  Shape shape() const { return builder()->shape(node_); }
  int node() const { return node_; }
  NetworkBuilder* builder() const {
    require<ArgumentError>(*builder_ != nullptr,
                           "Flow: expected a value of the network that is being built, got one of a network that is finished");
    return *builder_;
  }

  /// Names the layer whose output this is; its parameters are saved under this name.
  Flow named(std::string name) const {
    builder()->rename(node_, std::move(name));
    return *this;
  }

  /// Appends a layer, one of siena's own or any other LayerType.
  template <class L>
  Flow append(L layer, Decoration decoration = {}) const {
    if constexpr (std::same_as<L, Layer> || BuiltInLayer<L>) {
      return {builder(), builder()->append(std::move(layer), {node_}, std::move(decoration))};
    } else {
      static_assert(LayerType<L>,
                    "siena: a layer needs `std::string_view kind() const`, `Shape setup(LayerSetup&) const` and "
                    "`Var forward(Forward&) const`, and must be copyable");
      if constexpr (LayerType<L>) return append(Custom(std::move(layer)), std::move(decoration));
    }
  }

  /// Appends a layer, or what a function makes of this value: `x | [](Flow y) { return y | Conv2d{.out = 16} | Relu{}; }`.
  template <class L>
  friend Flow operator|(const Flow& x, L layer) {
    if constexpr (std::is_invocable_v<L, const Flow&>) {
      static_assert(std::is_invocable_r_v<Flow, L, const Flow&>,
                    "siena: a function behind `|` takes a Flow and returns the Flow that it makes of it");
      return layer(x);
    } else if constexpr (DecoratedLayer<L>) {
      const Flow y = x.append(layer.layer, layer.decoration());
      if constexpr (requires { layer.check(x.shape(), std::string_view()); }) {
        layer.check(x.shape(), y.builder()->name(y.node()));
      }
      return y;
    } else {
      return x.append(std::move(layer));
    }
  }

 private:
  std::shared_ptr<NetworkBuilder*> builder_;
  int node_;
};

/// The sum of two values of equal shape. C++ leaves open which argument is evaluated first, so `add(x
/// | A{}, x | B{})` may create B before A: give one of them a name first where the order of the
/// layers (their names, the draw of their weights) matters.
inline Flow add(const Flow& a, const Flow& b) {
  require<ArgumentError>(a.builder() == b.builder(), "add: expected two values of one network, got values of two networks");
  return {a.builder(), a.builder()->append(Add{}, {a.node(), b.node()}, {})};
}

/// The product of two values of equal shape, or of a value and one number for each of its channels, as squeeze-and-excitation
/// has it: `multiply(x, x | GlobalAvgPool{} | ... | Sigmoid{})`. For the order of evaluation see `add`.
inline Flow multiply(const Flow& a, const Flow& b) {
  require<ArgumentError>(a.builder() == b.builder(),
                         "multiply: expected two values of one network, got values of two networks");
  return {a.builder(), a.builder()->append(Multiply{}, {a.node(), b.node()}, {})};
}

/// Values side by side along their channels.
inline Flow concat(std::initializer_list<Flow> flows) {
  require<ShapeError>(flows.size() > 0, "concat: expected at least one value, got none");
  std::vector<int> nodes;
  NetworkBuilder* builder = flows.begin()->builder();
  for (const Flow& flow : flows) {
    require<ArgumentError>(flow.builder() == builder, "concat: expected values of one network, got values of two networks");
    nodes.push_back(flow.node());
  }
  return {builder, builder->append(Concat{}, std::move(nodes), {})};
}

}  // namespace siena
