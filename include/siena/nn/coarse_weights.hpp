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

/// The first parameter as the layer computes with it.
inline Var coarse_weights(Forward& f, const WeightBits& bits) { return coarse(f.parameter(0), bits); }

/// The layer's constants, the first one as the layer computes with it.
inline std::vector<Constant> coarse_constants(const Lowering& to, const WeightBits& bits) {
  std::vector<Constant> constants = to.constants();
  Tape tape(false);
  if (!bits.none()) constants[0].value = coarse(tape.reference(to.constants()[0].value), bits).value();
  return constants;
}

}  // namespace siena
