// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "siena/autograd/ops/fake_quantize.hpp"
#include "siena/nn/layer.hpp"
#include "siena/nn/weight_bits.hpp"

// What the layers with weights have in common where they compute with weights of few bits.

namespace siena {

/// The first parameter as the layer computes with it.
inline Var coarse_weights(Forward& f, const WeightBits& bits) {
  const Var weights = f.parameter(0);
  return bits.none() ? weights : ops::fake_quantize_weights<float>(weights, bits.of(weights.value().columns()));
}

/// The layer's constants, the first one as the layer computes with it.
inline std::vector<Constant> coarse_constants(const Lowering& to, const WeightBits& bits) {
  std::vector<Constant> constants = to.constants();
  if (bits.none()) return constants;
  Tape tape(false);
  const Var weights = tape.reference(to.constants()[0].value);
  constants[0].value = ops::fake_quantize_weights<float>(weights, bits.of(weights.value().columns())).value();
  return constants;
}

}  // namespace siena
