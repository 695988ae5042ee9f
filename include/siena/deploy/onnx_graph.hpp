// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::onnx (ONNX and protobuf): layers as nodes of ONNX. Not part of an umbrella header.

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "siena/core/shape.hpp"
#include "siena/core/tensor.hpp"
#include "siena/nn/network.hpp"

namespace siena::deploy {

static_assert(std::endian::native == std::endian::little,
              "siena: numbers in ONNX files are little-endian, and so is this code");

/// Writes a plain network into a graph of ONNX: channels move behind the batch (N x C x H x W, N x C x T), every layer becomes
/// a node of its name, and every value is named after the layer that makes it. Used once.
class OnnxGraph {
 public:
  OnnxGraph(const Network& network, ::onnx::GraphProto& graph)
      : network_(network), graph_(graph), values_(network.nodes().size()), readers_(network.nodes().size()) {
    const auto& nodes = network.nodes();
    for (int i = 0; i < static_cast<int>(nodes.size()); ++i) {
      for (const int input : nodes[i].inputs) readers_[input].push_back(i);
    }
  }

  /// `batch`: 0 for any.
  void write(std::int64_t batch) {
    batch_ = batch;
    const auto& nodes = network_.nodes();
    require<ArgumentError>(network_.output() != 0, "onnx: expected a network of one layer at least, got its input alone");
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      index_ = static_cast<int>(i);
      values_[i] = nodes[i].name;
      visit_layer([&](const auto& layer) { put(nodes[i], layer); }, nodes[i].layer);
      const bool inner = index_ != 0 && index_ != network_.output() && values_[i] == nodes[i].name;
      if (inner) describe(*graph_.add_value_info(), nodes[i].name, sizes_of(nodes[i].shape));
    }
    describe(*graph_.add_input(), nodes[0].name, sizes_of(nodes[0].shape));
    describe(*graph_.add_output(), nodes[network_.output()].name, sizes_of(nodes[network_.output()].shape));
  }

 private:
  using Node = Network::Node;
  using Numbers = std::vector<std::int64_t>;

