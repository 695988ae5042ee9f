// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::onnx (ONNX and protobuf): operations as nodes of ONNX. Not part of an umbrella header.

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/shape.hpp"
#include "siena/core/tensor.hpp"
#include "siena/deploy/lower.hpp"
#include "siena/deploy/onnx_nodes.hpp"

namespace siena::deploy {

/// Writes operations into a graph of ONNX: channels move behind the batch (N x C x H x W, N x C x T), every operation becomes a
/// node of its name, its activation another one, and every value is named after the node that makes it. Used once.
class OnnxGraph : protected OnnxNodes {
 public:
  /// `batch`: 0 for any.
  OnnxGraph(const LoweredNetwork& network, ::onnx::GraphProto& graph, std::int64_t batch)
      : OnnxNodes(graph, batch), network_(network), readers_(network.readers()), makers_(network.values.size(), -1) {
    for (std::size_t i = 0; i < network.operations.size(); ++i) makers_[network.operations[i].output] = static_cast<int>(i);
  }

  OnnxGraph(const OnnxGraph&) = delete;
  OnnxGraph& operator=(const OnnxGraph&) = delete;
  virtual ~OnnxGraph() = default;

  void write() {
    const auto& values = network_.values;
    require<ArgumentError>(!network_.operations.empty(), "onnx: expected a network of one layer at least, got its input alone");
    enters(values[0].name, sizes_of(values[0].shape));
    for (const Operation& operation : network_.operations) {
      put(operation);
      const Value& value = values[operation.output];
      if (operation.clamped()) put_clamp(operation.range, between(operation.name, sizes_of(value.shape)), value.name);
      if (operation.output != network_.output) between(value.name, sizes_of(value.shape));
    }
    leaves(values[network_.output].name, sizes_of(values[network_.output].shape));
  }

 protected:
  using OnnxNodes::add;

