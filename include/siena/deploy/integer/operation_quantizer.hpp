// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/tensor.hpp"
#include "siena/deploy/integer/network.hpp"
#include "siena/deploy/lower.hpp"

namespace siena::deploy {

namespace detail {

/// Halves up, as the arithmetic of integers does it.
inline double rounded(double x) { return std::floor(x + 0.5); }

/// Whether an operation only moves numbers, so that what it makes has the scale of what it reads.
inline bool moves(const Primitive& what) {
  return is_any<primitive::MaxPool, primitive::Slice, primitive::Pad, primitive::Upsample, primitive::Shuffle,
                primitive::Reshape>(what);
}

/// Real factors as int32 multipliers of one shift: factor = multiplier * 2^(shift - 32).
class Multipliers {
 public:
  explicit Multipliers(double greatest) {
    while (std::ldexp(greatest, -shift_) >= 0.5) ++shift_;
  }
  int shift() const { return shift_; }
  std::int32_t operator()(double factor) const {
    constexpr double most = std::numeric_limits<std::int32_t>::max();
    return static_cast<std::int32_t>(std::clamp(rounded(std::ldexp(factor, 32 - shift_)), -most, most));
  }
  /// ArgumentError, with the name of the layer, where a sum of this size may not fit.
  void require_fit(const std::string& where, double sum) const {
    require<ArgumentError>(
        std::ldexp(sum, shift_) < 2147483648.0,
        "quantize: '{}': expected sums below 2^{} for what it makes of them, got up to {}; hint: its outputs "
        "are small beside its inputs: scale them in the layer before",
        where, 31 - shift_, sum);
  }

 private:
  int shift_ = 0;
};

/// Makes the integers of one operation.
class OperationQuantizer {
 public:
  OperationQuantizer(const Operation& operation, const IntegerNetwork& to)
      : operation_(operation), to_(to), y_(to.values[operation.output]) {}

  IntegerOperation run() {
    IntegerOperation result{.name = operation_.name,
                            .what = std::visit([&](const auto& what) { return convert(what); }, operation_.what),
                            .inputs = operation_.inputs,
                            .output = operation_.output};
    if (!operation_.clamped()) return result;
    const auto [low, high] = operation_.range;
    if (std::isfinite(low)) result.low = y_.nearest(low);
    if (std::isfinite(high)) result.high = y_.nearest(high);
    if (auto* table = std::get_if<integer::Table>(&result.what)) {  // holds what it says already
      for (auto& q : table->of) q = static_cast<std::int8_t>(std::clamp<int>(q, result.low, result.high));
      result.low = -128, result.high = 127;
    }
    return result;
  }

 private:
  const IntegerValue& x(int k = 0) const { return to_.values[operation_.inputs[k]]; }
  const Tensor* constant(std::size_t k) const {
    return k < operation_.constants.size() ? &operation_.constants[k].value : nullptr;
  }

