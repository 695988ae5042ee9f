// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the machine can do at this moment, for kernels to be measured by.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "siena/core.hpp"
#include "siena/kernels.hpp"
#include "support.hpp"

namespace siena::bench {

/// The rate of a task that does `amount` of something: the best of a few runs, as a rate is a limit.
template <class Task>
double best_rate(double amount, const Task& task) {
  double best = 0;
  for (int run = 0; run < 5; ++run) {
    const Stopwatch watch;
    task();
    best = std::max(best, amount / watch.seconds());
  }
  return best;
}

/// FLOP/s of multiply-adds that touch no memory, on so many threads.
inline double register_peak(std::int64_t thread_count) {
  using V = simd::Batch<float>;
  constexpr int chains = simd::registers<> >= 32 ? 24 : 12;
  constexpr std::int64_t turns = 100000;
  std::vector<V> results(static_cast<std::size_t>(thread_count) * chains, V(0.f));
  const double flops = 2.0 * chains * turns * static_cast<double>(thread_count * simd::width<float>);
  const double rate = best_rate(flops, [&] {
    parallel_for(thread_count, [&](std::int64_t task) {
      V sums[chains];
      for (int i = 0; i < chains; ++i) sums[i] = V(1.f + static_cast<float>(i));
      V a(0.999f), b(0.001f);
      benchmark::DoNotOptimize(a);
      benchmark::DoNotOptimize(b);
      for (std::int64_t turn = 0; turn < turns; ++turn) {
        SIENA_UNROLL
        for (int i = 0; i < chains; ++i) sums[i] = simd::fma(sums[i], a, b);
      }
      for (int i = 0; i < chains; ++i) results[static_cast<std::size_t>(task) * chains + static_cast<std::size_t>(i)] = sums[i];
    });
  });
  benchmark::DoNotOptimize(results.data());
  return rate;
}

/// Bytes/s, read and written, of a copy in which `bytes` are touched: it comes from the same level of the caches as data of
/// that size.
inline double copy_bandwidth(double bytes, std::int64_t thread_count) {
  const auto half = static_cast<std::size_t>(bytes / 2 / static_cast<double>(thread_count)) + 1;  // of a thread
  const auto turns = std::max(1, static_cast<int>(4e6 / bytes));
  std::vector<std::vector<char>> from(static_cast<std::size_t>(thread_count)), to(from.size());
  parallel_for(thread_count, [&](std::int64_t task) {  // each thread's pages are first touched by itself
    from[static_cast<std::size_t>(task)].assign(half, 1);
    to[static_cast<std::size_t>(task)].assign(half, 2);
  });
  return best_rate(2.0 * static_cast<double>(half) * static_cast<double>(thread_count) * turns, [&] {
    parallel_for(thread_count, [&](std::int64_t task) {
      for (int turn = 0; turn < turns; ++turn) {
        std::memcpy(to[static_cast<std::size_t>(task)].data(), from[static_cast<std::size_t>(task)].data(), half);
        benchmark::ClobberMemory();
      }
    });
  });
}

}  // namespace siena::bench