  void put(const Node& node, const Input&) { (void)unique(node.name); }
  void put(const Node& node, const Conv2d& conv) { put_convolution(node, conv.geometry(input_shape(node), node.name), true); }
  void put(const Node& node, const Conv1d& conv) { put_convolution(node, conv.geometry(input_shape(node), node.name), false); }
  void put(const Node& node, const Linear& linear) {
    ::onnx::NodeProto& gemm = add("Gemm", node);
    attribute(gemm, "transB", 1);
    const Tensor& weight = value(node, 0);
    // Features that a flatten has left in the order of ONNX: each channel's positions are neighbours.
    const Shape image = flattened(node.inputs[0]);
    gemm.add_input(tensor(name(node, 0), {weight.columns(), weight.rows()}, transposed(weight, image.rows())));
    if (linear.bias) gemm.add_input(vector(name(node, 1), value(node, 1)));
  }
  void put(const Node& node, const BatchNorm& norm) {
    ::onnx::NodeProto& proto = add("BatchNormalization", node);
    proto.add_input(vector(name(node, 0), value(node, 0)));
    proto.add_input(vector(name(node, 1), value(node, 1)));
    for (const int b : node.buffers) proto.add_input(vector(network_.buffer_name(b), network_.buffer(b)));
    attribute(proto, "epsilon", static_cast<float>(norm.epsilon));
  }
  void put(const Node& node, const Relu&) { add("Relu", node); }
  void put(const Node& node, const PRelu&) {
    Numbers sizes(static_cast<std::size_t>(node.shape.rank()), 1);
    sizes[0] = node.shape[-1];
    add("PRelu", node).add_input(tensor(name(node, 0), sizes, numbers_of(value(node, 0))));
  }
  void put(const Node& node, const Sigmoid&) { add("Sigmoid", node); }
  void put(const Node& node, const Tanh&) { add("Tanh", node); }
  void put(const Node& node, const HardSigmoid&) { hard_sigmoid(add("HardSigmoid", node)); }
  void put(const Node& node, const HardSwish&) {  // which opset 13 has no operator for
    const std::string gate = between(node.name + ".gate", sizes_of(node.shape));
    hard_sigmoid(add("HardSigmoid", gate, values_[node.inputs[0]], gate));
    add("Mul", node).add_input(gate);
  }
  void put(const Node& node, const Clip& clip) {
    ::onnx::NodeProto& proto = add("Clip", node);
    proto.add_input(tensor(node.name + ".low", {}, {static_cast<float>(clip.low)}));
    proto.add_input(tensor(node.name + ".high", {}, {static_cast<float>(clip.high)}));
  }
  void put(const Node& node, const LeakyRelu& relu) {
    attribute(add("LeakyRelu", node), "alpha", static_cast<float>(relu.slope));
  }
  void put(const Node& node, const Dropout&) {
    if (index_ == network_.output()) {
      add("Identity", node);  // so that the output has its name
    } else {
      values_[index_] = values_[node.inputs[0]];
    }
  }
  void put(const Node& node, const MaxPool& pool) {
    window(add("MaxPool", node), pool.geometry(input_shape(node), node.name), true);
  }
  void put(const Node& node, const AvgPool& pool) {
    kernels::PoolGeometry g = pool.geometry(input_shape(node), node.name);
    const std::string from = pool.count_padding ? padded_input(node, g, true) : values_[node.inputs[0]];
    window(add("AveragePool", node.name, from, unique(node.name)), g, true);
  }
  void put(const Node& node, const GlobalAvgPool&) {
    Numbers sizes(static_cast<std::size_t>(input_shape(node).rank()), 1);
    sizes[0] = node.shape[-1];
    const std::string mean = between(node.name + ".mean", sizes);
    add("GlobalAveragePool", mean, values_[node.inputs[0]], mean);
    attribute(add("Flatten", unique(node.name), mean, node.name), "axis", 1);
  }
  void put(const Node& node, const Flatten&) {
    const Shape& in = input_shape(node);
    std::string from = values_[node.inputs[0]];
    if (!keeps_order(index_)) {
      const std::string moved = between(node.name + ".nhwc", Numbers(in.sizes().begin(), in.sizes().end()));
      ::onnx::NodeProto& transpose = add("Transpose", moved, from, moved);
      Numbers axes{0};
      for (int axis = 2; axis <= in.rank(); ++axis) axes.push_back(axis);
      axes.push_back(1);
      attribute(transpose, "perm", axes);
      from = moved;
    }
    attribute(add("Flatten", unique(node.name), from, node.name), "axis", 1);
  }
  void put(const Node& node, const Add&) { add("Add", node); }
  void put(const Node& node, const Multiply&) {
    const Shape& few = network_.nodes()[node.inputs[1]].shape;
    if (few.rank() == node.shape.rank()) {
      add("Mul", node);
      return;
    }
    // One value a channel gets the axes of an image, of size 1.
    Numbers sizes{few[-1]};
    sizes.resize(static_cast<std::size_t>(node.shape.rank()), 1);
    const std::string factors = between(node.name + ".factors", sizes);
    sizes.insert(sizes.begin(), 0);  // as many samples as there are
    add("Reshape", factors, values_[node.inputs[1]], factors).add_input(integer_tensor(node.name + ".sizes", sizes));
    add("Mul", node.name, values_[node.inputs[0]], unique(node.name)).add_input(factors);
  }
  void put(const Node& node, const Upsample& up) {
    const kernels::UpsampleGeometry g = up.geometry(input_shape(node));
    ::onnx::NodeProto& proto = add("Resize", node);
    proto.add_input("");  // a region of interest, which nearest neighbours have none of
    std::vector<float> scales{1, 1};
    if (node.shape.rank() == 3) scales.push_back(static_cast<float>(g.vertical));
    scales.push_back(static_cast<float>(g.horizontal));
    proto.add_input(tensor(node.name + ".scales", {node.shape.rank() + 1}, scales));
    attribute(proto, "mode", "nearest");
    attribute(proto, "coordinate_transformation_mode", "asymmetric");
    attribute(proto, "nearest_mode", "floor");
  }
  void put(const Node& node, const Pad& pad) {
    const kernels::BoxGeometry g = pad.geometry(input_shape(node));
    const Sides by{g.top, g.height - g.top - g.box_height, g.left, g.width - g.left - g.box_width};
    pad_by(add("Pad", node), node, by, node.shape.rank() == 3);
  }
  void put(const Node& node, const Slice& slice) {
    const kernels::BoxGeometry g = slice.geometry(input_shape(node));
    Numbers begins{g.first}, ends{g.first + g.box_channels}, axes{1};
    if (node.shape.rank() == 3) begins.push_back(g.top), ends.push_back(g.top + g.box_height), axes.push_back(2);
    if (node.shape.rank() > 1)
      begins.push_back(g.left), ends.push_back(g.left + g.box_width), axes.push_back(node.shape.rank());
    ::onnx::NodeProto& proto = add("Slice", node);
    proto.add_input(integer_tensor(node.name + ".begins", begins));
    proto.add_input(integer_tensor(node.name + ".ends", ends));
    proto.add_input(integer_tensor(node.name + ".axes", axes));
  }
  void put(const Node& node, const Concat&) { attribute(add("Concat", node), "axis", 1); }
  void put(const Node&, const Mixture&) {}  // no plain network has one
  void put(const Node& node, const Custom& layer) {
    fail<ArgumentError>(
        "onnx: expected layers of siena, got '{}', a layer of your own ({}), for which ONNX has no operator; write it with "
        "siena's layers",
        node.name, layer.kind());
  }

