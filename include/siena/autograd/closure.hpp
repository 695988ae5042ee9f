// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/core/config.hpp"

namespace siena {

/// A function of any type that lies in a ClosureArena, or none.
template <class... Arguments>
struct Closure {
  void (*run)(const void*, Arguments...) = nullptr;
  const void* captures = nullptr;
  explicit operator bool() const { return run != nullptr; }
  void operator()(Arguments... arguments) const { run(captures, arguments...); }
};

/// Closures of one recording, in chunks that never move. They are kept by value and never destroyed.
class ClosureArena {
 public:
  template <class... Arguments, class Function>
  Closure<Arguments...> keep(Function function) {
    static_assert(std::is_trivially_destructible_v<Function>, "capture handles and numbers; keep tensors with tape.constant()");
    void* place = allocate(sizeof(Function), alignof(Function));
    new (place) Function(std::move(function));
    const auto run = [](const void* captures, Arguments... arguments) {
      (*static_cast<const Function*>(captures))(arguments...);
    };
    return {run, place};
  }
  /// Forgets all; capacity stays.
  void reset() { chunk_ = used_ = 0; }

 private:
  void* allocate(std::size_t bytes, std::size_t alignment) {
    used_ = (used_ + alignment - 1) / alignment * alignment;
    if (chunk_ < chunks_.size() && used_ + bytes > chunk_bytes) {
      ++chunk_;
      used_ = 0;
    }
    SIENA_ASSERT(bytes <= chunk_bytes);
    if (chunk_ == chunks_.size()) {
      chunks_.push_back(std::make_unique<std::byte[]>(chunk_bytes));
      used_ = 0;
    }
    void* place = chunks_[chunk_].get() + used_;
    used_ += bytes;
    return place;
  }

  static constexpr std::size_t chunk_bytes = 1 << 16;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::size_t chunk_ = 0, used_ = 0;
};

}  // namespace siena
