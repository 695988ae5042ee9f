// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace siena {

/// The label of a sample that is of no class, or of none that is known. Every loss and metric that asks for classes leaves it
/// out, as if it were not there; what asks for none (targets, reconstruction, the outputs of a teacher) takes it as any other.
inline constexpr std::int32_t no_class = -1;

}  // namespace siena