  void put_convolution(const Node& node, kernels::ConvGeometry g, bool image) {
    // Not every reader knows that the ends of a signal may be padded by different amounts.
    const std::string from = image || g.pad_left == g.pad_right ? values_[node.inputs[0]] : padded_input(node, g, image);
    ::onnx::NodeProto& conv = add("Conv", node.name, from, unique(node.name));
    Numbers sizes{g.out_channels, g.group_in_channels(), g.kernel_height, g.kernel_width};
    if (!image) sizes.erase(sizes.begin() + 2);
    conv.add_input(tensor(name(node, 0), sizes, transposed(value(node, 0), g.taps())));
    if (node.parameters.size() > 1) conv.add_input(vector(name(node, 1), value(node, 1)));
    window(conv, g, image);
    attribute(conv, "dilations", image ? Numbers{g.dilation_height, g.dilation_width} : Numbers{g.dilation_width});
    attribute(conv, "group", g.groups);
  }

  /// The input of a node with the zeros around it that a window wants, written as a node of its own.
  template <class Geometry>
  std::string padded_input(const Node& node, Geometry& g, bool image) {
    const std::string& from = values_[node.inputs[0]];
    if (g.pad_top + g.pad_bottom + g.pad_left + g.pad_right == 0) return from;
    const Shape& in = input_shape(node);
    Numbers sizes{in[-1], in[0] + g.pad_top + g.pad_bottom, in[-2] + g.pad_left + g.pad_right};
    if (!image) sizes.erase(sizes.begin() + 1);
    const std::string result = between(node.name + ".padded", sizes);
    pad_by(add("Pad", result, from, result), node, {g.pad_top, g.pad_bottom, g.pad_left, g.pad_right}, image);
    g.pad_top = g.pad_bottom = g.pad_left = g.pad_right = 0;
    return result;
  }

  struct Sides {
    std::int64_t top, bottom, left, right;
  };
  void pad_by(::onnx::NodeProto& pad, const Node& node, const Sides& by, bool image) {
    Numbers pads{0, 0, by.top, by.left, 0, 0, by.bottom, by.right};
    if (!image) pads = {0, 0, by.left, 0, 0, by.right};
    pad.add_input(integer_tensor(node.name + ".padding", pads));
  }
  static void hard_sigmoid(::onnx::NodeProto& node) {
    attribute(node, "alpha", 1.0f / 6);
    attribute(node, "beta", 0.5f);
  }

