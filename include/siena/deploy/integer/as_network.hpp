// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "siena/core/error.hpp"
#include "siena/deploy/integer/batch_simulator.hpp"
#include "siena/deploy/integer/network.hpp"
#include "siena/nn/network.hpp"

namespace siena::deploy {

namespace detail {
struct Integers {
  std::shared_ptr<const IntegerNetwork> network;

  std::string_view kind() const { return "integers"; }
  Shape setup(LayerSetup&) const { return network->values[network->output].shape; }
  Var forward(Forward& f) const {
    require<ArgumentError>(f.mode() == Mode::inference,
                           "as_network: expected to run integers, which have no gradients, got a training");
    BatchSimulator simulator(*network);
    return f.tape().constant(simulator.run(f.input().value()));
  }
};
}  // namespace detail

/// A network of a single layer that computes with these integers, to the bit, for whatever runs and judges networks:
/// `evaluate`, `confusion`, Predictor. It cannot be trained, and is written by no format.
inline Network as_network(IntegerNetwork integers) {
  const auto network = std::make_shared<const IntegerNetwork>(std::move(integers));
  return Network(network->values[0].shape, [&](const Flow& x) { return x | detail::Integers{network}; });
}

}  // namespace siena::deploy
