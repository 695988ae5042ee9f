// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "siena/core/config.hpp"
#include "siena/deploy/integer/arithmetic.h"

namespace siena::deploy::integer {

/// The functions of arithmetic.h.
struct Arithmetic {
  SIENA_ARITHMETIC(SIENA_AS_CODE)

  /// The same as C, without indentation.
  static constexpr std::string_view text = SIENA_ARITHMETIC(SIENA_AS_TEXT);
};

}  // namespace siena::deploy::integer