  template <class Geometry>
  static void window(::onnx::NodeProto& node, const Geometry& g, bool image) {
    attribute(node, "kernel_shape", image ? Numbers{g.kernel_height, g.kernel_width} : Numbers{g.kernel_width});
    attribute(node, "strides", image ? Numbers{g.stride_height, g.stride_width} : Numbers{g.stride_width});
    attribute(node, "pads",
              image ? Numbers{g.pad_top, g.pad_left, g.pad_bottom, g.pad_right} : Numbers{g.pad_left, g.pad_right});
  }

  /// Whether a flatten may leave features in the order of ONNX, C x H x W: where that is ours, too, or where only linear layers
  /// read them, directly or through layers that treat all features alike; their weights are put in that order.
  bool keeps_order(int flatten) const {
    const Shape& in = input_shape(network_.nodes()[flatten]);
    return in.rows() == 1 || in.columns() == 1 || linear_readers(flatten);
  }
  bool linear_readers(int node) const {
    if (node == network_.output()) return false;
    for (const int reader : readers_[node]) {
      const Layer& layer = network_.nodes()[reader].layer;
      if (!std::holds_alternative<Linear>(layer) && !(featureless(layer) && linear_readers(reader))) return false;
    }
    return true;
  }
  static bool featureless(const Layer& layer) {
    return visit_layer(
        []<class L>(const L&) {
          return std::is_same_v<L, Relu> || std::is_same_v<L, Sigmoid> || std::is_same_v<L, Tanh> || std::is_same_v<L, Clip> ||
                 std::is_same_v<L, HardSigmoid> || std::is_same_v<L, HardSwish> || std::is_same_v<L, LeakyRelu> ||
                 std::is_same_v<L, Dropout>;
        },
        layer);
  }
  /// What was flattened into the features of a node, if they are in the order of ONNX; else the features themselves.
  Shape flattened(int node) const {
    const Shape features = network_.nodes()[node].shape;
    while (featureless(network_.nodes()[node].layer)) node = network_.nodes()[node].inputs[0];
    const bool flatten = std::holds_alternative<Flatten>(network_.nodes()[node].layer);
    return flatten && keeps_order(node) ? input_shape(network_.nodes()[node]) : features;
  }

  const Shape& input_shape(const Node& node) const { return network_.nodes()[node.inputs[0]].shape; }
  const Tensor& value(const Node& node, int k) const { return network_.parameter(node.parameters[k]).value; }
  const std::string& name(const Node& node, int k) const { return network_.parameter(node.parameters[k]).name; }

