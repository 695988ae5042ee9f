// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// with: -O2 -ffinite-math-only
// expect: siena: expected NaN and infinity to exist, got -ffast-math
#include "siena/cost.hpp"

siena::Params price;
