// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::onnx (ONNX and protobuf): nodes, tensors and values of ONNX. Not part of an umbrella header.

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/shape.hpp"
#include "siena/core/tensor.hpp"
#include "siena/nn/lowering.hpp"

namespace siena::deploy {

static_assert(std::endian::native == std::endian::little,
              "siena: numbers in ONNX files are little-endian, and so is this code");

/// The parts of which a graph of ONNX is put together, each with a name of its own. Sizes are those behind the batch.
class OnnxNodes {
 public:
  using Numbers = std::vector<std::int64_t>;

  /// `batch`: 0 for any.
  OnnxNodes(::onnx::GraphProto& graph, std::int64_t batch) : graph_(graph), batch_(batch) {}

  static std::vector<float> numbers_of(const Tensor& tensor) {
    std::vector<float> numbers;
    tensor.copy_to(numbers);
    return numbers;
  }
  std::string vector(const Constant& constant) {
    return tensor(constant.name, {constant.value.elements()}, numbers_of(constant.value));
  }
  /// One number a channel, to be broadcast over values of a shape.
  std::string channels(const Constant& constant, const Shape& shape) {
    Numbers sizes(static_cast<std::size_t>(shape.rank()), 1);
    sizes[0] = constant.value.elements();
    return tensor(constant.name, sizes, numbers_of(constant.value));
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
    return integers_of(its_name, {static_cast<std::int64_t>(integers.size())}, integers);
  }
  /// Of int8, int32 or int64.
  template <class Integer>
  std::string integers_of(const std::string& its_name, const Numbers& sizes, const std::vector<Integer>& integers) {
    ::onnx::TensorProto& proto = *graph_.add_initializer();
    proto.set_name(unique(its_name));
    proto.set_data_type(sizeof(Integer) == 1   ? ::onnx::TensorProto::INT8
                        : sizeof(Integer) == 4 ? ::onnx::TensorProto::INT32
                                               : ::onnx::TensorProto::INT64);
    for (const std::int64_t size : sizes) proto.add_dims(size);
    proto.set_raw_data(integers.data(), integers.size() * sizeof(Integer));
    return its_name;
  }

  ::onnx::TensorProto& last_initializer() { return *graph_.mutable_initializer(graph_.initializer_size() - 1); }

  ::onnx::NodeProto& add(const char* op, const std::string& its_name, const std::vector<std::string>& inputs) {
    ::onnx::NodeProto& proto = *graph_.add_node();
    proto.set_op_type(op);
    proto.set_name(its_name);
    for (const std::string& in : inputs) proto.add_input(in);
    proto.add_output(unique(its_name));
    return proto;
  }
  /// A value under other sizes behind the batch.
  std::string reshaped(const std::string& from, const std::string& its_name, const Numbers& sizes) {
    add("Reshape", between(its_name, sizes), {from}).add_input(shape_tensor(its_name, sizes));
    return its_name;
  }
  std::string shape_tensor(const std::string& its_name, Numbers sizes) {
    sizes.insert(sizes.begin(), 0);  // as many samples as there are
    return integer_tensor(its_name + ".sizes", sizes);
  }
  std::string transposed(const std::string& from, const std::string& its_name, const Numbers& axes, const Numbers& sizes) {
    attribute(add("Transpose", between(its_name, sizes), {from}), "perm", axes);
    return its_name;
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
    return its_name;
  }
  /// The network's input and its output.
  void enters(const std::string& its_name, const Numbers& sizes) {
    describe(*graph_.add_input(), its_name, sizes);
    (void)unique(its_name);
  }
  void leaves(const std::string& its_name, const Numbers& sizes) { describe(*graph_.add_output(), its_name, sizes); }
  /// Those of a value behind the batch, as ONNX has them: channels first.
  static Numbers sizes_of(const Shape& shape) {
    Numbers sizes{shape[-1]};
    for (int i = 0; i + 1 < shape.rank(); ++i) sizes.push_back(shape[i]);
    return sizes;
  }

 private:
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

  ::onnx::GraphProto& graph_;
  std::int64_t batch_;
  std::set<std::string> names_;
};

}  // namespace siena::deploy
