// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// What siena::kernels adds to the target that links it.
#include "siena/kernels/compiled.hpp"
