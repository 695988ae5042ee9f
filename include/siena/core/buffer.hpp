// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/core/config.hpp"

namespace siena {

/// Keeps freed blocks for the next request of about the same size, so that a step in steady state asks the
/// system for nothing. Where sizes change, blocks of sizes that nobody has asked for in a long while are given
/// back once idle ones add up to a quarter of the most that was ever in use. Blocks are 64-byte aligned; sizes
/// are rounded up to an eighth of a power of two. Thread-safe.
class MemoryPool {
 public:
  static constexpr std::size_t alignment = 64;

  MemoryPool() = default;
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;
  ~MemoryPool() { trim(); }

  /// The pool of the process. Never destroyed, so that buffers of static storage may outlive main.
  static MemoryPool& global() {
    static MemoryPool& pool = *new MemoryPool;
    return pool;
  }

  /// Throws std::bad_alloc where the system has no more, after it was given back what lies idle.
  void* allocate(std::size_t bytes) {
    if (bytes > size_of(bins - 1) - alignment) throw std::bad_alloc();
    const int bin = bin_of(bytes + alignment);
    {
      std::lock_guard lock(mutex_);
      for (int larger = bin; larger < bin + reach; ++larger) {
        if (!free_[larger].empty()) return take(larger);
      }
      const std::size_t most = std::max(peak_, in_use_ + size_of(bin));
      if (in_use_ + size_of(bin) + cached_ > most + most / 4 + spare) give_back(long_while);
    }
    std::byte* block = from_system(bin);
    std::lock_guard lock(mutex_);
    last_use_[bin] = ++requests_;
    in_use_ += size_of(bin);
    peak_ = std::max(peak_, in_use_);
    ++system_allocations_;
    return block + alignment;
  }

  void deallocate(void* memory) noexcept {
    std::byte* block = static_cast<std::byte*>(memory) - alignment;
    int bin;
    std::memcpy(&bin, block, sizeof bin);
    std::lock_guard lock(mutex_);
    in_use_ -= size_of(bin);
    cached_ += size_of(bin);
    free_[bin].push_back(block);
  }

  /// Gives every cached block back to the system.
  void trim() {
    std::lock_guard lock(mutex_);
    give_back(0);
  }

  std::size_t bytes_in_use() const { return locked(in_use_); }
  std::size_t bytes_cached() const { return locked(cached_); }
  /// How often the system was asked for a block: stays still in steady state.
  std::size_t system_allocations() const { return locked(system_allocations_); }

 private:
  // Eight bins an octave from 64 bytes on: bin 8 k + j holds (8 + j) / 8 * 64 * 2^k bytes, the first 64 of which say
  // which bin it is.
  static constexpr int bins = 8 * 42;
  static constexpr std::uint64_t long_while = 1 << 14;  // requests: some passes through a large network
  static constexpr int reach = 4;                       // bins that may serve a request: blocks up to 1.5 times as large
  static constexpr std::size_t spare = 16ull << 20;     // bytes that may always lie idle

  static std::size_t size_of(int bin) { return ((std::size_t{8} + bin % 8) << (bin / 8)) * (alignment / 8); }
  static int bin_of(std::size_t bytes) {
    const std::size_t units = (bytes + alignment / 8 - 1) / (alignment / 8);  // of 8 bytes
    if (units <= 8) return 0;
    int octave = static_cast<int>(std::bit_width(units)) - 4;
    std::size_t step = (units + (std::size_t{1} << octave) - 1) >> octave;  // 8..16
    if (step == 16) return 8 * (octave + 1);
    return 8 * octave + static_cast<int>(step) - 8;
  }
  void* take(int bin) {
    std::byte* block = free_[bin].back();
    free_[bin].pop_back();
    last_use_[bin] = ++requests_;
    cached_ -= size_of(bin);
    in_use_ += size_of(bin);
    peak_ = std::max(peak_, in_use_);
    return block + alignment;
  }
  // The idle blocks of sizes that nobody has asked for in the last `requests` requests.
  void give_back(std::uint64_t requests) {
    for (int bin = 0; bin < bins; ++bin) {
      if (requests_ - last_use_[bin] < requests) continue;
      for (std::byte* block : free_[bin]) ::operator delete (block, std::align_val_t{alignment});
      cached_ -= free_[bin].size() * size_of(bin);
      free_[bin].clear();
    }
  }
  std::byte* from_system(int bin) {
    const auto ask = [&] {
      auto* block = static_cast<std::byte*>(::operator new (size_of(bin), std::align_val_t{alignment}));
      std::memcpy(block, &bin, sizeof bin);
      return block;
    };
    try {
      return ask();
    } catch (const std::bad_alloc&) {
      trim();
      return ask();
    }
  }
  std::size_t locked(const std::size_t& value) const {
    std::lock_guard lock(mutex_);
    return value;
  }

  mutable std::mutex mutex_;
  std::vector<std::byte*> free_[bins + reach];
  std::uint64_t requests_ = 0, last_use_[bins + reach] = {};
  std::size_t in_use_ = 0, cached_ = 0, peak_ = 0, system_allocations_ = 0;
};

/// Owns `size` elements of 64-byte aligned pooled memory, zeroed unless asked otherwise. Copies copy the elements.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : Buffer(uninitialized(size)) {
    if (size_ > 0) std::memset(static_cast<void*>(data_), 0, size_ * sizeof(T));
  }
  /// Memory whose contents are unspecified: for scratch that is written before it is read.
  static Buffer uninitialized(std::size_t size) {
    if (size > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
    Buffer buffer;
    if (size > 0) buffer.data_ = static_cast<T*>(MemoryPool::global().allocate(size * sizeof(T)));
    buffer.size_ = size;
    return buffer;
  }
  Buffer(const Buffer& other) : Buffer(uninitialized(other.size_)) {
    if (size_ > 0) std::memcpy(static_cast<void*>(data_), other.data_, size_ * sizeof(T));
  }
  Buffer(Buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Buffer() {
    if (data_) MemoryPool::global().deallocate(data_);
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  std::span<T> span() { return {data_, size_}; }
  std::span<const T> span() const { return {data_, size_}; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace siena
