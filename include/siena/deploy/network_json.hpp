// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Optional component siena::json (nlohmann-json): the graph of a network as JSON. Not part of the umbrella header.

#include <algorithm>
#include <any>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/state.hpp"
#include "siena/deploy/layer_registry.hpp"
#include "siena/deploy/plain.hpp"
#include "siena/space/search_space.hpp"

namespace siena::deploy {

namespace detail {
inline constexpr std::string_view network_format = "siena network";
inline constexpr int network_version = 1;
inline constexpr std::size_t most_layers = 10'000;
}  // namespace detail

/// The graph of a network, without its values: layers with all their options, names and inputs, the alternatives of choices,
/// and what may vary. {"format": "siena network", "version": 1, "input": [32, 32, 3], "output": 2, "layers": [{"name": "input",
/// "type": "input", "options": {}, "inputs": []}, {"name": "conv2d_1", "type": "conv2d", "options": {"out": 16, ...}, "inputs":
/// [0], "varies": {"channels": {"minimum": 1}}}, ...]}; inputs and output count layers from 0. Throws ArgumentError for a
/// network that a SearchSpace gates (save it before, or what `discretize` returns), for layers of users that `layers` does not
/// have, and for decorations other than Searchable's.
inline nlohmann::json network_to_json(const Network& network, const LayerRegistry& layers = {},
                                      const std::string& where = "network_to_json") {
  require_no_gates(network, where);
  const auto sizes = network.input_shape().sizes();
  nlohmann::json json = {{"format", detail::network_format},
                         {"version", detail::network_version},
                         {"input", std::vector<std::int64_t>(sizes.begin(), sizes.end())},
                         {"output", network.output()},
                         {"layers", nlohmann::json::array()}};
  require<ArgumentError>(network.nodes().size() <= detail::most_layers, "{}: expected at most {} layers, got {}", where,
                         detail::most_layers, network.nodes().size());
  for (const Network::Node& node : network.nodes()) {
    const std::string place = siena::format("{}: '{}'", where, node.name);
    LayerJson layer = layers.to_json(node.layer, place);
    json["layers"].push_back(
        {{"name", node.name}, {"type", std::move(layer.type)}, {"options", std::move(layer.options)}, {"inputs", node.inputs}});
    if (!node.decoration.has_value()) continue;
    const auto* axes = std::any_cast<SearchAxes>(&node.decoration);
    require<ArgumentError>(axes != nullptr, "{}: expected no decoration but what Searchable says may vary, got another one",
                           place);
    nlohmann::json varies = nlohmann::json::object();
    for (const AnyAxisSpec& axis : *axes) varies[std::string(axis.name())] = option_to_json(axis, place);
    if (!varies.empty()) json["layers"].back()["varies"] = std::move(varies);
  }
  return json;
}

namespace detail {
/// Builds one network; `tensors` bounds what it may ask for.
class NetworkJsonReader {
 public:
  NetworkJsonReader(const State& tensors, const LayerRegistry& layers, std::string where)
      : tensors_(tensors), layers_(layers), where_(std::move(where)) {}

  Network read(const nlohmann::json& json) {
    const auto is = [&](const char* key, const auto& value) { return json.contains(key) && json.at(key) == value; };
    require<FormatError>(json.is_object() && is("format", network_format), "{}: expected a graph of format '{}', got another",
                         where_, network_format);
    require<FormatError>(is("version", network_version),
                         "{}: expected a graph of version {}, got {}; was it written by a newer "
                         "siena?",
                         where_, network_version, json.contains("version") ? json_excerpt(json.at("version")) : "none");
    const nlohmann::json& layers = field(json, "layers", where_);
    require<FormatError>(layers.is_array() && !layers.empty() && layers.size() <= most_layers,
                         "{}: expected a list of 1 to {} layers, got {}", where_, most_layers,
                         layers.is_array() ? siena::format("{}", layers.size()) : json_excerpt(layers));
    const auto output = whole_number_from_json(field(json, "output", where_), where_ + ": output", 0,
                                               static_cast<std::int64_t>(layers.size()) - 1);
    try {
      Network network(
          read_shape(field(json, "input", where_)),
          [&](const Flow& flow) { return build(flow, layers, static_cast<int>(output)); }, std::nullopt);
      return network;
    } catch (const FormatError&) {
      throw;
    } catch (const Error& error) {  // of a layer that does not fit its inputs
      fail<FormatError>("{}: {}", where_, error.what());
    }
  }

