// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/buffer.hpp"

#include <cstdint>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

namespace {
bool aligned(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % MemoryPool::alignment == 0; }
}  // namespace

TEST_CASE("the pool gives aligned blocks of every size", "[core][buffer]") {
  MemoryPool pool;
  std::vector<std::pair<void*, std::size_t>> blocks;
  for (std::size_t bytes = 1; bytes < 100'000; bytes += 1 + bytes / 7) {
    void* block = pool.allocate(bytes);
    REQUIRE(aligned(block));
    std::memset(block, 0xff, bytes);  // the sanitizer would see a block that is too small
    blocks.emplace_back(block, bytes);
  }
  REQUIRE(pool.system_allocations() == blocks.size());
  REQUIRE(pool.bytes_cached() == 0);
  const std::size_t peak = pool.bytes_in_use();
  std::size_t asked = 0;
  for (auto [block, bytes] : blocks) {
    asked += bytes;
    pool.deallocate(block);
  }
  REQUIRE(peak >= asked);
  REQUIRE(static_cast<double>(peak) < 1.125 * (static_cast<double>(asked) + 64.0 * static_cast<double>(blocks.size())) +
                                          64.0 * static_cast<double>(blocks.size()));
  REQUIRE(pool.bytes_in_use() == 0);
  REQUIRE(pool.bytes_cached() == peak);
  pool.trim();
  REQUIRE(pool.bytes_cached() == 0);
}

TEST_CASE("a freed block serves the next request of its size", "[core][buffer]") {
  MemoryPool pool;
  void* first = pool.allocate(1000);
  pool.deallocate(first);
  void* second = pool.allocate(990);
  REQUIRE(second == first);
  void* third = pool.allocate(1000);
  REQUIRE(third != second);
  REQUIRE(pool.system_allocations() == 2);
  pool.deallocate(second);
  void* smaller = pool.allocate(800);  // a block of up to 1.5 times the size will do
  REQUIRE(smaller == second);
  pool.deallocate(smaller);
  void* small = pool.allocate(300);
  REQUIRE(small != second);
  REQUIRE(pool.system_allocations() == 3);
  pool.deallocate(small);
  pool.deallocate(third);
  REQUIRE(pool.bytes_in_use() == 0);
}

TEST_CASE("blocks of sizes that are no longer asked for are given back", "[core][buffer]") {
  MemoryPool pool;
  constexpr std::size_t mebibyte = 1 << 20;
  for (std::size_t size = 4 * mebibyte; size < 60 * mebibyte; size += size / 2) {  // each too large for the blocks before it
    for (int step = 0; step < 6000; ++step) {
      void* blocks[3];
      for (void*& block : blocks) block = pool.allocate(size);
      for (void* block : blocks) pool.deallocate(block);
    }
    REQUIRE(pool.bytes_cached() <= 3 * 1.125 * (size + 64) * 1.7 + 16 * mebibyte);  // these and the ones before
  }
}

TEST_CASE("sizes that are asked for stay, however many of them lie idle at a time", "[core][buffer]") {
  MemoryPool pool;
  constexpr std::size_t mebibyte = 1 << 20;
  const auto pass = [&] {  // as a network whose images shrink, layer by layer
    for (std::size_t size = 64 * mebibyte; size > mebibyte; size /= 2) {
      void* in = pool.allocate(size);
      void* out = pool.allocate(size);
      pool.deallocate(in);
      pool.deallocate(out);
    }
  };
  pass();
  pass();
  const auto before = pool.system_allocations();
  for (int i = 0; i < 3; ++i) pass();
  REQUIRE(pool.system_allocations() == before);
}

TEST_CASE("what cannot be had leaves the pool as it was", "[core][buffer]") {
  MemoryPool pool;
  pool.deallocate(pool.allocate(1000));
  REQUIRE_THROWS_AS(pool.allocate(std::size_t{1} << 60), std::bad_alloc);
  REQUIRE_THROWS_AS(pool.allocate(static_cast<std::size_t>(-1)), std::bad_alloc);
  REQUIRE(pool.bytes_in_use() == 0);
  REQUIRE_THROWS_AS(Buffer<double>::uninitialized(static_cast<std::size_t>(-1) / 4), std::bad_alloc);
}

TEST_CASE("the pool is never asked twice in steady state, and threads may share it", "[core][buffer]") {
  MemoryPool pool;
  auto step = [&pool] {
    for (std::size_t bytes : {100u, 5000u, 70'000u}) {
      void* block = pool.allocate(bytes);
      static_cast<char*>(block)[bytes - 1] = 1;
      pool.deallocate(block);
    }
  };
  step();
  const auto before = pool.system_allocations();
  for (int i = 0; i < 10; ++i) step();
  REQUIRE(pool.system_allocations() == before);

  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 200; ++i) step();
      });
    }
  }
  REQUIRE(pool.bytes_in_use() == 0);
  REQUIRE(pool.system_allocations() <= before + 9);  // at most three more blocks of each size
}

TEST_CASE("a buffer owns zeroed elements and copies deeply", "[core][buffer]") {
  Buffer<float> a(37);
  REQUIRE(a.size() == 37);
  REQUIRE(aligned(a.data()));
  for (float value : a) REQUIRE(value == 0);
  a[3] = 5;

  Buffer<float> b = a;
  REQUIRE(b.data() != a.data());
  REQUIRE(b[3] == 5);
  b[3] = 6;
  REQUIRE(a[3] == 5);

  const float* memory = a.data();
  Buffer<float> c = std::move(a);
  REQUIRE(c.data() == memory);
  REQUIRE(a.empty());
  REQUIRE(a.data() == nullptr);

  b = c;
  REQUIRE(b[3] == 5);
  Buffer<float>& self = b;
  b = self;
  REQUIRE(b[3] == 5);
  REQUIRE(std::as_const(b).span().size() == 37);
}

TEST_CASE("zeroed again after somebody else used the memory", "[core][buffer]") {
  const float* memory = nullptr;
  {
    auto dirty = Buffer<float>::uninitialized(1'000);
    for (float& value : dirty) value = 3;
    memory = dirty.data();
  }
  Buffer<float> clean(1'000);
  REQUIRE(clean.data() == memory);
  bool zero = true;
  for (float value : clean) zero = zero && value == 0;
  REQUIRE(zero);
}

TEST_CASE("an empty buffer holds nothing", "[core][buffer]") {
  const auto in_use = MemoryPool::global().bytes_in_use();
  Buffer<double> none(0);
  Buffer<double> copy = none;
  REQUIRE(none.data() == nullptr);
  REQUIRE(copy.begin() == copy.end());
  REQUIRE(MemoryPool::global().bytes_in_use() == in_use);
  {
    Buffer<double> some(100);
    REQUIRE(MemoryPool::global().bytes_in_use() >= in_use + 800);
  }
  REQUIRE(MemoryPool::global().bytes_in_use() == in_use);
}
