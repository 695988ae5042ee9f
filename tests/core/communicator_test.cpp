// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/communicator.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/rank_threads.hpp"

using namespace siena;

TEST_CASE("alone, what is gathered is what was given") {
  const AnyCommunicator ranks;
  CHECK(ranks.rank() == 0);
  CHECK(ranks.alone());
  const std::vector<int> mine{1, 2};
  CHECK(gather(ranks, mine) == mine);
  CHECK(on_any(ranks, true));
  CHECK_FALSE(on_any(ranks, false));
  CHECK(on_first(ranks, true));
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
