// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <mutex>
#include <numeric>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "siena/core/error.hpp"
#include "siena/core/random.hpp"
#include "siena/core/tensor.hpp"
#include "siena/data/augment.hpp"
#include "siena/data/dataset.hpp"

namespace siena::data {

struct LoaderOptions {
  std::int64_t batch = 128;  ///< samples
  bool shuffle = true;       ///< another order every epoch
  bool drop_last = false;    ///< leave a last batch that is not full out
  std::uint64_t seed = 0;    ///< of the order and of augmentation
  Augment augment = {};      ///< what is done to samples by chance
  int prefetch = 2;          ///< batches that a thread of their own builds ahead; 0: built where they are asked for
  int part = 0;              ///< which of `parts` runs of each batch is served: of n samples those from n part / parts on
  int parts = 1;             ///< runs in which batches are shared out (Batch::whole)
};

namespace detail {

// Everything that decides what the batches of an epoch are; shared by the loader and its running epochs.
struct LoaderPlan {
  LoaderPlan(Dataset dataset, LoaderOptions chosen) : options(std::move(chosen)), renderer(std::move(dataset)) {}

  std::int64_t batches() const {
    const std::int64_t size = renderer.dataset().size();
    return size / options.batch + (!options.drop_last && size % options.batch != 0 ? 1 : 0);
  }

  std::vector<std::int64_t> order(std::int64_t epoch) const {
    std::vector<std::int64_t> order(static_cast<std::size_t>(renderer.dataset().size()));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    if (options.shuffle) {
      Random random = Random(options.seed, 0).split(static_cast<std::uint64_t>(epoch));
      siena::shuffle(order, random);
    }
    return order;
  }

  // Writes batch `b` into `out`, whose memory is used again where it fits.
  void build(std::int64_t epoch, std::span<const std::int64_t> order, std::int64_t b, Batch& out) const {
    const Dataset& dataset = renderer.dataset();
    const std::int64_t whole = std::min(options.batch, static_cast<std::int64_t>(order.size()) - b * options.batch);
    const std::int64_t begin = whole * options.part / options.parts, end = whole * (options.part + 1) / options.parts;
    const std::int64_t count = std::max<std::int64_t>(end - begin, 1);
    const std::int64_t first = b * options.batch + (begin < end ? begin : 0);
    out.whole = whole;
    const Shape shape = dataset.shape().batch(count);
    if (out.inputs.shape() != shape) out.inputs = Tensor::uninitialized(shape);
    out.labels.resize(dataset.labelled() ? static_cast<std::size_t>(count) : 0);
    if (dataset.target_size() > 0 && (out.targets.empty() || out.targets.rows() != count))
      out.targets = Tensor(Shape{count, dataset.target_size()});

    const Random of_epoch = Random(options.seed, 1).split(static_cast<std::uint64_t>(epoch));
    const auto size = static_cast<std::size_t>(renderer.size());
    for (std::int64_t k = 0; k < count; ++k) {
      const std::int64_t i = order[static_cast<std::size_t>(first + k)];
      const Random random = of_epoch.split(static_cast<std::uint64_t>(i));
      const auto values = out.inputs.storage().subspan(static_cast<std::size_t>(k) * size, size);
      renderer.render(i, draw_placement(options.augment, dataset.shape(), random), values);
      if (options.augment.custom) customize(values, random);
      if (dataset.labelled()) out.labels[static_cast<std::size_t>(k)] = dataset.label(i);
      if (dataset.target_size() > 0) std::copy_n(dataset.target(i).begin(), dataset.target_size(), out.targets.row(k).begin());
    }
  }

  void customize(std::span<float> values, const Random& random) const {
    Random own = random.split(0);
    options.augment.custom(values, own);
    const auto channels = static_cast<std::size_t>(renderer.dataset().channels()),
               stride = static_cast<std::size_t>(padded(renderer.dataset().channels()));
    for (std::size_t row = 0; row < values.size(); row += stride) {
      std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(row + channels), stride - channels, 0.0f);
    }
  }

  LoaderOptions options;
  Renderer renderer;
};

}  // namespace detail

/// The batches of one epoch, in order, once: `for (const Batch& batch : loader.epoch(3))`. A batch is valid until the next one
/// is asked for. Leaving the loop early stops the thread that works ahead and waits for it (at most one batch long).
class Epoch {
 public:
  Epoch(std::shared_ptr<const detail::LoaderPlan> plan, std::int64_t epoch)
      : plan_(std::move(plan)),
        epoch_(epoch),
        count_(plan_->batches()),
        order_(plan_->order(epoch)),
        slots_(static_cast<std::size_t>(plan_->options.prefetch) + 1) {
    if (plan_->options.prefetch > 0 && count_ > 0) {
      producer_ = std::jthread([this](std::stop_token stop) { produce(stop); });
    }
  }
  Epoch(const Epoch&) = delete;
  Epoch& operator=(const Epoch&) = delete;