  /// Out x in x positions, of weights that are positions x in x out.
  static std::vector<float> transposed(const Tensor& weight, std::int64_t positions) {
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
  static std::vector<float> numbers_of(const Tensor& tensor) {
    std::vector<float> numbers;
    tensor.copy_to(numbers);
    return numbers;
  }
  std::string vector(const std::string& its_name, const Tensor& channels) {
    return tensor(its_name, {channels.elements()}, numbers_of(channels));
  }
  std::string tensor(const std::string& its_name, const Numbers& sizes, const std::vector<float>& numbers) {
    const auto odd = std::find_if(numbers.begin(), numbers.end(), [](float x) { return !std::isfinite(x); });
    require<ArgumentError>(odd == numbers.end(), "onnx: expected finite numbers, got {} in '{}'; did the training diverge?",
                           odd == numbers.end() ? 0 : *odd, its_name);
    ::onnx::TensorProto& proto = *graph_.add_initializer();
    proto.set_name(unique(its_name));
    proto.set_data_type(::onnx::TensorProto::FLOAT);
    for (const std::int64_t size : sizes) proto.add_dims(size);
    proto.set_raw_data(numbers.data(), numbers.size() * sizeof(float));
    return its_name;
  }
  std::string integer_tensor(const std::string& its_name, const Numbers& integers) {
    ::onnx::TensorProto& proto = *graph_.add_initializer();
    proto.set_name(unique(its_name));
    proto.set_data_type(::onnx::TensorProto::INT64);
    proto.add_dims(static_cast<std::int64_t>(integers.size()));
    proto.set_raw_data(integers.data(), integers.size() * sizeof(std::int64_t));
    return its_name;
  }

  /// The node of a layer, with the layer's inputs.
  ::onnx::NodeProto& add(const char* op, const Node& node) {
    ::onnx::NodeProto& proto = add(op, node.name, values_[node.inputs[0]], unique(node.name));
    for (std::size_t k = 1; k < node.inputs.size(); ++k) proto.add_input(values_[node.inputs[k]]);
    return proto;
  }
  ::onnx::NodeProto& add(const char* op, const std::string& its_name, const std::string& in, const std::string& out) {
    ::onnx::NodeProto& proto = *graph_.add_node();
    proto.set_op_type(op);
    proto.set_name(its_name);
    proto.add_input(in);
    proto.add_output(out);
    return proto;
  }
  static ::onnx::AttributeProto& attribute(::onnx::NodeProto& node, const char* its_name,
                                           ::onnx::AttributeProto::AttributeType type) {
    ::onnx::AttributeProto& proto = *node.add_attribute();
    proto.set_name(its_name);
    proto.set_type(type);
    return proto;
  }
  static void attribute(::onnx::NodeProto& node, const char* its_name, int value) {
    attribute(node, its_name, ::onnx::AttributeProto::INT).set_i(value);
  }
  static void attribute(::onnx::NodeProto& node, const char* its_name, float value) {
    attribute(node, its_name, ::onnx::AttributeProto::FLOAT).set_f(value);
  }
  static void attribute(::onnx::NodeProto& node, const char* its_name, const char* value) {
    attribute(node, its_name, ::onnx::AttributeProto::STRING).set_s(value);
  }
  static void attribute(::onnx::NodeProto& node, const char* its_name, const Numbers& values) {
    ::onnx::AttributeProto& proto = attribute(node, its_name, ::onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) proto.add_ints(value);
  }

  /// The name of a value between the nodes of one layer, of these sizes behind the batch.
  std::string between(const std::string& its_name, const Numbers& sizes) {
    describe(*graph_.add_value_info(), its_name, sizes);
    return unique(its_name);
  }
  /// Those of a value behind the batch, as ONNX has them: channels first.
  static Numbers sizes_of(const Shape& shape) {
    Numbers sizes{shape[-1]};
    for (int i = 0; i + 1 < shape.rank(); ++i) sizes.push_back(shape[i]);
    return sizes;
  }
  void describe(::onnx::ValueInfoProto& info, const std::string& its_name, const Numbers& sizes) const {
    info.set_name(its_name);
    ::onnx::TypeProto::Tensor& type = *info.mutable_type()->mutable_tensor_type();
    type.set_elem_type(::onnx::TensorProto::FLOAT);
    ::onnx::TensorShapeProto& shape = *type.mutable_shape();
    if (batch_ > 0) {
      shape.add_dim()->set_dim_value(batch_);
    } else {
      shape.add_dim()->set_dim_param("N");
    }
    for (const std::int64_t size : sizes) shape.add_dim()->set_dim_value(size);
  }

  /// ONNX knows one space of names, for values and tensors.
  const std::string& unique(const std::string& its_name) {
    require<ArgumentError>(names_.insert(its_name).second,
                           "onnx: expected every name once, got '{}' for a layer and for a tensor; name the layer otherwise",
                           its_name);
    return *names_.find(its_name);
  }

  const Network& network_;
  ::onnx::GraphProto& graph_;
  std::vector<std::string> values_;  // by node
  std::vector<std::vector<int>> readers_;
  std::set<std::string> names_;
  std::int64_t batch_ = 1;
  int index_ = 0;
};

}  // namespace siena::deploy
