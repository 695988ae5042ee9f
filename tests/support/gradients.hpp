// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "siena/autograd/gradcheck.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

using DTape = siena::BasicTape<double>;
using DVar = siena::BasicVar<double>;
using DTensor = siena::BasicTensor<double>;
using DVars = std::span<const DVar>;

/// Takes a GradcheckReport.
#define CHECK_GRADIENTS(...)                             \
  do {                                                   \
    const siena::GradcheckReport report = (__VA_ARGS__); \
    INFO(report.message);                                \
    CHECK(report.passed);                                \
  } while (false)