  /// The next batch, or nullptr after the last one. Rethrows what went wrong while it was built.
  const Batch* next() {
    if (taken_ == count_) return nullptr;
    Batch& batch = slot(taken_);
    if (!producer_.joinable()) {
      plan_->build(epoch_, order_, taken_, batch);
      ++taken_;
      return &batch;
    }
    std::unique_lock lock(mutex_);
    released_ = taken_;  // the batch handed out before this one may be overwritten now
    changed_.notify_all();
    changed_.wait(lock, [&] { return built_ > taken_ || error_; });
    if (built_ <= taken_) std::rethrow_exception(error_);
    ++taken_;
    return &batch;
  }

  class Iterator {
   public:
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Epoch& epoch) : epoch_(&epoch), batch_(epoch.next()) {}
    const Batch& operator*() const { return *batch_; }
    const Batch* operator->() const { return batch_; }
    Iterator& operator++() {
      batch_ = epoch_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return batch_ == nullptr; }

   private:
    Epoch* epoch_;
    const Batch* batch_;
  };
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  Batch& slot(std::int64_t b) { return slots_[static_cast<std::size_t>(b) % slots_.size()]; }

  // Batch b goes into slot b modulo their number: one slot is with the caller, the others are ahead of it.
  void produce(std::stop_token stop) {
    for (std::int64_t b = 0; b < count_; ++b) {
      {
        std::unique_lock lock(mutex_);
        const auto room = [&] { return b < released_ + static_cast<std::int64_t>(slots_.size()); };
        if (!changed_.wait(lock, stop, room)) return;
      }
      if (stop.stop_requested()) return;
      std::exception_ptr error;
      try {
        plan_->build(epoch_, order_, b, slot(b));
      } catch (...) {
        error = std::current_exception();
      }
      std::lock_guard lock(mutex_);
      if (error) {
        error_ = error;
      } else {
        built_ = b + 1;
      }
      changed_.notify_all();
      if (error) return;
    }
  }

  std::shared_ptr<const detail::LoaderPlan> plan_;
  std::int64_t epoch_, count_;
  std::vector<std::int64_t> order_;
  std::vector<Batch> slots_;
  std::int64_t taken_ = 0;  // batches that the caller has got; the caller's own

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::int64_t built_ = 0, released_ = 0;  // batches finished by the producer, and by the caller
  std::exception_ptr error_;
  std::jthread producer_;  // last: stopped and joined before anything that it uses goes
};

/// Serves a dataset in batches: shuffled, normalised, augmented, and built ahead of the caller. The order of a batch depends on
/// (seed, epoch), what augmentation does to a sample on (seed, epoch, place of the sample in the dataset), and nothing depends
/// on threads or on `prefetch`. Cheap to copy.
class Loader {
 public:
  explicit Loader(Dataset dataset, LoaderOptions options = {}) {
    require<ArgumentError>(options.batch > 0, "Loader: expected a batch of at least 1 sample, got {}", options.batch);
    require<ArgumentError>(options.prefetch >= 0 && options.prefetch <= 1024,
                           "Loader: expected to prefetch 0 to 1024 batches, got {}", options.prefetch);
    require<ArgumentError>(!options.drop_last || dataset.empty() || dataset.size() >= options.batch,
                           "Loader: expected at least one full batch of {}, got {} samples in '{}'; make the batch smaller or "
                           "keep the last one (drop_last = false)",
                           options.batch, dataset.size(), dataset.name());
    require<ArgumentError>(options.part >= 0 && options.part < options.parts, "Loader: expected one of the parts, got {} of {}",
                           options.part, options.parts);
    check(options.augment, dataset);
    plan_ = std::make_shared<const detail::LoaderPlan>(std::move(dataset), std::move(options));
  }

  /// How many an epoch has.
  std::int64_t batches() const { return plan_->batches(); }
  const Dataset& dataset() const { return plan_->renderer.dataset(); }
  const LoaderOptions& options() const { return plan_->options; }

  /// The batches of an epoch (0, 1, ...); holds all it needs, so the loader may go first.
  Epoch epoch(std::int64_t number) const {
    require<ArgumentError>(number >= 0, "Loader: expected an epoch of 0 or more, got {}", number);
    return Epoch(plan_, number);
  }
  /// Calls f(const Batch&) for every batch of an epoch, in order.
  template <class F>
  void for_each(std::int64_t number, F&& f) const {
    for (const Batch& batch : epoch(number)) f(batch);
  }

 private:
  std::shared_ptr<const detail::LoaderPlan> plan_;
};

}  // namespace siena::data
