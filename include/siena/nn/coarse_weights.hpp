// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "siena/autograd/ops/fake_quantize.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/weight_bits.hpp"

// What the layers with weights have in common where they compute with weights of few bits.

namespace siena {

/// Weights as a layer computes with them.
inline Var coarse(const Var& weights, const WeightBits& bits) {
  return bits.none() ? weights : ops::fake_quantize_weights<float>(weights, bits.of(weights.value().columns()));
}

/// What a layer computes with: its first parameter, and its second one, the bias, if it has any.
struct CoarseParameters {
  Var weights, bias;
};
/// Where the input is on levels, too, biases are what they are as integers: whole numbers of steps of the input times steps of
/// the weights.
inline CoarseParameters coarse_parameters(Forward& f, const WeightBits& bits) {
  const Var weights = f.parameter(0), bias = f.has_parameter(1) ? f.parameter(1) : Var{};
  const float step = bits.none() || !bias ? 0 : f.input_step();
  if (step == 0) return {coarse(weights, bits), bias};
  return {coarse(weights, bits), ops::fake_quantize_bias(bias, weights, bits.of(weights.value().columns()), step)};
}

/// The layer's constants, the first one as the layer computes with it.
inline std::vector<Constant> coarse_constants(const Lowering& to, const WeightBits& bits) {
  std::vector<Constant> constants = to.constants();
  Tape tape(false);
  if (!bits.none()) constants[0].value = coarse(tape.reference(to.constants()[0].value), bits).value();
  return constants;
}

}  // namespace siena
