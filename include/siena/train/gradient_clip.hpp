// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <vector>

#include "siena/autograd/parameter.hpp"
#include "siena/core/error.hpp"
#include "siena/kernels/elementwise.hpp"
#include "siena/kernels/reductions.hpp"

namespace siena {

/// Length of the gradients of these parameters, as one vector; the same bits at any number of threads.
inline double gradient_norm(const std::vector<Parameter*>& parameters) {
  double sum = 0;
  for (const Parameter* parameter : parameters) {
    const Tensor& grad = parameter->grad;
    sum += kernels::squared_sum<simd::native, float>(grad.rows(), grad.columns(), grad.storage());
  }
  return std::sqrt(sum);
}

/// Shortens the gradients of these parameters, all by one factor, where together they are longer than `longest` (Pascanu et
/// al. 2013). Throws DataError where they are not finite. Returns their length before.
inline double clip_gradients(const std::vector<Parameter*>& parameters, double longest) {
  const double norm = gradient_norm(parameters);
  require<DataError>(std::isfinite(norm), "clip_gradients: expected finite gradients, got a length of {}", norm);
  if (norm <= longest) return norm;
  const auto factor = static_cast<float>(longest / norm);
  for (Parameter* parameter : parameters)
    kernels::scale<simd::native, float>(factor, parameter->grad.storage(), parameter->grad.storage());
  return norm;
}

}  // namespace siena
