// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "siena/kernels/conv2d.hpp"

// The convolutions of float, compiled here: for the one translation unit of a program whose others define
// SIENA_COMPILED_KERNELS, and so leave them out. Half of what a unit takes to compile are these. All units need the same
// instruction set, or linking fails.

namespace siena::kernels {

template void conv2d_forward<simd::native, float>(const ConvGeometry&, std::int64_t, std::span<const float>,
                                                  std::span<const float>, std::span<const float>, std::span<float>);
template void conv2d_backward_data<simd::native, float>(const ConvGeometry&, std::int64_t, std::span<const float>,
                                                        std::span<const float>, std::span<float>, Write);
template void conv2d_backward_weights<simd::native, float>(const ConvGeometry&, std::int64_t, std::span<const float>,
                                                           std::span<const float>, std::span<float>);

}  // namespace siena::kernels
