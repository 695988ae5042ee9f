// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::onnx (ONNX, protobuf and nlohmann-json): networks of integers as files of ONNX. Not part of an
// umbrella header.

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "siena/core/file.hpp"
#include "siena/deploy/integer/network.hpp"
#include "siena/deploy/integer/real_network.hpp"
#include "siena/deploy/onnx.hpp"
#include "siena/deploy/onnx_graph.hpp"

namespace siena::deploy {

namespace detail {

/// Writes the operations on real numbers with weights of int8, biases of int32 and tables.
class OnnxInt8Graph final : public OnnxGraph {
 public:
  OnnxInt8Graph(const IntegerNetwork& integers, const LoweredNetwork& real, ::onnx::GraphProto& graph,
                const OnnxOptions& options)
      : OnnxGraph(real, graph, options.batch), integers_(integers), int4_(options.int4), made_by_(real.values.size(), nullptr) {
    std::size_t next = 0;  // each operation but the quantisers, in order
    for (const Operation& operation : real.operations)
      if (!is_any<primitive::Quantize>(operation.what)) made_by_[operation.output] = &integers.operations[next++];
  }

 private:
  using Bytes = std::vector<std::int8_t>;

  void put(const Operation& operation) override {
    const IntegerOperation* integers = made_by_[operation.output];
    if (integers == nullptr) return OnnxGraph::put(operation);
    if (const auto* table = std::get_if<integer::Table>(&integers->what)) return put_table(operation, *integers, *table);
    const auto* convolution = std::get_if<integer::Convolution>(&integers->what);
    if (convolution == nullptr) return OnnxGraph::put(operation);
    const std::vector<float> steps = weight_steps(integers_, *integers);
    std::vector<float> bias_steps = steps;
    for (float& step : bias_steps) step = static_cast<float>(step * integers_.input_of(*integers).scale);
    const std::string& name = integers_.output_of(*integers).name;
    const auto outputs = static_cast<std::int64_t>(steps.size());
    const std::string bias = real_numbers(name + ".bias", {outputs}, convolution->bias, bias_steps);
    const std::vector<int> bits = convolution->bits.list();
    const bool nibbles = int4_ && *std::max_element(bits.begin(), bits.end()) <= 4;
    if (is_any<primitive::FixedNorm>(operation.what)) {
      const std::string weights = real_numbers(name + ".weight", {outputs}, convolution->weights, steps, nibbles);
      const std::string product = between(name + ".product", sizes_of(input_shape(operation)));
      add("Mul", product, {input(operation), weights});
      add("Add", operation.name, {product, bias});
      return;
    }
    if (is_any<primitive::Linear>(operation.what)) {
      const std::int64_t in = convolution->geometry.weight_rows();
      const Bytes weights = channels_first(convolution->weights, outputs, flattened(operation.inputs[0]).rows());
      ::onnx::NodeProto& gemm =
          add("Gemm", operation.name,
              {input(operation), real_numbers(name + ".weight", {outputs, in}, weights, steps, nibbles), bias});
      attribute(gemm, "transB", 1);
      return;
    }
    const kernels::ConvGeometry& g = convolution->geometry;
    const bool image = input_shape(operation).rank() == 3;
    Numbers sizes{outputs, g.group_in_channels(), g.kernel_height, g.kernel_width};
    if (!image) sizes.erase(sizes.begin() + 2);
    const Bytes weights = channels_first(convolution->weights, outputs, g.taps());
    put_convolution(operation, g, real_numbers(name + ".weight", sizes, weights, steps, nibbles), bias);
  }

