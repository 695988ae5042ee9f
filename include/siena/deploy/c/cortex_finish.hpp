// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "siena/deploy/c/body.hpp"

namespace siena::deploy::c {

/// How a sum becomes an output: two instructions where it is held by the 8 bits alone.
class CortexFinish {
 public:
  CortexFinish(const IntegerOperation& operation, int shift) : operation_(operation), shift_(shift) {}

  std::string text(std::string_view sum, std::string_view multiplier) const {
    const std::string shifted = shift_ == 0 ? std::string(sum) : format("{} * {}", sum, std::int64_t{1} << shift_);
    const std::string scaled = format("siena_scale({}, {}, y_zero)", shifted, multiplier);
    const bool whole = operation_.low <= -128 && operation_.high >= 127;
    return whole ? format("(int8_t)siena_narrow({})", scaled) : held(operation_, scaled);
  }

 private:
  const IntegerOperation& operation_;
  int shift_;
};

}  // namespace siena::deploy::c
