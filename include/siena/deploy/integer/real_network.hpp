// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/tensor.hpp"
#include "siena/deploy/integer/network.hpp"
#include "siena/deploy/lower.hpp"

namespace siena::deploy {

namespace detail {

/// The operation on real numbers that each kind of integers rounds, without weights.
struct RealPrimitive {
  const IntegerValue& x;
  const IntegerValue& y;

  Primitive operator()(const integer::Convolution& what) const {
    if (x.shape.rank() > 1) return primitive::Convolution{what.geometry, 8};
    if (what.linear()) return primitive::Linear{8};
    return primitive::FixedNorm{0};  // a weight and a bias a feature
  }
  Primitive operator()(const integer::Table&) const { return primitive::Clamp{}; }  // as any function of one element
  Primitive operator()(const integer::PRelu&) const { return primitive::PRelu{}; }
  Primitive operator()(const integer::Add&) const { return primitive::Add{}; }
  Primitive operator()(const integer::Multiply&) const { return primitive::Multiply{}; }
  Primitive operator()(const integer::MaxPool& what) const { return primitive::MaxPool{what.geometry}; }
  Primitive operator()(const integer::AveragePool& what) const {
    const kernels::ConvGeometry& g = what.geometry;
    const bool padded = g.pad_top + g.pad_bottom + g.pad_left + g.pad_right > 0;
    return primitive::AveragePool{g, padded && what.multiplier.front() == what.multiplier.back()};
  }
  Primitive operator()(const integer::Concat&) const { return primitive::Concat{}; }
  Primitive operator()(const integer::Slice& what) const { return primitive::Slice{what.geometry}; }
  Primitive operator()(const integer::Pad& what) const { return primitive::Pad{what.geometry}; }
  Primitive operator()(const integer::Upsample& what) const { return primitive::Upsample{what.geometry}; }
  Primitive operator()(const integer::Shuffle& what) const { return primitive::Shuffle{what.groups}; }
  Primitive operator()(const integer::Reshape&) const { return primitive::Reshape{}; }
};

/// What a multiplier stands for.
inline double factor_of(std::int32_t multiplier, int shift) { return std::ldexp(multiplier, shift - 32); }

}  // namespace detail

/// What the integers of a convolution stand for: a step for each output, by which its weights are multiplied. A channel that
/// makes its zero point alone has the smallest step that floats hold.
inline std::vector<float> weight_steps(const IntegerNetwork& network, const IntegerOperation& operation) {
  const auto& what = std::get<integer::Convolution>(operation.what);
  const double scale = network.output_of(operation).scale / network.input_of(operation).scale;
  std::vector<float> steps;
  for (const std::int32_t multiplier : what.multiplier)
    steps.push_back(static_cast<float>(std::max(detail::factor_of(multiplier, what.shift) * scale, 1.2e-38)));
  return steps;
}

/// The operations on real numbers that a network of integers rounds, each with a Quantize of its name behind it that does; the
/// operation itself is called name.real, the input's Quantize name.quantized. Weights and tables stay with the integers.
inline LoweredNetwork real_network(const IntegerNetwork& network) {
  LoweredNetwork result;
  std::vector<int> places;  // of each value, when it is rounded
  const auto append = [&](std::string name, const Shape& shape, Primitive what, std::vector<int> inputs) -> Operation& {
    result.values.push_back({name, shape});
    const auto made = static_cast<int>(result.values.size()) - 1;
    result.operations.push_back({std::move(name), std::move(what), std::move(inputs), made});
    return result.operations.back();
  };
  const auto round = [&](const IntegerValue& value, std::string name) {
    const auto from = static_cast<int>(result.values.size()) - 1;
    append(std::move(name), value.shape, primitive::Quantize{value.scale, value.zero_point}, {from});
    places.push_back(from + 1);
  };
  const IntegerValue& input = network.input_value();
  result.values.push_back({input.name, input.shape});
  round(input, input.name + ".quantized");
  for (const IntegerOperation& operation : network.operations) {
    const IntegerValue &x = network.input_of(operation), &y = network.output_of(operation);
    std::vector<int> inputs;
    for (const int k : operation.inputs) inputs.push_back(places[k]);
    const bool table = std::holds_alternative<integer::Table>(operation.what);
    Operation& real = append(table ? y.name : y.name + ".real", y.shape,
                             std::visit(detail::RealPrimitive{x, y}, operation.what), std::move(inputs));
    if (table) {  // gives integers
      places.push_back(real.output);
      continue;
    }
    if (const auto* prelu = std::get_if<integer::PRelu>(&operation.what)) {
      Tensor slopes(Shape{y.shape.columns()});
      for (std::size_t c = 0; c < prelu->below.size(); ++c)
        slopes.row(0)[c] = static_cast<float>(double{1.0 * prelu->below[c]} / prelu->above);
      real.constants.push_back({y.name + ".slopes", std::move(slopes)});
    }
    if (operation.low > -128) real.range.low = y.scale * (operation.low - y.zero_point);
    if (operation.high < 127) real.range.high = y.scale * (operation.high - y.zero_point);
    if (real.clamped()) real.name = y.name + ".unbound";
    round(y, y.name);
  }
  result.output = places[network.output];
  return result;
}

}  // namespace siena::deploy
