// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "siena/core/buffer.hpp"
#include "siena/core/communicator.hpp"
#include "siena/core/shards.hpp"

namespace siena {

/// A sum over a batch, of which each rank has a part (Shards::partial), on its way to all of them: `merge(a, b)` makes of a
/// what a and its neighbour b are together. Of a long sum each rank adds up a slice, which takes a second message. Making one,
/// `go_on` and `take` are collective; in between the caller may do something else. Every rank gets the same bits.
template <class T, class Merge = Shards::Add>
class RankSum {
 public:
  /// Starts the first message. `rows`: of `size` numbers each. The shards outlive it.
  RankSum(const Shards& shards, Buffer<T> rows, std::size_t size, Merge merge = {})
      : shards_(&shards), size_(size), sum_(std::move(rows)), merge_(std::move(merge)) {
    const AnyCommunicator& ranks = shards.ranks();
    if (ranks.alone()) return;
    constexpr std::size_t short_message = 8192;  // bytes: below, latency counts and not bandwidth
    const auto count = static_cast<std::size_t>(ranks.size());
    if (std::is_same_v<Merge, Shards::Add> && size * sizeof(T) >= short_message) {
      slice_ = (size + count - 1) / count;
      sum_ = slices(sum_, count);
    }
    other_ = Buffer<T>::uninitialized(slice_ > 0 ? sum_.size() : sum_.size() * count);
    const auto mine = std::as_bytes(sum_.span());
    const auto all = std::as_writable_bytes(other_.span());
    message_ = slice_ > 0 ? ranks.all_to_all(mine, all) : ranks.all_gather(mine, all);
  }

  /// Waits for the first message, and starts the second where there is one.
  void go_on() {
    if (gone_on_ || shards_->ranks().alone()) return;
    gone_on_ = true;
    message_.wait();
    fold(other_.span(), slice_ > 0 ? slice_ : size_);
    if (slice_ == 0) return std::swap(sum_, other_);
    const auto all = sum_.span().first(slice_ * static_cast<std::size_t>(shards_->ranks().size()));
    message_ = shards_->ranks().all_gather(std::as_bytes(other_.span().first(slice_)), std::as_writable_bytes(all));
  }
  /// The sum, kept here: waits for what is under way.
  std::span<const T> take() {
    go_on();
    message_.wait();
    return sum_.span().first(size_);
  }

 private:
  // Slice by slice what each rank is to add up; the last ones are filled up with zeros.
  Buffer<T> slices(const Buffer<T>& rows, std::size_t count) const {
    const std::size_t each = rows.size() / size_;
    Buffer<T> sliced(count * each * slice_);
    for (std::size_t r = 0; r < count; ++r) {
      const std::size_t from = std::min(size_, r * slice_), length = std::min(size_, from + slice_) - from;
      for (std::size_t k = 0; k < each; ++k)
        std::copy_n(rows.data() + k * size_ + from, length, sliced.data() + (r * each + k) * slice_);
    }
    return sliced;
  }
  // The tree over rows of `size`, into the first.
  void fold(std::span<T> rows, std::size_t size) const {
    for (std::size_t count = rows.size() / size; count > 1; count = (count + 1) / 2) {
      for (std::size_t i = 0; i < count / 2; ++i) {
        const std::span<T> a = rows.subspan(2 * i * size, size);
        merge_(a, std::span<const T>(rows.subspan((2 * i + 1) * size, size)));
        if (i > 0) std::copy(a.begin(), a.end(), rows.begin() + static_cast<std::ptrdiff_t>(i * size));
      }
      if (count % 2 == 1) {
        const std::span<T> odd = rows.subspan((count - 1) * size, size);
        std::copy(odd.begin(), odd.end(), rows.begin() + static_cast<std::ptrdiff_t>(count / 2 * size));
      }
    }
  }

  const Shards* shards_;
  std::size_t size_, slice_ = 0;  // a slice of 0: the sum is short
  Buffer<T> sum_, other_;
  Merge merge_;
  bool gone_on_ = false;
  Message message_;  // the last to be made, the first to go: it waits, for buffers that it may still write to
};

}  // namespace siena
