// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/communicator.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/rank_threads.hpp"

using namespace siena;

TEST_CASE("alone, what is gathered is what was given, and sums are left as they are") {
  const AnyCommunicator ranks;
  CHECK(ranks.rank() == 0);
  CHECK(ranks.alone());
  const std::vector<int> mine{1, 2};
  CHECK(gather(ranks, mine) == mine);
  std::vector<float> values{1.5f};
  sum_over(ranks, values);
  CHECK(values[0] == 1.5f);
  CHECK(on_any(ranks, true));
  CHECK_FALSE(on_any(ranks, false));
  CHECK(on_first(ranks, true));
}

TEST_CASE("ranks add up neighbours first, long vectors and short ones alike") {
  for (const int count : {1, 2, 3, 5, 8}) {
    for (const std::size_t length : {std::size_t{1}, std::size_t{7}, std::size_t{4099}}) {
      const auto value = [](int rank, std::size_t i) { return 1.0f / static_cast<float>(3 * rank + static_cast<int>(i) + 1); };
      std::vector<float> expected;
      for (std::size_t i = 0; i < length; ++i) {
        std::vector<float> level;
        for (int r = 0; r < count; ++r) level.push_back(value(r, i));
        while (level.size() > 1) {
          std::vector<float> next;
          for (std::size_t k = 0; k < level.size(); k += 2)
            next.push_back(k + 1 < level.size() ? level[k] + level[k + 1] : level[k]);
          level = next;
        }
        expected.push_back(level[0]);
      }
      std::vector<std::vector<float>> sums(static_cast<std::size_t>(count));
      const auto errors = test::on_ranks(count, [&](int rank, const AnyCommunicator& ranks) {
        std::vector<float> mine;
        for (std::size_t i = 0; i < length; ++i) mine.push_back(value(rank, i));
        sum_over(ranks, mine);
        sums[static_cast<std::size_t>(rank)] = mine;
      });
      for (const auto& error : errors) CHECK(test::text_of(error).empty());
      for (const auto& sum : sums) CHECK(sum == expected);
    }
  }
}

TEST_CASE("what one rank says reaches all") {
  std::vector<std::vector<int>> all(3);
  std::vector<int> any(3), none(3), first(3);
  const auto errors = test::on_ranks(3, [&](int rank, const AnyCommunicator& ranks) {
    const auto at = static_cast<std::size_t>(rank);
    const std::vector<int> mine{rank, 10 * rank};
    all[at] = gather(ranks, mine);
    any[at] = on_any(ranks, rank == 2);
    none[at] = on_any(ranks, false);
    first[at] = on_first(ranks, rank == 0);
  });
  for (const auto& error : errors) CHECK(test::text_of(error).empty());
  for (const auto& one : all) CHECK(one == std::vector<int>{0, 0, 1, 10, 2, 20});
  CHECK(any == std::vector<int>{1, 1, 1});
  CHECK(none == std::vector<int>{0, 0, 0});
  CHECK(first == std::vector<int>{1, 1, 1});
}

TEST_CASE("a rank is below the number of ranks") {
  struct Odd : Alone {
    int rank() const { return 1; }
  };
  CHECK_THROWS_WITH(AnyCommunicator(Odd{}), ContainsSubstring("expected a rank below the size, got 1 of 1"));
}
