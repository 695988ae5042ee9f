// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/loader.hpp"

#include <atomic>
#include <chrono>
#include <cstring>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "siena/core/parallel.hpp"
#include "siena/data/measure.hpp"
#include "support/catch.hpp"

using namespace siena;
using namespace siena::data;

static_assert(std::input_iterator<Epoch::Iterator> && std::sentinel_for<std::default_sentinel_t, Epoch::Iterator>);

namespace {

Dataset images(std::int64_t size, std::int64_t side = 6, std::int64_t channels = 3) {
  Random random(11);
  std::vector<std::uint8_t> values(static_cast<std::size_t>(size * side * side * channels));
  for (auto& value : values) value = static_cast<std::uint8_t>(random.below(256));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i);  // tells samples apart
  const auto dataset = Dataset::from_bytes(std::move(values), {.shape = {side, side, channels}, .labels = std::move(labels)});
  return dataset.normalized(measure(dataset));
}

struct Copied {
  std::vector<float> values;  // padding included
  std::vector<std::int32_t> labels;
  std::vector<std::int64_t> sizes;
  bool operator==(const Copied&) const = default;
};

Copied copy_epoch(const Loader& loader, std::int64_t epoch) {
  Copied copied;
  for (const Batch& batch : loader.epoch(epoch)) {
    const auto storage = batch.inputs.storage();
    copied.values.insert(copied.values.end(), storage.begin(), storage.end());
    copied.labels.insert(copied.labels.end(), batch.labels.begin(), batch.labels.end());
    copied.sizes.push_back(batch.size());
  }
  return copied;
}

std::vector<std::int32_t> order(const Dataset& dataset, std::uint64_t seed, std::int64_t epoch) {
  return copy_epoch(Loader(dataset, {.batch = 7, .seed = seed}), epoch).labels;
}

// Memory that buffers will get next, full of what must not survive.
void soil_pool() {
  std::vector<Buffer<float>> buffers;
  for (std::size_t size = 64; size < 65536; size += size / 8) {
    for (int k = 0; k < 4; ++k) {
      buffers.push_back(Buffer<float>::uninitialized(size));
      for (float& value : buffers.back()) value = std::numeric_limits<float>::quiet_NaN();
    }
  }
}

const Augment everything{.crop_padding = 2, .flip = true, .rotation_degrees = 20, .shift = 0.2};

}  // namespace

TEST_CASE("batches hold normalised samples and zeros in the padding") {
  const auto dataset = images(10);
  const int prefetch = GENERATE(0, 2);
  soil_pool();
  const Loader loader(dataset, {.batch = 4, .shuffle = false, .prefetch = prefetch});
  REQUIRE(loader.batches() == 3);
  const auto normalization = dataset.normalization();
  std::vector<float> sample(static_cast<std::size_t>(dataset.shape().elements()));
  std::int64_t first = 0;
  loader.for_each(0, [&](const Batch& batch) {
    REQUIRE(batch.inputs.shape() == Shape{first < 8 ? 4 : 2, 6, 6, 3});
    REQUIRE(batch.labels.size() == static_cast<std::size_t>(batch.size()));
    for (std::int64_t n = 0; n < batch.size(); ++n) {
      REQUIRE(batch.labels[static_cast<std::size_t>(n)] == first + n);
      dataset.sample(first + n, sample);
      bool same = true, clean = true;
      for (std::int64_t p = 0; p < 36; ++p) {
        const float* row = batch.inputs.data() + (n * 36 + p) * 8;
        for (std::int64_t c = 0; c < 8; ++c) {
          const auto at = static_cast<std::size_t>(c);
          if (c >= 3)
            clean = clean && row[c] == 0.0f;
          else
            same = same && row[c] == (sample[static_cast<std::size_t>(p * 3 + c)] - normalization.mean[at]) /
                                         normalization.deviation[at];
        }
      }
      REQUIRE(same);
      REQUIRE(clean);
    }
    first += batch.size();
  });
  REQUIRE(first == 10);
}

