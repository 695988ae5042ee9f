// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "siena/core/error.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace siena {

/// More threads than this are a mistake: each has a stack, and the system runs out of them.
inline constexpr int max_threads = 1024;

namespace detail {
inline int default_threads() {
#if defined(_OPENMP)
  return std::clamp(omp_get_max_threads(), 1, max_threads);
#else
  return 1;
#endif
}
inline std::atomic<int>& thread_setting() {
  static std::atomic<int> setting{0};  // 0: as many as the machine has
  return setting;
}
}  // namespace detail

/// How many threads parallel_for uses. Without OpenMP always 1.
inline int threads() {
  const int setting = detail::thread_setting();
  return setting > 0 ? setting : detail::default_threads();
}

/// Sets the number of threads, max_threads at most; 0 means as many as the machine has. Results do not depend on it, to the
/// bit.
inline void set_threads(int count) {
  require<ArgumentError>(count >= 0 && count <= max_threads, "set_threads: expected 0 (all cores) or 1 to {}, got {}",
                         max_threads, count);
#if defined(_OPENMP)
  detail::thread_setting() = count;
#else
  detail::thread_setting() = std::min(count, 1);
#endif
}

namespace detail {
/// The loop of parallel_for, compiled once: `call(body, i)` runs task i of a body of any type. The team is the whole one even
/// where tasks are fewer: libgomp ends the threads that a smaller team leaves over, and starts new ones for the next.
inline void run_tasks(std::int64_t tasks, void (*call)(const void*, std::int64_t), const void* body) {
#if defined(_OPENMP)
  const int team = threads();
  if (team > 1 && tasks > 1 && !omp_in_parallel()) {
    std::exception_ptr error;
    std::mutex mutex;
#pragma omp parallel for schedule(static) num_threads(team)
    for (std::int64_t i = 0; i < tasks; ++i) {
      try {
        call(body, i);
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
      }
    }
    if (error) std::rethrow_exception(error);
    return;
  }
#endif
  for (std::int64_t i = 0; i < tasks; ++i) call(body, i);
}
}  // namespace detail

/// Calls body(i) for every i in [0, tasks), spread over the threads in contiguous runs. What a task computes must depend on
/// its index alone: then results are the same bits at any number of threads. Partial sums belong
/// to tasks, never to threads, and are reduced in task order. A call inside a task runs serially.
/// The first exception is rethrown when all tasks have ended.
template <class Body>
void parallel_for(std::int64_t tasks, const Body& body) {
  detail::run_tasks(
      tasks, [](const void* held, std::int64_t i) { (*static_cast<const Body*>(held))(i); }, std::addressof(body));
}

/// parallel_for over [0, count) in runs of at most `grain`: body(begin, end).
template <class Body>
void parallel_ranges(std::int64_t count, std::int64_t grain, const Body& body) {
  const std::int64_t tasks = (count + grain - 1) / grain;
  parallel_for(tasks, [&](std::int64_t task) { body(task * grain, std::min(count, (task + 1) * grain)); });
}

}  // namespace siena
