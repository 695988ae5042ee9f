// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/shape.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/nn/lowering.hpp"

namespace siena::deploy {

/// What a network is made of where it computes with integers alone. The arithmetic of one number is in arithmetic.h; a "sum" is
/// an int32, and `requantize(sum << shift, multiplier)` is round(sum * multiplier * 2^(shift - 32)), halves up. Zero points are
/// those of the values that an operation reads and makes; what it makes is held between its `low` and `high`.
namespace integer {

/// sum = bias[o] + sum over the taps inside of the image of (x - zero point of x) * weight;
/// y = zero point + requantize(sum << shift, multiplier[o]). A linear layer is one of a 1 x 1 image.
struct Convolution {
  kernels::ConvGeometry geometry;
  std::vector<std::int8_t> weights = {};                 ///< Cout x KH x KW x Cin/groups
  std::vector<std::int32_t> bias = {}, multiplier = {};  ///< Cout each; multipliers are 0 or more
  int shift = 0;
  WeightBits bits = 8;  ///< that weights take: of b bits they are -(2^(b - 1) - 1) to 2^(b - 1) - 1

  /// The dot product of a matrix and features.
  bool linear() const { return geometry.in_rows() == 1 && geometry.out_rows() == 1 && geometry.groups == 1; }
};
/// y = of[x + 128]: any function of one element.
struct Table {
  std::array<std::int8_t, 256> of;
};
/// sum = x - zero point; requantized with `above` where it is above 0, else with its channel's.
struct PRelu {
  std::int32_t above;
  std::vector<std::int32_t> below;  ///< C; may be negative
  int shift = 0;
};
/// y = (a * first + b * second + offset) >> shift: zero points and a half are in the offset.
struct Add {
  std::int32_t a, b, offset;
  int shift;
};
/// sum = (first - its zero point) * (second - its zero point), requantized. The second has the first's shape, or 1 number for
/// each of its channels.
struct Multiply {
  std::int32_t multiplier;
  int shift = 0;
};
/// sum = that of (x - zero point) in the window, requantized with the multiplier that stands for so many pixels there.
struct AveragePool {
  kernels::ConvGeometry geometry;
  std::vector<std::int32_t> multiplier;  ///< of 1 pixel, 2 pixels, ... KH * KW
  int shift = 0;
};
/// Values side by side along the channels, each y = (a * x + offset) >> shift; or as it is, where a is 1, offset and shift 0.
struct Concat {
  struct Part {
    std::int32_t a = 1, offset = 0;
    int shift = 0;
    bool copies() const { return a == 1 && offset == 0 && shift == 0; }
  };
  std::vector<Part> parts;
};
// What only moves numbers is what it is on real ones. Scale and zero point are those of the input; what pads is the zero point.
using primitive::MaxPool;
using primitive::Pad;
using primitive::Reshape;
using primitive::Shuffle;
using primitive::Slice;
using primitive::Upsample;

using Kind = std::variant<Convolution, Table, PRelu, Add, Multiply, MaxPool, AveragePool, Concat, Slice, Pad, Upsample, Shuffle,
                          Reshape>;

}  // namespace integer

/// A tensor of int8, channels innermost, without padding: the number that q stands for is scale * (q - zero_point).
struct IntegerValue {
  std::string name;
  Shape shape;  ///< of one sample: images H x W x C, signals T x C (images of height 1), or features
  double scale = 1;
  int zero_point = 0;

  /// The integer nearest to a number, halves up, of those that 8 bits hold; of NaN the lowest.
  std::int8_t nearest(double number) const {
    const double q = std::floor(number * (1 / scale) + 0.5) + zero_point;
    return static_cast<std::int8_t>(q > -128 ? std::min(q, 127.0) : -128);
  }
};

struct IntegerOperation {
  std::string name;  ///< of its layer
  integer::Kind what;
  std::vector<int> inputs;  ///< values
  int output = 0;           ///< a value
  int low = -128, high = 127;
};

/// A network that computes with integers alone, in the order of execution: what the simulators run and writers of files write.
struct IntegerNetwork {
  std::vector<IntegerValue> values;  ///< the network's input, then one for each operation, in their order
  std::vector<IntegerOperation> operations;
  int output = 0;  ///< a value

  /// What it reads and what it makes. Throw ArgumentError for an empty network, which `quantize` does not make.
  const IntegerValue& input_value() const { return whole().values[0]; }
  const IntegerValue& output_value() const { return whole().values[output]; }

  const IntegerValue& input_of(const IntegerOperation& operation, int k = 0) const { return values[operation.inputs[k]]; }
  const IntegerValue& output_of(const IntegerOperation& operation) const { return values[operation.output]; }

 private:
  const IntegerNetwork& whole() const {
    require<ArgumentError>(!values.empty(), "IntegerNetwork: expected a network that `quantize` made, got an empty one");
    return *this;
  }
};

}  // namespace siena::deploy
