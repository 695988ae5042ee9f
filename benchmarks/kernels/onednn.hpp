// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "layers.hpp"

namespace siena::bench {

/// Which layouts oneDNN works on: those that it likes best (what turns tensors into them is left out of the time), or N x H x W
/// x C for images, with weights as it likes.
enum class OneDnnLayout { any, nhwc };

/// One pass of a layer, ready to be run again and again on so many threads. Throws Error where the result is not that of the
/// library.
std::function<void()> prepare_onednn(const ConvLayer& layer, Pass pass, std::int64_t batch, std::int64_t thread_count,
                                     OneDnnLayout layout);

}  // namespace siena::bench