  /// Of the weights KH * KW * Cin/groups x Cout, in floats, and a number for each output.
  integer::Kind convolution(const kernels::ConvGeometry& g, const Tensor& weights, std::span<const double> bias,
                            const WeightBits& bits) const {
    const std::int64_t rows = g.weight_rows(), outputs = g.out_channels;
    integer::Convolution result{.geometry = g, .bits = bits};
    result.weights.resize(static_cast<std::size_t>(rows * outputs));
    std::vector<double> steps, sums;
    for (std::int64_t o = 0; o < outputs; ++o) {
      const double greatest = (1 << (bits[static_cast<std::size_t>(o)] - 1)) - 1;
      double most = 0;
      for (std::int64_t r = 0; r < rows; ++r) most = std::max(most, std::abs(double{weights.row(r)[o]}));
      // A bias that dwarfs its weights coarsens them, so that it fits: 2^28 leaves room for the products. A channel of zeros
      // has a multiplier of 0 and makes the zero point.
      const double step = std::max(most / greatest, std::abs(bias[o]) / x().scale / (1 << 28));
      double sum = std::abs(step > 0 ? rounded(bias[o] / (x().scale * step)) : 0);
      for (std::int64_t r = 0; r < rows && step > 0; ++r) {
        const double weight = std::clamp(rounded(weights.row(r)[o] / step), -greatest, greatest);
        result.weights[o * rows + r] = static_cast<std::int8_t>(weight);
        sum += std::abs(weight) * 255;
      }
      result.bias.push_back(step > 0 ? static_cast<std::int32_t>(rounded(bias[o] / (x().scale * step))) : 0);
      steps.push_back(step), sums.push_back(sum);
    }
    const double factor = x().scale / y_.scale;
    const Multipliers multipliers(*std::max_element(steps.begin(), steps.end()) * factor);
    multipliers.require_fit(operation_.name, *std::max_element(sums.begin(), sums.end()));
    for (const double step : steps) result.multiplier.push_back(multipliers(step * factor));
    result.shift = multipliers.shift();
    return result;
  }
  integer::Kind weighted(const kernels::ConvGeometry& g, const WeightBits& bits) const {
    std::vector<double> bias(static_cast<std::size_t>(g.out_channels), 0.0);
    if (constant(1)) std::copy(constant(1)->row(0).begin(), constant(1)->row(0).end(), bias.begin());
    return convolution(g, *constant(0), bias, bits.none() ? 8 : bits);
  }
  integer::Kind convert(const primitive::Convolution& what) const { return weighted(what.geometry, what.weight_bits); }
  integer::Kind convert(const primitive::Linear& what) const {
    return weighted(kernels::conv_geometry({.in_channels = x().shape.columns(), .out_channels = y_.shape.columns()}),
                    what.weight_bits);
  }
  /// A weight and a bias a channel: a depthwise convolution of 1 x 1.
  integer::Kind convert(const primitive::FixedNorm& norm) const {
    const std::int64_t channels = x().shape.columns();
    Tensor weights(Shape{1, channels});
    std::vector<double> bias;
    for (std::int64_t c = 0; c < channels; ++c) {
      const double factor = constant(0)->row(0)[c] / std::sqrt(constant(3)->row(0)[c] + norm.epsilon);
      weights.row(0)[c] = static_cast<float>(factor);
      bias.push_back(constant(1)->row(0)[c] - factor * constant(2)->row(0)[c]);
    }
    return convolution(kernels::conv_geometry({.in_width = x().shape.rows(),
                                               .in_channels = channels,
                                               .out_channels = channels,
                                               .groups = static_cast<int>(channels)}),
                       weights, bias, 8);
  }
  integer::Kind convert(const primitive::SampleNorm&) const { return refused("a norm by the spread of each sample"); }
  integer::Kind refused(std::string_view what) const {
    fail<ArgumentError>("quantize: '{}': expected an operation that integers can compute, got {}", operation_.name, what);
  }

  template <class F>
  integer::Kind table(F&& f) const {
    integer::Table table;
    for (int i = 0; i < 256; ++i) table.of[i] = y_.nearest(f(x().scale * (i - 128 - x().zero_point)));
    return table;
  }
  integer::Kind convert(const primitive::Clamp& clamp) const {
    return table([&](double v) { return std::clamp(v, clamp.low, clamp.high); });
  }
  integer::Kind convert(const primitive::Curve& curve) const { return table(curve); }
  integer::Kind convert(const primitive::Quantize& to) const {
    return table([&](double v) {
      return to.scale * (std::clamp<double>(rounded(v / to.scale + to.zero_point), to.low, to.high) - to.zero_point);
    });
  }
  integer::Kind convert(const primitive::PRelu&) const {
    const auto slopes = constant(0)->row(0);
    const float most = *std::max_element(slopes.begin(), slopes.end()), least = *std::min_element(slopes.begin(), slopes.end());
    if (most == least) return table([&](double v) { return v > 0 ? v : v * most; });
    const double factor = x().scale / y_.scale;
    const Multipliers multipliers(factor * std::max({1.0, std::abs(double{most}), std::abs(double{least})}));
    multipliers.require_fit(operation_.name, 255);
    integer::PRelu result{.above = multipliers(factor), .below = {}, .shift = multipliers.shift()};
    for (const float slope : slopes) result.below.push_back(multipliers(factor * slope));
    return result;
  }

