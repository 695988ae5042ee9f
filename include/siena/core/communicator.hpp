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
/// Moves bytes between processes.
template <class C>
concept MovesBytes = requires(C& ranks, std::span<const std::byte> mine, std::span<std::byte> all) {
  ranks.all_gather(mine, all);
  ranks.all_to_all(mine, all);
  ranks.broadcast(all, 0);
};

/// Processes that compute one thing together, numbered from 0. It moves bytes and never adds: sums are made in an order of our
/// own (Shards), so that every implementation of it gives the same bits. Calls are collective (all ranks make the same ones in
/// the same order) and return when the result is there. `all_gather(mine, all)`: `all` is what rank 0, 1, ... gave, each as
/// long as `mine`. `all_to_all(mine, all)`: block r of `mine` goes to rank r. `broadcast(all, root)`: `all` is what the root
/// has there.
template <class C>
concept Communicator = HasRank<C> && MovesBytes<C>;

/// Explains in one sentence what `C` lacks to be a Communicator; entry points call it instead of constraining their templates.
template <class C>
constexpr void assert_communicator() {
  static_assert(HasRank<C>, "siena: a communicator needs `int rank() const` and `int size() const`: which of how many it is");
  static_assert(MovesBytes<C>,
                "siena: a communicator needs `all_gather(mine, all)`, `all_to_all(mine, all)` and `broadcast(all, root)`, with "
                "`std::span<const std::byte> mine` and `std::span<std::byte> all`");
}

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
  void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) const { held_->all_gather(mine, all); }
  void all_to_all(std::span<const std::byte> mine, std::span<std::byte> all) const { held_->all_to_all(mine, all); }
  void broadcast(std::span<std::byte> all, int root) const { held_->broadcast(all, root); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) = 0;
    virtual void all_to_all(std::span<const std::byte> mine, std::span<std::byte> all) = 0;
    virtual void broadcast(std::span<std::byte> all, int root) = 0;
  };
  template <class C>
  struct Model final : Interface {
    explicit Model(C its_ranks) : ranks(std::move(its_ranks)) {}
    void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) override { ranks.all_gather(mine, all); }
    void all_to_all(std::span<const std::byte> mine, std::span<std::byte> all) override { ranks.all_to_all(mine, all); }
    void broadcast(std::span<std::byte> all, int root) override { ranks.broadcast(all, root); }
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
  ranks.all_gather(detail::bytes_of(mine), detail::bytes_of(all));
  return all;
}
/// What rank 0 says.
inline bool on_first(const AnyCommunicator& ranks, bool here) {
  std::byte flag{here};
  ranks.broadcast({&flag, 1}, 0);
  return flag != std::byte{0};
}
/// Whether something is so on any rank.
inline bool on_any(const AnyCommunicator& ranks, bool here) {
  const std::vector<std::byte> all = gather(ranks, std::vector{std::byte{here}});
  return std::find(all.begin(), all.end(), std::byte{1}) != all.end();
}

}  // namespace siena
