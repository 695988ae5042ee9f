// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

#include <benchmark/benchmark.h>

#include "kernels.hpp"
#include "support.hpp"

namespace siena::bench {

std::vector<std::pair<std::int64_t, std::int64_t>> kernel_arguments() {
  std::vector<std::pair<std::int64_t, std::int64_t>> arguments;
  for (const std::int64_t batch : {32, 128}) {
    if (batch > 32 && !asked_for("batch:128")) continue;
    for (const std::int64_t threads : thread_counts()) arguments.emplace_back(batch, threads);
  }
  return arguments;
}

void add_kernel(const std::string& name, std::int64_t batch, std::int64_t threads, std::function<void(benchmark::State&)> run) {
  auto* entry = benchmark::RegisterBenchmark(name.c_str(), std::move(run))
                    ->ArgNames({"batch", "threads"})
                    ->Args({batch, threads})
                    ->Unit(benchmark::kMicrosecond);
  if (threads > 1) entry->UseRealTime();
}

}  // namespace siena::bench

int main(int argc, char** argv) {
  return siena::bench::run(argc, argv, [] {
    siena::bench::add_convolutions();
    siena::bench::add_batch_norms();
  });
}
