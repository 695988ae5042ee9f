// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/tensor.hpp"
#include "siena/kernels/geometry.hpp"
#include "siena/kernels/rearrange.hpp"
#include "siena/nn/weight_bits.hpp"

namespace siena {

/// What all layers are made of where a network runs without siena: few operations, which every writer of files and every
/// simulator knows. Layers are open, these are not. Values are images H x W x C, signals T x C (images of height 1) or
/// features; constants are the layer's parameters and buffers, here in their order.
namespace primitive {

/// Constants: weights KH x KW x Cin/groups x Cout (of signals: K x Cin/groups x Cout), and a bias of Cout or none. Where there
/// are `weight_bits`, the weights of each output are whole numbers of so many bits times the largest |w| over the largest of
/// those.
struct Convolution {
  kernels::ConvGeometry geometry;
  WeightBits weight_bits = 0;
};
/// Features times a matrix. Constants: weights In x Out, and a bias of Out or none. Bits as above.
struct Linear {
  WeightBits weight_bits = 0;
};
/// (x - mean) / sqrt(variance + epsilon) * weight + bias for each channel. Constants: weight, bias, mean and variance.
struct FixedNorm {
  double epsilon;
};
/// The same with mean and variance of the sample itself, over all positions of each group of neighbouring channels. Constants:
/// weight and bias.
struct SampleNorm {
  int groups;
  double epsilon;
};
/// min(max(x, low), high); either may be infinite.
struct Clamp {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool operator==(const Clamp&) const = default;
};
/// A function of each element alone: a formula, or for 8 bits a table of its 256 values.
struct Curve {
  enum class Kind { sigmoid, tanh, hard_sigmoid, hard_swish, leaky_relu } kind;
  double slope = 0;  ///< of leaky_relu below 0
  double operator()(double x) const {
    switch (kind) {
      case Kind::sigmoid:
        return 1 / (1 + std::exp(-x));
      case Kind::tanh:
        return std::tanh(x);
      case Kind::leaky_relu:
        return x > 0 ? x : slope * x;
      default:
        return std::clamp(x / 6 + 0.5, 0.0, 1.0) * (kind == Kind::hard_swish ? x : 1);
    }
  }
};
/// x where x > 0, else x times its channel's slope. Constants: the slopes.
struct PRelu {};
/// Of two values of one shape.
struct Add {};
/// Of two values of one shape, or of one and, second, one number for each of its channels.
struct Multiply {};
struct MaxPool {
  kernels::ConvGeometry geometry;
};
/// Where the window is all of the image, the result is features.
struct AveragePool {
  kernels::ConvGeometry geometry;
  bool count_padding = false;
};
/// Any number of values side by side along the channels.
struct Concat {};
/// The output is the box in the input.
struct Slice {
  kernels::BoxGeometry geometry;
};
/// The input is the box in the output, between zeros.
struct Pad {
  kernels::BoxGeometry geometry;
};
/// Every pixel several times, side by side.
struct Upsample {
  kernels::UpsampleGeometry geometry;
};
/// Channel k of group g becomes channel g of group k: G groups of K channels, K groups of G.
struct Shuffle {
  int groups;
};
/// The same elements in the same order, channels innermost, under another shape.
struct Reshape {};
/// scale * (q - zero_point), q the whole number from low to high that is nearest to x / scale + zero_point, halves up: no
/// operation of an integer network, but the scale of the value that it reads.
struct Quantize {
  double scale;
  int zero_point, low = -128, high = 127;
};

}  // namespace primitive

using Primitive = std::variant<primitive::Convolution, primitive::Linear, primitive::FixedNorm, primitive::SampleNorm,
                               primitive::Clamp, primitive::Curve, primitive::PRelu, primitive::Add, primitive::Multiply,
                               primitive::MaxPool, primitive::AveragePool, primitive::Concat, primitive::Slice, primitive::Pad,
                               primitive::Upsample, primitive::Shuffle, primitive::Reshape, primitive::Quantize>;

/// Whether an operation is one of these.
template <class... P>
bool is_any(const Primitive& what) {
  return (std::holds_alternative<P>(what) || ...);
}

/// A tensor of which nothing changes any more, with its name in files.
struct Constant {
  std::string name;
  Tensor value;
};

/// What a layer is given when it is lowered, and where it says of which primitive operations it is made: `is`, `part` for each
/// of them, or `hands_on`; one of the three, else ArgumentError. Shapes are those of one sample; values have numbers, the
/// layer's inputs those from 0.
class Lowering {
 public:
  /// The value of the last part is the layer's output; those of others have a name that is added to the layer's.
  struct Part {
    std::string name = {};
    Primitive what;
    std::vector<int> inputs = {};
    Shape shape = {};
    std::vector<Constant> constants = {};
  };

  Lowering(std::string_view where, std::vector<Shape> inputs, const Shape& output, std::vector<Constant> constants,
           float input_step = 0)
      : where_(where), inputs_(std::move(inputs)), output_(output), constants_(std::move(constants)), input_step_(input_step) {}