  /// Integers whose first size counts outputs, each times its output's step; as INT4 where they are `nibbles`.
  template <class Integer>
  std::string real_numbers(const std::string& name, const Numbers& sizes, const std::vector<Integer>& integers,
                           const std::vector<float>& steps, bool nibbles = false) {
    const auto outputs = static_cast<std::int64_t>(steps.size());
    const auto put = [&](const std::string& its_name, const Numbers& its_sizes, const auto& numbers) {
      return nibbles ? int4_of(its_name, its_sizes, numbers) : integers_of(its_name, its_sizes, numbers);
    };
    std::vector<std::string> inputs{put(name + ".integers", sizes, integers), tensor(name + ".steps", {outputs}, steps)};
    if (sizeof(Integer) == 1) inputs.push_back(put(name + ".zero_points", {outputs}, Bytes(steps.size(), 0)));
    attribute(add("DequantizeLinear", name, inputs), "axis", 0);
    return name;
  }
  /// Two numbers in a byte, the first in the lower half.
  std::string int4_of(const std::string& name, const Numbers& sizes, const auto& integers) {
    std::string bytes((integers.size() + 1) / 2, '\0');
    for (std::size_t i = 0; i < integers.size(); ++i)
      bytes[i / 2] = static_cast<char>(bytes[i / 2] | (static_cast<int>(integers[i]) & 15) << (4 * (i % 2)));
    const std::string made = integers_of(name, sizes, Bytes());
    ::onnx::TensorProto& proto = last_initializer();
    proto.set_data_type(22);  // INT4, which older headers have no name for
    proto.set_raw_data(bytes);
    return made;
  }
  /// Out x in x positions, of weights that are out x positions x in.
  static Bytes channels_first(const Bytes& weights, std::int64_t outputs, std::int64_t positions) {
    const auto in = static_cast<std::int64_t>(weights.size()) / outputs / positions;
    Bytes result;
    for (std::int64_t o = 0; o < outputs; ++o)
      for (std::int64_t i = 0; i < in; ++i)
        for (std::int64_t p = 0; p < positions; ++p) result.push_back(weights[(o * positions + p) * in + i]);
    return result;
  }

  /// The place in a table of 256 integers.
  void put_table(const Operation& operation, const IntegerOperation& integers, const integer::Table& table) {
    const IntegerValue& y = integers_.output_of(integers);
    const std::string& name = operation.name;
    ::onnx::NodeProto& places = add("Cast", name + ".integers", {input(operation) + ".levels"});
    attribute(places, "to", static_cast<int>(::onnx::TensorProto::INT32));
    const std::string from = integers_of(name + ".from", {}, std::vector<std::int32_t>{128});
    add("Add", name + ".places", {name + ".integers", from});
    const std::string of = integers_of(name + ".table", {256}, Bytes(table.of.begin(), table.of.end()));
    add("Gather", name + ".levels", {of, name + ".places"});
    const std::string scale = tensor(name + ".scale", {}, {static_cast<float>(y.scale)});
    const std::string zero = integers_of(name + ".zero_point", {}, Bytes{static_cast<std::int8_t>(y.zero_point)});
    add("DequantizeLinear", name, {name + ".levels", scale, zero});
  }

  const IntegerNetwork& integers_;
  bool int4_;
  std::vector<const IntegerOperation*> made_by_;  // each value of the real network; null: a quantiser, or nobody
};

}  // namespace detail

/// What `onnx_int8` writes, for those who have plans of their own with it.
inline ::onnx::ModelProto onnx_int8_model(const IntegerNetwork& network, const OnnxOptions& options = {}) {
  const LoweredNetwork real = real_network(network);
  return detail::onnx_model_of(network.input_value().shape, options, [&](::onnx::GraphProto& graph) {
    detail::OnnxInt8Graph(network, real, graph, options).write();
  });
}

/// Writes a network of integers as an ONNX file, whole or not at all, in the form that others take for one of integers:
/// operations on real numbers between QuantizeLinear and DequantizeLinear, weights of int8 with a scale for each output
/// channel (by `int4` of few bits as such), biases of int32; functions of one element are tables. Inputs and outputs are real
/// numbers, layouts and errors those of `onnx`; the integers of value x are the tensor "x.levels". Runtimes round halves to the
/// even integer where we round them up, so sums that lie in the middle between two (means, mostly) may be one apart.
inline void onnx_int8(const IntegerNetwork& network, const std::filesystem::path& file, const OnnxOptions& options = {}) {
  write_file_atomically(file, onnx_int8_model(network, options).SerializeAsString());
}

}  // namespace siena::deploy
