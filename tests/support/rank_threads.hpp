// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ranks that are threads of one process.

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "siena/core/communicator.hpp"

namespace siena::test {

/// A communicator: each rank shows what it gives, waits for the others, takes what it needs, and waits again.
class RankThread {
 public:
  struct Room {
    explicit Room(int ranks) : given(static_cast<std::size_t>(ranks)) {}
    void wait() {
      std::unique_lock lock(mutex);
      const auto round = rounds;
      if (++waiting == given.size()) {
        waiting = 0, ++rounds;
        changed.notify_all();
      }
      changed.wait(lock, [&] { return rounds != round || left; });
      if (rounds == round) throw std::runtime_error("a rank has left");
    }
    void leave() {
      const std::lock_guard lock(mutex);
      left = true;
      changed.notify_all();
    }
    std::vector<std::span<const std::byte>> given;
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t waiting = 0, rounds = 0;
    bool left = false;
  };

  RankThread(std::shared_ptr<Room> room, int rank) : room_(std::move(room)), rank_(rank) {}
  int rank() const { return rank_; }
  int size() const { return static_cast<int>(room_->given.size()); }
  void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    meet(mine, [&] {
      auto to = all.begin();
      for (const auto& one : room_->given) to = std::copy(one.begin(), one.end(), to);
    });
  }
  void all_to_all(std::span<const std::byte> mine, std::span<std::byte> all) {
    const std::size_t block = mine.size() / room_->given.size();
    meet(mine, [&] {
      auto to = all.begin();
      for (const auto& one : room_->given) {
        const auto part = one.subspan(static_cast<std::size_t>(rank_) * block, block);
        to = std::copy(part.begin(), part.end(), to);
      }
    });
  }
  void broadcast(std::span<std::byte> all, int root) {
    meet(all, [&] {
      if (rank_ == root) return;
      const auto& from = room_->given[static_cast<std::size_t>(root)];
      std::copy(from.begin(), from.end(), all.begin());
    });
  }

 private:
  template <class Take>
  void meet(std::span<const std::byte> mine, Take&& take) {
    room_->given[static_cast<std::size_t>(rank_)] = mine;
    room_->wait();
    take();
    room_->wait();
  }

  std::shared_ptr<Room> room_;
  int rank_;
};
static_assert(Communicator<RankThread>);

/// Runs body(rank, communicator) on so many threads; what each of them threw, if it did.
template <class Body>
std::vector<std::exception_ptr> on_ranks(int ranks, Body&& body) {
  const auto room = std::make_shared<RankThread::Room>(ranks);
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        body(rank, AnyCommunicator(RankThread(room, rank)));
      } catch (...) {
        errors[static_cast<std::size_t>(rank)] = std::current_exception();
        room->leave();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return errors;
}
/// What was thrown, as text; "" where nothing was.
inline std::string text_of(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    return thrown.what();
  }
  return {};
}

}  // namespace siena::test
