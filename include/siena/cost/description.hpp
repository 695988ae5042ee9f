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

/// What a cost model may know of one execution of one layer. N is double for the network as it is, and Scalar where channel
/// counts, sizes of images, bit widths or the presence of the layer are being searched. 1-D layers have height 1; linear layers
/// count features as channels, on 1 x 1. Sizes are those of one image, one sample.
template <class N>
struct LayerDesc {
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
  int pad_top = 0;                  ///< rows of zeros that the kernel meets first
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
  N own_weights = 0;  ///< of kinds `other` (parameters of a custom layer) and `activation` (slopes of a PRelu)
  N own_macs = 0;     ///< of kind `other`: what a custom layer says of itself
  /// Whether the output may be written over the first input where nobody reads that again. Not said: activations, batch norms,
  /// adds and products may.
  std::optional<bool> in_place = {};

  bool has_weights() const { return is_convolution() || kind == LayerKind::linear; }
  bool works_in_place() const {
    const bool elementwise =
        kind == LayerKind::activation || kind == LayerKind::batch_norm || kind == LayerKind::add || kind == LayerKind::multiply;
    return in_place.value_or(elementwise);
  }
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
};

/// A network as cost models see it: every execution of every layer, in execution order.
template <class N>
struct Architecture {
  std::vector<LayerDesc<N>> layers = {};
};

/// The same layer in the other number type: constants for Scalar, values for double.
template <Number To, Number From>
LayerDesc<To> convert(const LayerDesc<From>& from) {
  const auto number = [](const From& x) { return To(value_of(x)); };
  LayerDesc<To> to{
      .kind = from.kind, .operation = from.operation, .name = from.name, .node = from.node, .producers = from.producers};
  to.in_channels = number(from.in_channels), to.out_channels = number(from.out_channels);
  to.in_height = number(from.in_height), to.in_width = number(from.in_width);
  to.out_height = number(from.out_height), to.out_width = number(from.out_width);
  to.kernel_height = from.kernel_height, to.kernel_width = from.kernel_width;
  to.stride_height = from.stride_height, to.stride_width = from.stride_width;
  to.dilation_height = from.dilation_height, to.dilation_width = from.dilation_width, to.pad_top = from.pad_top;
  to.groups = number(from.groups), to.multiplier = from.multiplier;
  if (from.live_taps) to.live_taps = number(*from.live_taps);
  to.bias = from.bias, to.per_channel = from.per_channel;
  to.batch_norm_folded = from.batch_norm_folded, to.repeated = from.repeated;
  to.presence = number(from.presence);
  to.weight_bits = number(from.weight_bits), to.input_bits = number(from.input_bits), to.output_bits = number(from.output_bits);
  to.own_weights = number(from.own_weights), to.own_macs = number(from.own_macs);
  to.in_place = from.in_place;
  return to;
}
/// The same architecture in the other number type.
template <Number To, Number From>
Architecture<To> convert(const Architecture<From>& from) {
  Architecture<To> to;
  for (const auto& layer : from.layers) to.layers.push_back(convert<To>(layer));
  return to;
}

}  // namespace siena
