// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "siena/autograd/ops/fake_quantize.hpp"
#include "siena/nn/layer.hpp"

// What the layers with weights have in common where they compute with weights of few bits.

namespace siena {

inline void check_weight_bits(int bits, std::string_view where) {
  require<ArgumentError>(bits == 0 || (bits >= 2 && bits <= 8), "{}: expected weights of 2 to 8 bits, or 0 for floats, got {}",
                         where, bits);
}

/// The first parameter as the layer computes with it.
inline Var coarse_weights(Forward& f, int bits) {
  const Var weights = f.parameter(0);
  return bits == 0 ? weights : ops::fake_quantize_weights(weights, bits);
}

/// The layer's constants, the first one as the layer computes with it.
inline std::vector<Constant> coarse_constants(const Lowering& to, int bits) {
  std::vector<Constant> constants = to.constants();
  if (bits == 0) return constants;
  Tape tape(false);
  constants[0].value = ops::fake_quantize_weights(tape.reference(to.constants()[0].value), bits).value();
  return constants;
}

}  // namespace siena
