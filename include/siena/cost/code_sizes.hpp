// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "siena/cost/code_size.hpp"

namespace siena {

inline constexpr CodeSize code_portable{.target = CTarget::portable,
                                        .measured_with = "arm-none-eabi-gcc 12.2.1 -mcpu=cortex-m4 -mthumb -O2",
                                        .network = 24,
                                        .call = 36,
                                        .linear = 116,
                                        .pointwise = 156,
                                        .convolution = 192,
                                        .depthwise = 208,
                                        .rows = 98,
                                        .columns = 56,
                                        .apart = 40,
                                        .step = 0,
                                        .output = 0,
                                        .tile = 0,
                                        .add = 72,
                                        .multiply = 94,
                                        .multiply_channels = 136,
                                        .activation = 32,
                                        .prelu = 140,
                                        .scale = 140,
                                        .max_pool = 112,
                                        .average_pool = 154,
                                        .concat_part = 46,
                                        .rearrange = 68,
                                        .stack = 232};
inline constexpr CodeSize code_cortex_m{.target = CTarget::cortex_m,
                                        .measured_with = "arm-none-eabi-gcc 12.2.1 -mcpu=cortex-m4 -mthumb -O2",
                                        .network = 170,
                                        .call = 38,
                                        .linear = 110,
                                        .pointwise = 40,
                                        .convolution = 230,
                                        .depthwise = 500,
                                        .rows = 70,
                                        .columns = 0,
                                        .apart = 70,
                                        .step = 1,
                                        .output = 14,
                                        .tile = 60,
                                        .add = 200,
                                        .multiply = 94,
                                        .multiply_channels = 136,
                                        .activation = 30,
                                        .prelu = 154,
                                        .scale = 146,
                                        .max_pool = 112,
                                        .average_pool = 154,
                                        .concat_part = 52,
                                        .rearrange = 68,
                                        .stack = 272};

}  // namespace siena
