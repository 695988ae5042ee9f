// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// exchange_safetensors write <file>: a small network, every element of its weights a known function of its place.
// exchange_safetensors check <file>: the weights that exchange.py wrote, read into a network of the same layers, and the
// network of the graph beside them, are both compared.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string_view>

#include "siena/deploy/network_file.hpp"
#include "siena/nn/network.hpp"

namespace {

siena::Network network() {
  using namespace siena;
  return Network(Shape{4, 4, 3}, [](Flow x) {
    x = x | Conv2d{.out = 5, .kernel = {3, 2}} | BatchNorm{} | Relu{};
    return x | GlobalAvgPool{} | Linear{.out = 7};
  });
}

/// Element i of a tensor, in row-major order: exact in a float.
float known(std::int64_t i) { return static_cast<float>(i) * 0.5f - 3.0f; }

template <class Visit>
void for_each_tensor(siena::Network& net, Visit&& visit) {
  for (int p = 0; p < net.parameter_count(); ++p) visit(net.parameter(p).value);
  for (const auto& node : net.nodes()) {
    for (const int b : node.buffers) visit(net.buffer(b));
  }
}

int run(std::string_view action, const char* file) {
  siena::Network net = network();
  if (action == "write") {
    for_each_tensor(net, [](siena::Tensor& tensor) {
      std::int64_t i = 0;
      for (std::int64_t r = 0; r < tensor.rows(); ++r) {
        for (float& value : tensor.row(r)) value = known(i++);
      }
    });
    siena::deploy::save_network(net, file, {.metadata = {{"written by", "C++ \"siena\""}}});
    return 0;
  }
  siena::deploy::load_weights(net, file);
  siena::Network rebuilt = siena::deploy::load_network(file);
  int wrong = siena::deploy::network_to_json(rebuilt) == siena::deploy::network_to_json(net) ? 0 : 1;
  for (siena::Network* one : {&net, &rebuilt}) {
    for_each_tensor(*one, [&wrong](const siena::Tensor& tensor) {
      std::int64_t i = 0;
      for (std::int64_t r = 0; r < tensor.rows(); ++r) {
        for (const float value : tensor.row(r)) wrong += value != known(i++);
      }
    });
  }
  if (wrong > 0) std::fprintf(stderr, "%d elements are not what Python wrote\n", wrong);
  return wrong > 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || (std::string_view(argv[1]) != "write" && std::string_view(argv[1]) != "check")) {
    std::fprintf(stderr, "usage: %s write|check <file>\n", argv[0]);
    return 2;
  }
  try {
    return run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
