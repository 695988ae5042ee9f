// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include "siena/core/random.hpp"
#include "siena/core/tensor.hpp"

namespace siena {

/// How the elements of a fresh parameter are drawn.
struct Init {
  enum class Kind { constant, normal, uniform };
  Kind kind = Kind::constant;
  double scale = 0;  ///< the constant, the standard deviation, or the half-width

  static Init constant(double value) { return {Kind::constant, value}; }
  /// Normal with variance 2 / fan_in: keeps the variance of activations through a ReLU (He et al. 2015).
  static Init he_normal(std::int64_t fan_in) { return {Kind::normal, std::sqrt(2.0 / static_cast<double>(fan_in))}; }
  /// Uniform in +-1 / sqrt(fan_in).
  static Init uniform(std::int64_t fan_in) { return {Kind::uniform, 1.0 / std::sqrt(static_cast<double>(fan_in))}; }

  Tensor draw(const Shape& shape, Random random) const {
    Tensor tensor(shape);
    for (std::int64_t r = 0; r < tensor.rows(); ++r) {
      for (float& element : tensor.row(r)) {
        switch (kind) {
          case Kind::constant:
            element = static_cast<float>(scale);
            break;
          case Kind::normal:
            element = static_cast<float>(scale * random.normal());
            break;
          case Kind::uniform:
            element = static_cast<float>(random.uniform(-scale, scale));
            break;
        }
      }
    }
    return tensor;
  }
};

}  // namespace siena