  /// The layer's name.
  std::string_view where() const { return where_; }
  const Shape& input(int k = 0) const { return inputs_[k]; }
  int inputs() const { return static_cast<int>(inputs_.size()); }
  const Shape& output() const { return output_; }
  /// The layer's parameters, then its buffers, in the order in which it asked for them.
  const std::vector<Constant>& constants() const { return constants_; }
  /// As Forward::input_step.
  float input_step() const { return input_step_; }

  /// The layer is one operation of all its inputs, with all its constants, or with these.
  template <class P>
  void is(P what) {
    is(std::move(what), constants_);
  }
  template <class P>
  void is(P what, std::vector<Constant> constants) {
    require_first("is");
    if constexpr (std::is_same_v<P, Primitive>) {
      whole(std::move(what), std::move(constants));
    } else {  // a conversion costs the compiler a try of every type
      whole(Primitive(std::in_place_type<P>, std::move(what)), std::move(constants));
    }
  }
  /// The layer is made of several operations, of which this is the next. Returns the number of its value. ArgumentError for one
  /// that lacks inputs or constants.
  int part(Part part) {
    require<ArgumentError>(!said_, "{}: expected a layer that is one operation, made of parts or hands on, got a part besides",
                           where_);
    return append(std::move(part));
  }
  /// The layer's output is its first input.
  void hands_on() {
    require_first("hands_on");
    hands_on_ = true;
  }

  const std::vector<Part>& parts() const { return parts_; }
  bool is_handed_on() const { return hands_on_; }

 private:
  /// Before what is all that a layer says.
  void require_first(std::string_view what) {
    require<ArgumentError>(!said_ && parts_.empty(),
                           "{}: expected a layer that is one operation, made of parts or hands on, got {} besides", where_,
                           what);
    said_ = true;
  }
  int append(Part part) {
    check(part);
    parts_.push_back(std::move(part));
    return inputs() + static_cast<int>(parts_.size()) - 1;
  }
  void whole(Primitive what, std::vector<Constant> constants) {
    std::vector<int> all(inputs_.size());
    std::iota(all.begin(), all.end(), 0);
    append({.what = std::move(what), .inputs = std::move(all), .shape = output_, .constants = std::move(constants)});
  }
  void check(const Part& part) const {
    using namespace primitive;
    const Primitive& what = part.what;
    const std::size_t reads = is_any<Add, Multiply>(what) ? 2 : 1, has = part.constants.size();
    const int known = inputs() + static_cast<int>(parts_.size());
    const bool there = std::all_of(part.inputs.begin(), part.inputs.end(), [&](int k) { return k >= 0 && k < known; });
    std::string got;
    for (const int k : part.inputs) got += (got.empty() ? "" : ", ") + std::to_string(k);
    require<ArgumentError>(there && (part.inputs.size() == reads || (is_any<Concat>(what) && !part.inputs.empty())),
                           "{}: expected an operation that reads {} of the values from 0 to {}, got {}", where_, reads,
                           known - 1, got.empty() ? "none" : got);
    const bool weighs = is_any<Convolution, Linear>(what);
    std::size_t least = weighs || is_any<PRelu>(what) ? 1 : 0;
    if (is_any<FixedNorm, SampleNorm>(what)) least = is_any<FixedNorm>(what) ? 4 : 2;
    const std::size_t most = weighs ? 2 : least;
    require<ArgumentError>(has >= least && has <= most, "{}: expected an operation with {} to {} constants, got {}", where_,
                           least, most, has);
    const int first = part.inputs[0];
    const Shape& in = first < inputs() ? inputs_[first] : parts_[first - inputs()].shape;
    const bool keeps_shape = is_any<FixedNorm, SampleNorm, Clamp, Curve, PRelu, Add, Multiply, Shuffle, Quantize>(what);
    require<ShapeError>(!keeps_shape || part.shape == in, "{}: expected an operation that makes {} of {}, got {}", where_, in,
                        in, part.shape);
    const int groups = is_any<SampleNorm>(what) ? std::get<SampleNorm>(what).groups
                       : is_any<Shuffle>(what)  ? std::get<Shuffle>(what).groups
                                                : 1;
    require<ArgumentError>(groups > 0 && in[-1] % groups == 0, "{}: expected groups that divide {} channels, got {}", where_,
                           in[-1], groups);
  }

  std::string_view where_;
  std::vector<Shape> inputs_;
  Shape output_;
  std::vector<Constant> constants_;
  float input_step_;
  std::vector<Part> parts_;
  bool said_ = false, hands_on_ = false;  // all that there is to say; that it hands on
};

/// A layer that says of which operations it is made.
template <class L>
concept Lowerable = requires(const L& layer, Lowering& to) {
  { layer.lower(to) } -> std::same_as<void>;
};

/// Fails to compile, with a sentence, for a layer that does not.
template <class L>
constexpr void require_lowering() {
  static_assert(Lowerable<L>,
                "siena: a layer says of which operations it is made, `void lower(Lowering& to) const`: "
                "`to.is(primitive::Clamp{0, 1})` where it is one, `to.part({...})` for each of several, `to.hands_on()` where "
                "it computes nothing");
}

}  // namespace siena
