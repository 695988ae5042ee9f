// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "siena/autograd/scalar.hpp"
#include "siena/core/attributes.hpp"
#include "siena/core/shape.hpp"
#include "siena/nn/channel_rule.hpp"

// What a layer says of itself beside what it computes, so that nobody else needs to know its type.

namespace siena {

/// Where a layer stands in a network. Shapes are those of one sample.
struct LayerSite {
  std::string_view name;
  std::vector<Shape> inputs = {};
  Shape output = {};
  std::vector<Shape> parameters = {};  ///< those that it asked for
  std::optional<double> macs = {};     ///< what it said in its setup

  /// Of the first input.
  std::int64_t channels() const { return inputs[0][-1]; }
};

/// Which channels a tensor of a layer is about. Its last size counts columns, the one before it rows.
struct TensorAxes {
  bool reads = false;  ///< its rows are the channels of the first input, in a kernel once for each tap
  bool makes = false;  ///< its columns are the channels of the output
};

/// Which channels stay: positions among all of the first input, `read` of them, and among all of the output.
struct KeptChannels {
  std::int64_t read = 0;
  std::span<const std::int64_t> in = {}, out = {};
};

/// What the multiply-adds of a layer are counted from. N is double, or Scalar in a search.
template <class N>
struct LayerSizes {
  N in_channels, out_channels;
  N in_height, in_width, out_height, out_width;
};

template <class L>
concept SaysChannelRule = requires(const L& layer, const LayerSite& at) {
  { layer.channel_rule(at) } -> std::same_as<ChannelRule>;
};
template <class L>
concept SaysTensorAxes = requires(const L& layer, const LayerSite& at, int tensor) {
  { layer.tensor_axes(at, tensor) } -> std::same_as<TensorAxes>;
};
/// A layer without options is what it was.
template <class L>
concept SaysNarrowed = std::is_empty_v<L> || requires(const L& layer, const KeptChannels& kept) {
  { layer.narrowed(kept) } -> std::same_as<L>;
};
namespace detail {
struct AnyDescription {};
}  // namespace detail
template <class L>
concept SaysDescription = requires(const L& layer, detail::AnyDescription& description, const LayerSite& at) {
  layer.describe(description, at);
};
template <class L>
concept SaysMacs = requires(const L& layer, const LayerSizes<double>& exact, const LayerSizes<Scalar>& searched) {
  { layer.own_macs(exact) } -> std::convertible_to<double>;
  { layer.own_macs(searched) } -> std::convertible_to<Scalar>;
};

/// Fails to compile, with a sentence each, for a layer that takes part in masks and does not say how.
template <class L>
constexpr void require_channel_hooks() {
  static_assert(SaysChannelRule<L>,
                "siena: a layer says what becomes of its channels where channels of its inputs go, `ChannelRule "
                "channel_rule(const LayerSite& at) const`, which returns ChannelRule::follows(), say");
  static_assert(SaysTensorAxes<L>,
                "siena: a layer says which channels its tensors are about, `TensorAxes tensor_axes(const LayerSite& at, int "
                "tensor) const`, which returns {.reads = true, .makes = true} for a matrix of weights; tensors are its "
                "parameters, then its buffers");
  static_assert(SaysNarrowed<L>,
                "siena: a layer with options says which it has when channels are gone, `L narrowed(const KeptChannels& kept) "
                "const` for a layer L, which returns *this where they stay the same");
}

/// Fails to compile, with a sentence each, for a layer of siena's that does not say everything of itself.
template <class L>
constexpr void require_hooks() {
  require_attributes<L>();
  require_channel_hooks<L>();
  static_assert(
      SaysDescription<L>,
      "siena: a layer says what cost models see of it, `void describe(auto& layer, const LayerSite& at) const`, which "
      "sets `layer.kind = layer.activation`, say, and what that kind wants to know; sizes are there already");
}

/// Node `index` of a network.
template <class Network>
LayerSite site_of(const Network& network, int index) {
  const auto& node = network.nodes()[static_cast<std::size_t>(index)];
  LayerSite site{.name = node.name, .output = node.shape, .macs = node.macs};
  for (const int input : node.inputs) site.inputs.push_back(network.nodes()[static_cast<std::size_t>(input)].shape);
  for (const int p : node.parameters) site.parameters.push_back(network.parameter(p).value.shape());
  return site;
}

}  // namespace siena
