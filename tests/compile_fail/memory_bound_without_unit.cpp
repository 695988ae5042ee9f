// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: a memory bound has a unit: write `MemoryBound.16_KiB.`
#include "siena/constraints/bound.hpp"

using namespace siena;

#ifdef CONTROL
const MemoryBound bound{16_KiB};
#else
const MemoryBound bound{16};
#endif
