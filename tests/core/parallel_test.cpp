// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/parallel.hpp"

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

namespace {
/// Puts the number of threads back when a test ends.
struct ThreadsRestored {
  int before = detail::thread_setting();
  ~ThreadsRestored() { set_threads(before); }
};
}  // namespace

TEST_CASE("every index runs exactly once at any number of threads", "[core][parallel]") {
  ThreadsRestored restored;
  for (int count : {1, 2, 3, 7}) {
    set_threads(count);
    for (std::int64_t tasks : {0, 1, 2, 5, 100, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
      parallel_for(tasks, [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
      for (auto& n : runs) REQUIRE(n == 1);
    }
  }
}

TEST_CASE("ranges cover everything in runs of the grain", "[core][parallel]") {
  ThreadsRestored restored;
  for (int count : {1, 3}) {
    set_threads(count);
    for (std::int64_t size : {0, 1, 9, 10, 11, 99}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(size));
      std::atomic<bool> good = true;
      parallel_ranges(size, 10, [&](std::int64_t begin, std::int64_t end) {
        if (begin % 10 != 0 || end <= begin || end - begin > 10) good = false;
        for (auto i = begin; i < end; ++i) ++runs[static_cast<std::size_t>(i)];
      });
      REQUIRE(good);
      for (auto& n : runs) REQUIRE(n == 1);
    }
  }
}

TEST_CASE("work is really spread", "[core][parallel]") {
  ThreadsRestored restored;
  set_threads(3);
  if (threads() == 1) return;  // built without OpenMP
  std::vector<std::thread::id> who(3);
  parallel_for(3, [&](std::int64_t i) { who[static_cast<std::size_t>(i)] = std::this_thread::get_id(); });
  REQUIRE(who[0] != who[1]);
  REQUIRE(who[1] != who[2]);
}

TEST_CASE("loops of few tasks keep the threads of those of many", "[core][parallel]") {
  ThreadsRestored restored;
  set_threads(4);
  if (threads() == 1) return;  // built without OpenMP
  static std::atomic<int> seen{0};
  seen = 0;
  for (int i = 0; i < 20; ++i) {
    parallel_for(i % 2 == 0 ? 4 : 2, [](std::int64_t) {
      thread_local bool first = true;
      if (first) ++seen;
      first = false;
    });
  }
  REQUIRE(seen <= 4);
}

TEST_CASE("an exception of a task reaches the caller, after all tasks have ended", "[core][parallel]") {
  ThreadsRestored restored;
  for (int count : {1, 3}) {
    set_threads(count);
    REQUIRE_THROWS_WITH(parallel_for(20, [](std::int64_t i) { require<DataError>(i != 13, "task {} is bad", i); }),
                        ContainsSubstring("task 13 is bad"));
    REQUIRE_THROWS_AS(parallel_for(20, [](std::int64_t i) { require<DataError>(i != 13, "bad"); }), DataError);
  }
  set_threads(3);
  if (threads() > 1) {
    std::atomic<int> ended = 0;
    try {
      parallel_for(30, [&](std::int64_t i) {
        if (i == 0) throw std::runtime_error("first");
        ++ended;
      });
    } catch (const std::runtime_error&) {
    }
    REQUIRE(ended == 29);
  }
  int after = 0;
  parallel_for(1, [&](std::int64_t) { after = 1; });
  REQUIRE(after == 1);  // usable again
}

TEST_CASE("a run inside a task is serial", "[core][parallel]") {
  ThreadsRestored restored;
  set_threads(3);
  std::atomic<int> total = 0;
  std::atomic<bool> same = true;
  parallel_for(6, [&](std::int64_t) {
    const auto self = std::this_thread::get_id();
    parallel_for(10, [&](std::int64_t) {
      if (std::this_thread::get_id() != self && threads() > 1) same = false;
      ++total;
    });
  });
  REQUIRE(total == 60);
  REQUIRE(same);
}

TEST_CASE("the number of threads is the caller's, within reason", "[core][parallel]") {
  ThreadsRestored restored;
  REQUIRE_THROWS_AS(set_threads(-1), ArgumentError);
  REQUIRE_THROWS_WITH(set_threads(-1), ContainsSubstring("set_threads: expected 0 (all cores) or 1 to 1024, got -1"));
  for (const int count : {max_threads + 1, 65536, 1'000'000'000}) REQUIRE_THROWS_AS(set_threads(count), ArgumentError);
  set_threads(0);
  REQUIRE(threads() >= 1);
  set_threads(1);
  REQUIRE(threads() == 1);
}