  /// The nodes of one operation, without its activation.
  virtual void put(const Operation& operation) {
    std::visit([&](const auto& what) { put(operation, what); }, operation.what);
  }
  void put(const Operation& operation, const primitive::Convolution& convolution) {
    const kernels::ConvGeometry& g = convolution.geometry;
    Numbers sizes{g.out_channels, g.group_in_channels(), g.kernel_height, g.kernel_width};
    if (input_shape(operation).rank() < 3) sizes.erase(sizes.begin() + 2);
    const auto& [name, weights] = operation.constants[0];
    const std::string first = tensor(name, sizes, outputs_first(weights, g.taps()));
    put_convolution(operation, g, first, operation.constants.size() > 1 ? vector(operation.constants[1]) : "");
  }
  /// Of weights and a bias, or none, that are there.
  void put_convolution(const Operation& operation, kernels::ConvGeometry g, const std::string& weights,
                       const std::string& bias) {
    const bool image = input_shape(operation).rank() == 3;
    // Not every reader knows that the ends of a signal may be padded by different amounts.
    const std::string from = image || g.pad_left == g.pad_right ? input(operation) : padded_input(operation, g, image);
    ::onnx::NodeProto& conv = add("Conv", operation.name, {from, weights});
    if (!bias.empty()) conv.add_input(bias);
    window(conv, g, image);
    attribute(conv, "dilations", image ? Numbers{g.dilation_height, g.dilation_width} : Numbers{g.dilation_width});
    attribute(conv, "group", g.groups);
  }
  void put(const Operation& operation, const primitive::Linear&) {
    ::onnx::NodeProto& gemm = add("Gemm", operation);
    attribute(gemm, "transB", 1);
    const auto& [name, weights] = operation.constants[0];
    // Features that a flatten has left in the order of ONNX: each channel's positions are neighbours.
    const Shape image = flattened(operation.inputs[0]);
    gemm.add_input(tensor(name, {weights.columns(), weights.rows()}, outputs_first(weights, image.rows())));
    if (operation.constants.size() > 1) gemm.add_input(vector(operation.constants[1]));
  }
  void put(const Operation& operation, const primitive::FixedNorm& norm) {
    ::onnx::NodeProto& proto = add("BatchNormalization", operation);
    for (const Constant& constant : operation.constants) proto.add_input(vector(constant));
    attribute(proto, "epsilon", static_cast<float>(norm.epsilon));
  }
  void put(const Operation& operation, const primitive::SampleNorm& norm) {  // which opset 13 knows for single channels
    const Shape& shape = input_shape(operation);
    const std::string& name = operation.name;
    const std::vector<float> ones(static_cast<std::size_t>(norm.groups), 1), zeros(ones.size(), 0);
    const std::string groups = reshaped(input(operation), name + ".groups", {norm.groups, shape.elements() / norm.groups});
    ::onnx::NodeProto& normal = add("InstanceNormalization", name + ".normal", {groups});
    normal.add_input(tensor(name + ".ones", {norm.groups}, ones));
    normal.add_input(tensor(name + ".zeros", {norm.groups}, zeros));
    attribute(normal, "epsilon", static_cast<float>(norm.epsilon));
    between(name + ".normal", {norm.groups, shape.elements() / norm.groups});
    const std::string whole = reshaped(name + ".normal", name + ".whole", sizes_of(shape));
    const std::string scaled = between(name + ".scaled", sizes_of(shape));
    add("Mul", scaled, {whole, channels(operation.constants[0], shape)});
    add("Add", name, {scaled, channels(operation.constants[1], shape)});
  }
  void put(const Operation& operation, const primitive::Clamp& clamp) { put_clamp(clamp, input(operation), operation.name); }
  void put_clamp(const primitive::Clamp& clamp, const std::string& from, const std::string& name) {
    if (clamp == primitive::Clamp{.low = 0}) {
      add("Relu", name, {from});
      return;
    }
    ::onnx::NodeProto& proto = add("Clip", name, {from});
    proto.add_input(std::isfinite(clamp.low) ? tensor(name + ".low", {}, {static_cast<float>(clamp.low)}) : "");
    if (std::isfinite(clamp.high)) proto.add_input(tensor(name + ".high", {}, {static_cast<float>(clamp.high)}));
  }
  void put(const Operation& operation, const primitive::PRelu&) {
    add("PRelu", operation).add_input(channels(operation.constants[0], input_shape(operation)));
  }
  void put(const Operation& operation, const primitive::Curve& curve) {
    using enum primitive::Curve::Kind;
    switch (curve.kind) {
      case sigmoid:
        add("Sigmoid", operation);
        return;
      case tanh:
        add("Tanh", operation);
        return;
      case leaky_relu:
        attribute(add("LeakyRelu", operation), "alpha", static_cast<float>(curve.slope));
        return;
      case hard_sigmoid:
        hard_sigmoid_attributes(add("HardSigmoid", operation));
        return;
      case hard_swish:  // which opset 13 has no operator for
        const std::string gate = between(operation.name + ".gate", sizes_of(network_.output_shape(operation)));
        hard_sigmoid_attributes(add("HardSigmoid", gate, {input(operation)}));
        add("Mul", operation).add_input(gate);
    }
  }
  void put(const Operation& operation, const primitive::MaxPool& pool) {
    window(add("MaxPool", operation), pool.geometry, true);
  }
  void put(const Operation& operation, const primitive::AveragePool& pool) {
    const Shape& in = input_shape(operation);
    if (network_.output_shape(operation).rank() == 1) {
      Numbers sizes(static_cast<std::size_t>(in.rank()), 1);
      sizes[0] = in[-1];
      const std::string mean = between(operation.name + ".mean", sizes);
      add("GlobalAveragePool", mean, {input(operation)});
      attribute(add("Flatten", operation.name, {mean}), "axis", 1);
      return;
    }
    kernels::ConvGeometry g = pool.geometry;
    const std::string from = pool.count_padding ? padded_input(operation, g, true) : input(operation);
    window(add("AveragePool", operation.name, {from}), g, true);
  }
  void put(const Operation& operation, const primitive::Reshape&) {
    const Shape &in = input_shape(operation), &out = network_.output_shape(operation);
    if (in == out) {
      add("Identity", operation);
      return;
    }
    std::string from = input(operation);
    if (out.rank() > 1 || !keeps_order(operation)) {
      Numbers axes{0};
      for (int axis = 2; axis <= in.rank(); ++axis) axes.push_back(axis);
      axes.push_back(1);
      from = transposed(from, operation.name + ".nhwc", axes, Numbers(in.sizes().begin(), in.sizes().end()));
    }
    if (out.rank() == 1) {
      attribute(add("Flatten", operation.name, {from}), "axis", 1);
      return;
    }
    from = reshaped(from, operation.name + ".shaped", Numbers(out.sizes().begin(), out.sizes().end()));
    Numbers axes{0, out.rank()};
    for (int axis = 1; axis < out.rank(); ++axis) axes.push_back(axis);
    attribute(add("Transpose", operation.name, {from}), "perm", axes);
  }
  void put(const Operation& operation, const primitive::Quantize& to) {
    const std::string& name = operation.name;
    std::string from = input(operation);
    if (to.low > -128 || to.high < 127) {  // fewer levels than those of int8
      const auto level = [&](int q) { return to.scale * (q - to.zero_point); };
      put_clamp({level(to.low), level(to.high)}, from, between(name + ".held", sizes_of(input_shape(operation))));
      from = name + ".held";
    }
    const std::string scale = tensor(name + ".scale", {}, {static_cast<float>(to.scale)});
    const std::string zero =
        integers_of(name + ".zero_point", {}, std::vector<std::int8_t>{static_cast<std::int8_t>(to.zero_point)});
    add("QuantizeLinear", name + ".levels", {from, scale, zero});
    add("DequantizeLinear", name, {name + ".levels", scale, zero});
  }
  void put(const Operation& operation, const primitive::Add&) { add("Add", operation); }
  void put(const Operation& operation, const primitive::Multiply&) {
    const Shape &many = input_shape(operation), &few = network_.input_shape(operation, 1);
    if (few.rank() == many.rank()) {
      add("Mul", operation);
      return;
    }
    // One value a channel gets the axes of an image, of size 1.
    Numbers sizes{few[-1]};
    sizes.resize(static_cast<std::size_t>(many.rank()), 1);
    const std::string factors = between(operation.name + ".factors", sizes);
    add("Reshape", factors, {input(operation, 1)}).add_input(shape_tensor(operation.name, sizes));
    add("Mul", operation.name, {input(operation), factors});
  }
  void put(const Operation& operation, const primitive::Upsample& up) {
    ::onnx::NodeProto& proto = add("Resize", operation);
    proto.add_input("");  // a region of interest, which nearest neighbours have none of
    std::vector<float> scales{1, 1};
    if (input_shape(operation).rank() == 3) scales.push_back(static_cast<float>(up.geometry.vertical));
    scales.push_back(static_cast<float>(up.geometry.horizontal));
    proto.add_input(tensor(operation.name + ".scales", {static_cast<std::int64_t>(scales.size())}, scales));
    attribute(proto, "mode", "nearest");
    attribute(proto, "coordinate_transformation_mode", "asymmetric");
    attribute(proto, "nearest_mode", "floor");
  }
  void put(const Operation& operation, const primitive::Pad& pad) {
    const kernels::BoxGeometry& g = pad.geometry;
    const Sides by{g.top, g.height - g.top - g.box_height, g.left, g.width - g.left - g.box_width};
    pad_by(add("Pad", operation), operation, by, input_shape(operation).rank() == 3);
  }
  void put(const Operation& operation, const primitive::Slice& slice) {
    const kernels::BoxGeometry& g = slice.geometry;
    const int rank = input_shape(operation).rank();
    Numbers begins{g.first}, ends{g.first + g.box_channels}, axes{1};
    if (rank == 3) begins.push_back(g.top), ends.push_back(g.top + g.box_height), axes.push_back(2);
    if (rank > 1) begins.push_back(g.left), ends.push_back(g.left + g.box_width), axes.push_back(rank);
    ::onnx::NodeProto& proto = add("Slice", operation);
    proto.add_input(integer_tensor(operation.name + ".begins", begins));
    proto.add_input(integer_tensor(operation.name + ".ends", ends));
    proto.add_input(integer_tensor(operation.name + ".axes", axes));
  }
  void put(const Operation& operation, const primitive::Concat&) { attribute(add("Concat", operation), "axis", 1); }
  void put(const Operation& operation, const primitive::Shuffle& shuffle) {
    Numbers sizes = sizes_of(input_shape(operation)), axes{0, 2, 1};
    const std::int64_t rest = sizes[0] / shuffle.groups;
    sizes[0] = shuffle.groups;
    sizes.insert(sizes.begin() + 1, rest);
    for (std::size_t axis = 3; axis <= sizes.size(); ++axis) axes.push_back(static_cast<std::int64_t>(axis));
    const std::string groups = reshaped(input(operation), operation.name + ".groups", sizes);
    std::swap(sizes[0], sizes[1]);
    const std::string turned = transposed(groups, operation.name + ".turned", axes, sizes);
    add("Reshape", operation.name, {turned}).add_input(shape_tensor(operation.name, sizes_of(input_shape(operation))));
  }

