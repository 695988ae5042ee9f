// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/shards.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/rank_sum.hpp"
#include "support/catch.hpp"
#include "support/rank_threads.hpp"

using namespace siena;

namespace {

float sample_value(std::int64_t sample, std::size_t i) {
  return 1.0f / static_cast<float>(3 * sample + static_cast<std::int64_t>(i) + 1);
}
// The tree as it is described, one number at a time.
std::vector<float> tree_sum(int shards, std::int64_t samples, std::size_t length) {
  std::vector<float> sums;
  for (std::size_t i = 0; i < length; ++i) {
    std::vector<float> level;
    for (std::int64_t s = 0; s < shards; ++s) {
      level.push_back(0);
      for (std::int64_t n = samples * s / shards; n < samples * (s + 1) / shards; ++n) level.back() += sample_value(n, i);
    }
    while (level.size() > 1) {
      std::vector<float> next;
      for (std::size_t k = 0; k < level.size(); k += 2)
        next.push_back(k + 1 < level.size() ? level[k] + level[k + 1] : level[k]);
      level = next;
    }
    sums.push_back(level[0]);
  }
  return sums;
}
std::vector<float> shard_sum(const Shards& shards, std::int64_t samples, std::size_t length) {
  const std::int64_t offset = shards.first_sample(samples);
  const auto fill = [&](std::int64_t first, std::int64_t count, std::span<float> row) {
    for (std::int64_t n = first; n < first + count; ++n) {
      for (std::size_t i = 0; i < length; ++i) row[i] += sample_value(offset + n, i);
    }
  };
  Buffer<float> rows = shards.partial<float>(samples, length, fill, Shards::Add{});
  RankSum all(shards, std::move(rows), length);
  const std::span<const float> sum = all.take();
  return {sum.begin(), sum.end()};
}

}  // namespace

TEST_CASE("sums over shards are those of the tree, on any number of ranks and of threads, long and short") {
  struct Case {
    int shards, ranks;
  };
  for (const auto& [count, ranks] :
       std::vector<Case>{{1, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 1}, {8, 2}, {8, 4}, {8, 8}, {6, 2}, {6, 3}, {12, 4}, {5, 5}}) {
    for (const std::int64_t samples : {3, 21}) {  // fewer than shards, and more
      for (const std::size_t length : {std::size_t{1}, std::size_t{2053}}) {
        INFO(count << " shards, " << ranks << " ranks, " << samples << " samples, " << length << " numbers");
        const std::vector<float> expected = tree_sum(count, samples, length);
        for (const int threads : {1, 3}) {
          set_threads(threads);
          std::vector<std::vector<float>> sums(static_cast<std::size_t>(ranks));
          const auto errors = test::on_ranks(ranks, [&, shards = count](int rank, const AnyCommunicator& others) {
            sums[static_cast<std::size_t>(rank)] = shard_sum(Shards(shards, others), samples, length);
          });
          for (const auto& error : errors) CHECK(test::text_of(error).empty());
          for (const auto& sum : sums) CHECK(sum == expected);
        }
        set_threads(0);
      }
    }
  }
}

TEST_CASE("shards are one where a process is alone and eight where it is not, as many on each rank") {
  CHECK(Shards().whole());
  CHECK(Shards(0, {}).count() == 1);
  const auto errors = test::on_ranks(2, [&](int rank, const AnyCommunicator& ranks) {
    const Shards shards(0, ranks);
    require<DataError>(shards.count() == 8 && shards.here() == 4 && shards.first_sample(11) == (rank == 0 ? 0 : 5) &&
                           shards.samples_here(11) == (rank == 0 ? 5 : 6),
                       "other shards");
    Shards(3, ranks);
  });
  for (const auto& error : errors)
    CHECK_THAT(test::text_of(error), ContainsSubstring("as many on each of 2 ranks, got 3; 2 or 4 would do"));
  CHECK_THROWS_AS(Shards(-1, {}), ArgumentError);
}
