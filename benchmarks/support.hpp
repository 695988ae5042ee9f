// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What all benchmark programs share: their main, and how they measure. Light on purpose: what instantiates the library is
// compiled once, in workload.cpp.

#include <benchmark/benchmark.h>

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "siena/core.hpp"

namespace siena::bench {

/// Whether the filter of the command line has this word in it. What takes long is registered only then:
/// `--benchmark_filter=resnet18`.
inline bool asked_for(std::string_view word) { return benchmark::GetBenchmarkFilter().find(word) != std::string::npos; }

/// One thread, and as many as the machine (or OMP_NUM_THREADS) has.
inline std::vector<std::int64_t> thread_counts() {
  const std::int64_t all = threads();
  return all > 1 ? std::vector<std::int64_t>{1, all} : std::vector<std::int64_t>{1};
}

/// The library runs with so many threads until this goes.
class ThreadScope {
 public:
  explicit ThreadScope(std::int64_t count) { set_threads(static_cast<int>(count)); }
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;
  ~ThreadScope() { set_threads(0); }
};

/// The middle one; of an even number the mean of the two.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return values.size() % 2 == 1 ? *middle : (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// Seconds since it was made: on the wall, or those that this thread had a processor, which other programs do not disturb.
class Stopwatch {
 public:
  enum class Time { wall, thread };

  explicit Stopwatch(Time time = Time::wall) : time_(time), start_(now()) {}
  double seconds() const { return now() - start_; }

 private:
  double now() const {
#if defined(CLOCK_THREAD_CPUTIME_ID)
    timespec t{};
    if (time_ == Time::thread && clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0) {
      return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    }
#endif
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  Time time_;
  double start_;
};

/// The most memory that the process has held since this was made. Linux alone lets a process begin to count anew.
class PeakMemory {
 public:
  PeakMemory() {
    MemoryPool::global().trim();  // what benchmarks before this one have left
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
    std::ofstream reset("/proc/self/clear_refs");
    reset << '5' << std::flush;
    counts_ = reset.good();
  }

  /// Adds it to the counters, where the system tells.
  void report(benchmark::State& state) const {
    std::ifstream status("/proc/self/status");
    for (std::string line; counts_ && std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) state.counters["peak_MB"] = std::stod(line.substr(6)) * 1024 / 1e6;
    }
  }

 private:
  bool counts_ = false;
};

/// The main of a program: reads the options, lets `add` register the benchmarks, runs those that the filter chooses. `read`
/// gets each argument that is not Google Benchmark's, and throws for what is none of the program's either.
inline int run(int argc, char** argv, void (*add)(), void (*read)(std::string_view) = nullptr) try {
  benchmark::Initialize(&argc, argv);
  if (read == nullptr && benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  for (int i = 1; i < argc; ++i) read(argv[i]);
#if !defined(NDEBUG)
  benchmark::AddCustomContext("siena", "built with assertions: the times are not those of a release build");
#endif
  add();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
  return 1;
}

}  // namespace siena::bench
