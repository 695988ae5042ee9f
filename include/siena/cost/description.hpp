// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "siena/autograd/scalar.hpp"

namespace siena {

/// A mixture hands on the output of one of its producers, each there with its presence, or a mix of them. To rearrange is to
/// move elements, or to leave some out: upsample, pad, slice.
enum class LayerKind {
  conv2d,
  depthwise_conv2d,
  linear,
  batch_norm,
  activation,
  pool,
  add,
  multiply,
  concat,
  rearrange,
  flatten,
  mixture,
  other
};

inline std::string_view name_of(LayerKind kind) {
  switch (kind) {
    case LayerKind::conv2d:
      return "conv2d";
    case LayerKind::depthwise_conv2d:
      return "depthwise_conv2d";
    case LayerKind::linear:
      return "linear";
    case LayerKind::batch_norm:
      return "batch_norm";
    case LayerKind::activation:
      return "activation";
    case LayerKind::pool:
      return "pool";
    case LayerKind::add:
      return "add";
    case LayerKind::multiply:
      return "multiply";
    case LayerKind::concat:
      return "concat";
    case LayerKind::rearrange:
      return "rearrange";
    case LayerKind::flatten:
      return "flatten";
    case LayerKind::mixture:
      return "mixture";
    case LayerKind::other:
      break;
  }
  return "other";
}

/// Filters of one layer whose weights have the same number of bits.
template <class N>
struct BitSlice {
  N bits = 8, filters = 0;
  bool operator==(const BitSlice&) const = default;
};

/// What a cost model may know of one execution of one layer. N is double for the network as it is, and Scalar where channel
/// counts, sizes of images, bit widths or the presence of the layer are being searched. 1-D layers have height 1; linear layers
/// count features as channels, on 1 x 1. Sizes are those of one image, one sample.
template <class N>
struct LayerDesc {
  using enum LayerKind;  // for who has a description and knows nothing of this room: `layer.kind = layer.pool`

  LayerKind kind = LayerKind::other;
  std::string operation = {};  ///< which of its kind: "relu", "max_pool", "pad", that of a custom layer; "": not said
  std::string name = {};
  int node = -1;                    ///< of the network
  std::vector<int> producers = {};  ///< indices into Architecture::layers, -1 for the input of the network; one per input

  N in_channels = 0;   ///< of one input of an add or multiply; of all inputs of a concat together
  N out_channels = 0;  ///< of a depthwise convolution: in_channels * multiplier (costs follow in_channels)
  N in_height = 1, in_width = 1;
  N out_height = 1, out_width = 1;
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int dilation_height = 1, dilation_width = 1;
  int pad_top = 0, pad_left = 0;    ///< rows and columns of zeros that the kernel meets first
  N groups = 1;                     ///< of a conv2d, whole ones; depthwise layers have a kind of their own
  int multiplier = 1;               ///< output channels per input channel of a depthwise convolution
  std::optional<N> live_taps = {};  ///< kernel elements left by a tap mask; all of them when empty

  bool bias = false;
  bool per_channel = false;  ///< of a multiply: its second input is one value a channel
  /// Convolution, linear: a batch norm follows directly and folds into this layer, which then has a bias. Batch norm: it is
  /// the one that folds away, and costs nothing itself.
  bool batch_norm_folded = false;
  /// Runs again with the weights of an earlier entry: it takes time again, but no storage.
  bool repeated = false;
  N presence = 1;  ///< the probability that the layer is there: branches of a supernet; totals weight by it

  N weight_bits = 8, input_bits = 8, output_bits = 8;
  /// Where filters differ in the bits of their weights: how many have which, `filters()` together. Each slice runs as a call of
  /// its own; cost models see it as a layer with weight_bits (`slice`, `layer_total`). Empty: all filters have weight_bits.
  std::vector<BitSlice<N>> slices = {};
  N own_weights = 0;  ///< of kinds `other` (parameters of a custom layer) and `activation` (slopes of a PRelu)
  N own_macs = 0;     ///< of kind `other`: what a custom layer says of itself
  /// Whether the output may be written over the first input where nobody reads that again. Not said: activations, batch norms,
  /// adds and products may.
  std::optional<bool> in_place = {};
  /// Of a fake quantiser: some of its levels are below 0, so that a ReLU before it is not what its range begins with.
  bool signed_levels = false;

  bool operator==(const LayerDesc&) const = default;

  bool has_weights() const { return is_convolution() || kind == LayerKind::linear; }
  bool works_in_place() const {
    const bool elementwise =
        kind == LayerKind::activation || kind == LayerKind::batch_norm || kind == LayerKind::add || kind == LayerKind::multiply;
    return in_place.value_or(elementwise);
  }
  /// A kernel of 1x1 at stride 1.
  bool pointwise() const { return kernel_height * kernel_width * stride_height * stride_width == 1; }
  /// Whether a kind has several operations.
  bool shows_operation() const { return kind == activation || kind == pool || kind == rearrange || kind == other; }
  bool is_convolution() const { return kind == LayerKind::conv2d || kind == LayerKind::depthwise_conv2d; }

