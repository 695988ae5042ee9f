// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "siena/deploy/c/body.hpp"

namespace siena::deploy::c {

/// How a sum, shifted, becomes an output: in two instructions.
inline std::string cortex_finish(std::string_view sum, std::string_view multiplier) {
  return format("(int8_t)siena_narrow(siena_scale({}, {}, y_zero))", sum, multiplier);
}

}  // namespace siena::deploy::c