  /// The input of an operation with the zeros around it that a window wants, written as a node of its own.
  std::string padded_input(const Operation& operation, kernels::ConvGeometry& g, bool image) {
    const std::string& from = input(operation);
    if (g.pad_top + g.pad_bottom + g.pad_left + g.pad_right == 0) return from;
    const Shape& in = input_shape(operation);
    Numbers sizes{in[-1], in[0] + g.pad_top + g.pad_bottom, in[-2] + g.pad_left + g.pad_right};
    if (!image) sizes.erase(sizes.begin() + 1);
    const std::string result = between(operation.name + ".padded", sizes);
    pad_by(add("Pad", result, {from}), operation, {g.pad_top, g.pad_bottom, g.pad_left, g.pad_right}, image);
    g.pad_top = g.pad_bottom = g.pad_left = g.pad_right = 0;
    return result;
  }

  struct Sides {
    std::int64_t top, bottom, left, right;
  };
  void pad_by(::onnx::NodeProto& pad, const Operation& operation, const Sides& by, bool image) {
    Numbers pads{0, 0, by.top, by.left, 0, 0, by.bottom, by.right};
    if (!image) pads = {0, 0, by.left, 0, 0, by.right};
    pad.add_input(integer_tensor(operation.name + ".padding", pads));
  }
  static void hard_sigmoid_attributes(::onnx::NodeProto& node) {
    attribute(node, "alpha", 1.0f / 6);
    attribute(node, "beta", 0.5f);
  }