 private:
  static const nlohmann::json& field(const nlohmann::json& json, const char* key, const std::string& where) {
    require<FormatError>(json.is_object() && json.contains(key), "{}: expected an object with '{}', got {}", where, key,
                         json.is_object() ? "none" : json_excerpt(json));
    return json.at(key);
  }
  static std::string text(const nlohmann::json& json, const char* key, const std::string& where) {
    std::string value;
    option_from_json(field(json, key, where), value, where + ": " + key);
    return value;
  }
  Shape read_shape(const nlohmann::json& json) const {
    require<FormatError>(json.is_array() && !json.empty() && json.size() < Shape::max_rank,
                         "{}: expected an input of 1 to {} sizes, got {}", where_, Shape::max_rank - 1, json_excerpt(json));
    std::vector<std::int64_t> sizes;
    for (const auto& size : json) sizes.push_back(whole_number_from_json(size, where_ + ": input", 1, Shape::most_elements));
    return Shape(std::span<const std::int64_t>(sizes));
  }

  Flow build(const Flow& flow, const nlohmann::json& layers, int output) const {
    NetworkBuilder& builder = *flow.builder();
    for (int i = 0; i < static_cast<int>(layers.size()); ++i) {
      const std::string place = siena::format("{}: layer {}", where_, i);
      const std::string name = text(layers[i], "name", place), where = siena::format("{}: '{}'", where_, name);
      append(builder, layers[i], name, where, i);
      builder.rename(i, name);
    }
    return {&builder, output};
  }
  void append(NetworkBuilder& builder, const nlohmann::json& json, const std::string& name, const std::string& where,
              int index) const {
    Layer layer = layers_.from_json({text(json, "type", where), field(json, "options", where)}, where);
    std::vector<int> inputs;
    const nlohmann::json& from = field(json, "inputs", where);
    require<FormatError>(from.is_array(), "{}: expected a list of inputs, got {}", where, json_excerpt(from));
    for (const auto& k : from) inputs.push_back(static_cast<int>(whole_number_from_json(k, where + ": inputs", 0, index - 1)));
    for (const auto& [key, unused] : json.items()) {
      require<FormatError>(key == "name" || key == "type" || key == "options" || key == "inputs" || key == "varies",
                           "{}: expected name, type, options, inputs and varies, got '{}'; was it written by a newer siena?",
                           where, key);
    }
    const bool is_input = layer.is<Input>();
    require<FormatError>(is_input == (index == 0) && inputs.empty() == is_input,
                         "{}: expected an input first, and layers that read something after it", where);
    if (is_input) return;  // stands there
    check_tensors(builder, layer, inputs, name, where);
    Decoration varies;
    if (json.contains("varies")) {
      const SearchAxes axes = read_axes(json.at("varies"), where + ": varies");
      axes.check(layer, name);
      varies = axes;
    }
    builder.append(std::move(layer), std::move(inputs), std::move(varies));
  }
  SearchAxes read_axes(const nlohmann::json& json, const std::string& where) const {
    require<FormatError>(json.is_object(), "{}: expected an object of options, got {}", where, json_excerpt(json));
    SearchAxes axes;
    for (const auto& [name, options] : json.items()) {
      AnyAxisSpec axis = layers_.axis(name, where);
      option_from_json(options, axis, where + "." + name);
      axes.set(std::move(axis));
    }
    return axes;
  }
  /// A layer is asked what it needs before it gets it: what does not fit the tensors of the file is never made.
  void check_tensors(const NetworkBuilder& builder, const Layer& layer, const std::vector<int>& inputs, const std::string& name,
                     const std::string& where) const {
    std::vector<Shape> shapes;
    for (const int input : inputs) shapes.push_back(builder.shape(input));
    LayerSetup setup(name, shapes);
    (void)visit_layer([&](const auto& l) { return l.setup(setup); }, layer);
    const auto check = [&](const std::string& what, const Shape& shape) {
      try {
        (void)tensors_.tensor(name + "." + what, shape);
      } catch (const FormatError& error) {
        fail<FormatError>("{}: expected tensors that fit the graph: {}", where, error.what());
      }
    };
    for (const auto& spec : setup.parameters) check(spec.name, spec.shape);
    for (const auto& spec : setup.buffers) check(spec.name, spec.shape);
  }

  const State& tensors_;
  const LayerRegistry& layers_;
  std::string where_;
};
}  // namespace detail

/// The network of a graph, with these tensors: its values under their names, no more and no fewer. Throws FormatError, which
/// begins with `where`, for a graph that is none, of another version, that does not fit the tensors, or with layers or options
/// that are not known.
inline Network network_from_json(const nlohmann::json& json, const State& tensors, const LayerRegistry& layers = {},
                                 const std::string& where = "network_from_json") {
  Network network = detail::NetworkJsonReader(tensors, layers, where).read(json);
  State places;
  network.save(places);
  for (const auto& [name, value] : tensors.values()) {
    require<FormatError>(!std::holds_alternative<Tensor>(value) || places.contains(name),
                         "{}: expected tensors that fit the graph, got '{}', for which no layer has a place", where, name);
  }
  network.load(tensors);
  return network;
}

}  // namespace siena::deploy
