// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
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
/// Where the input is on levels, too, `input_step` from one to the next, biases are what they are as integers: whole numbers of
/// steps of the input times steps of the weights.
inline CoarseParameters coarse(const CoarseParameters& of, const WeightBits& bits, float input_step) {
  if (bits.none() || !of.bias || input_step == 0) return {coarse(of.weights, bits), of.bias};
  return {coarse(of.weights, bits),
          ops::fake_quantize_bias(of.bias, of.weights, bits.of(of.weights.value().columns()), input_step)};
}
inline CoarseParameters coarse_parameters(Forward& f, const WeightBits& bits) {
  return coarse({f.parameter(0), f.has_parameter(1) ? f.parameter(1) : Var{}}, bits, f.input_step());
}

/// The layer's constants, as the layer computes with them.
inline std::vector<Constant> coarse_constants(const Lowering& to, const WeightBits& bits) {
  std::vector<Constant> constants = to.constants();
  if (bits.none()) return constants;
  Tape tape(false);
  const auto constant = [&](std::size_t k) { return k < constants.size() ? tape.reference(to.constants()[k].value) : Var{}; };
  const CoarseParameters with = coarse({constant(0), constant(1)}, bits, to.input_step());
  constants[0].value = with.weights.value();
  if (with.bias) constants[1].value = with.bias.value();
  return constants;
}

}  // namespace siena
