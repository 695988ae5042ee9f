// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>

#include "siena/core/attributes.hpp"
#include "siena/nn/custom.hpp"
#include "siena/nn/layers/activation.hpp"
#include "siena/nn/layers/batch_norm.hpp"
#include "siena/nn/layers/conv1d.hpp"
#include "siena/nn/layers/conv2d.hpp"
#include "siena/nn/layers/linear.hpp"
#include "siena/nn/layers/mixture.hpp"
#include "siena/nn/layers/pool.hpp"
#include "siena/nn/layers/rearrange.hpp"
#include "siena/nn/layers/structure.hpp"

namespace siena {

/// Every layer that a network can hold. Closed, so that who handles each by `visit_layer` (costs, channels that are tied,
/// export) is told by the compiler when a layer is new; who asks for one of them is not. Layers of users come in as Custom.
/// Each names its options (HasAttributes).
using Layer = std::variant<Input, Conv2d, Linear, BatchNorm, Relu, PRelu, Sigmoid, Tanh, Dropout, MaxPool, AvgPool,
                           GlobalAvgPool, Flatten, Add, Concat, Mixture, Conv1d, Multiply, HardSigmoid, HardSwish, Clip,
                           LeakyRelu, Upsample, Pad, Slice, Custom>;

namespace detail {
template <class L>
consteval bool says_options() {
  if constexpr (!std::is_same_v<L, Custom>) require_attributes<L>();
  require_lowering<L>();
  return true;
}
template <class... Ls>
consteval bool say_options(const std::variant<Ls...>*) {
  return (says_options<Ls>() && ...);
}
static_assert(say_options(static_cast<const Layer*>(nullptr)));

template <class L, class Variant>
inline constexpr bool is_alternative = false;
template <class L, class... Ls>
inline constexpr bool is_alternative<L, std::variant<Ls...>> = (std::is_same_v<L, Ls> || ...);
}  // namespace detail

/// One of siena's own layers.
template <class L>
concept BuiltInLayer = detail::is_alternative<L, Layer>;

/// What makes each element of the one in its place, and of nothing else but parameters.
template <class L>
inline constexpr bool is_activation =
    detail::is_alternative<L, std::variant<Relu, PRelu, Sigmoid, Tanh, Dropout, HardSigmoid, HardSwish, Clip, LeakyRelu>>;
template <class L>
inline constexpr bool is_pool = detail::is_alternative<L, std::variant<MaxPool, AvgPool, GlobalAvgPool>>;

/// f(the layer that is held), as std::visit calls it; a switch costs the compiler less than its table of functions.
template <class F>
decltype(auto) visit_layer(F&& f, const Layer& layer) {
  static_assert(std::variant_size_v<Layer> == 26, "a case for every layer");
  switch (layer.index()) {
    case 0:
      return f(*std::get_if<0>(&layer));
    case 1:
      return f(*std::get_if<1>(&layer));
    case 2:
      return f(*std::get_if<2>(&layer));
    case 3:
      return f(*std::get_if<3>(&layer));
    case 4:
      return f(*std::get_if<4>(&layer));
    case 5:
      return f(*std::get_if<5>(&layer));
    case 6:
      return f(*std::get_if<6>(&layer));
    case 7:
      return f(*std::get_if<7>(&layer));
    case 8:
      return f(*std::get_if<8>(&layer));
    case 9:
      return f(*std::get_if<9>(&layer));
    case 10:
      return f(*std::get_if<10>(&layer));
    case 11:
      return f(*std::get_if<11>(&layer));
    case 12:
      return f(*std::get_if<12>(&layer));
    case 13:
      return f(*std::get_if<13>(&layer));
    case 14:
      return f(*std::get_if<14>(&layer));
    case 15:
      return f(*std::get_if<15>(&layer));
    case 16:
      return f(*std::get_if<16>(&layer));
    case 17:
      return f(*std::get_if<17>(&layer));
    case 18:
      return f(*std::get_if<18>(&layer));
    case 19:
      return f(*std::get_if<19>(&layer));
    case 20:
      return f(*std::get_if<20>(&layer));
    case 21:
      return f(*std::get_if<21>(&layer));
    case 22:
      return f(*std::get_if<22>(&layer));
    case 23:
      return f(*std::get_if<23>(&layer));
    case 24:
      return f(*std::get_if<24>(&layer));
    case 25:
      return f(*std::get_if<25>(&layer));
    default:
      throw std::bad_variant_access();
  }
}

inline std::string_view kind_of(const Layer& layer) {
  return visit_layer([](const auto& l) -> std::string_view { return l.kind(); }, layer);
}

template <class L>
inline constexpr bool is_convolution = std::is_same_v<L, Conv2d> || std::is_same_v<L, Conv1d>;

/// A layer's convolution as one of images: of height 1 for Conv1d, none for other layers.
inline std::optional<Conv2d> convolution_of(const Layer& layer) {
  if (const auto* image = std::get_if<Conv2d>(&layer)) return *image;
  if (const auto* signal = std::get_if<Conv1d>(&layer)) return signal->image();
  return std::nullopt;
}
/// Makes a convolution the one whose `convolution_of` that is.
inline void set_convolution(Layer& layer, const Conv2d& image) {
  if (auto* signal = std::get_if<Conv1d>(&layer)) {
    signal->set_image(image);
  } else {
    layer = image;
  }
}

}  // namespace siena
