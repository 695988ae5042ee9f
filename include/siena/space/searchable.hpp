// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <utility>

#include "siena/nn/flow.hpp"
#include "siena/space/axis_spec.hpp"
#include "siena/space/channels.hpp"
#include "siena/space/kernel_taps.hpp"

namespace siena {

/// A layer and the axes along which it may vary: `x | Searchable{Conv2d{.out = 16, .kernel = 3}, Channels{}}`, and
/// `x | Searchable{Conv1d{.out = 16, .kernel = 9}, Channels{}, ReceptiveField{}, Dilation{}}`. Channels vary in layers that
/// have output channels of their own: Conv1d, Conv2d and Linear; taps in those that have a kernel: Conv1d and Conv2d.
template <class L, class... Specs>
struct Searchable {
  Searchable(L its_layer, Specs... its_axes) : layer(std::move(its_layer)) {
    static_assert(sizeof...(Specs) > 0, "siena: Searchable needs at least one axis, such as Channels{}");
    (add(std::move(its_axes)), ...);
  }
  Decoration decoration() const { return axes; }
  void check(const Shape& input, std::string_view where) const {
    if constexpr (BuiltInLayer<L>) {
      axes.check_input(Layer(layer), input, where);
    } else {
      axes.check_input(Layer(Custom(layer)), input, where);
    }
  }

  L layer;
  SearchAxes axes;

 private:
  template <class S>
  void add(S spec) {
    static_assert(AxisSpec<S>,
                  "siena: what may vary in a layer is an axis such as Channels{}: it needs `static constexpr std::string_view "
                  "name`, `void check(const Layer&, std::string_view where) const` and its options in `attributes`");
    if constexpr (requires { S::template require_layer<L>(); }) S::template require_layer<L>();
    if constexpr (AxisSpec<S>) axes.set(std::move(spec));
  }
};

}  // namespace siena
