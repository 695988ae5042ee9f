// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <type_traits>
#include <variant>

#include "siena/nn/custom.hpp"
#include "siena/nn/layers/activation.hpp"
#include "siena/nn/layers/batch_norm.hpp"
#include "siena/nn/layers/conv2d.hpp"
#include "siena/nn/layers/linear.hpp"
#include "siena/nn/layers/pool.hpp"
#include "siena/nn/layers/structure.hpp"

namespace siena {

/// Every layer that a network can hold. Closed, so that whoever walks a network (costs, export, discretisation) is told by the
/// compiler when a layer is new; layers of users come in as Custom.
using Layer = std::variant<Input, Conv2d, Linear, BatchNorm, Relu, PRelu, Sigmoid, Tanh, Dropout, MaxPool, AvgPool,
                           GlobalAvgPool, Flatten, Add, Concat, Custom>;

namespace detail {
template <class L, class Variant>
inline constexpr bool is_alternative = false;
template <class L, class... Ls>
inline constexpr bool is_alternative<L, std::variant<Ls...>> = (std::is_same_v<L, Ls> || ...);
}  // namespace detail

/// One of siena's own layers.
template <class L>
concept BuiltInLayer = detail::is_alternative<L, Layer>;

inline std::string_view kind_of(const Layer& layer) {
  return std::visit([](const auto& l) -> std::string_view { return l.kind(); }, layer);
}

}  // namespace siena
