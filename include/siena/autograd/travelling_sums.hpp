// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "siena/core/buffer.hpp"
#include "siena/core/rank_sum.hpp"
#include "siena/core/shards.hpp"
#include "siena/core/tensor.hpp"

namespace siena {

/// Sums over a batch on their way to gradients: ranks send each other those that have come together, while the reverse pass
/// makes others. When they reach the gradients has nothing to do with when they travel.
template <class T>
class TravellingSums {
 public:
  /// `rows`: what Shards::partial gave for the gradient, which outlives the sums. The same calls on all ranks.
  void add(const Shards& shards, BasicTensor<T>& gradient, Buffer<T> rows) {
    sums_.push_back({&gradient, std::move(rows)});
    bytes_ += gradient.storage().size_bytes();
    if (bytes_ >= bundle_bytes && !shards.ranks().alone()) send(shards);
  }
  /// Adds all of them to their gradients, in the order in which they were given.
  void arrive(const Shards& shards) {
    if (sums_.empty()) return;
    if (shards.ranks().alone()) {
      for (const Sum& sum : sums_) sum.add(sum.rows.data());
      return clear();
    }
    if (bytes_ > 0) send(shards);
    bundles_.back().sum.go_on();
    for (Bundle& bundle : bundles_) {
      const T* from = bundle.sum.take().data();
      for (std::size_t i = bundle.first; i < bundle.last; from += sums_[i].size(), ++i) sums_[i].add(from);
    }
    clear();
  }
  void clear() {
    bundles_.clear();
    sums_.clear();
    bytes_ = 0;
  }

 private:
  // Enough for latency not to count, and little enough for the last one, which nothing hides, to be small.
  static constexpr std::size_t bundle_bytes = 65536;

  struct Sum {
    BasicTensor<T>* gradient;
    Buffer<T> rows;  // until they are sent

    std::size_t size() const { return gradient->storage().size(); }
    void add(const T* sum) const { Shards::Add()(gradient->storage(), std::span<const T>(sum, size())); }
  };
  struct Bundle {
    std::size_t first, last;  // of sums_
    RankSum<T> sum;
  };

  // Sends what is not yet under way. What was sent before has had time to arrive: ranks hand each other what they made of it.
  void send(const Shards& shards) {
    const std::size_t first = bundles_.empty() ? 0 : bundles_.back().last, last = sums_.size();
    const std::size_t size = bytes_ / sizeof(T), count = static_cast<std::size_t>(shards.roots());
    auto rows = Buffer<T>::uninitialized(count * size);
    for (std::size_t i = first, at = 0; i < last; at += sums_[i].size(), ++i) {
      const Buffer<T> own = std::exchange(sums_[i].rows, {});
      for (std::size_t k = 0; k < count; ++k)
        std::copy_n(own.data() + k * sums_[i].size(), sums_[i].size(), rows.data() + k * size + at);
    }
    if (!bundles_.empty()) bundles_.back().sum.go_on();
    bundles_.push_back({first, last, RankSum<T>(shards, std::move(rows), size)});
    bytes_ = 0;
  }

  std::vector<Sum> sums_;
  std::vector<Bundle> bundles_;
  std::size_t bytes_ = 0;  // of sums that have not been sent
};

}  // namespace siena
