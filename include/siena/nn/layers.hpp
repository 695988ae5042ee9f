// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>

#include "siena/nn/custom.hpp"
#include "siena/nn/layers/activation.hpp"
#include "siena/nn/layers/batch_norm.hpp"
#include "siena/nn/layers/channel_shuffle.hpp"
#include "siena/nn/layers/conv1d.hpp"
#include "siena/nn/layers/conv2d.hpp"
#include "siena/nn/layers/fake_quantize.hpp"
#include "siena/nn/layers/group_norm.hpp"
#include "siena/nn/layers/linear.hpp"
#include "siena/nn/layers/mixture.hpp"
#include "siena/nn/layers/pool.hpp"
#include "siena/nn/layers/rearrange.hpp"
#include "siena/nn/layers/structure.hpp"

namespace siena {

/// Every layer that a network can hold. Each says everything of itself (see layer_hooks.hpp), or does not compile: to add one
/// is to write its header and to name it here. Layers of users come in as Custom.
using Layer = std::variant<Input, Conv2d, Linear, BatchNorm, Relu, PRelu, Sigmoid, Tanh, Dropout, MaxPool, AvgPool,
                           GlobalAvgPool, Flatten, Add, Concat, Mixture, Conv1d, Multiply, HardSigmoid, HardSwish, Clip,
                           LeakyRelu, Upsample, Pad, Slice, Custom, GroupNorm, ChannelShuffle, FakeQuantize>;

namespace detail {
template <class L>
consteval bool says_all() {
  if constexpr (!std::is_same_v<L, Custom>) require_hooks<L>();
  require_lowering<L>();
  return true;
}
template <class... Ls>
consteval bool say_all(const std::variant<Ls...>*) {
  return (says_all<Ls>() && ...);
}
static_assert(say_all(static_cast<const Layer*>(nullptr)));

/// Place I of the list, or the last one.
template <std::size_t I>
inline constexpr std::size_t place = I < std::variant_size_v<Layer> ? I : std::variant_size_v<Layer> - 1;

template <class L, class Variant>
inline constexpr bool is_alternative = false;
template <class L, class... Ls>
inline constexpr bool is_alternative<L, std::variant<Ls...>> = (std::is_same_v<L, Ls> || ...);
}  // namespace detail

/// One of siena's own layers.
template <class L>
concept BuiltInLayer = detail::is_alternative<L, Layer>;

/// f(the layer that is held), as std::visit calls it; a switch costs the compiler less than its table of functions.
template <class F>
decltype(auto) visit_layer(F&& f, const Layer& layer) {
  static_assert(std::variant_size_v<Layer> <= 32, "a case for every layer");
  switch (layer.index()) {
    case 0:
      return f(*std::get_if<detail::place<0>>(&layer));
    case 1:
      return f(*std::get_if<detail::place<1>>(&layer));
    case 2:
      return f(*std::get_if<detail::place<2>>(&layer));
    case 3:
      return f(*std::get_if<detail::place<3>>(&layer));
    case 4:
      return f(*std::get_if<detail::place<4>>(&layer));
    case 5:
      return f(*std::get_if<detail::place<5>>(&layer));
    case 6:
      return f(*std::get_if<detail::place<6>>(&layer));
    case 7:
      return f(*std::get_if<detail::place<7>>(&layer));
    case 8:
      return f(*std::get_if<detail::place<8>>(&layer));
    case 9:
      return f(*std::get_if<detail::place<9>>(&layer));
    case 10:
      return f(*std::get_if<detail::place<10>>(&layer));
    case 11:
      return f(*std::get_if<detail::place<11>>(&layer));
    case 12:
      return f(*std::get_if<detail::place<12>>(&layer));
    case 13:
      return f(*std::get_if<detail::place<13>>(&layer));
    case 14:
      return f(*std::get_if<detail::place<14>>(&layer));
    case 15:
      return f(*std::get_if<detail::place<15>>(&layer));
    case 16:
      return f(*std::get_if<detail::place<16>>(&layer));
    case 17:
      return f(*std::get_if<detail::place<17>>(&layer));
    case 18:
      return f(*std::get_if<detail::place<18>>(&layer));
    case 19:
      return f(*std::get_if<detail::place<19>>(&layer));
    case 20:
      return f(*std::get_if<detail::place<20>>(&layer));
    case 21:
      return f(*std::get_if<detail::place<21>>(&layer));
    case 22:
      return f(*std::get_if<detail::place<22>>(&layer));
    case 23:
      return f(*std::get_if<detail::place<23>>(&layer));
    case 24:
      return f(*std::get_if<detail::place<24>>(&layer));
    case 25:
      return f(*std::get_if<detail::place<25>>(&layer));
    case 26:
      return f(*std::get_if<detail::place<26>>(&layer));
    case 27:
      return f(*std::get_if<detail::place<27>>(&layer));
    case 28:
      return f(*std::get_if<detail::place<28>>(&layer));
    case 29:
      return f(*std::get_if<detail::place<29>>(&layer));
    case 30:
      return f(*std::get_if<detail::place<30>>(&layer));
    case 31:
      return f(*std::get_if<detail::place<31>>(&layer));
    default:
      throw std::bad_variant_access();
  }
}

inline std::string_view kind_of(const Layer& layer) {
  return visit_layer([](const auto& l) -> std::string_view { return l.kind(); }, layer);
}

/// What becomes of the channels of a layer.
inline ChannelRule channel_rule(const Layer& layer, const LayerSite& at) {
  return visit_layer([&](const auto& l) { return l.channel_rule(at); }, layer);
}
/// Which channels its k-th tensor is about, of its parameters and then its buffers.
inline TensorAxes tensor_axes(const Layer& layer, const LayerSite& at, int k) {
  return visit_layer([&](const auto& l) { return l.tensor_axes(at, k); }, layer);
}

/// A layer with a kernel, which says what convolution of images it is.
template <class L>
inline constexpr bool is_convolution = requires(L& layer) {
  layer.set_image(layer.image());
};

/// A layer's convolution as one of images: of height 1 for Conv1d, none for other layers.
inline std::optional<Conv2d> convolution_of(const Layer& layer) {
  return visit_layer(
      []<class L>(const L& l) -> std::optional<Conv2d> {
        if constexpr (is_convolution<L>) return l.image();
        return std::nullopt;
      },
      layer);
}
/// Makes a convolution the one whose `convolution_of` that is.
inline void set_convolution(Layer& layer, const Conv2d& image) {
  visit_layer(
      [&]<class L>(const L&) {
        if constexpr (is_convolution<L>) std::get_if<L>(&layer)->set_image(image);
      },
      layer);
}

/// Whether a layer has output channels of its own, which may be Searchable.
template <class L>
inline constexpr bool makes_channels = requires {
  L::makes_channels;
};
/// Whether a batch norm behind a layer folds into it: into its weights, column by column, and its option `bias`.
template <class L>
inline constexpr bool takes_batch_norm = requires {
  L::takes_batch_norm;
};
template <class... Ls>
bool may_make_channels(const std::variant<Ls...>& layer) {
  constexpr bool each[] = {makes_channels<Ls>...};
  const auto* custom = std::get_if<Custom>(&layer);
  return custom != nullptr ? custom->may_make_channels() : each[layer.index()];
}
template <class... Ls>
bool may_take_batch_norm(const std::variant<Ls...>& layer) {
  constexpr bool each[] = {takes_batch_norm<Ls>...};
  return each[layer.index()];
}

/// The layer of the channels that stay.
inline Layer narrowed(Layer layer, const KeptChannels& kept) {
  visit_layer(
      [&]<class L>(const L& own) {  // assigned as an L: the compiler need not ask which of all layers an L becomes
        if constexpr (!std::is_empty_v<L>) *std::get_if<L>(&layer) = own.narrowed(kept);
      },
      layer);
  return layer;
}

}  // namespace siena