  /// Elements of one kernel.
  N taps() const { return live_taps ? *live_taps : N(static_cast<double>(kernel_height) * kernel_width); }
  /// Whether no element of the kernel is masked: then its height and width say what it costs, and `taps` has the slope to the
  /// masks by which it may still shrink.
  bool dense() const { return !live_taps || value_of(*live_taps) == double(kernel_height) * kernel_width; }
  /// Output channels; through in_channels for a depthwise layer, so that its mask gets a gradient.
  N filters() const { return kind == LayerKind::depthwise_conv2d ? in_channels * double(multiplier) : out_channels; }

  /// Weights without biases; the scales of a batch norm that does not fold.
  N weights() const {
    switch (kind) {
      case LayerKind::conv2d:
        return taps() * in_channels * out_channels / groups;
      case LayerKind::depthwise_conv2d:
        return taps() * filters();
      case LayerKind::linear:
        return in_channels * out_channels;
      case LayerKind::batch_norm:
        return batch_norm_folded ? N(0) : in_channels;
      case LayerKind::activation:
      case LayerKind::other:
        return own_weights;
      default:
        return 0;
    }
  }
  /// Biases as deployed: one per output channel where there is a bias or a folded batch norm.
  N biases() const {
    if (has_weights()) return bias || batch_norm_folded ? filters() : N(0);
    return kind == LayerKind::batch_norm && !batch_norm_folded ? in_channels : N(0);
  }
  /// Multiplications with weights, per sample.
  N macs() const {
    if (kind == LayerKind::other) return own_macs;
    return has_weights() ? weights() * (out_height * out_width) : N(0);
  }
  N input_elements() const {
    const N positions = in_height * in_width;
    if (kind == LayerKind::multiply) return in_channels * (positions + (per_channel ? N(1) : positions));
    return in_channels * (kind == LayerKind::add && producers.size() > 1 ? positions * double(producers.size()) : positions);
  }
  N output_elements() const { return filters() * (out_height * out_width); }

  /// The layer with `filters` of its filters, of so many bits, alone.
  LayerDesc slice(const N& filters, const N& bits) const {
    LayerDesc part = *this;
    if (kind == LayerKind::depthwise_conv2d) part.in_channels = filters / double(multiplier);
    part.out_channels = filters, part.weight_bits = bits;
    part.slices.clear();
    return part;
  }
};

/// A network as cost models see it: every execution of every layer, in execution order.
template <class N>
struct Architecture {
  std::vector<LayerDesc<N>> layers = {};
};

namespace detail {
/// Hands every field of a layer to `visit`, in order. One that is not named here does not compile.
template <class Layer, class Visit>
auto with_fields(Layer& layer, const Visit& visit) {
  auto& [kind, operation, name, node, producers, in_channels, out_channels, in_height, in_width, out_height, out_width,
         kernel_height, kernel_width, stride_height, stride_width, dilation_height, dilation_width, pad_top, pad_left, groups,
         multiplier, live_taps, bias, per_channel, batch_norm_folded, repeated, presence, weight_bits, input_bits, output_bits,
         slices, own_weights, own_macs, in_place, signed_levels] = layer;
  return visit(kind, operation, name, node, producers, in_channels, out_channels, in_height, in_width, out_height, out_width,
               kernel_height, kernel_width, stride_height, stride_width, dilation_height, dilation_width, pad_top, pad_left,
               groups, multiplier, live_taps, bias, per_channel, batch_norm_folded, repeated, presence, weight_bits, input_bits,
               output_bits, slices, own_weights, own_macs, in_place, signed_levels);
}

template <Number To, class T>
const T& in_numbers(const T& plain) {
  return plain;
}
template <Number To, Number From>
To in_numbers(const From& x) {
  return value_of(x);
}
template <Number To, Number From>
std::optional<To> in_numbers(const std::optional<From>& x) {
  return x ? std::optional<To>(value_of(*x)) : std::nullopt;
}
template <Number To, Number From>
std::vector<BitSlice<To>> in_numbers(const std::vector<BitSlice<From>>& slices) {
  std::vector<BitSlice<To>> to;
  for (const auto& slice : slices) to.push_back({.bits = value_of(slice.bits), .filters = value_of(slice.filters)});
  return to;
}
}  // namespace detail

/// The same layer in the other number type: constants for Scalar, values for double.
template <Number To, Number From>
LayerDesc<To> convert(const LayerDesc<From>& from) {
  return detail::with_fields(from, [](const auto&... fields) { return LayerDesc<To>{detail::in_numbers<To>(fields)...}; });
}
/// The same architecture in the other number type.
template <Number To, Number From>
Architecture<To> convert(const Architecture<From>& from) {
  Architecture<To> to;
  for (const auto& layer : from.layers) to.layers.push_back(convert<To>(layer));
  return to;
}

}  // namespace siena