TEST_CASE("an epoch shows every sample once, in an order of its own") {
  const auto dataset = images(50);
  std::vector<std::int32_t> sorted(50);
  std::iota(sorted.begin(), sorted.end(), 0);
  const auto one = order(dataset, 1, 0), two = order(dataset, 1, 1), other = order(dataset, 2, 0);
  REQUIRE(one != two);
  REQUIRE(one != other);
  REQUIRE(one != sorted);
  REQUIRE(one == order(dataset, 1, 0));
  for (auto labels : {one, two, other}) {
    std::sort(labels.begin(), labels.end());
    REQUIRE(labels == sorted);
  }
  REQUIRE(copy_epoch(Loader(dataset, {.shuffle = false}), 5).labels == sorted);
}

TEST_CASE("the last batch is short, or left out") {
  const auto dataset = images(10);
  REQUIRE(copy_epoch(Loader(dataset, {.batch = 4}), 0).sizes == std::vector<std::int64_t>{4, 4, 2});
  REQUIRE(copy_epoch(Loader(dataset, {.batch = 4, .drop_last = true}), 0).sizes == std::vector<std::int64_t>{4, 4});
  REQUIRE(copy_epoch(Loader(dataset, {.batch = 5}), 0).sizes == std::vector<std::int64_t>{5, 5});
  REQUIRE(copy_epoch(Loader(dataset, {.batch = 64}), 0).sizes == std::vector<std::int64_t>{10});
  REQUIRE(Loader(dataset, {.batch = 4, .drop_last = true}).batches() == 2);
  REQUIRE(copy_epoch(Loader(dataset.take(0)), 0).sizes.empty());
}

TEST_CASE("batches are the same bits whatever the prefetch depth and the threads") {
  const auto dataset = images(45);
  const auto run = [&](int prefetch) {
    soil_pool();
    const Loader loader(dataset, {.batch = 8, .seed = 3, .augment = everything, .prefetch = prefetch});
    return copy_epoch(loader, 2);
  };
  const auto reference = run(0);
  for (const int prefetch : {1, 2, 5, 100}) REQUIRE(run(prefetch) == reference);
  set_threads(1);
  REQUIRE(run(2) == reference);
  set_threads(0);
}

TEST_CASE("what augmentation does to a sample depends on seed, epoch and sample alone") {
  const auto dataset = images(30);
  const auto by_sample = [&](LoaderOptions options, std::int64_t epoch) {
    const auto copied = copy_epoch(Loader(dataset, std::move(options)), epoch);
    const std::size_t size = copied.values.size() / copied.labels.size();
    std::vector<float> sorted(copied.values.size());
    for (std::size_t k = 0; k < copied.labels.size(); ++k) {
      std::copy_n(copied.values.begin() + static_cast<std::ptrdiff_t>(k * size), size,
                  sorted.begin() + copied.labels[k] * static_cast<std::ptrdiff_t>(size));
    }
    return sorted;
  };
  const auto reference = by_sample({.batch = 8, .seed = 1, .augment = everything}, 4);
  REQUIRE(by_sample({.batch = 5, .shuffle = false, .seed = 1, .augment = everything}, 4) == reference);
  REQUIRE(by_sample({.batch = 8, .seed = 1, .augment = everything}, 5) != reference);
  REQUIRE(by_sample({.batch = 8, .seed = 2, .augment = everything}, 4) != reference);
}

