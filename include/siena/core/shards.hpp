// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "siena/core/buffer.hpp"
#include "siena/core/communicator.hpp"
#include "siena/core/error.hpp"
#include "siena/core/parallel.hpp"

namespace siena {

/// Samples [first, first + count) of what has `batch` of them, one behind the other; nothing of nothing.
template <class T>
std::span<T> samples_of(std::span<T> all, std::int64_t batch, std::int64_t first, std::int64_t count) {
  if (all.empty()) return all;
  const std::size_t size = all.size() / static_cast<std::size_t>(batch);
  return all.subspan(static_cast<std::size_t>(first) * size, static_cast<std::size_t>(count) * size);
}

/// A batch in a fixed number of shards, whatever the number of ranks: shard s of n samples is [n s / S, n (s + 1) / S), and
/// each rank has as many neighbouring shards. What is summed over the samples is summed within each shard, and then over a
/// tree of neighbours: ((0 + 1) + (2 + 3)) + ..., an odd one goes up as it is. So the bits of a sum depend on the number of
/// shards, and not on that of ranks. There may be fewer samples than shards: a shard of none adds 0.
class Shards {
 public:
  /// One shard, which one process has.
  Shards() = default;
  /// 0 shards: the usual number. Throws ArgumentError where ranks cannot have as many each.
  Shards(int count, AnyCommunicator ranks) : count_(count == 0 ? usual(ranks) : count), ranks_(std::move(ranks)) {
    const int size = ranks_.size();
    require<ArgumentError>(count_ >= 1 && count_ <= most && count_ % size == 0,
                           "Shards: expected from 1 to {} shards, as many on each of {} ranks, got {}; {} or {} would do", most,
                           size, count_, size, 2 * size);
    while (size > 1 && (here() >> levels_) % 2 == 0) ++levels_;
  }
  static constexpr int most = 4096;
  /// 1 for one process, 8 for more, so that 2, 4 and 8 of them come to the same.
  static int usual(const AnyCommunicator& ranks) { return ranks.alone() ? 1 : 8; }

  int count() const { return count_; }
  const AnyCommunicator& ranks() const { return ranks_; }
  /// Whether batches are not cut at all.
  bool whole() const { return count_ == 1; }
  /// Shards of each rank.
  int here() const { return count_ / ranks_.size(); }
  /// Parts of the tree that lie whole in a rank, none of them in a larger one: the rows of `partial`.
  int roots() const { return ranks_.alone() ? 1 : here() >> levels_; }

  /// The first sample of this rank in a batch of `samples`, and how many it has.
  std::int64_t first_sample(std::int64_t samples) const { return begin(samples, ranks_.rank() * here()); }
  std::int64_t samples_here(std::int64_t samples) const {
    return begin(samples, (ranks_.rank() + 1) * here()) - first_sample(samples);
  }

  /// What this rank has of a sum of `size` numbers over a batch, for RankSum: a row for each of the largest whole parts of the
  /// tree that lie in it. fill(first, count, row) writes what count > 0 samples from this rank's `first` on come to into zeros,
  /// and merge(a, b) makes of a what a and its neighbour b are together.
  template <class T, class Fill, class Merge>
  Buffer<T> partial(std::int64_t samples, std::size_t size, const Fill& fill, const Merge& merge) const {
    auto rows = Buffer<T>::uninitialized(static_cast<std::size_t>(roots()) * size);
    const int each = here() / roots();
    // Leaves side by side where threads can share them; else one after the other, so that they stay in the cache.
    const bool spread = threads() > 1 && here() >= threads();
    Buffer<T> side(spread ? static_cast<std::size_t>(here()) * size : 0);
    const auto leaf = [&](int s, std::span<T> row) {
      const int shard = ranks_.rank() * here() + s;
      const std::int64_t from = begin(samples, shard), count = begin(samples, shard + 1) - from;
      if (count > 0) fill(from - first_sample(samples), count, row);
    };
    const auto row_of = [size](Buffer<T>& all, int i) { return all.span().subspan(static_cast<std::size_t>(i) * size, size); };
    if (spread) parallel_for(here(), [&](std::int64_t s) { leaf(static_cast<int>(s), row_of(side, static_cast<int>(s))); });
    std::vector<Buffer<T>> waiting;  // parts of the tree that wait for their right neighbours, the largest first
    for (int root = 0; root < roots(); ++root) {
      const std::span<T> sum = row_of(rows, root);
      int depth = 0;
      const auto at = [&](int d) { return d == 0 ? sum : waiting[static_cast<std::size_t>(d - 1)].span(); };
      const auto join = [&] { --depth, merge(at(depth - 1), std::span<const T>(at(depth))); };
      for (int s = 0; s < each; ++s) {
        if (depth > static_cast<int>(waiting.size())) waiting.push_back(Buffer<T>::uninitialized(size));
        const std::span<T> next = at(depth++);
        if (spread) {
          const std::span<T> from = row_of(side, root * each + s);
          std::copy(from.begin(), from.end(), next.begin());
        } else {
          std::fill(next.begin(), next.end(), T(0));
          leaf(root * each + s, next);
        }
        for (int pairs = s; pairs % 2 == 1; pairs /= 2) join();
      }
      while (depth > 1) join();
    }
    return rows;
  }

  /// a += b.
  struct Add {
    template <class T>
    void operator()(std::span<T> a, std::span<const T> b) const {
      T* to = a.data();
      const T* from = b.data();
      for (std::size_t i = 0; i < a.size(); ++i) to[i] += from[i];
    }
  };

 private:
  std::int64_t begin(std::int64_t samples, int shard) const { return samples * shard / count_; }
  int count_ = 1, levels_ = 0;
  AnyCommunicator ranks_;
};

}  // namespace siena
