// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/rank_sum.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "siena/core/shards.hpp"
#include "support/catch.hpp"
#include "support/noted_ranks.hpp"
#include "support/rank_threads.hpp"

using namespace siena;

// What sums are is tested with Shards.
TEST_CASE("sums of ranks are under way until they are taken, in any order") {
  std::vector<test::Notes> notes;
  for (int rank = 0; rank < 2; ++rank) notes.push_back(std::make_shared<std::vector<test::Note>>());
  std::vector<std::vector<float>> sums(2);
  const auto errors = test::on_ranks(2, [&](int rank, const AnyCommunicator& threads) {
    const auto at = static_cast<std::size_t>(rank);
    const Shards shards(2, test::NotedRanks(threads, notes[at]));
    const auto part = [&](std::size_t size) {
      Buffer<float> rows(size);
      for (float& value : rows) value = static_cast<float>(rank + 1);
      return rows;
    };
    RankSum long_one(shards, part(4096), 4096), short_one(shards, part(3), 3);
    for (const float value : short_one.take()) sums[at].push_back(value);
    long_one.go_on();
    RankSum last(shards, part(1), 1);
    sums[at].push_back(long_one.take().back());
    sums[at].push_back(static_cast<float>(long_one.take().size()));
    sums[at].push_back(last.take()[0]);
  });
  for (const auto& error : errors) CHECK(test::text_of(error).empty());
  for (std::size_t rank = 0; rank < 2; ++rank) {
    CHECK(sums[rank] == std::vector<float>{3, 3, 3, 3, 4096, 3});
    std::string all;
    for (const auto& note : *notes[rank]) all += (note.what.empty() ? "there" : note.what) + std::to_string(note.message) + " ";
    CHECK(all == "all_to_all0 all_gather1 there1 there0 all_gather2 all_gather3 there2 there3 ");
  }
}

TEST_CASE("a sum that nobody takes is waited for before its memory goes") {
  const auto notes = std::make_shared<std::vector<test::Note>>();
  const auto errors = test::on_ranks(2, [&](int rank, const AnyCommunicator& threads) {
    const Shards shards(2, rank == 0 ? AnyCommunicator(test::NotedRanks(threads, notes)) : threads);
    RankSum sum(shards, Buffer<double>(2), 2);
  });
  for (const auto& error : errors) CHECK(test::text_of(error).empty());
  REQUIRE(notes->size() == 2);
  CHECK(notes->back().what.empty());
}