TEST_CASE("custom augmentation gets the sample in place and its own random numbers") {
  const auto dataset = images(20);
  const auto scale = [](std::span<float> values, Random& random) {
    const auto factor = static_cast<float>(random.uniform(2, 3));
    for (float& value : values) value = factor * value + 1;  // soils the padding, which is cleared again
  };
  const auto plain = copy_epoch(Loader(dataset, {.batch = 6, .seed = 1}), 0);
  const auto scaled = copy_epoch(Loader(dataset, {.batch = 6, .seed = 1, .augment = {.custom = scale}}), 0);
  const auto in_place = copy_epoch(Loader(dataset, {.batch = 6, .seed = 1, .augment = {.custom = scale}, .prefetch = 0}), 0);
  REQUIRE(scaled == in_place);
  std::set<float> factors;
  for (std::size_t k = 0; k < 20; ++k) {
    const float* before = plain.values.data() + k * 36 * 8;
    const float* after = scaled.values.data() + k * 36 * 8;
    const float factor = (after[0] - 1) / before[0];
    factors.insert(factor);
    REQUIRE(factor > 1.99f);
    REQUIRE(factor < 3.01f);
    REQUIRE(after[9] == Approx(factor * before[9] + 1).epsilon(1e-3));
    REQUIRE(after[3] == 0.0f);
    REQUIRE(after[7] == 0.0f);
  }
  REQUIRE(factors.size() == 20);
}

TEST_CASE("leaving an epoch early stops the thread that works ahead") {
  const auto dataset = images(200);
  std::atomic<int> rendered = 0;
  const Augment counting{.custom = [&](std::span<float>, Random&) { ++rendered; }};
  const Loader loader(dataset, {.batch = 10, .augment = counting, .prefetch = 3});
  for (int round = 0; round < 20; ++round) {
    std::int64_t seen = 0;
    for (const Batch& batch : loader.epoch(round)) {
      REQUIRE(batch.size() == 10);
      if (++seen > round % 4) break;
    }
  }
  const int after_break = rendered;
  REQUIRE_THROWS_WITH(loader.for_each(0, [](const Batch&) { throw std::runtime_error("enough"); }),
                      ContainsSubstring("enough"));
  { const auto untouched = loader.epoch(0); }
  const int after_throw = rendered;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  REQUIRE(rendered == after_throw);  // nobody is left at work
  REQUIRE(after_throw > after_break);
  REQUIRE(copy_epoch(loader, 0).labels.size() == 200);
}

TEST_CASE("the next batches are built while the caller works, and no more than asked for") {
  std::atomic<int> rendered = 0;
  const Augment counting{.custom = [&](std::span<float>, Random&) { ++rendered; }};
  const Loader loader(images(100), {.batch = 10, .augment = counting, .prefetch = 2});
  Epoch epoch = loader.epoch(0);
  const Batch* first = epoch.next();
  REQUIRE(first != nullptr);
  const std::vector<std::int32_t> labels = first->labels;
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (rendered < 30 && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
  REQUIRE(rendered == 30);  // the one with the caller and two ahead
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  REQUIRE(rendered == 30);
  REQUIRE(first->labels == labels);  // the caller's own is left alone meanwhile
  std::int64_t batches = 1;
  while (epoch.next() != nullptr) ++batches;
  REQUIRE(batches == 10);
  REQUIRE(epoch.next() == nullptr);
}

TEST_CASE("what goes wrong while a batch is built reaches the caller in its place") {
  const int prefetch = GENERATE(0, 1, 4);
  std::atomic<int> rendered = 0;
  const Augment failing{.custom = [&](std::span<float>, Random&) {
    if (++rendered == 25) fail<DataError>("sample 25: broken");
  }};
  const Loader loader(images(60), {.batch = 10, .augment = failing, .prefetch = prefetch});
  std::int64_t seen = 0;
  REQUIRE_THROWS_AS(loader.for_each(0, [&](const Batch&) { ++seen; }), DataError);
  REQUIRE(seen == 2);
  rendered = 0;
  REQUIRE_THROWS_WITH(copy_epoch(loader, 0), ContainsSubstring("sample 25: broken"));
  // Nobody who looks: nothing happens.
  rendered = 20;
  { const auto untouched = loader.epoch(0); }
}

TEST_CASE("an epoch outlives its loader") {
  std::optional<Loader> loader(Loader(images(20), {.batch = 8}));
  Epoch epoch = loader->epoch(0);
  loader.reset();
  std::int64_t seen = 0;
  for (const Batch& batch : epoch) seen += batch.size();
  REQUIRE(seen == 20);
}

TEST_CASE("a loader in steady state asks the system for no memory") {
  // Without prefetching: how far the other thread has come, and so how many batches are in use, depends on timing.
  const Loader loader(images(64), {.batch = 10, .augment = everything, .prefetch = 0});
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) copy_epoch(loader, epoch);
  const auto before = MemoryPool::global().system_allocations();
  for (std::int64_t epoch = 3; epoch < 10; ++epoch) copy_epoch(loader, epoch);
  REQUIRE(MemoryPool::global().system_allocations() == before);
}

