// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ranks that are threads of one process.

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "siena/core/communicator.hpp"

namespace siena::test {

/// A communicator: each rank leaves a copy of what it gives and goes on; who waits for a message waits until all have.
class RankThread {
 public:
  struct Call {
    std::string name;
    std::vector<std::vector<std::byte>> given;
    std::size_t there = 0, taken = 0;
  };
  struct Room {
    explicit Room(int ranks) : calls(static_cast<std::size_t>(ranks), 0) {}
    void leave() {
      const std::lock_guard lock(mutex);
      left = true;
      changed.notify_all();
    }
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::size_t, Call> under_way;
    std::vector<std::size_t> calls;  // of each rank
    bool left = false;
  };

  RankThread(std::shared_ptr<Room> room, int rank) : room_(std::move(room)), rank_(rank) {}
  int rank() const { return rank_; }
  int size() const { return static_cast<int>(room_->calls.size()); }
  Message all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    return start("all_gather", mine, [all](const Call& call) {
      auto to = all.begin();
      for (const auto& one : call.given) to = std::copy(one.begin(), one.end(), to);
    });
  }
  Message all_to_all(std::span<const std::byte> mine, std::span<std::byte> all) {
    const std::size_t block = mine.size() / room_->calls.size(), first = static_cast<std::size_t>(rank_) * block;
    return start("all_to_all", mine, [=](const Call& call) {
      auto to = all.begin();
      for (const auto& one : call.given) to = std::copy_n(one.begin() + static_cast<std::ptrdiff_t>(first), block, to);
    });
  }
  Message broadcast(std::span<std::byte> all, int root) {
    return start("broadcast", all, [all, root](const Call& call) {
      const auto& from = call.given[static_cast<std::size_t>(root)];
      std::copy(from.begin(), from.end(), all.begin());
    });
  }

 private:
  template <class Take>
  struct UnderWay {
    std::shared_ptr<Room> room;
    std::size_t number;
    Take take;
    void wait() {
      std::unique_lock lock(room->mutex);
      Call& call = room->under_way.at(number);
      room->changed.wait(lock, [&] { return call.there == call.given.size() || room->left; });
      if (call.there < call.given.size()) throw std::runtime_error("a rank has left");
      take(call);
      if (++call.taken == call.given.size()) room->under_way.erase(number);
    }
  };
  template <class Take>
  Message start(std::string_view name, std::span<const std::byte> mine, Take take) {
    const std::lock_guard lock(room_->mutex);
    const auto rank = static_cast<std::size_t>(rank_), number = room_->calls[rank]++;
    Call& call = room_->under_way[number];
    if (call.there == 0) call = {.name = std::string(name), .given = std::vector<std::vector<std::byte>>(room_->calls.size())};
    if (call.name != name) throw std::runtime_error("ranks call " + call.name + " and " + std::string(name));
    call.given[rank].assign(mine.begin(), mine.end());
    if (++call.there == call.given.size()) room_->changed.notify_all();
    return Message(UnderWay<Take>{room_, number, std::move(take)});
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
