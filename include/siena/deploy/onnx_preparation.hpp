// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::onnx (ONNX, protobuf and nlohmann-json): how inputs are prepared, in files of ONNX. Not part of an
// umbrella header.

#include <onnx/onnx_pb.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/data/preparation.hpp"
#include "siena/data/preparation_json.hpp"
#include "siena/deploy/onnx_nodes.hpp"

namespace siena::deploy {

namespace detail {

/// Puts (x - mean) / deviation before all other nodes, in units of x: mean and deviation of bytes are 255 times as large.
inline void normalize_input(::onnx::GraphProto& graph, const data::Preparation& p) {
  const ::onnx::ValueInfoProto input = graph.input(0);
  const std::string raw = input.name(), centred = raw + ".centred", normalized = raw + ".normalized";
  for (::onnx::NodeProto& node : *graph.mutable_node())
    for (std::string& name : *node.mutable_input())
      if (name == raw) name = normalized;
  std::vector<float> mean, factor;
  for (std::size_t c = 0; c < p.mean.size(); ++c) {
    mean.push_back(static_cast<float>(p.mean[c] / p.scale()));
    factor.push_back(static_cast<float>(p.scale() / p.deviation[c]));
  }
  OnnxNodes nodes(graph, 0);
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(p.shape.rank()), 1);  // to be broadcast over N x C x H x W
  sizes[0] = p.shape.columns();
  const auto first = [&](int place, const char* op, const std::string& in, const std::string& tensor, const std::string& out) {
    nodes.add(op, out, {in, tensor});
    for (int i = graph.node_size() - 1; i > place; --i) graph.mutable_node()->SwapElements(i, i - 1);
    *graph.add_value_info() = input;
    graph.mutable_value_info(graph.value_info_size() - 1)->set_name(out);
  };
  first(0, "Sub", raw, nodes.tensor(raw + ".mean", sizes, mean), centred);
  first(1, "Mul", centred, nodes.tensor(raw + ".factor", sizes, factor), normalized);
}

/// For people who look at the file.
inline std::string input_text(const data::Preparation& p, bool normalized) {
  const char* values = p.bytes ? "bytes (0 to 255)" : p.sound ? "features of sound, as the front-end gives them" : "values";
  std::string text = p.colours == data::Colours::none
                         ? ""
                         : siena::format("{} ", data::names_of(p.colours)[static_cast<std::size_t>(p.colours)]);
  if (normalized) return text + siena::format("{}, not normalised: the graph does that", values);
  return text + siena::format("{}, as (x{} - mean) / deviation for each channel; mean and deviation: metadata {}", values,
                              p.bytes ? " / 255" : "", data::preparation_key);
}

}  // namespace detail

/// States in the model of a network with such inputs how they are prepared: as metadata, with "in_graph" for whether the graph
/// normalises, in the description of the input, and, with `normalize`, as its first nodes.
inline void state_preparation(::onnx::ModelProto& model, const Shape& inputs, const data::Preparation& p, bool normalize) {
  require<ShapeError>(
      p.shape == inputs && p.mean.size() == static_cast<std::size_t>(inputs.columns()) && p.deviation.size() == p.mean.size(),
      "onnx: expected a preparation of the network's inputs {}, got one of {} with a mean of {} channels", inputs, p.shape,
      p.mean.size());
  auto json = data::to_json(p);
  json["in_graph"] = normalize;
  ::onnx::StringStringEntryProto& entry = *model.add_metadata_props();
  entry.set_key(std::string(data::preparation_key));
  entry.set_value(data::json_text(json));
  model.mutable_graph()->mutable_input(0)->set_doc_string(detail::input_text(p, normalize));
  if (normalize) detail::normalize_input(*model.mutable_graph(), p);
}

}  // namespace siena::deploy