TEST_CASE("features without labels are served too") {
  const auto dataset = Dataset::from_floats({1, 2, 3, 4, 5, 6}, {.shape = {3}}).normalized({0, 0, 1}, {1, 2, 1});
  const Loader loader(dataset, {.shuffle = false});
  std::int64_t seen = 0;
  loader.for_each(0, [&](const Batch& batch) {
    ++seen;
    REQUIRE(batch.labels.empty());
    REQUIRE(batch.inputs.shape() == Shape{2, 3});
    REQUIRE(batch.inputs(0, 1) == 1.0f);
    REQUIRE(batch.inputs(1, 0) == 4.0f);
    REQUIRE(batch.inputs(1, 2) == 5.0f);
    REQUIRE(batch.inputs.data()[3] == 0.0f);
  });
  REQUIRE(seen == 1);
}

TEST_CASE("a loader refuses options that make no sense") {
  const auto dataset = images(10);
  REQUIRE_THROWS_WITH(Loader(dataset, {.batch = 0}), ContainsSubstring("a batch of at least 1 sample, got 0"));
  REQUIRE_THROWS_WITH(Loader(dataset, {.batch = 11, .drop_last = true}),
                      ContainsSubstring("at least one full batch of 11, got 10 samples"));
  REQUIRE_THROWS_AS(Loader(dataset, {.prefetch = -1}), ArgumentError);
  REQUIRE_THROWS_AS(Loader(dataset, {.augment = {.crop_padding = 6}}), ArgumentError);
  REQUIRE_THROWS_AS(Loader(dataset).epoch(-1), ArgumentError);
}

TEST_CASE("batches bring the targets of their samples") {
  std::vector<float> values(23), targets;
  std::iota(values.begin(), values.end(), 0.0f);
  for (const float value : values) targets.insert(targets.end(), {value, -value, 0.5f});
  const auto dataset = Dataset::from_floats(values, {.shape = {1}, .targets = targets});
  for (const int prefetch : {0, 2}) {
    const Loader loader(dataset, {.batch = 10, .seed = 4, .prefetch = prefetch});
    std::int64_t seen = 0;
    for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
      for (const Batch& batch : loader.epoch(epoch)) {
        REQUIRE(batch.targets.shape() == Shape{batch.size(), 3});
        for (std::int64_t r = 0; r < batch.size(); ++r, ++seen) {
          const float value = batch.inputs(r, 0);
          REQUIRE(std::vector<float>(batch.targets.row(r).begin(), batch.targets.row(r).end()) ==
                  std::vector<float>{value, -value, 0.5f});
          for (std::int64_t c = 3; c < 8; ++c) REQUIRE(batch.targets.storage()[static_cast<std::size_t>(8 * r + c)] == 0);
        }
      }
    }
    REQUIRE(seen == 46);
  }
  REQUIRE(Loader(images(4)).epoch(0).next()->targets.empty());
}

TEST_CASE("loader: a batch of any size is the whole dataset at most", "[data][loader]") {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t batch : {std::int64_t{10}, std::int64_t{11}, most - 1, most}) {
    const Loader loader(images(10), {.batch = batch});
    CHECK(loader.batches() == 1);
    CHECK(copy_epoch(loader, 0).sizes == std::vector<std::int64_t>{10});
  }
  CHECK(Loader(images(10), {.batch = 3}).batches() == 4);
  CHECK(Loader(images(10), {.batch = 3, .drop_last = true}).batches() == 3);
  CHECK_THROWS_AS(Loader(images(10), {.batch = most, .drop_last = true}), ArgumentError);
}
