// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"

namespace siena {

/// Says which of how many processes this is.
template <class C>
concept HasRank = requires(const C& ranks) {
  { ranks.rank() } -> std::same_as<int>;
  { ranks.size() } -> std::same_as<int>;
};
/// What a call returns that has moved bytes (nothing), or that moves them meanwhile.
template <class M>
concept MovedOrUnderWay = std::is_void_v<M> || requires(M message) {
  message.wait();
};
/// Moves bytes between processes.
template <class C>
concept MovesBytes = requires(C& ranks, std::span<const std::byte> mine, std::span<std::byte> all) {
  { ranks.all_gather(mine, all) } -> MovedOrUnderWay;
  { ranks.all_to_all(mine, all) } -> MovedOrUnderWay;
  { ranks.broadcast(all, 0) } -> MovedOrUnderWay;
};

/// Processes that compute one thing together, numbered from 0. It moves bytes and never adds: sums are made in an order of our
/// own (Shards), so that every implementation of it gives the same bits. Calls are collective: all ranks make the same ones in
/// the same order. They return nothing, when the result is there; or, at once, a message under way: what has `wait()`, which
/// returns when the result is there, is called once and not always in the order of the messages. Until then `mine` and `all`
/// stay where they are. `all_gather(mine, all)`: `all` is what rank 0, 1, ... gave, each as long as `mine`.
/// `all_to_all(mine, all)`: block r of `mine` goes to rank r. `broadcast(all, root)`: `all` is what the root has there.
template <class C>
concept Communicator = HasRank<C> && MovesBytes<C>;

/// Explains in one sentence what `C` lacks to be a Communicator; entry points call it instead of constraining their templates.
template <class C>
constexpr void assert_communicator() {
  static_assert(HasRank<C>, "siena: a communicator needs `int rank() const` and `int size() const`: which of how many it is");
  static_assert(MovesBytes<C>,
                "siena: a communicator needs `all_gather(mine, all)`, `all_to_all(mine, all)` and `broadcast(all, root)`, with "
                "`std::span<const std::byte> mine` and `std::span<std::byte> all`, which return nothing or what has `wait()`");
}

/// A message of ranks under way, or one that has arrived. Where nobody has waited for it, its end does.
class [[nodiscard]] Message {
 public:
  Message() = default;
  /// What is under way has `wait()`.
  template <class UnderWay>
  requires requires(UnderWay& message) { message.wait(); }
  explicit Message(UnderWay message) : held_(std::make_unique<Model<UnderWay>>(std::move(message))) {}
  Message(Message&&) noexcept = default;
  Message& operator=(Message other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~Message() {
    try {
      wait();
    } catch (...) {  // ranks have come apart, and this is not the first to say so
    }
  }

  /// Returns when the result is there.
  void wait() {
    if (const auto message = std::exchange(held_, nullptr)) message->wait();
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual void wait() = 0;
  };
  template <class UnderWay>
  struct Model final : Interface {
    explicit Model(UnderWay its) : message(std::move(its)) {}
    void wait() override { message.wait(); }
    UnderWay message;
  };

  std::unique_ptr<Interface> held_;
};

/// One process.
struct Alone {
  int rank() const { return 0; }
  int size() const { return 1; }
  void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
    std::copy(mine.begin(), mine.end(), all.begin());
  }
  void all_to_all(std::span<const std::byte> mine, std::span<std::byte> all) { all_gather(mine, all); }
  void broadcast(std::span<std::byte>, int) {}
};
static_assert(Communicator<Alone>);

/// Any communicator, by value; `Alone` where none is given. Copies share it.
class AnyCommunicator {
 public:
  AnyCommunicator() : AnyCommunicator(Alone{}) {}
  template <class C>
  requires(!std::same_as<std::remove_cvref_t<C>, AnyCommunicator>)
      AnyCommunicator(C&& ranks) {  // NOLINT(google-explicit-constructor): `.ranks = mpi::Ranks{}`
    using Held = std::remove_cvref_t<C>;
    assert_communicator<Held>();
    if constexpr (Communicator<Held>) {
      rank_ = ranks.rank(), size_ = ranks.size();
      require<ArgumentError>(size_ >= 1 && rank_ >= 0 && rank_ < size_,
                             "Communicator: expected a rank below the size, got {} of {}", rank_, size_);
      held_ = std::make_shared<Model<Held>>(std::forward<C>(ranks));
    }
  }

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool alone() const { return size_ == 1; }
  Message all_gather(std::span<const std::byte> mine, std::span<std::byte> all) const { return held_->all_gather(mine, all); }
  Message all_to_all(std::span<const std::byte> mine, std::span<std::byte> all) const { return held_->all_to_all(mine, all); }
  Message broadcast(std::span<std::byte> all, int root) const { return held_->broadcast(all, root); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual Message all_gather(std::span<const std::byte> mine, std::span<std::byte> all) = 0;
    virtual Message all_to_all(std::span<const std::byte> mine, std::span<std::byte> all) = 0;
    virtual Message broadcast(std::span<std::byte> all, int root) = 0;
  };
  template <class C>
  struct Model final : Interface {
    explicit Model(C its_ranks) : ranks(std::move(its_ranks)) {}
    Message all_gather(std::span<const std::byte> mine, std::span<std::byte> all) override {
      return started([&] { return ranks.all_gather(mine, all); });
    }
    Message all_to_all(std::span<const std::byte> mine, std::span<std::byte> all) override {
      return started([&] { return ranks.all_to_all(mine, all); });
    }
    Message broadcast(std::span<std::byte> all, int root) override {
      return started([&] { return ranks.broadcast(all, root); });
    }
    template <class Start>
    static Message started(const Start& start) {
      if constexpr (std::is_void_v<decltype(start())>) {
        start();
        return {};
      } else {
        return Message(start());
      }
    }
    C ranks;
  };

  std::shared_ptr<Interface> held_;
  int rank_ = 0, size_ = 1;
};
static_assert(Communicator<AnyCommunicator>);

namespace detail {
template <class T>
std::span<std::byte> bytes_of(std::vector<T>& values) {
  return {reinterpret_cast<std::byte*>(values.data()), values.size() * sizeof(T)};
}
}  // namespace detail

/// What each rank has, in the order of the ranks.
template <class T>
requires std::is_trivially_copyable_v<T> std::vector<T> gather(const AnyCommunicator& ranks, std::vector<T> mine) {
  std::vector<T> all(mine.size() * static_cast<std::size_t>(ranks.size()));
  ranks.all_gather(detail::bytes_of(mine), detail::bytes_of(all)).wait();
  return all;
}
/// What rank 0 says.
inline bool on_first(const AnyCommunicator& ranks, bool here) {
  std::byte flag{here};
  ranks.broadcast({&flag, 1}, 0).wait();
  return flag != std::byte{0};
}
/// Whether something is so on any rank.
inline bool on_any(const AnyCommunicator& ranks, bool here) {
  const std::vector<std::byte> all = gather(ranks, std::vector{std::byte{here}});
  return std::find(all.begin(), all.end(), std::byte{1}) != all.end();
}

}  // namespace siena
