// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/rank_threads.hpp"
#include "support/shared_searches.hpp"

using namespace siena;

TEST_CASE("search: ranks find what one process with as many shards does, by every method") {
  constexpr int shards = 12;
  std::set<std::string> different;
  for (const test::SharedSearch& searched : test::shared_searches()) {
    INFO(searched.name);
    const std::string alone = test::found_with(searched, {}, shards);
    CHECK(different.insert(alone).second);
    for (const int count : {2, 3, 4}) {
      std::vector<std::string> found(static_cast<std::size_t>(count));
      const auto errors = test::on_ranks(count, [&](int rank, const AnyCommunicator& ranks) {
        found[static_cast<std::size_t>(rank)] = test::found_with(searched, ranks, shards);
      });
      for (const auto& error : errors) CHECK(test::text_of(error).empty());
      for (const std::string& one : found) CHECK(one == alone);
    }
  }
}
