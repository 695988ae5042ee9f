// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "siena/core/random.hpp"
#include "siena/core/tensor.hpp"

/// Numbers of +-[0.1, 1): away from zero, where many functions have a kink.
template <class T>
siena::BasicTensor<T> random_tensor(const siena::Shape& shape, std::uint64_t seed) {
  siena::Random random(seed);
  siena::BasicTensor<T> tensor(shape);
  for (std::int64_t r = 0; r < tensor.rows(); ++r) {
    for (T& element : tensor.row(r)) {
      const double size = random.uniform(0.1, 1);
      element = static_cast<T>(random.chance(0.5) ? size : -size);
    }
  }
  return tensor;
}

/// Numbers of [0.5, 1.5): variances, scales.
template <class T>
siena::BasicTensor<T> positive_tensor(const siena::Shape& shape, std::uint64_t seed) {
  siena::Random random(seed);
  siena::BasicTensor<T> tensor(shape);
  for (std::int64_t r = 0; r < tensor.rows(); ++r) {
    for (T& element : tensor.row(r)) element = static_cast<T>(random.uniform(0.5, 1.5));
  }
  return tensor;
}
