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
  struct Held {
    explicit Held(IntegerNetwork integers) : network(std::move(integers)) {}
    IntegerNetwork network;
    BatchSimulator simulator{network};
  };
  std::shared_ptr<const Held> held;

  std::string_view kind() const { return "integers"; }
  Shape setup(LayerSetup&) const { return held->network.output_value().shape; }
  Var forward(Forward& f) const {
    require<ArgumentError>(f.mode() == Mode::inference,
                           "as_network: expected to run integers, which have no gradients, got a training");
    return f.tape().constant(held->simulator.run(f.input().value()));
  }
};
}  // namespace detail

/// A network of a single layer that computes with these integers, to the bit, for whatever runs and judges networks:
/// `evaluate`, `confusion`, Predictor. It cannot be trained, and is written by no format.
inline Network as_network(IntegerNetwork integers) {
  const auto held = std::make_shared<const detail::Integers::Held>(std::move(integers));
  return Network(held->network.input_value().shape, [&](const Flow& x) { return x | detail::Integers{held}; });
}

}  // namespace siena::deploy
