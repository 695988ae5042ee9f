// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

#include "siena/cost/description.hpp"

namespace siena {

/// Has a name for reports.
template <class M>
concept Named = requires(const M& model) {
  { model.name() } -> std::convertible_to<std::string_view>;
};
namespace detail {
/// A number with a fraction, that is no bool or int: steps of 1 have no gradient.
template <class T, class N>
concept Fractional = std::convertible_to<T, N> && !std::integral<std::remove_cvref_t<T>>;
/// Prices a description in whole numbers.
template <class M, class D>
concept CountsLayer = requires(const M& model, const D& layer) {
  { model.layer_cost(layer) } -> std::integral;
};
template <class M, class D>
concept CountsNetwork = requires(const M& model, const D& network) {
  { model.network_cost(network) } -> std::integral;
};
template <class M>
inline constexpr bool counts = CountsLayer<M, LayerDesc<double>> || CountsLayer<M, LayerDesc<Scalar>> ||
                               CountsNetwork<M, Architecture<double>> || CountsNetwork<M, Architecture<Scalar>>;
}  // namespace detail

/// Prices one execution of one layer in numbers of type N.
template <class M, class N>
concept PricesLayers = requires(const M& model, const LayerDesc<N>& layer) {
  { model.layer_cost(layer) } -> detail::Fractional<N>;
};
/// Prices whole networks in numbers of type N.
template <class M, class N>
concept PricesNetworks = requires(const M& model, const Architecture<N>& network) {
  { model.network_cost(network) } -> detail::Fractional<N>;
};

/// Gives a price to a network, for truth (double) and gradient (Scalar) by one formula: `name()` and either
/// `layer_cost(layer)`, which `total` adds up (over layers, and within one over slices of bits: no model sees several widths at
/// once), or `network_cost(network)`. Optional: `unit()`.
template <class M>
concept CostModel = Named<M> &&
    ((PricesLayers<M, double> && PricesLayers<M, Scalar>) || (PricesNetworks<M, double> && PricesNetworks<M, Scalar>));

/// Explains in one sentence what `M` lacks to be a CostModel; entry points call it instead of constraining their templates.
template <class M>
constexpr void assert_cost_model() {
  static_assert(Named<M>, "siena: a cost model needs `std::string_view name() const`, the name that reports show");
  constexpr bool counts = detail::counts<M>;
  static_assert(!counts,
                "siena: layer_cost and network_cost return a bool or an int, which has no gradient; return an N, the type of "
                "the description's numbers: `template <class N> N layer_cost(const LayerDesc<N>& layer) const`");
  static_assert(counts || PricesLayers<M, double> || PricesNetworks<M, double>,
                "siena: a cost model needs `auto layer_cost(const auto& layer) const`, which returns the cost of one "
                "LayerDesc<N> as an N, or `auto network_cost(const Architecture<N>& network) const` for the whole network");
  static_assert(counts || !PricesLayers<M, double> || PricesNetworks<M, double> || PricesLayers<M, Scalar>,
                "siena: layer_cost takes LayerDesc<double> but not LayerDesc<Scalar>; write it once for both as "
                "`auto layer_cost(const auto& layer) const`, with double only for constants, so that it has a gradient");
  static_assert(counts || !PricesNetworks<M, double> || PricesNetworks<M, Scalar>,
                "siena: network_cost takes Architecture<double> but not Architecture<Scalar>; write it once for both as "
                "`template <class N> N network_cost(const Architecture<N>& network) const`, so that it has a gradient");
}

/// Whether the price of a network is the sum of those of its layers.
template <class M>
concept SumsLayers = PricesLayers<M, double> && !PricesNetworks<M, double>;

/// What `model` charges for one layer as often as it is there: a part of `total`. Filters of different bits are a call each, so
/// the model prices each slice as a layer of its own: tiles that a slice does not fill and inputs that each call gathers anew
/// cost what they cost. A slice of less than one filter is that part of one, so that an empty one is free and has the slope of
/// its first filter.
template <class M, class N>
N layer_total(const M& model, const LayerDesc<N>& layer) {
  if (layer.slices.empty()) return N(model.layer_cost(layer)) * layer.presence;
  N sum = 0;
  for (const auto& [bits, filters] : layer.slices)
    sum += N(model.layer_cost(layer.slice(max_of(filters, 1.0), bits))) * min_of(1.0, filters);
  return sum * layer.presence;
}

/// What `model` charges for the whole network. Layer by layer, each cost counts as often as the layer is there (its
/// presence); a model with network_cost sees to that itself.
template <class M, class N>
N total(const M& model, const Architecture<N>& network) {
  assert_cost_model<M>();
  if constexpr (PricesNetworks<M, N>) {
    return model.network_cost(network);
  } else if constexpr (PricesLayers<M, N>) {
    N sum = 0;
    for (const LayerDesc<N>& layer : network.layers) sum += layer_total(model, layer);
    return sum;
  } else {
    return 0;
  }
}

/// What a model says of itself and its options, by which a checkpoint is recognised: `to_string()` where it has that, else its
/// name.
template <class M>
std::string text_of(const M& model) {
  if constexpr (requires { std::string(model.to_string()); }) {
    return model.to_string();
  } else {
    return std::string(std::string_view(model.name()));
  }
}

/// The unit of a model's costs, "" where it names none.
template <class M>
auto unit_of(const M& model) {
  if constexpr (requires { std::string_view(model.unit()); }) {
    return model.unit();
  } else {
    return std::string_view{};
  }
}

}  // namespace siena
