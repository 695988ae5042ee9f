// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "siena/autograd/ops/structure.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/layer_hooks.hpp"

namespace siena {

/// The network's input: the first node of every network.
struct Input {
  std::string_view kind() const { return "input"; }
  static void attributes(auto&, auto&&) {}
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::freezes({}, "they are the input of the network"); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.other; }
  Shape setup(LayerSetup& setup) const { return setup.input(); }
  Var forward(Forward& f) const { return f.input(); }
  void lower(Lowering& to) const { to.hands_on(); }
};

/// H x W x C -> H W C or T x C -> T C, position by position.
struct Flatten {
  std::string_view kind() const { return "flatten"; }
  static void attributes(auto&, auto&&) {}
  static ChannelRule channel_rule(const LayerSite& at) { return ChannelRule::repeats(at.output[0] / at.channels()); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.flatten; }
  Shape setup(LayerSetup& setup) const { return {setup.input().elements()}; }
  Var forward(Forward& f) const { return ops::flatten(f.input()); }
  void lower(Lowering& to) const { to.is(primitive::Reshape{}); }
};

/// The sum of two inputs of equal shape.
struct Add {
  std::string_view kind() const { return "add"; }
  static void attributes(auto&, auto&&) {}
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::ties(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.add; }
  Shape setup(LayerSetup& setup) const {
    const auto in = setup.inputs();
    require<ShapeError>(in.size() == 2 && in[0] == in[1], "{}: expected two inputs of equal shape, got {} and {}",
                        setup.where(), in[0], in.size() > 1 ? in[1] : Shape{});
    return in[0];
  }
  Var forward(Forward& f) const { return ops::add(f.input(0), f.input(1)); }
  void lower(Lowering& to) const { to.is(primitive::Add{}); }
};

/// The product of two inputs of equal shape, or of one and, second, one value for each of its channels.
struct Multiply {
  std::string_view kind() const { return "multiply"; }
  static void attributes(auto&, auto&&) {}
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::ties(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  static void describe(auto& layer, const LayerSite& at) {
    layer.kind = layer.multiply;
    layer.per_channel = at.inputs[0] != at.inputs[1];
  }
  Shape setup(LayerSetup& setup) const {
    const auto in = setup.inputs();
    const auto one_each = [&] {
      return in[1].rank() <= in[0].rank() && in[1].rows() == 1 && in[1].columns() == in[0].columns();
    };
    const bool fits = in.size() == 2 && (in[0] == in[1] || one_each());
    require<ShapeError>(fits, "{}: expected two inputs of equal shape, or one value a channel as the second, got {} and {}",
                        setup.where(), in[0], in.size() > 1 ? in[1] : Shape{});
    return in[0];
  }
  Var forward(Forward& f) const { return ops::multiply(f.input(0), f.input(1)); }
  void lower(Lowering& to) const { to.is(primitive::Multiply{}); }
};

/// Inputs side by side along the channels; all other sizes are equal.
struct Concat {
  std::string_view kind() const { return "concat"; }
  static void attributes(auto&, auto&&) {}
  static ChannelRule channel_rule(const LayerSite&) { return ChannelRule::concatenates(); }
  static TensorAxes tensor_axes(const LayerSite&, int) { return {}; }
  static void describe(auto& layer, const LayerSite&) { layer.kind = layer.concat; }
  Shape setup(LayerSetup& setup) const {
    std::vector<std::int64_t> sizes(setup.input().sizes().begin(), setup.input().sizes().end());
    sizes.back() = 0;
    for (const Shape& in : setup.inputs()) {
      bool fits = in.rank() == setup.input().rank();
      for (int i = 0; fits && i + 1 < in.rank(); ++i) fits = in[i] == setup.input()[i];
      require<ShapeError>(fits, "{}: expected inputs that differ in channels only, got {} and {}", setup.where(), setup.input(),
                          in);
      sizes.back() += in[-1];
    }
    return Shape(std::span<const std::int64_t>(sizes));
  }
  Var forward(Forward& f) const {
    std::vector<Var> inputs;
    for (int i = 0; i < f.inputs(); ++i) inputs.push_back(f.input(i));
    return ops::concat(inputs);
  }
  void lower(Lowering& to) const { to.is(primitive::Concat{}); }
};

}  // namespace siena
