// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace benchmark {
class State;
}

namespace siena::bench {

void add_convolutions();
void add_batch_norms();

/// Batch and threads of all that is registered here. The large batch only where the filter asks for `batch:128`.
std::vector<std::pair<std::int64_t, std::int64_t>> kernel_arguments();

/// Registers one row. One thread is timed by the processor's clock, which other programs on the machine do not disturb.
void add_kernel(const std::string& name, std::int64_t batch, std::int64_t threads, std::function<void(benchmark::State&)> run);

}  // namespace siena::bench
