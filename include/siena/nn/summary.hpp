// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "siena/nn/network.hpp"

namespace siena {

namespace detail {
inline std::int64_t weights_of(const Network& network, const Network::Node& node) {
  std::int64_t count = 0;
  for (const int p : node.parameters) count += network.parameter(p).value.elements();
  return count;
}
}  // namespace detail

/// A table of the layers of a network: node, kind, shape of one sample of the output, number of parameters, inputs.
inline std::string summary(const Network& network) {
  constexpr int columns = 5, numbers = 3;  // the column that is aligned to the right
  std::vector<std::array<std::string, columns>> rows{{"node", "kind", "output", "parameters", "inputs"}};
  for (const auto& node : network.nodes()) {
    std::string inputs;
    for (const int input : node.inputs) inputs += (inputs.empty() ? "" : ", ") + network.nodes()[input].name;
    rows.push_back({node.name, std::string(kind_of(node.layer)), node.shape.to_string(),
                    format("{}", detail::weights_of(network, node)), std::move(inputs)});
  }
  std::array<std::size_t, columns> widths{};
  for (const auto& row : rows) {
    for (int c = 0; c < columns; ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (int c = 0; c + 1 < columns; ++c) {
      line += c == numbers ? format("{:>{}}  ", row[c], widths[c]) : format("{:<{}}  ", row[c], widths[c]);
    }
    line += row[columns - 1];
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  std::int64_t architecture = 0;
  for (int p = 0; p < network.parameter_count(); ++p) {
    if (network.parameter(p).role == Role::architecture) architecture += network.parameter(p).value.elements();
  }
  text += format("{} parameters", network.weight_count());
  return text + (architecture > 0 ? format(" and {} of the architecture\n", architecture) : "\n");
}

/// The graph of a network in the language of Graphviz: `dot -Tsvg` draws it.
inline std::string to_dot(const Network& network) {
  const auto quoted = [](const std::string& name) {
    std::string text;
    for (const char c : name) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    return text;
  };
  std::string text = "digraph network {\n  node [shape=box, fontname=\"sans-serif\"];\n";
  for (std::size_t i = 0; i < network.nodes().size(); ++i) {
    const auto& node = network.nodes()[i];
    text += format("  n{} [label=\"{}\\n{} {}\"];\n", i, quoted(node.name), kind_of(node.layer), node.shape);
    for (const int input : node.inputs) text += format("  n{} -> n{};\n", input, i);
  }
  return text + "}\n";
}

}  // namespace siena
