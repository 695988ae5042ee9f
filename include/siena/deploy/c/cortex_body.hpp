// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "siena/deploy/c/body.hpp"
#include "siena/deploy/c/portable_body.hpp"

namespace siena::deploy::c {

/// Whether there is a body of its own for the operation, which works over its input as `arena_overlap` plans it and needs no more
/// scratch memory than that.
inline bool has_cortex_body(const IntegerNetwork&, const IntegerOperation&) { return false; }

/// An operation for processors with the DSP instructions of Arm; the same as plain C for others.
inline Body cortex_body(const Site& site) { return portable_body(site); }

}  // namespace siena::deploy::c
