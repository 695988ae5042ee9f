// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

#include "layers.hpp"

#include <algorithm>
#include <utility>

#include "siena/kernels.hpp"
#include "siena/kernels/reference.hpp"
#include "siena/kernels/reference_layers.hpp"
#include "workload.hpp"

namespace siena::bench {

std::vector<ConvLayer> conv_layers() {
  std::vector<ConvLayer> layers;
  for (const std::string& name : network_names()) {
    const Network network = make_network(name);
    const auto begin = static_cast<std::ptrdiff_t>(layers.size());
    for (const Network::Node& node : network.nodes()) {
      ConvLayer layer{.name = name + "/" + node.name};
      if (const auto* conv = node.layer.get_if<Conv2d>()) {
        layer.geometry = conv->geometry(network.nodes()[node.inputs[0]].shape, node.name);
        layer.bias = conv->bias;
      } else if (const auto* linear = node.layer.get_if<Linear>()) {
        layer.geometry = {.in_channels = network.nodes()[node.inputs[0]].shape[0], .out_channels = linear->out};
        layer.bias = linear->bias;
        layer.linear = true;
      } else {
        continue;
      }
      layer.first = network.nodes()[node.inputs[0]].layer.is<Input>();
      const bool known = std::any_of(layers.begin() + begin, layers.end(), [&](const ConvLayer& other) {
        return other.geometry == layer.geometry && other.first == layer.first;
      });
      if (!known) layers.push_back(std::move(layer));
    }
  }
  return layers;
}

std::vector<NormLayer> norm_layers() {
  std::vector<NormLayer> layers;
  for (const std::string& name : network_names()) {
    const Network network = make_network(name);
    const auto begin = static_cast<std::ptrdiff_t>(layers.size());
    for (const Step& step : network.steps()) {
      const Network::Node& node = network.nodes()[step.node];
      if (!node.layer.is<BatchNorm>() || !step.relu) continue;
      NormLayer layer{.name = name + "/" + node.name,
                      .rows = node.shape.rows(),
                      .channels = node.shape.columns(),
                      .residual = step.residual >= 0};
      const bool known = std::any_of(layers.begin() + begin, layers.end(), [&](const NormLayer& other) {
        return other.rows == layer.rows && other.channels == layer.channels && other.residual == layer.residual;
      });
      if (!known) layers.push_back(std::move(layer));
    }
  }
  return layers;
}

Tensor random_tensor(const Shape& shape, std::uint64_t seed) {
  Tensor tensor(shape);
  Random random(seed);
  for (std::int64_t r = 0; r < tensor.rows(); ++r) {
    for (float& value : tensor.row(r)) value = static_cast<float>(random.uniform(-1, 1));
  }
  return tensor;
}

ConvTensors::ConvTensors(const ConvLayer& layer, std::int64_t batch) {
  const kernels::ConvGeometry& g = layer.geometry;
  x = random_tensor({batch, g.in_height, g.in_width, g.in_channels}, 1);
  y = random_tensor({batch, g.out_height, g.out_width, g.out_channels}, 2);
  w = random_tensor({g.kernel_height, g.kernel_width, g.group_in_channels(), g.out_channels}, 3);
  if (layer.bias) bias = random_tensor({g.out_channels}, 4);
}

void run_siena(const ConvLayer& layer, Pass pass, std::int64_t batch, ConvTensors& t) {
  const kernels::ConvGeometry& g = layer.geometry;
  const auto x = std::as_const(t.x).storage(), y = std::as_const(t.y).storage(), w = std::as_const(t.w).storage();
  switch (pass) {
    case Pass::forward:
      return kernels::conv2d_forward(g, batch, x, w, std::as_const(t.bias).storage(), t.y.storage());
    case Pass::backward_data:
      return kernels::conv2d_backward_data(g, batch, y, w, t.x.storage(), kernels::Write::overwrite);
    case Pass::backward_weights:
      return kernels::conv2d_backward_weights(g, batch, x, y, t.w.storage());
  }
}

void run_reference(const ConvLayer& layer, Pass pass, std::int64_t batch, ConvTensors& t) {
  const kernels::ConvGeometry& g = layer.geometry;
  const auto x = std::as_const(t.x).storage(), y = std::as_const(t.y).storage(), w = std::as_const(t.w).storage();
  switch (pass) {
    case Pass::forward:
      return kernels::reference::conv2d_forward(g, batch, x, w, std::as_const(t.bias).storage(), t.y.storage());
    case Pass::backward_data:
      return kernels::reference::conv2d_backward_data(g, batch, y, w, t.x.storage(), kernels::Write::overwrite);
    case Pass::backward_weights:
      return kernels::reference::conv2d_backward_weights(g, batch, x, y, t.w.storage());
  }
}

}  // namespace siena::bench