  static void window(::onnx::NodeProto& node, const kernels::ConvGeometry& g, bool image) {
    attribute(node, "kernel_shape", image ? Numbers{g.kernel_height, g.kernel_width} : Numbers{g.kernel_width});
    attribute(node, "strides", image ? Numbers{g.stride_height, g.stride_width} : Numbers{g.stride_width});
    attribute(node, "pads",
              image ? Numbers{g.pad_top, g.pad_left, g.pad_bottom, g.pad_right} : Numbers{g.pad_left, g.pad_right});
  }

  /// Whether a flatten may leave features in the order of ONNX, C x H x W: where that is ours, too, or where only linear layers
  /// read them, directly or through what treats all features alike; their weights are put in that order.
  bool keeps_order(const Operation& flatten) const {
    const Shape& in = input_shape(flatten);
    return in.rows() == 1 || in.columns() == 1 || linear_readers(flatten.output);
  }
  bool linear_readers(int value) const {
    if (value == network_.output) return false;
    return std::all_of(readers_[value].begin(), readers_[value].end(), [&](int reader) {
      const Operation& operation = network_.operations[reader];
      return is_any<primitive::Linear>(operation.what) || (is_featureless(operation) && linear_readers(operation.output));
    });
  }
  static bool is_featureless(const Operation& operation) {
    return is_any<primitive::Clamp, primitive::Curve, primitive::Quantize>(operation.what);
  }
  /// What was flattened into features, if they are in the order of ONNX; else the features themselves.
  Shape flattened(int value) const {
    const Shape features = network_.values[value].shape;
    const auto maker = [&] { return makers_[value] < 0 ? nullptr : &network_.operations[makers_[value]]; };
    while (maker() != nullptr && is_featureless(*maker())) value = maker()->inputs[0];
    const bool flatten = maker() != nullptr && is_any<primitive::Reshape>(maker()->what);
    return flatten && keeps_order(*maker()) ? input_shape(*maker()) : features;
  }

  const Shape& input_shape(const Operation& operation) const { return network_.input_shape(operation); }
  const std::string& input(const Operation& operation, int k = 0) const { return network_.values[operation.inputs[k]].name; }

  /// Out x in x positions, of weights that are positions x in x out.
  static std::vector<float> outputs_first(const Tensor& weight, std::int64_t positions) {
    const std::int64_t in = weight.rows() / positions;
    std::vector<float> numbers(static_cast<std::size_t>(weight.elements()));
    for (std::int64_t r = 0; r < weight.rows(); ++r) {
      const std::int64_t place = r % in * positions + r / in;
      for (std::int64_t o = 0; o < weight.columns(); ++o) {
        numbers[static_cast<std::size_t>(o * weight.rows() + place)] = weight.row(r)[static_cast<std::size_t>(o)];
      }
    }
    return numbers;
  }

  /// The node of an operation, with all its inputs.
  ::onnx::NodeProto& add(const char* op, const Operation& operation) {
    std::vector<std::string> inputs;
    for (std::size_t k = 0; k < operation.inputs.size(); ++k) inputs.push_back(input(operation, static_cast<int>(k)));
    return add(op, operation.name, inputs);
  }

  const LoweredNetwork& network_;
  std::vector<std::vector<int>> readers_;  // of each value
  std::vector<int> makers_;                // of each value; -1: the input
};

}  // namespace siena::deploy