  /// factor * (x - zero point of x) of each input, added: a, b, ... and the offset, of the greatest shift up to 20 that fits.
  struct Blend {
    std::array<std::int32_t, 2> factors{};
    std::int32_t offset = 0;
    int shift = 20;
  };
  Blend blend(std::span<const int> inputs) const {
    Blend result;
    for (; result.shift >= 0; --result.shift) {
      double offset = std::ldexp(y_.zero_point, result.shift) + (result.shift > 0 ? std::ldexp(0.5, result.shift) : 0), sum = 0;
      for (std::size_t k = 0; k < inputs.size(); ++k) {
        const IntegerValue& value = to_.values[inputs[k]];
        const double factor = rounded(std::ldexp(value.scale / y_.scale, result.shift));
        offset -= factor * value.zero_point, sum += std::abs(factor) * 128;
        if (factor < 2147483648.0) result.factors[k] = static_cast<std::int32_t>(factor);
      }
      if (sum + std::abs(offset) >= 2147483648.0) continue;
      result.offset = static_cast<std::int32_t>(offset);
      return result;
    }
    refused("sums that are too small beside their summands");
    return result;
  }
  integer::Kind convert(const primitive::Add&) const {
    const Blend both = blend(operation_.inputs);
    return integer::Add{both.factors[0], both.factors[1], both.offset, both.shift};
  }
  integer::Kind convert(const primitive::Concat&) const {
    integer::Concat result;
    for (const int input : operation_.inputs) {
      const IntegerValue& value = to_.values[input];
      const Blend one = blend(std::span(&input, 1));
      const bool copies = value.scale == y_.scale && value.zero_point == y_.zero_point;
      result.parts.push_back(copies ? integer::Concat::Part{}
                                    : integer::Concat::Part{.a = one.factors[0], .offset = one.offset, .shift = one.shift});
    }
    return result;
  }
  integer::Kind convert(const primitive::Multiply&) const {
    const double factor = x(0).scale * x(1).scale / y_.scale;
    const Multipliers multipliers(factor);
    multipliers.require_fit(operation_.name, 255 * 255);
    return integer::Multiply{multipliers(factor), multipliers.shift()};
  }
  integer::Kind convert(const primitive::MaxPool& pool) const { return integer::MaxPool{pool.geometry}; }
  integer::Kind convert(const primitive::AveragePool& pool) const {
    const double factor = x().scale / y_.scale;
    const auto taps = static_cast<int>(pool.geometry.taps());
    const Multipliers multipliers(pool.count_padding ? factor / taps : factor);
    multipliers.require_fit(operation_.name, 255.0 * taps);
    integer::AveragePool result{.geometry = pool.geometry, .multiplier = {}, .shift = multipliers.shift()};
    for (int pixels = 1; pixels <= taps; ++pixels)
      result.multiplier.push_back(multipliers(factor / (pool.count_padding ? taps : pixels)));
    return result;
  }
  integer::Kind convert(const primitive::Slice& slice) const { return integer::Slice{slice.geometry}; }
  integer::Kind convert(const primitive::Pad& pad) const { return integer::Pad{pad.geometry}; }
  integer::Kind convert(const primitive::Upsample& up) const { return integer::Upsample{up.geometry}; }
  integer::Kind convert(const primitive::Shuffle& shuffle) const { return integer::Shuffle{shuffle.groups}; }
  integer::Kind convert(const primitive::Reshape&) const { return integer::Reshape{}; }

  const Operation& operation_;
  const IntegerNetwork& to_;
  const IntegerValue& y_;
};

}  // namespace detail

}  // namespace siena::deploy
